"""What is delivered: the best molecules of a run, without inputs and tautomer duplicates, each with its evidence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from molgen.chem.alerts import alerts
from molgen.chem.descriptors import undefined_stereo_centers
from molgen.chem.fingerprints import morgan, nearest, tanimoto
from molgen.chem.hazard import WITHHELD, Screen
from molgen.chem.molecule import Molecule
from molgen.chem.rings import min_frequency
from molgen.chem.standardize import tautomer_key
from molgen.core.errors import MoleculeError
from molgen.core.schema import OutputConfig
from molgen.optimize.memory import Entry, Memory
from molgen.scoring.aggregate import contributions
from molgen.scoring.evidence import Evidence

SHOWN_ALERTS = ("PAINS", "BRENK", "NIH")  # named on every row; they decide nothing here
RARE_RING = 5  # times seen in the ring-system table, below which a ring is flagged


def pick(
    memory: Memory,
    output: OutputConfig,
    policy: str,
    inputs: Sequence[Molecule],
    screen: Screen | None = None,
) -> tuple[list[tuple[Entry, Molecule]], Counter[str]]:
    """The delivered entries, best total first (the earlier one among equals), and why others were passed over.

    Left out: compounds of the user (any tautomer, salt or charge state of ``inputs``), tautomers of a better one,
    molecules more similar to a better one than ``output.max_similarity``, totals of 0 or below ``min_score``, and what
    the hazard screen withholds.
    """
    ranked = sorted(
        (e for e in memory.first.values() if e.status == "scored" and e.total > 0 and e.origin != "seed"),
        key=lambda e: (-e.total, e.id),
    )
    screen = screen or Screen(output.hazards.screen, output.hazards.allow)
    passed_over: Counter[str] = Counter()
    taken = {_compound(molecule): "one of your compounds" for molecule in inputs}
    picked: list[tuple[Entry, Molecule]] = []
    prints = np.zeros((0, 256), dtype=np.uint8)
    for entry in ranked:
        if len(picked) >= output.n:
            break
        if entry.total < output.min_score:
            passed_over["below output.min_score"] += 1
            continue
        molecule = Molecule(str(entry.smiles), policy)
        if hazard := screen.withholds(molecule.mol):
            passed_over[f"{WITHHELD}: {hazard}"] += 1
            continue
        key = _compound(molecule)
        if key in taken:
            passed_over[taken[key]] += 1
            continue
        bits = morgan([molecule.mol])
        if output.max_similarity < 1 and len(prints) and tanimoto(bits, prints).max() > output.max_similarity:
            passed_over["too similar to a better one"] += 1
            continue
        taken[key] = "the same compound as a better one (tautomer, salt or charge)"
        prints = bits if not len(prints) else np.concatenate([prints, bits])
        picked.append((entry, molecule))
    return picked, passed_over


def _compound(molecule: Molecule) -> str:
    """The same text for tautomers, salts and charge states; the SMILES of what a permissive policy lets through."""
    try:
        return tautomer_key(molecule.mol)
    except MoleculeError:
        return molecule.smiles


def parts_of(
    entries: Sequence[Entry], components: Sequence[Mapping[str, Any]], aggregate: str
) -> dict[str, np.ndarray]:
    """What each component adds to the totals of these entries, float64 ``[n]``; ``components`` as in a Delivery."""
    if not entries:
        return {}
    table = {
        str(c["name"]): np.array([e.desirability.get(c["name"], math.nan) for e in entries])
        for c in components
    }
    weights = {str(c["name"]): float(c["weight"]) for c in components if c["role"] == "score"}
    penalties = [str(c["name"]) for c in components if c["role"] == "penalty"]
    return contributions(table, weights, penalties, aggregate)


def candidate_rows(
    picked: Sequence[tuple[Entry, Molecule]],
    references: Sequence[Molecule],
    parts: Mapping[str, np.ndarray] | None = None,
    evidence: Evidence | None = None,
) -> list[dict[str, Any]]:
    """One dict per delivered molecule, with the keys that :class:`molgen.optimize.protocol.Delivery` lists.

    ``parts``: contributions by component (:func:`parts_of`); ``evidence``: of the same molecules, in their order.
    """
    parts, evidence = parts or {}, evidence or Evidence()
    molecules = [molecule for _, molecule in picked]
    near: list[tuple[str | None, float | None]] = [(None, None)] * len(picked)
    if references and picked:
        index, values = nearest(morgan([m.mol for m in molecules]), morgan([m.mol for m in references]))
        near = [
            (references[i].id or references[i].smiles, round(float(v), 4))
            for i, v in zip(index, values, strict=True)
        ]
    rows = []
    for rank, ((entry, molecule), (reference, similarity)) in enumerate(zip(picked, near, strict=True), 1):
        row: dict[str, Any] = {
            "rank": rank,
            "id": f"mg-{entry.id}",
            "smiles": molecule.smiles,
            "inchikey": molecule.inchikey,
            "score": entry.total,
        }
        for name, value in entry.values.items():
            row[name] = None if math.isnan(value) else value
            desirability = entry.desirability.get(name, math.nan)
            row[f"{name}_desirability"] = None if math.isnan(desirability) else desirability
            if name in parts:
                part = float(parts[name][rank - 1])
                row[f"{name}_contribution"] = part if math.isfinite(part) else None
            row |= {column: cells[rank - 1] for column, cells in evidence.columns.get(name, {}).items()}
        row |= {
            "flags": "; ".join(_flags(molecule)),
            "nearest_reference": reference,
            "nearest_similarity": similarity,
            "undefined_stereo": int(undefined_stereo_centers(molecule.mol)),
            "scaffold": entry.scaffold,
            "step": entry.step,
            "origin": entry.origin,
            "parents": "; ".join(entry.parents),
            "nll": entry.nll,
        }
        rows.append(row)
    return rows


def _flags(molecule: Molecule) -> list[str]:
    flags = [str(alert) for alert in alerts(molecule.mol, SHOWN_ALERTS)]
    frequency = min_frequency(molecule.mol)
    if frequency is not None and frequency < RARE_RING:
        flags.append(f"rare ring system (seen {frequency} times)")
    return flags


def funnel(memory: Memory, delivered: int) -> tuple[list[tuple[str, int]], dict[str, int]]:
    """Ordered counts from proposed to delivered, and reason -> count of what was lost on the way."""
    counts = memory.counts
    parsed = memory.proposed - counts["invalid"]
    unique = parsed - counts["duplicate"]
    scored = unique - counts["failed"]
    steps = [
        ("proposed", memory.proposed),
        ("valid", parsed),
        ("unique", unique),
        ("scored", scored),
        ("passed the filters", scored - counts["filtered"]),
        ("delivered", delivered),
    ]
    losses = Counter({"duplicate": counts["duplicate"]})
    for reason, count in memory.reasons.items():
        losses[_kind_of(reason)] += count
    return steps, {reason: count for reason, count in losses.most_common() if count}


def _kind_of(reason: str) -> str:
    """The part of a reason that molecules share: its code, its filter, or the component that had no value."""
    return re.split(r"[:;(]", reason, maxsplit=1)[0].strip()
