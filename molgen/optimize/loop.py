"""The optimization loop on one page: ask -> parse -> score -> remember -> tell -> log -> checkpoint.

Everything that decides what happens next is in the checkpoint or in the ledger up to the checkpoint, so a run that
was killed goes on from its last checkpoint and writes the same ledger as one that never was: scores that were paid
for come out of the journal (``scores.jsonl``), the rest is computed again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from molgen.chem.fragments import murcko_scaffold
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import Interrupted
from molgen.core.schema import OptimizeConfig
from molgen.optimize.control import pairs_of
from molgen.optimize.diversity import Quota
from molgen.optimize.fate import fate
from molgen.optimize.memory import CARRIED, Entry, Memory
from molgen.optimize.protocol import CanRevise, HasNotes, Optimizer, Proposal, Result
from molgen.optimize.reward import Reward, TotalReward
from molgen.optimize.stages import Stages
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
    diversity: Quota | None = None
    memory: Memory = field(default_factory=Memory)
    watch: Watch = field(default_factory=Watch)
    reward: Reward = field(default_factory=TotalReward)
    stages: Stages | None = None
    round: int = 1  # of feedback: what the ledger says
    #: While a batch is in flight: (done, asked, how many more).
    on_scored: Callable[[int, int, int], object] = lambda done, asked, more: None
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
            brought = list(seeds) if self.step == 0 else self.brought_along()
            proposals = brought or self.optimizer.ask(self.config.batch_size)
            if brought:
                self.optimizer.adopt(proposals)
            molecules, entries = self.look_up(proposals, budget)
            asked = time.monotonic()
            table = self.score(molecules)
            seconds = (time.monotonic() - asked) / max(1, len(molecules))
            entries, results = self.remember(entries, molecules, table, seconds)
            learned = self.optimizer.tell(results)
            self.step += 1
            self.minutes = before + (time.monotonic() - started) / 60
            row = self.watch.row(self.step, self.memory, entries) | dict(learned) | self.variety()
            self.folder.ledger.append_many([entry.to_row() for entry in entries])
            self.folder.log_metrics(row, self.step)
            self.tracker.log_metrics(row, self.step)
            notes = self.optimizer.notes() if isinstance(self.optimizer, HasNotes) else []
            for note in [*table.warnings, *self.watch.alarms(self.step, self.memory), *notes]:
                self.folder.log(f"step {self.step}: {note}")
            on_step(row)
            self.move_on()
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
                stage=self.stages.name if self.stages else "", round=self.round,
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
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            self.on_scored(done, len(molecules), more)

        try:
            with self.stop.droppable():
                return self.objective(molecules, stop=lambda: self.stop.requested, progress=count)
        except (CallsDropped, Interrupted):
            self.stop_if_requested()
            raise

    def remember(
        self, entries: list[Entry], molecules: list[Molecule], table: ScoreTable, seconds: float = 0.0
    ) -> tuple[list[Entry], list[Result]]:
        """Fill in the scores, apply the scaffold memory, and remember; the entries and the optimizer's results."""
        position = {molecule.smiles: i for i, molecule in enumerate(molecules)}
        fresh: dict[str, Entry] = {}
        for at, entry in enumerate(entries):
            smiles = str(entry.smiles)
            if entry.status == "new":
                i = position[smiles]
                scaffold = murcko_scaffold(molecules[i].mol) or smiles
                known = entry.replace(**fate(table, i), scaffold=scaffold, seconds=round(seconds, 6))
                entries[at] = fresh[smiles] = known
            elif entry.status == "duplicate":
                first = fresh.get(smiles) or self.memory.first[smiles]
                entries[at] = entry.replace(
                    total=first.total, scaffold=first.scaffold, reason=f"same as {first.id}"
                )
        return self.judge(entries, fresh)

    def judge(self, entries: list[Entry], fresh: Mapping[str, Entry]) -> tuple[list[Entry], list[Result]]:
        """What each is worth to the optimizer: by the total or the front, and less where its kind is full."""
        known = self.memory.first
        originals = [fresh.get(e.smiles or "") or known.get(e.smiles or "", e) for e in entries]
        self.reward.add(list(fresh.values()))
        done, results = [], []
        for entry, first, worth in zip(entries, originals, self.reward.rate(originals), strict=True):
            room = self.room(entry)
            e = entry.replace(score=worth * room, room=room)
            self.memory.add(e)
            done.append(e)
            results.append(Result(e.id, e.status, e.smiles, e.score, e.total, e.reason, first.desirability))
        return done, results

    def room(self, entry: Entry) -> float:
        """The factor of the diversity memory on this entry's reward."""
        return 1.0 if self.diversity is None or entry.smiles is None else self.diversity.visit(entry)

    def variety(self) -> dict[str, float]:
        """Metrics of the reward and of the diversity memory, and the number of the stage, from 1."""
        stage = {"stage": float(self.stages.at + 1)} if self.stages else {}
        return {**self.reward.metrics(), **(self.diversity.metrics() if self.diversity else {}), **stage}

    def move_on(self) -> None:
        """After a step: begin the next stage if this one is over, and tell the optimizer what is worth else now."""
        over = self.stages.over(self.step, self.memory.calls, self.watch) if self.stages else ""
        if over:
            self.folder.log(f"step {self.step}: {over}; {self.next_stage()}")
        if (over or self.reward.moves) and isinstance(self.optimizer, CanRevise):
            entries = list(self.memory.first.values())
            worth = zip(entries, self.reward.rate(entries), strict=True)
            self.optimizer.revise({str(e.smiles): w * e.room for e, w in worth})

    def brought_along(self) -> list[Proposal]:
        """The best of the stage before, asked again where a value is lacking, as the first step of a stage."""
        if self.stages is None or self.step != self.stages.since_step:
            return []
        again = []
        for number, e in enumerate(self.stages.lacking[: self.config.batch_size], self.memory.next_id):
            parents = e.parents if e.origin == "seed" else (str(e.id),)
            again.append(Proposal(number, str(e.smiles), e.origin, parents, e.nll))
        return again

    def next_stage(self) -> str:
        """Judge by the objective of the next stage from here on; what became of the known molecules, in words."""
        assert self.stages is not None
        words = self.stages.advance(self.step, self.memory, self.config.policy)
        self.objective, self.reward = self.stages.objective, self.stages.reward()
        self.reward.add(list(self.memory.first.values()))
        self.watch.restart(pairs_of(self.objective.describe()))
        if self.diversity is not None:
            self.diversity.clear()
        return words

    def finished(self) -> bool:
        """Whether a limit of the budget is reached; sets ``reason``."""
        budget = self.config.budget
        last = self.stages is None or self.stages.last  # an earlier stage has limits of its own
        limits = {
            f"the budget of {budget.molecules} molecules is used up": self.memory.calls >= budget.molecules,
            f"the {budget.steps} steps are done": budget.steps is not None and self.step >= budget.steps,
            f"the {budget.minutes} minutes are over": budget.minutes is not None
            and self.minutes >= budget.minutes,
            f"the target of {budget.target} is reached": last and self.watch.reached(budget.target),
            f"no better mean for {budget.patience} steps": last and self.watch.tired(budget.patience),
            "the generator draws nothing new any more": last and self.watch.exhausted,
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
            "stages": self.stages.state() if self.stages else None,
        }
        self.folder.save_checkpoint(self.step, tensors, state)

    def restore(self) -> None:
        """Go back to the newest checkpoint, if there is one; the memories are rebuilt from the ledger up to it."""
        found = self.folder.resume()
        if found is None:
            return
        self.step, self.minutes = found.step, found.state["minutes"]
        self.optimizer.load_state(found.state["optimizer"], found.tensors)
        for row in self.folder.ledger.rows():
            entry = Entry.from_row(row)
            while self.stages is not None and entry.stage != self.stages.name:
                self.next_stage()
            self.memory.add(entry)
            self.reward.add([entry])
            self.room(entry)
        if self.stages is not None:
            while self.stages.at < found.state["stages"]["at"]:
                self.next_stage()
            self.stages.load_state(found.state["stages"])
        self.watch.load_state(found.state["watch"])
