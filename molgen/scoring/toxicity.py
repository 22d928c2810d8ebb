"""Refuses objectives in which being more toxic raises a score (the misuse of Urbina et al., Nat. Mach. Intell. 2022).

A component counts as a toxicity end point when its name, its scorer or one of its parameters says so in words; whether
a rising value means more or less harm is read from the same words and the unit. Names can lie, so this stops mistakes
and plain misuse, not somebody who is set on it; docs/hazard.md says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import numpy as np

from molgen.core.errors import Problem
from molgen.scoring.transforms import Transform

#: Whole words that name a toxicity end point.
_WORDS = frozenset(
    (
        "tox",
        "ames",
        "herg",
        "kcnh2",
        "dili",
        "ld50",
        "lc50",
        "td50",
        "lethal",
        "lethality",
        "poison",
        "poisonous",
        "skin_reaction",
        "skin_sensitization",
    )
)
#: A word that contains one of these names one too (hepatotoxicity, mutagenic).
_STEMS = ("toxic", "mutagen", "carcinogen", "teratogen", "clastogen")
#: Words that turn the meaning round: a rising value is then a safer molecule.
_SAFE = frozenset(
    (
        "non",
        "not",
        "no",
        "anti",
        "low",
        "free",
        "safe",
        "safety",
        "margin",
        "selectivity",
        "without",
        "lack",
        "absence",
        "negative",
        "inactive",
    )
)
#: Concentrations and doses at which harm sets in: the more is needed, the safer, unless it is a logarithm.
_DOSES = frozenset(["ic50", "ec50", "ac50", "cc50", "tc50", "ki", "kd", "noael", "loael"])
_LETHAL_DOSES = frozenset(["ld50", "lc50", "td50"])
_LOGARITHMS = frozenset(["p", "log", "neg", "minus", "pic50", "pki", "pkd", "pec50", "pld50", "plc50", "zhu"])
#: Parameters that are chemistry or files, not names of end points.
_NO_NAMES = frozenset({"smarts", "references", "smiles", "allow", "catalogs"})
_RISE = 0.05  # a desirability that rises by less than this along the harm is rounding or the tail of a window


def toxicity_problems(
    name: str, use: str, params: Mapping[str, Any], unit: str, transform: Transform, key: str
) -> list[Problem]:
    """The problem, if this component rewards a toxicity end point; empty for all others.

    ``transform`` is the curve in use; its desirability must not rise with the harm anywhere.
    """
    words = [word for text in (name, use, *_texts(params)) for word in split(text)]
    found = next((word for word in words if is_toxic(word)), None)
    if found is None:
        return []
    direction = harm(words, unit)
    if direction == 0:
        return [
            Problem(
                key,
                f"{name!r} names a lethal dose or concentration, and nothing says whether more of it is safer: name "
                "the component after its scale (LD50_mg_per_kg: more is safer; pLD50: more is more toxic)",
            )
        ]
    if not rewards(transform, direction):
        return []
    cure = "turn the curve round (reverse_sigmoid, or step with high only)"
    if direction < 0:
        cure = "turn the curve round (sigmoid, or step with low only): here a low value is the toxic one"
    return [
        Problem(
            key,
            f"rewards toxicity: {found!r} is a toxicity end point and the curve {transform.describe()} prefers the "
            f"more harmful molecule; molgen does not search for that. {cure[0].upper()}{cure[1:]}. If a rising value "
            "means a safer molecule, say so in the name (non_toxic, herg_safety); an effect on a pathogen or tumor is "
            "named after it",
        )
    ]


def steering_problem(name: str, towards: float | str) -> str:
    """What is wrong with following the slope of this property ``higher``, ``lower`` or to a value; "" if nothing is."""
    words = split(name)
    if not any(is_toxic(word) for word in words):
        return ""
    direction = harm(words, "")
    safe = {1: "lower", -1: "higher"}.get(direction)
    if towards == safe:
        return ""
    cure = f"only {safe!r} is possible" if safe else "name it after its scale (pLD50, LD50_mg_per_kg)"
    return f"{name!r} is a toxicity end point and molgen does not search for harm; {cure}"


def split(text: str) -> list[str]:
    """The words of a name in small letters: ``hERG_IC50`` and ``nonToxic`` are two each, ``AMES`` is one."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", text)
    plain = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    joined = ["_".join(pair) for pair in pairwise(plain)]
    return plain + [pair for pair in joined if pair in _WORDS]


def is_toxic(word: str) -> bool:
    """Whether a word names a toxicity end point."""
    return (
        word in _WORDS
        or any(stem in word for stem in _STEMS)
        or (word.endswith("tox") and word not in ("detox", "botox"))
        or word.lstrip("p") in _LETHAL_DOSES
    )


def harm(words: list[str], unit: str) -> int:
    """+1: a rising value is more toxic; -1: less toxic; 0: a lethal dose on an unknown scale."""
    known = set(words)
    logarithm = bool(known & _LOGARITHMS) or any(text in unit.lower() for text in ("log", "1/"))
    if known & _LETHAL_DOSES and not logarithm:
        weighed = any(word in ("mg", "ug", "g", "kg", "um", "nm", "mm", "mol", "mmol") for word in known)
        direction = -1 if weighed or "/" in unit or unit.lower() in ("um", "nm", "mm", "m") else 0
    else:
        direction = -1 if known & _DOSES and not logarithm else 1
    turned = known & _SAFE or any(word.startswith(("nontox", "antitox", "atox")) for word in known)
    return -direction if turned and direction > 0 else direction


def rewards(transform: Transform, direction: int) -> bool:
    """Whether the desirability rises somewhere along the harm (``direction`` as of :func:`harm`)."""
    config = transform.config
    marks = [value for value in config.model_dump().values() if isinstance(value, (int, float))]
    spread = max([1.0, *(abs(mark) for mark in marks)])
    near = [mark + step for mark in marks for step in np.linspace(-2 * spread, 2 * spread, 81)]
    x = np.unique(np.concatenate([np.linspace(0, 1, 41), np.array(near, dtype=np.float64)]))
    y = transform(x[::direction])
    y = y[~np.isnan(y)]
    return len(y) > 1 and bool((y - np.minimum.accumulate(y)).max() > _RISE)


def _texts(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        if name in _NO_NAMES:
            continue
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, str):
                yield PurePath(item).stem if "/" in item or "\\" in item else item
