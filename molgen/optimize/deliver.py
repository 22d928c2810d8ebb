"""Puts a delivery together: the choice, its evidence, and the story of what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from molgen.chem.hazard import Screen
from molgen.chem.molecule import Molecule
from molgen.core.schema import OutputConfig
from molgen.optimize.memory import Memory
from molgen.optimize.protocol import Delivery
from molgen.optimize.rank import candidate_rows, choose, funnel, parts_of
from molgen.scoring.evidence import Evidence

#: Asked once, about the delivered molecules, with their raw values by component.
Ask = Callable[[Sequence[Molecule], Mapping[str, np.ndarray]], Evidence]


def assemble(
    name: str,
    memory: Memory,
    output: OutputConfig,
    *,
    policy: str,
    aggregate: str,
    components: Sequence[Mapping[str, Any]],
    inputs: Sequence[Molecule],
    references: Sequence[Molecule],
    ask: Ask | None = None,
    history: Sequence[Mapping[str, float]] = (),
    settings: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
    log: Callable[[str], object] | None = None,
) -> Delivery:
    """Choose, ask for evidence, and write it all down.

    ``components``: as :meth:`molgen.scoring.objective.Objective.describe` gives them. ``inputs`` are never delivered;
    the nearest of ``references`` is named on each row. ``before`` and ``after``: notes around those of the choice.
    """
    screen = Screen(output.hazards.screen, output.hazards.allow)
    objectives = [str(c["name"]) for c in components if c["role"] in ("score", "penalty")]
    choice = choose(memory, output, policy, inputs, screen, objectives)
    for note in screen.notes() if log is not None else ():
        log(note)  # type: ignore[misc]
    entries = [entry for entry, _ in choice.picked]
    known = {str(c["name"]): np.array([e.values.get(c["name"], np.nan) for e in entries]) for c in components}
    told = Evidence() if ask is None else ask([molecule for _, molecule in choice.picked], known)
    described = [{**c, "evidence": told.about.get(c["name"], {})} for c in components]
    parts = parts_of(entries, described, aggregate)
    rows = candidate_rows(choice.picked, references, parts, told, choice.columns)
    steps, losses = funnel(memory, len(rows))
    losses |= {f"not delivered: {reason}": count for reason, count in choice.passed_over.items()}
    beyond = steps[-2][1] - steps[-1][1] - sum(choice.passed_over.values())
    if beyond:
        losses[f"not among the best {output.n}"] = beyond
    scored = [e for e in memory.first.values() if e.total == e.total]
    return Delivery(
        name=name,
        candidates=rows,
        components=described,
        funnel=steps,
        losses=losses,
        history=[{key: value for key, value in row.items() if key != "time"} for row in history],
        scores=[e.total for e in scored],
        score_steps=[e.step for e in scored],
        settings=dict(settings or {}),
        manifest=dict(manifest or {}),
        requested=output.n,
        notes=[*before, *screen.notes(), *choice.notes, *told.notes, *after],
        references=[{"id": m.id or m.smiles, "smiles": m.smiles} for m in inputs],
        aggregate=aggregate,
        ranking=output.ranking,
        atoms={
            component: [None if row is None else row.tolist() for row in weights]
            for component, weights in told.weights.items()
        },
        poses=told.poses,
    )
