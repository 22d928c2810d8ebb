"""One value per compound: which rows are the same compound, and what to do where their values disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolHash

from molgen.chem.molecule import Molecule
from molgen.core.seeding import stream
from molgen.scoring.qsar.values import Scale

#: Replicates that differ by more than this are a conflict: a factor of ten, for logarithms.
CONFLICT = 1.0
SIGNS = {-1: "<", 0: "", 1: ">"}


@dataclass(frozen=True)
class Decision:
    """What became of one row, with the reason: kept, merged (into ``compound``), conflict, rejected or set_aside."""

    line: int
    id: str
    text: str
    smiles: str
    given: str
    qualifier: str
    value: float
    decision: str
    reason: str
    compound: str
    note: str


@dataclass
class Reading:
    """A row with a structure and a number."""

    place: int
    mol: Molecule
    value: float
    side: int


def default_bound(readings: Sequence[Reading], scale: Scale) -> float:
    """The largest difference of replicates: a factor of ten, or the robust standard deviation of all values."""
    if scale.logarithmic or not readings:
        return CONFLICT
    values = np.array([reading.value for reading in readings])
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) or float(values.std()) or 1.0


def merge(
    readings: Sequence[Reading],
    decisions: list[Decision],
    bound: float,
    conflicts: str,
    part: tuple[int, int],
) -> list[tuple[Reading, float, int]]:
    """One reading per compound with the spread and the number of its exact values, in order of first appearance."""
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        groups.setdefault(_key(reading.mol), []).append(reading)
    kept = []
    for key, group in groups.items():
        first = group[0]
        value, side, spread, problem = _settle(group, bound)
        name = first.mol.id or first.mol.smiles
        if problem and conflicts == "drop":
            for reading in group:
                _note(decisions, reading, "conflict", "replicates", name, problem)
            continue
        if stream(0, "qsar", "part", key) % part[1] != part[0] - 1:
            for reading in group:
                _note(decisions, reading, "set_aside", "another part", name, "")
            continue
        values = [r.value for r in group if r.side == 0]
        for reading in group:
            more = []
            if reading.mol.smiles != first.mol.smiles:
                more.append(f"another tautomer of {name}")
            if problem:
                more.append(f"{problem}; median kept")
            reason = ""
            if reading is not first:
                reason = "replicate" if reading.side == side else "open-ended beside an exact value"
            elif len(group) > 1:
                more.append(
                    f"median of {len(values)}, spread {spread:.2f}"
                    if len(values) > 1
                    else f"{len(group)} rows"
                )
            decision = "kept" if reading is first else "merged"
            _note(decisions, reading, decision, reason, name, "; ".join(more))
        final = Reading(first.place, first.mol, value, side)
        kept.append((final, spread, max(len(values), 1)))
    return kept


def _note(
    decisions: list[Decision], reading: Reading, decision: str, reason: str, compound: str, more: str
) -> None:
    old = decisions[reading.place]
    note = "; ".join(filter(None, [old.note, more]))
    decisions[reading.place] = replace(old, decision=decision, reason=reason, compound=compound, note=note)


def _settle(group: Sequence[Reading], bound: float) -> tuple[float, int, float, str]:
    """Value, side and spread of a compound's readings, and what is wrong with them in words, if anything."""
    exact = np.array([r.value for r in group if r.side == 0])
    above = [r.value for r in group if r.side > 0]
    below = [r.value for r in group if r.side < 0]
    problem = ""
    if len(exact):
        value, side, spread = float(np.median(exact)), 0, float(np.ptp(exact))
        off = max([spread, *(b - value for b in above), *(value - b for b in below)])
        if off > bound:
            shown = ", ".join(f"{SIGNS[r.side]}{r.value:.2f}" for r in group[:8])
            problem = f"values {shown} differ by {off:.2f}, more than {bound:.2f}"
        return value, side, spread, problem
    if above and below:
        problem = f"only open-ended values on both sides (>{max(above):.2f} and <{min(below):.2f})"
        return float(np.median(above + below)), 0, 0.0, problem
    # the tightest bound says the most
    return (max(above), 1, 0.0, "") if above else (min(below), -1, 0.0, "")


def _key(mol: Molecule) -> str:
    """What makes two rows one compound: tautomers are one, stereo isomers are not."""
    with rdBase.BlockLogs():
        return str(rdMolHash.MolHash(Chem.Mol(mol.mol), rdMolHash.HashFunction.HetAtomTautomer))
