"""The optimization loop on one page: ask -> parse -> score -> remember -> tell -> log -> checkpoint.

Everything that decides what happens next is in the checkpoint or in the ledger up to the checkpoint, so a run that
was killed goes on from its last checkpoint and writes the same ledger as one that never was: scores that were paid
for come out of the journal (``scores.jsonl``), the rest is computed again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from molgen.chem.fragments import murcko_scaffold
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import Interrupted
from molgen.core.schema import OptimizeConfig
from molgen.optimize.diversity import ScaffoldMemory
from molgen.optimize.memory import CARRIED, Entry, Memory
from molgen.optimize.protocol import Optimizer, Proposal, Result
from molgen.optimize.watch import Watch
from molgen.run.folder import RunFolder
from molgen.run.interrupt import CallsDropped, Stop
from molgen.run.tracker import Tracker
from molgen.scoring.objective import Objective, ScoreTable


@dataclass
class Search:
    """One optimization run in memory. ``step`` counts finished steps; ``reason`` says why it ended."""

    config: OptimizeConfig
    folder: RunFolder
    optimizer: Optimizer
    objective: Objective
    tracker: Tracker
    stop: Stop
    diversity: ScaffoldMemory | None = None
    memory: Memory = field(default_factory=Memory)
    watch: Watch = field(default_factory=Watch)
    step: int = 0
    minutes: float = 0.0
    reason: str = ""

    def run(
        self, seeds: Sequence[Proposal] = (), on_step: Callable[[dict[str, float]], None] = lambda row: None
    ) -> str:
        """Search until the budget, the target or the patience is used up; returns the reason.

        ``seeds`` are the user's own compounds: scored first, in a step of their own. Raises :class:`Interrupted`
        after saving when a stop signal came.
        """
        started, before = time.monotonic(), self.minutes
        if self.step == 0:
            self.checkpoint()  # checkpoint 0, before the first ask
        while not self.finished():
            self.stop_if_requested()
            budget = self.config.budget.molecules - self.memory.calls
            first = self.step == 0 and bool(seeds)
            proposals = list(seeds) if first else self.optimizer.ask(self.config.batch_size)
            if first:
                self.optimizer.adopt(proposals)
            molecules, entries = self.look_up(proposals, budget)
            asked = time.monotonic()
            table = self.score(molecules)
            seconds = (time.monotonic() - asked) / max(1, len(molecules))
            entries, results = self.remember(entries, molecules, table, seconds)
            learned = self.optimizer.tell(results)
            self.step += 1
            self.minutes = before + (time.monotonic() - started) / 60
            row = self.watch.row(self.step, self.memory, entries) | dict(learned)
            self.folder.ledger.append_many([entry.to_row() for entry in entries])
            self.folder.log_metrics(row, self.step)
            self.tracker.log_metrics(row, self.step)
            for warning in [*table.warnings, *self.watch.alarms(self.step, self.memory)]:
                self.folder.log(f"step {self.step}: {warning}")
            on_step(row)
            if self.step % self.config.checkpoint_every == 0:
                self.checkpoint()
        self.checkpoint()
        return self.reason

    def look_up(self, proposals: Sequence[Proposal], budget: int) -> tuple[list[Molecule], list[Entry]]:
        """Standardize the proposals; the molecules to be scored (new ones, within the budget), and all entries.

        Entries of new molecules have the status ``new``. Proposals beyond the budget are left out of the step; what was
        carried over from an earlier round costs nothing.
        """
        parsed = parse_all([p.smiles for p in proposals], self.config.policy)
        valid = dict(zip(parsed.index, parsed.ok, strict=True))
        why = {r.line - 1: f"{r.why}: {r.detail}" for r in parsed.rejected}
        molecules: dict[str, Molecule] = {}
        entries: list[Entry] = []
        paid = 0
        for position, proposal in enumerate(proposals):
            molecule = valid.get(position)
            entry = Entry(
                proposal.id, self.step + 1, proposal.origin, proposal.parents, proposal.smiles,
                None, "invalid", math.nan, math.nan, reason=why.get(position, ""), nll=proposal.nll,
            )  # fmt: skip
            if molecule is not None:
                repeated = molecule.smiles in self.memory.first or molecule.smiles in molecules
                cost = int(not repeated and proposal.origin != CARRIED)
                if cost and paid >= budget:
                    continue
                paid += cost
                if not repeated:
                    molecules[molecule.smiles] = molecule
                status = "duplicate" if repeated else "new"
                entry = entry.replace(smiles=molecule.smiles, status=status, cost=cost)
            entries.append(entry)
        return list(molecules.values()), entries

    def score(self, molecules: list[Molecule]) -> ScoreTable:
        """The objective's table; a stop signal drops the calls in flight, saves, and ends the run."""
        try:
            with self.stop.droppable():
                return self.objective(molecules, stop=lambda: self.stop.requested)
        except (CallsDropped, Interrupted):
            self.stop_if_requested()
            raise

    def remember(
        self, entries: list[Entry], molecules: list[Molecule], table: ScoreTable, seconds: float = 0.0
    ) -> tuple[list[Entry], list[Result]]:
        """Fill in the scores, apply the scaffold memory, and remember; the entries and the optimizer's results."""
        position = {molecule.smiles: i for i, molecule in enumerate(molecules)}
        done: list[Entry] = []
        for entry in entries:
            if entry.status == "new":
                i = position[str(entry.smiles)]
                total = float(table.total[i])
                status = "failed" if math.isnan(total) else "scored" if table.passed[i] else "filtered"
                entry = entry.replace(
                    status=status,
                    total=total,
                    values={name: float(values[i]) for name, values in table.raw.items()},
                    desirability={name: float(values[i]) for name, values in table.desirability.items()},
                    reason=table.reasons[i],
                    scaffold=murcko_scaffold(molecules[i].mol) or molecules[i].smiles,
                    seconds=round(seconds, 6),
                )
            elif entry.status == "duplicate":
                first = self.memory.first[str(entry.smiles)]
                entry = entry.replace(
                    total=first.total, scaffold=first.scaffold, reason=f"same as {first.id}"
                )
            entry = entry.replace(score=entry.total * self.room(entry))
            self.memory.add(entry)
            done.append(entry)
        results = [Result(e.id, e.status, e.smiles, e.score, e.total, e.reason) for e in done]
        return done, results

    def room(self, entry: Entry) -> float:
        """The factor of the scaffold memory on this entry's reward."""
        if self.diversity is None or entry.smiles is None:
            return 1.0
        return self.diversity.visit(entry.scaffold, entry.total)

    def finished(self) -> bool:
        """Whether a limit of the budget is reached; sets ``reason``."""
        budget = self.config.budget
        limits = {
            f"the budget of {budget.molecules} molecules is used up": self.memory.calls >= budget.molecules,
            f"the {budget.steps} steps are done": budget.steps is not None and self.step >= budget.steps,
            f"the {budget.minutes} minutes are over": budget.minutes is not None
            and self.minutes >= budget.minutes,
            f"the target of {budget.target} is reached": self.watch.reached(budget.target),
            f"no better mean for {budget.patience} steps": self.watch.tired(budget.patience),
            "the generator draws nothing new any more": self.watch.exhausted,
        }
        self.reason = next((reason for reason, reached in limits.items() if reached), "")
        return bool(self.reason)

    def stop_if_requested(self) -> None:
        """Save and raise :class:`Interrupted` if a signal asked for it. Only between steps, or before any tell."""
        if self.stop.requested:
            self.checkpoint()
            raise Interrupted(self.stop.requested, f"molgen resume {self.folder.path}")

    def checkpoint(self) -> None:
        """Save the state as of the last finished step."""
        values, tensors = self.optimizer.state()
        state: dict[str, Any] = {
            "optimizer": values,
            "watch": self.watch.state(),
            "minutes": self.minutes,
        }
        self.folder.save_checkpoint(self.step, tensors, state)

    def restore(self) -> None:
        """Go back to the newest checkpoint, if there is one; the memories are rebuilt from the ledger up to it."""
        found = self.folder.resume()
        if found is None:
            return
        self.step, self.minutes = found.step, found.state["minutes"]
        self.optimizer.load_state(found.state["optimizer"], found.tensors)
        self.watch.load_state(found.state["watch"])
        for row in self.folder.ledger.rows():
            entry = Entry.from_row(row)
            self.memory.add(entry)
            self.room(entry)
