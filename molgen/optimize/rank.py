"""What is delivered: the best molecules of a run, without inputs and tautomer duplicates, each with its evidence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molgen.chem.alerts import alerts
from molgen.chem.descriptors import undefined_stereo_centers
from molgen.chem.fingerprints import morgan, nearest, tanimoto
from molgen.chem.hazard import WITHHELD, Screen
from molgen.chem.molecule import Molecule
from molgen.chem.rings import KNOWN, frequencies
from molgen.chem.standardize import tautomer_key
from molgen.core.errors import MoleculeError
from molgen.core.schema import OutputConfig
from molgen.optimize.diversity import butina, maxmin, one_of_each
from molgen.optimize.memory import LEFT_BEHIND, Entry, Memory
from molgen.optimize.pareto import crowding, fronts
from molgen.scoring.aggregate import contributions
from molgen.scoring.evidence import Evidence

SHOWN_ALERTS = ("PAINS", "BRENK", "NIH")  # named on every row; they decide nothing here


@dataclass(frozen=True)
class Choice:
    """What is delivered, in rank order.

    ``picked``: entries with their molecules. ``passed_over``: reason -> count. ``columns``: further columns of the
    choice itself (``cluster``, ``cluster_size``; ``front`` and ``crowding`` under a Pareto ranking), one cell per
    molecule. ``notes``: sentences for the report.
    """

    picked: list[tuple[Entry, Molecule]]
    passed_over: Counter[str]
    columns: dict[str, list[Any]]
    notes: list[str]


def pick(
    memory: Memory,
    output: OutputConfig,
    policy: str,
    inputs: Sequence[Molecule],
    screen: Screen | None = None,
) -> tuple[list[tuple[Entry, Molecule]], Counter[str]]:
    """The delivered entries and why others were passed over; see :func:`choose`."""
    choice = choose(memory, output, policy, inputs, screen)
    return choice.picked, choice.passed_over


def choose(
    memory: Memory,
    output: OutputConfig,
    policy: str,
    inputs: Sequence[Molecule],
    screen: Screen | None = None,
    objectives: Sequence[str] = (),
) -> Choice:
    """Rank what was scored, leave out what must not be delivered, and select.

    Best total first (the earlier one among equals), or by the Pareto fronts of the desirabilities of ``objectives``
    (components), more room first. Left out: compounds of the user (any tautomer, salt or charge state of ``inputs``),
    tautomers of a better one, molecules more similar to a better one than ``output.max_similarity``, totals of 0 or
    below ``min_score``, and what the hazard screen withholds.
    """
    screen = screen or Screen(output.hazards.screen, output.hazards.allow)
    passed_over: Counter[str] = Counter()
    able = [e for e in memory.first.values() if e.status == "scored" and e.total > 0 and e.origin != "seed"]
    if low := sum(e.total < output.min_score for e in able):
        passed_over["below output.min_score"] = low
        able = [e for e in able if e.total >= output.min_score]
    able.sort(key=lambda e: (-e.total, e.id))
    told: dict[int, tuple[int, float]] = {}
    ranked: Iterable[Entry] = able if output.ranking == "score" else _by_front(able, objectives, told)
    wanted = output.n if output.select == "top" else max(output.n, output.pool or 5 * output.n)
    pool = _walk(ranked, wanted, output, policy, inputs, screen, passed_over)
    mols = [molecule.mol for _, molecule in pool]
    clusters, notes = butina(mols, output.cluster_similarity) if pool else np.zeros(0, dtype=np.int64), []
    chosen = list(range(len(pool)))
    if output.select != "top" and len(pool) > output.n:
        chosen = one_of_each(clusters, output.n) if output.select == "clusters" else maxmin(mols, output.n)
        passed_over[f"left out for variety (output.select: {output.select})"] = len(pool) - len(chosen)
    sizes = Counter(clusters.tolist())
    if output.select == "clusters":
        represented = len({int(clusters[k]) for k in chosen})
        notes.append(
            f"The best of each of {represented} clusters among the {len(pool)} best were chosen"
            + ("; then the second of each, and so on." if represented < len(chosen) else ".")
        )
    elif output.select == "maxmin":
        notes.append(f"The {len(chosen)} that differ most among the {len(pool)} best were chosen (MaxMin).")
    picked = [pool[k] for k in chosen]
    numbers: dict[int, int] = {}
    columns: dict[str, list[Any]] = {
        "cluster": [numbers.setdefault(int(clusters[k]), len(numbers) + 1) for k in chosen],
        "cluster_size": [sizes[int(clusters[k])] for k in chosen],
    }
    if output.ranking == "pareto":
        columns |= {
            "front": [told[e.id][0] for e, _ in picked],
            "crowding": [told[e.id][1] if math.isfinite(told[e.id][1]) else None for e, _ in picked],
        }
        first = sum(front == 1 for front, _ in told.values())
        notes.append(
            f"Ranked by Pareto front of {len(objectives)} components, without weights: {first} of {len(able)} "
            "molecules are on the first front, where nothing is as good in all components and better in one."
        )
    return Choice(picked, passed_over, columns, notes)


def _by_front(
    entries: Sequence[Entry], objectives: Sequence[str], told: dict[int, tuple[int, float]]
) -> Iterator[Entry]:
    """Entries by front, then crowding, then total; ``told`` gets front and crowding of each by its id."""
    names = objectives or sorted({name for entry in entries for name in entry.desirability})
    points = np.array([[e.desirability.get(name, math.nan) for name in names] for e in entries])
    points = points.reshape(len(entries), len(names))
    for number, front in enumerate(fronts(points), 1):
        room = crowding(points[front])
        told |= {entries[k].id: (number, float(gap)) for k, gap in zip(front.tolist(), room, strict=True)}
        for k in np.lexsort([front, -room]):  # entries stand by total already
            yield entries[front[k]]


def _walk(
    ranked: Iterable[Entry],
    wanted: int,
    output: OutputConfig,
    policy: str,
    inputs: Sequence[Molecule],
    screen: Screen,
    passed_over: Counter[str],
) -> list[tuple[Entry, Molecule]]:
    """The first ``wanted`` that may be delivered, in their order; counts the others in ``passed_over``."""
    taken = {_compound(molecule): "one of your compounds" for molecule in inputs}
    picked: list[tuple[Entry, Molecule]] = []
    prints = np.zeros((0, 256), dtype=np.uint8)
    for entry in ranked:
        if len(picked) >= wanted:
            break
        molecule = Molecule(str(entry.smiles), policy)
        if hazard := screen.withholds(molecule.mol):
            passed_over[f"{WITHHELD}: {hazard}"] += 1
            continue
        key = _compound(molecule)
        if key in taken:
            passed_over[taken[key]] += 1
            continue
        if output.max_similarity < 1:
            bits = morgan([molecule.mol])
            if len(prints) and tanimoto(bits, prints).max() > output.max_similarity:
                passed_over["too similar to a better one"] += 1
                continue
            prints = np.concatenate([prints, bits])
        taken[key] = "the same compound as a better one (tautomer, salt or charge)"
        picked.append((entry, molecule))
    return picked


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
    more: Mapping[str, Sequence[Any]] | None = None,
) -> list[dict[str, Any]]:
    """One dict per delivered molecule, with the keys that :class:`molgen.optimize.protocol.Delivery` lists.

    ``parts``: contributions by component (:func:`parts_of`); ``evidence``: of the same molecules, in their order;
    ``more``: the columns of their choice.
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
        row |= {column: cells[rank - 1] for column, cells in (more or {}).items()}
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
    seen = frequencies(molecule.mol)
    return flags + [f"unknown ring system {ring}" for ring in seen if seen[ring] < KNOWN]


def funnel(memory: Memory, delivered: int) -> tuple[list[tuple[str, int]], dict[str, int]]:
    """Ordered counts from proposed to delivered, and reason -> count of what was lost on the way."""
    counts = memory.counts
    parsed = memory.proposed - counts["invalid"]
    unique = parsed - counts["duplicate"]
    scored = unique - counts["failed"] - counts[LEFT_BEHIND]
    steps = [
        ("proposed", memory.proposed),
        ("valid", parsed),
        ("unique", unique),
        ("scored", scored),
        ("passed the filters", scored - counts["filtered"]),
        ("delivered", delivered),
    ]
    losses = Counter(
        {"duplicate": counts["duplicate"], "judged in an earlier stage only": counts[LEFT_BEHIND]}
    )
    for reason, count in memory.reasons.items():
        losses[_kind_of(reason)] += count
    return steps, {reason: count for reason, count in losses.most_common() if count}


def _kind_of(reason: str) -> str:
    """The part of a reason that molecules share: its code, its filter, or the component that had no value."""
    return re.split(r"[:;(]", reason, maxsplit=1)[0].strip()
