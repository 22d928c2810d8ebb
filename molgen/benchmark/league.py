"""In which league a run plays: decided from what it was told, not from what it says of itself.

A: every label counts, the model has seen structures of the customary sets only. B: outside knowledge (a model trained
with properties, fine-tuned on chosen compounds, or trained on data that may hold the targets). C: labels of the oracle
outside of the count. Published tables mix the three; the difference is up to three points of PMO's sum.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from molgen.data.catalog import get_entry

#: Unlabeled sets of the catalog that published counted runs were pretrained on. Collections of known drugs and their
#: neighbors (ChEMBL and its like) hold the targets of the tasks, so a model of them has seen what it is asked to find.
CUSTOMARY = frozenset({"zinc250k", "moses"})
#: sha256 of ``zinc250k.smi`` as pipelines/train_prior/prepare.py writes it: a training on it at home is customary too.
PREPARED = frozenset({"1c723c7dfd011a6ed933277e89581697c5ac8fdfd399d0799cb1832ac5b6256c"})


@dataclass(frozen=True)
class League:
    """The letter, and why it is not A."""

    letter: Literal["A", "B", "C"]
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.letter


def decide(
    counted: Iterable[str],
    labeled: Iterable[str],
    cards: Iterable[Mapping[str, Any]] = (),
    seeds_with_labels: bool = False,
) -> League:
    """The league of a run.

    Args:
        counted: the molecules of its ledger that the budget counted.
        labeled: the molecules that the oracle gave a value to (its journal).
        cards: the card of the model, then those of the models it was made from.
        seeds_with_labels: the seed compounds came with values of this oracle.
    """
    uncounted = set(labeled) - set(counted)
    more, outside = [], []
    if uncounted:
        more.append(f"{len(uncounted)} molecules were labeled by the oracle outside of the count")
    if seeds_with_labels:
        more.append("the seed compounds came with labels of this oracle")
    for card in cards:
        name, lineage = card.get("name", "the model"), card.get("lineage") or {}
        if lineage.get("run"):
            more.append(
                f"{name} was taught by the objective of an earlier run, whose labels are not counted here"
            )
        elif lineage.get("base") and not lineage.get("same_data"):
            outside.append(f"{name} was fine-tuned on chosen compounds")
        if labels := card.get("property_labels"):
            words = ", ".join(map(str, labels)) if isinstance(labels, (list, tuple)) else "properties"
            outside.append(f"{name} was trained with property labels ({words})")
        if not lineage.get("run") and (data := _uncustomary(card)):
            outside.append(f"{name} was trained on {data}")
    reasons = tuple(dict.fromkeys([*more, *outside]))
    if more:
        return League("C", reasons)
    return League("B", reasons) if outside else League("A")


def _uncustomary(card: Mapping[str, Any]) -> str:
    """The data of a card beyond unlabeled ZINC250k and MOSES, in words; empty if there are none."""
    told = card.get("data")
    data: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    if sources := data.get("sources"):
        names = [str(source.get("name", "?")) for source in sources]
        beyond = ", ".join(name for name in names if name not in CUSTOMARY)
    else:  # a training of one's own: its card has the files, by name
        files: Mapping[str, Any] = data.get("sha256") or {}
        if not files:
            return "data that its card does not name, which may hold the targets"
        known = PREPARED | {get_entry(name).sha256 for name in CUSTOMARY}
        beyond = ", ".join(str(name) for name, digest in files.items() if digest not in known)
    return f"{beyond}, which may hold the targets" if beyond else ""


def labeled_by(journal: Path, fingerprint: str) -> list[str]:
    """The molecules to which a scorer gave a value, in that order, from the journal ``scores.jsonl`` of a run."""
    found: dict[str, None] = {}
    if not journal.is_file():
        return []
    with journal.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # torn: nobody has seen its value
            row = json.loads(line)
            if row.get("s") == fingerprint and "m" in row:
                found[row["m"]] = None
    return list(found)
