"""The gates A to E: what a skeptical medicinal chemist rejects before reading on, one reason for each molecule.

A  a sane graph: elements, charges, radicals, ring sizes, fusion, bridgeheads, spiro centers
B  A, and every ring system seen before (as good as five times in ChEMBL, see :mod:`molgen.chem.rings`)
C  B, and no motif of tier 1 (:mod:`molgen.chem.motifs`)
D  C, and neither PAINS nor Glaxo hard alerts
E  D, and SA score, weight, rotatable bonds, stereo centers, chain and halogens within limits

The rules are those of the filter stage (:mod:`molgen.chem.rules`); the gates only put them in this order. They judge
one neutralized fragment: standardize first (policy ``default``). A gate that is passed by 55 % of the
approved drugs (E) is a description of a list, no law; that is why every rejection has its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rdkit import Chem

from molgen.chem.rules.book import Book, Options
from molgen.chem.screen import features

#: Stage of the funnel -> (gate that it belongs to, what it asks).
STAGES: dict[str, tuple[str, str]] = {
    "graph": ("A", "a sane graph: elements, charges, ring sizes, fusion, bridgeheads"),
    "ring systems": ("B", "every ring system seen before"),
    "motifs": ("C", "no unstable or undrawable motif (tier 1)"),
    "alerts": ("D", "no PAINS, no Glaxo hard alert"),
    "SA": ("E", "synthesizable (SA score)"),
    "size and shape": ("E", "weight, rotatable bonds, stereo centers, chain, halogens"),
}
GATES = ("A", "B", "C", "D", "E")
#: Stage -> the rules that it asks: groups of the filter stage, or one rule of a group.
RULES: dict[str, tuple[str, ...]] = {
    "graph": ("graph",),
    "ring systems": ("rings",),
    "motifs": ("tier 1",),
    "alerts": ("PAINS", "Glaxo"),
    "SA": ("SA",),
    "size and shape": ("drug-like", "stereo: stereo centers", "shape"),
}


@dataclass(frozen=True)
class Rejection:
    """The first stage at which a molecule is lost, and why, in words; ``kind`` is the reason to be counted."""

    stage: str
    reason: str
    kind: str = ""

    @property
    def gate(self) -> str:
        """The gate, A to E."""
        return STAGES[self.stage][0]


class Gates:
    """The gates for one set of options: other ``limits`` and ``elements``, and what is relaxed by name."""

    def __init__(self, options: Options | None = None) -> None:
        options = options or Options()
        book = Book(options)
        self._relaxed = {rule.id for name in options.relax for rule in book.find(name, "relax")}
        self._stages = {
            stage: [(book.group(name.partition(":")[0]), name) for name in names]
            for stage, names in RULES.items()
        }

    def reasons(self, mol: Chem.Mol) -> Iterator[Rejection]:
        """Every reason at every stage, in their order."""
        has = features(mol)
        for stage, groups in self._stages.items():
            for group, name in groups:
                for hit in group.hits(mol, has):
                    if hit.rule.id not in self._relaxed and name in (hit.rule.group, hit.rule.id):
                        yield Rejection(stage, hit.words, hit.short)


@cache
def _gates() -> Gates:
    return Gates()


def judge(mol: Chem.Mol, gates: Gates | None = None) -> Rejection | None:
    """The first reason to reject a standardized molecule, or None for one that passes gate E."""
    return next((gates or _gates()).reasons(mol), None)


def reasons(mol: Chem.Mol, gates: Gates | None = None) -> list[Rejection]:
    """Every reason at every stage, where :func:`judge` stops at the first."""
    return list((gates or _gates()).reasons(mol))


def gate_shares(rejections: Sequence[Rejection | None]) -> dict[str, float]:
    """Share of the judged molecules that passes each gate; each holds the ones before it. Empty input: no shares."""
    if not rejections:
        return {}
    lost = [rejection.gate for rejection in rejections if rejection is not None]
    return {gate: 1 - sum(at <= gate for at in lost) / len(rejections) for gate in GATES}
