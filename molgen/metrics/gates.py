"""The gates A to E: what a skeptical medicinal chemist rejects before reading on, one reason for each molecule.

A  a sane graph: elements, charges, radicals, ring sizes, fusion, bridgeheads, spiro centers
B  A, and every ring system seen in at least five public molecules
C  B, and no motif of tier 1 (:mod:`molgen.chem.motifs`)
D  C, and neither PAINS nor Glaxo hard alerts
E  D, and SA score, weight, rotatable bonds, stereo centers, chain and halogens within limits

The gates judge one neutralized fragment: standardize first (policy ``default``). A gate that is passed by 58 % of the
approved drugs (E) is a description of a list, no law; that is why every rejection has its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.chem.alerts import alerts
from molgen.chem.descriptors import DESCRIPTORS, longest_chain, stereo_centers
from molgen.chem.motifs import first_motif
from molgen.chem.rings import frequencies
from molgen.chem.sa_score import sa_score

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
_HALOGENS = (17, 35, 53)


@dataclass(frozen=True)
class Limits:
    """The bars of the gates; the defaults are those of the study that measured them on drugs, ChEMBL and ZINC."""

    elements: frozenset[int] = frozenset({1, 6, 7, 8, 9, 16, 17, 35})
    macrocycles: bool = False
    max_fused_rings: int = 4
    max_bridgeheads: int = 2
    max_spiro: int = 1
    min_ring_frequency: int = 5
    max_sa: float = 4.5
    weight: tuple[float, float] = (150.0, 600.0)
    max_rotatable: int = 10
    max_stereo: int = 4
    max_chain: int = 6
    max_fluorine: int = 6
    max_other_halogens: int = 3
    allowed_motifs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rejection:
    """The first stage at which a molecule is lost, and why, in words."""

    stage: str
    reason: str

    @property
    def gate(self) -> str:
        """The gate, A to E."""
        return STAGES[self.stage][0]


def judge(mol: Chem.Mol, limits: Limits | None = None) -> Rejection | None:
    """The first reason to reject a standardized molecule, or None for one that passes gate E."""
    limits = limits or Limits()
    for stage, check in _CHECKS.items():
        reason = next(check(mol, limits), None)
        if reason is not None:
            return Rejection(stage, reason)
    return None


def reasons(mol: Chem.Mol, limits: Limits | None = None) -> list[Rejection]:
    """Every reason at every stage, where :func:`judge` stops at the first."""
    limits = limits or Limits()
    return [Rejection(stage, reason) for stage, check in _CHECKS.items() for reason in check(mol, limits)]


def gate_shares(rejections: Sequence[Rejection | None]) -> dict[str, float]:
    """Share of the judged molecules that passes each gate; each holds the ones before it. Empty input: no shares."""
    if not rejections:
        return {}
    lost = [rejection.gate for rejection in rejections if rejection is not None]
    return {gate: 1 - sum(at <= gate for at in lost) / len(rejections) for gate in GATES}


def _graph(mol: Chem.Mol, limits: Limits) -> Iterator[str]:
    foreign = {a.GetSymbol() for a in mol.GetAtoms() if a.GetAtomicNum() not in limits.elements}
    if foreign:
        yield f"element {', '.join(sorted(foreign))}"
    if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        yield "radical"
    if _unusual_charge(mol):
        yield "charge that is not that of a nitro group, N-oxide or the like"
    rings = mol.GetRingInfo().AtomRings()
    if not rings:
        return
    sizes = [len(ring) for ring in rings]
    for size in sorted(set(sizes)):
        if 8 <= size < 12 or (size >= 12 and not limits.macrocycles):
            yield f"ring of {size} atoms"
    for size in (3, 4, 7):
        if sizes.count(size) > 1:
            yield f"more than one ring of {size} atoms"
    if fused_rings(mol) > limits.max_fused_rings:
        yield f"more than {limits.max_fused_rings} fused rings"
    if rdmd.CalcNumBridgeheadAtoms(mol) > limits.max_bridgeheads:
        yield f"more than {limits.max_bridgeheads} bridgehead atoms"
    if rdmd.CalcNumSpiroAtoms(mol) > limits.max_spiro:
        yield f"more than {limits.max_spiro} spiro center"


def _unusual_charge(mol: Chem.Mol) -> bool:
    """Whether a charge is left, after neutralization, that does not face the opposite charge on a neighbor."""
    return any(
        atom.GetFormalCharge()
        and not any(n.GetFormalCharge() * atom.GetFormalCharge() < 0 for n in atom.GetNeighbors())
        for atom in mol.GetAtoms()
    )


def fused_rings(mol: Chem.Mol) -> int:
    """Number of rings in the largest system of rings that share bonds."""
    left = [set(ring) for ring in mol.GetRingInfo().BondRings()]
    largest = 0
    while left:
        system, size, grown = left.pop(), 1, True
        while grown:
            grown = False
            for ring in left[:]:
                if not system.isdisjoint(ring):
                    system |= ring
                    left.remove(ring)
                    size, grown = size + 1, True
        largest = max(largest, size)
    return largest


def _rings(mol: Chem.Mol, limits: Limits) -> Iterator[str]:
    for ring, count in frequencies(mol).items():
        if count < limits.min_ring_frequency:
            yield f"ring system {ring} (seen {count} times)"


def _motifs(mol: Chem.Mol, limits: Limits) -> Iterator[str]:
    found = first_motif(mol, 1, allow=limits.allowed_motifs)
    if found:
        yield found


def _alerts(mol: Chem.Mol, limits: Limits) -> Iterator[str]:
    for catalog in ("PAINS", "CHEMBL_Glaxo"):
        yield from (str(alert) for alert in alerts(mol, (catalog,)))


def _accessibility(mol: Chem.Mol, limits: Limits) -> Iterator[str]:
    if sa_score(mol) > limits.max_sa:
        yield f"SA score above {limits.max_sa:g}"


def _shape(mol: Chem.Mol, limits: Limits) -> Iterator[str]:
    low, high = limits.weight
    weight = DESCRIPTORS["mol_weight"](mol)
    if not low <= weight <= high:
        yield f"weight outside {low:g} to {high:g} g/mol"
    if rdmd.CalcNumRotatableBonds(mol) > limits.max_rotatable:
        yield f"more than {limits.max_rotatable} rotatable bonds"
    if stereo_centers(mol) > limits.max_stereo:
        yield f"more than {limits.max_stereo} stereo centers"
    if longest_chain(mol) > limits.max_chain:
        yield f"chain of more than {limits.max_chain} CH2 or CH3"
    counts = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    if counts.count(9) > limits.max_fluorine:
        yield f"more than {limits.max_fluorine} fluorine atoms"
    if sum(counts.count(halogen) for halogen in _HALOGENS) > limits.max_other_halogens:
        yield f"more than {limits.max_other_halogens} Cl, Br or I"


_CHECKS: dict[str, Callable[[Chem.Mol, Limits], Iterator[str]]] = {
    "graph": _graph,
    "ring systems": _rings,
    "motifs": _motifs,
    "alerts": _alerts,
    "SA": _accessibility,
    "size and shape": _shape,
}
