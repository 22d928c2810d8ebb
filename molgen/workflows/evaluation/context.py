"""What all suites of an evaluation share: the parsed sample, what it is compared with, progress and CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType

import numpy as np
from rdkit import Chem

from molgen.chem.fragments import murcko_scaffold
from molgen.chem.molecule import Molecule, Parsed
from molgen.metrics.degenerate import pick
from molgen.metrics.distribution import Sample
from molgen.metrics.drift import property_table
from molgen.metrics.evaluation import Evaluation, Metric
from molgen.metrics.fcd import Activations
from molgen.metrics.gates import Rejection, judge
from molgen.metrics.similarity import morgan_bits
from molgen.run.progress import Progress, say
from molgen.workflows.evaluation.inputs import Profile, Training
from molgen.workflows.evaluation.kept import quiet_pool

MOST_PROPERTIES = 10_000
_JUDGED_AT_ONCE = 250


class Stages:
    """One progress line per stage, and the CPU-seconds of each."""

    def __init__(self, quiet: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._quiet = quiet
        self._stage = ""
        self._since = time.process_time()
        self._bar: Progress | None = None

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """``done`` of ``total`` in ``stage``; a new stage ends the one before."""
        if stage != self._stage:
            self._end()
            self._stage = stage
            if not done and not self._quiet:  # nothing will be counted, or not yet
                say(stage)
        if done:
            if self._bar is None:
                self._bar = Progress(total or None, "molecules", stage, quiet=self._quiet)
                self._bar.__enter__()
            self._bar.advance(done - self._bar.count)

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        now = time.process_time()
        if self._stage:
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + now - self._since, 2)
        if self._bar is not None:
            self._bar.close()
        self._stage, self._since, self._bar = "", now, None


class RememberingChemNet:
    """ChemNet that computes each string once per evaluation: several suites ask for the same molecules."""

    def __init__(self, chemnet: Activations) -> None:
        self._chemnet = chemnet
        self._row: dict[str, int] = {}
        self._table = np.empty((0, chemnet.width), dtype=np.float32)

    @property
    def width(self) -> int:
        """Numbers in the vector of one molecule."""
        return self._chemnet.width

    def activations(
        self, smiles: Sequence[str], *, batch_size: int = 512, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """As :meth:`molgen.metrics.fcd.ChemNet.activations`."""
        new = list(dict.fromkeys(text for text in smiles if text not in self._row))
        if new:
            found = self._chemnet.activations(new, batch_size=batch_size, progress=progress)
            start = len(self._table)
            self._row |= {text: start + i for i, text in enumerate(new)}
            self._table = np.concatenate([self._table, found])
        return np.asarray(self._table[[self._row[text] for text in smiles]])


@dataclass
class Context:
    """The sample, read twice: as the published protocols do (``sample``) and as a chemist would (``parsed``)."""

    result: Evaluation
    raw: list[str]
    sample: Sample
    parsed: Parsed
    say: Stages
    seed: int = 1
    workers: int = 1
    official: bool = False  # the reference is the one of the published tables
    chemnet: Activations | None = None
    profile: Profile | None = None
    training: Training | None = None
    judged: list[Rejection | None] = field(default_factory=list)

    @cached_property
    def distinct(self) -> list[Molecule]:
        """The different standardized molecules, in order of appearance."""
        return list({molecule.smiles: molecule for molecule in self.parsed.ok}.values())

    @cached_property
    def flat(self) -> list[str]:
        """The distinct molecules without stereo: the identity by which copies are counted."""
        return [_without_stereo(molecule.mol) for molecule in self.distinct]

    @cached_property
    def scaffolds(self) -> list[str]:
        """Murcko scaffold of each distinct molecule, "" without rings."""
        return [murcko_scaffold(molecule.mol) for molecule in self.distinct]

    @cached_property
    def bits(self) -> np.ndarray:
        """Morgan fingerprints of the distinct molecules."""
        return morgan_bits([molecule.mol for molecule in self.distinct])

    @cached_property
    def properties(self) -> dict[str, np.ndarray]:
        """Descriptors of up to 10,000 valid molecules, as they were written (charges and all)."""
        self.say("properties")
        return property_table([self.sample.mols[i] for i in pick(len(self.sample.mols), MOST_PROPERTIES)])

    def add(self, suite: str, name: str, value: float | None, n: int, **more: object) -> None:
        """Record a metric."""
        self.result.metrics.append(Metric(suite, name, None if value is None else float(value), n, **more))  # type: ignore[arg-type]


def _without_stereo(mol: Chem.Mol) -> str:
    flat = Chem.Mol(mol)
    Chem.RemoveStereochemistry(flat)
    return str(Chem.MolToSmiles(flat))


def judge_all(
    molecules: Sequence[Molecule], workers: int, say: Callable[[str, int, int], None]
) -> list[Rejection | None]:
    """The gates for all molecules, on several processes if asked."""
    texts = [molecule.smiles for molecule in molecules]
    parts = [texts[i : i + _JUDGED_AT_ONCE] for i in range(0, len(texts), _JUDGED_AT_ONCE)]
    judged: list[Rejection | None] = []
    if workers <= 1 or len(parts) < 2:
        for part in parts:
            judged += _judge(part)
            say("gates", len(judged), len(texts))
        return judged
    with quiet_pool(workers) as pool:
        for found in pool.map(_judge, parts):
            judged += found
            say("gates", len(judged), len(texts))
    return judged


def _judge(smiles: list[str]) -> list[Rejection | None]:
    return [judge(Chem.MolFromSmiles(text)) for text in smiles]
