"""A trained activity model: values with intervals, the nearest measured compound, and what is out of its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.fingerprints import nearest
from molgen.chem.molecule import Molecule
from molgen.core.errors import ModelError
from molgen.scoring.qsar import store
from molgen.scoring.qsar.features import Features
from molgen.scoring.qsar.intervals import Intervals
from molgen.scoring.qsar.kinds import KINDS, Fitted

if TYPE_CHECKING:
    import pandas as pd

#: Similarity (ECFP4 bits, Tanimoto) to the nearest measured compound from which a molecule is in the domain.
IN_DOMAIN = 0.4


@dataclass(frozen=True)
class Predictions:
    """Arrays ``[n]``: ``value`` is capped at the training range, ``raw`` is not; ``nearest`` counts training rows."""

    value: np.ndarray
    raw: np.ndarray
    low: np.ndarray
    high: np.ndarray
    nearest: np.ndarray
    similarity: np.ndarray

    @property
    def capped(self) -> np.ndarray:
        """Bool: the model said more or less than it has ever seen."""
        return np.asarray(self.value != self.raw)

    @property
    def in_domain(self) -> np.ndarray:
        """Bool: a measured compound is near enough."""
        return np.asarray(self.similarity >= IN_DOMAIN)


@dataclass
class QsarModel:
    """A model with what it was trained on. ``decimals``: predictions are rounded to 1e-4 of the spread of its values.

    Sums in another order (another batch) differ in their last digits; rounded, a molecule has one value.
    """

    fitted: Fitted
    intervals: Intervals
    ids: list[str]
    smiles: list[str]
    y: np.ndarray
    side: np.ndarray
    bits: np.ndarray
    card: dict[str, Any]

    def __post_init__(self) -> None:
        self.decimals = int(np.clip(3 - np.floor(np.log10(max(self.y.std(), 1e-300))), 0, 300))
        self.low, self.high = np.round([self.y.min(), self.y.max()], self.decimals).tolist()

    @property
    def name(self) -> str:
        """What it predicts, e.g. pIC50."""
        return str(self.card["target"]["name"])

    @property
    def unit(self) -> str:
        """The unit of its values; "log10" for negative decadic logarithms of mol/L."""
        return str(self.card["target"]["unit"])

    @property
    def policy(self) -> str:
        """The standardization that its molecules went through."""
        return str(self.card["policy"])

    @property
    def useful(self) -> bool:
        """Whether it is better than the mean and than scrambled activities."""
        return bool(self.card["verdict"]["useful"])

    @property
    def coverage(self) -> float:
        """The share of truths that its intervals hold."""
        return float(self.card["intervals"]["coverage"])

    def forms(self, mols: Sequence[Molecule]) -> list[Any]:
        """RDKit molecules in the form that the model knows."""
        return [
            mol.mol if mol.policy == self.policy else Molecule.from_smiles(mol.smiles, self.policy).mol
            for mol in mols
        ]

    def predict(
        self, mols: Sequence[Molecule], coverage: float | None = None, *, intervals: bool = True
    ) -> Predictions:
        """Everything about each molecule; see :class:`Predictions`. Without ``intervals`` (NaN) it is quicker."""
        if not len(mols):
            none = np.empty(0)
            return Predictions(none, none, none, none, np.empty(0, dtype=np.int64), none)
        chunks = [mols[start : start + 1024] for start in range(0, len(mols), 1024)]
        parts = [self._predict(chunk, coverage or self.coverage, intervals) for chunk in chunks]
        names = ("value", "raw", "low", "high", "nearest", "similarity")
        return Predictions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def _predict(self, mols: Sequence[Molecule], coverage: float, intervals: bool) -> Predictions:
        x = Features.of(self.forms(mols))
        mean, spread = (
            self.fitted.predict(x) if intervals else (self.fitted.mean_of(x), np.full(len(x), np.nan))
        )
        value, raw = self._capped(mean)
        index, similarity = nearest(x.bits, self.bits)
        near = similarity.astype(np.float64)
        half = self.intervals.half_width(spread, 1.0 - near, coverage)
        low, high = (np.round(value + sign * half, self.decimals) for sign in (-1, 1))
        return Predictions(value, raw, low, high, index, near)

    def _capped(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raw = np.round(mean, self.decimals) + 0.0
        return np.clip(raw, self.low, self.high), raw

    def frame(self, mols: Sequence[Molecule], coverage: float | None = None) -> pd.DataFrame:
        """A table of predictions: ``id``, ``smiles``, the value and its evidence."""
        import pandas as pd

        found = self.predict(mols, coverage)
        columns = {"id": [mol.id or "" for mol in mols], "smiles": [mol.smiles for mol in mols]}
        return pd.DataFrame({**columns, f"{self.name}_pred": found.value, **self.evidence(found)})

    def evidence(self, found: Predictions) -> dict[str, list[Any]]:
        """What backs each prediction, as columns; missing ends of an interval are None."""
        near = found.nearest.tolist()
        sign = {-1: "<", 0: "", 1: ">"}
        activity = [f"{sign[int(self.side[k])]}{self.y[k]:.4g}" for k in near]
        ends = {
            name: [None if np.isinf(v) else v for v in getattr(found, name).tolist()]
            for name in ("low", "high")
        }
        return {
            **ends,
            "in_domain": ["yes" if inside else "no" for inside in found.in_domain.tolist()],
            "nearest": [self.ids[k] for k in near],
            "nearest_smiles": [self.smiles[k] for k in near],
            "nearest_similarity": [round(s, 4) for s in found.similarity.tolist()],
            "nearest_activity": activity,
            "capped": ["yes" if capped else "no" for capped in found.capped.tolist()],
        }

    def save(self, folder: Path, texts: dict[str, str]) -> Path:
        """Write the model folder; ``texts`` are further files by name."""
        import csv
        import io

        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["id", "smiles", "value", "side"])
        writer.writerows(
            zip(self.ids, self.smiles, map(repr, self.y.tolist()), self.side.tolist(), strict=True)
        )
        arrays = {**self.fitted.arrays(), "bits": self.bits, "scores": self.intervals.scores}
        return store.save(folder, arrays, {store.TRAINING: table.getvalue(), **texts}, self.card)


def load(folder: Path | str) -> QsarModel:
    """Read and verify a model folder. Raises ModelError that says what is wrong with it."""
    folder = Path(folder)
    arrays, rows, card = store.load(folder)
    try:
        fitted = KINDS[card["model"]["kind"]].from_arrays(arrays)
        settings = {k: float(v) for k, v in card["intervals"]["settings"].items()}
        return QsarModel(
            fitted,
            Intervals(arrays["scores"], **settings),
            [row["id"] for row in rows],
            [row["smiles"] for row in rows],
            np.array([float(row["value"]) for row in rows]),
            np.array([int(row["side"]) for row in rows], dtype=np.int8),
            arrays["bits"],
            card,
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder} is damaged ({error!r}); copy or train the model again") from error
