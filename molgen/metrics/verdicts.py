"""Verdicts: what a list is, said in words on the first screen, when good numbers would hide it.

Each has a bar, and the bars are far from what genuine samples reach: the shipped priors and held-out molecules of
MOSES, ZINC and ChEMBL get no verdict. None of them says that a list is good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from molgen.metrics.collapse import Recall
from molgen.metrics.degenerate import Compounds, Share
from molgen.metrics.drift import PROPERTIES, Drift
from molgen.metrics.memorization import Memorization

_Say = Callable[[str, float, str], None]

#: Fewer molecules than this say nothing about a generator.
FEWEST = 10
_SHIFTS = 3  # properties with a sentence of their own
BARS: dict[str, float] = {
    "invalid": 0.5,  # validity below
    "unusable": 0.5,  # share of the valid strings that can be standardized below
    "repeats": 0.5,  # distinct share below
    "copies": 0.5,  # share of training molecules from
    "close_copies": 0.75,  # probability of being closer to training than held-out molecules, from
    "one_molecule": 0.4,  # share of close analogues of one molecule from
    "one_scaffold": 0.3,  # share of one scaffold from
    "one_core": 0.6,  # share with one core of two or more rings from
    "chains": 0.3,  # share of alkane chains from
    "same_compounds": 0.7,  # compounds per distinct structure below
    "stereoisomers": 0.5,  # compounds without stereo per compound below
    "narrow": 0.25,  # #circles against the reference's, at equal n, below
    "unreal": 0.3,  # share that passes gate B below
    "shifted": 1.5,  # effect size of a property from
}


@dataclass(frozen=True)
class Verdict:
    """``code`` is a key of :data:`BARS`; ``words`` is the sentence, ``value`` the number that it rests on."""

    code: str
    words: str
    value: float


@dataclass(frozen=True)
class Facts:
    """What the verdicts rest on; None where it could not be computed."""

    n_raw: int
    validity: float
    distinct_share: float
    analogues: Share
    scaffold: Share
    core: Share
    chains: float
    compounds: Compounds
    gates: dict[str, float]
    training: str = "training set"
    memorization: Memorization | None = None
    circles: int | None = None
    reference_circles: int | None = None
    rings: Recall | None = None
    drifts: Sequence[Drift] = ()


def unusable(n_raw: int, n_valid: int, rejected: Mapping[str, int]) -> Verdict | None:
    """Said where most valid strings are no molecules to work with (too large, no carbon ...)."""
    left = n_raw - sum(rejected.values())
    if n_raw < FEWEST or not n_valid or left >= BARS["unusable"] * n_valid:
        return None
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in list(rejected.items())[:3])
    words = f"Only {left:,} of {n_valid:,} valid strings are molecules to work with; the others: {reasons}."
    return Verdict("unusable", words, left / n_valid)


def verdicts(facts: Facts) -> list[Verdict]:
    """Everything that must be said of a sample before its metrics are read; empty for a sample without such faults."""
    found: list[Verdict] = []

    def say(code: str, value: float, words: str) -> None:
        found.append(Verdict(code, words, value))

    if facts.n_raw < FEWEST:
        return found
    if facts.validity < BARS["invalid"]:
        say("invalid", facts.validity, f"Only {facts.validity:.0%} of the strings are molecules.")
    if facts.distinct_share < BARS["repeats"]:
        say(
            "repeats",
            facts.distinct_share,
            f"The list repeats itself: {facts.distinct_share:.0%} of the valid strings are different molecules.",
        )
    _training(facts, say)
    both = facts.compounds
    if both.compounds < BARS["same_compounds"] * both.strings:
        say(
            "same_compounds",
            both.compounds / both.strings,
            f"The same compounds over and over: {both.strings:,} different structures are {both.compounds:,} compounds "
            "once salts, charges, isotopes and tautomers are taken together.",
        )
    elif both.flat < BARS["stereoisomers"] * both.compounds:
        say(
            "stereoisomers",
            both.flat / both.compounds,
            f"Stereoisomers of few molecules: {both.compounds:,} compounds are {both.flat:,} without their stereo.",
        )
    _one_thing(facts, say)
    if facts.chains >= BARS["chains"]:
        say("chains", facts.chains, f"Alkane chains: {facts.chains:.0%} of the molecules are little else.")
    if facts.gates and facts.gates["B"] < BARS["unreal"]:
        say(
            "unreal",
            facts.gates["B"],
            f"Unlike known chemistry: {facts.gates['B']:.0%} of the molecules have a sane graph and only ring systems "
            "that were seen before (gate B).",
        )
    shifted = sorted(
        (d for d in facts.drifts if abs(d.effect) >= BARS["shifted"]), key=lambda d: -abs(d.effect)
    )
    for drift in shifted[:_SHIFTS]:
        where = "above" if drift.effect > 0 else "below"
        say(
            "shifted",
            drift.effect,
            f"Somewhere else than the reference: mean {PROPERTIES.get(drift.name, drift.name)} is "
            f"{drift.mean:.3g}, {abs(drift.effect):.1f} standard deviations {where} {drift.reference_mean:.3g}.",
        )
    if rest := [PROPERTIES.get(drift.name, drift.name) for drift in shifted[_SHIFTS:]]:
        say("shifted", shifted[_SHIFTS].effect, f"As far away on average: {', '.join(rest)}.")
    return found


def _training(facts: Facts, say: _Say) -> None:
    audit = facts.memorization
    if audit is None:
        return
    if audit.copies >= BARS["copies"]:
        say(
            "copies",
            audit.copies,
            f"The {facts.training} returned: {audit.copies:.0%} of the different molecules are in it.",
        )
        return
    closer, z = audit.closer, audit.z
    if closer is not None and z is not None and closer >= BARS["close_copies"] and z < -3:
        say(
            "close_copies",
            closer,
            f"Small changes to the {facts.training}: a new molecule of the list is closer to it than a held-out "
            f"one in {closer:.0%} of the pairs (50 % is no difference).",
        )


def _one_thing(facts: Facts, say: _Say) -> None:
    """Analogues of one molecule, one scaffold, one core, or a small corner of the reference."""
    before = facts.analogues.share, facts.scaffold.share, facts.core.share
    if facts.analogues.share >= BARS["one_molecule"]:
        say(
            "one_molecule",
            before[0],
            f"Variations of one molecule: {before[0]:.0%} differ by a few atoms from {facts.analogues.smiles}.",
        )
    if facts.scaffold.share >= BARS["one_scaffold"]:
        say(
            "one_scaffold",
            before[1],
            f"One scaffold with different tails: {before[1]:.0%} have the scaffold {facts.scaffold.smiles}.",
        )
    elif facts.core.share >= BARS["one_core"]:
        say(
            "one_core",
            before[2],
            f"One core with different tails: {before[2]:.0%} contain {facts.core.smiles}.",
        )
    if facts.circles is not None and facts.reference_circles:
        ratio = facts.circles / facts.reference_circles
        if ratio < BARS["narrow"]:
            say(
                "narrow",
                ratio,
                f"Much narrower than the reference: {facts.circles:,} circles where as many reference molecules "
                f"fill {facts.reference_circles:,} (#circles at similarity 0.4).",
            )
