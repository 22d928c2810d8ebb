"""An oracle by its name: looked up, made anew for each task, and dressed as a scorer of ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import rdkit

from molgen.benchmark import guacamol, pmo
from molgen.benchmark.classifiers import BatchScore, classifier
from molgen.benchmark.features import Features
from molgen.benchmark.parts import Score
from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean
from molgen.data.catalog import get_entry
from molgen.scoring.evaluate import CACHE_COST
from molgen.scoring.protocol import Scored

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule

SuiteName = Literal["guacamol", "pmo"]
#: The tasks of each suite, in the order of its published table.
TASKS: dict[str, tuple[str, ...]] = {"guacamol": tuple(guacamol.TASKS), "pmo": pmo.TASKS}
#: Raised when the code below gives other numbers: scores in journals of older runs are then not taken.
CODE_VERSION = 1


@dataclass(frozen=True)
class Suite:
    """Which definitions: ``guacamol`` (v2) or ``pmo`` with the TDC version and the compatibility flag."""

    name: SuiteName
    version: pmo.Version = "1.1.14"
    inverted_deco_hop: bool = False

    def tasks(self, chosen: Sequence[str] = ()) -> list[str]:
        """The chosen tasks in the order of the suite, all if none is chosen. Raises ConfigError with likely names."""
        known = TASKS[self.name]
        for name in chosen:
            if name not in known:
                raise ConfigError(
                    f"unknown task {name!r} of {self.name}{did_you_mean(name, known)}", "--task"
                )
        return [name for name in known if not chosen or name in chosen]

    def oracle(self, task: str) -> BatchScore:
        """A new instance of one oracle. Raises DataError where its arrays were not fetched."""
        if self.name == "guacamol":
            return _each(guacamol.TASKS[task].build())
        if task in pmo.CLASSIFIERS:
            return classifier(task)
        return _each(pmo.formula_oracle(task, self.version, inverted_deco_hop=self.inverted_deco_hop))

    def describe(self) -> str:
        """What the numbers are comparable with, in words."""
        if self.name == "guacamol":
            return "GuacaMol v2"
        flag = ", deco_hop inverted as after scaffold_hop in TDC" if self.inverted_deco_hop else ""
        return f"PMO with the oracles of TDC {self.version}{flag}"

    def fingerprint(self, task: str) -> str:
        """sha256 of what the values of an oracle depend on besides the molecule."""
        arrays = get_entry(task).sha256 if task in pmo.CLASSIFIERS else ""
        about = [
            CODE_VERSION,
            self.name,
            self.version,
            self.inverted_deco_hop,
            task,
            arrays,
            rdkit.__version__,
        ]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()


class OracleScorer:
    """An oracle as a component of an objective. Every label is journaled: what a search was told can be counted."""

    unit = ""
    cost = CACHE_COST

    def __init__(self, suite: Suite, task: str) -> None:
        self.name = task
        self.summary = f"oracle {task} of {suite.describe()}"
        self.fingerprint = suite.fingerprint(task)
        self._suite = suite
        self._oracle = suite.oracle(task)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Values in 0..1; NaN, with words, where the definition gives none."""
        values = np.asarray(self._oracle(Features.of(mols)), dtype=np.float64)
        missing = np.flatnonzero(np.isnan(values)).tolist()
        return Scored(values, dict.fromkeys(missing, "the oracle is not defined for this molecule"))

    def __reduce__(self) -> tuple[type[OracleScorer], tuple[Suite, str]]:
        return OracleScorer, (self._suite, self.name)


def sheet(smiles: Sequence[str], suite: Suite, tasks: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Scores of many strings by many oracles, float64 ``[n]`` each; parsing, fingerprints and so on are shared.

    The strings are taken as they are (RDKit reads them, nothing is standardized). Raises MoleculeError for one that
    is no molecule.
    """
    molecules = [Features.parse(text) for text in smiles]
    return {task: suite.oracle(task)(molecules) for task in suite.tasks(tasks)}


def _each(score: Score) -> BatchScore:
    def batch(molecules: Sequence[Features]) -> np.ndarray:
        return np.array([score(molecule) for molecule in molecules], dtype=np.float64)

    return batch
