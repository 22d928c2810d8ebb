"""Active learning: which molecules of a run, or of a list, to measure next so that its activity model gains most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from molgen.chem.hazard import Screen
from molgen.chem.molecule import Molecule
from molgen.core import config as configs
from molgen.core.errors import ConfigError
from molgen.core.schema import ComponentConfig, OptimizeConfig
from molgen.core.suggest import did_you_mean
from molgen.data.reader import read
from molgen.optimize.memory import Entry, Memory
from molgen.optimize.rank import pick
from molgen.optimize.session import read_compounds
from molgen.report.frame import MoleculeFrame
from molgen.run.folder import RunFolder
from molgen.scoring.qsar.acquire import by_improvement, by_knowledge, check_rule
from molgen.scoring.qsar.features import Features
from molgen.scoring.qsar.model import Predictions, QsarModel, load
from molgen.workflows.feedback import CANDIDATE
from molgen.workflows.rounds import known_of

if TYPE_CHECKING:
    import pandas as pd

#: Best molecules of a run among which the choice is made, by default.
POOL = 500
#: Similarity (ECFP4) to a measured compound from which a molecule counts as measured.
_SAME = 0.9999


@dataclass(frozen=True)
class ToMeasure(MoleculeFrame):
    """The molecules to measure, the most wanted first, with an empty column to fill in: it is then the feedback."""

    frame: pd.DataFrame
    model: QsarModel
    rule: str
    considered: int
    notes: list[str] = field(default_factory=list)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``rank``, ``id``, ``smiles``, ``why``, the prediction and its evidence, and the empty one."""
        return self.frame

    def caption(self) -> str:
        """How many of how many, and what to do with them."""
        return (
            f"{len(self.frame)} of {self.considered} molecules to measure for {self.model.name} ({self.rule}); fill in "
            f"the column {self.model.name} and hand the table to molgen resume RUN --feedback"
        )


@dataclass(frozen=True)
class _Candidates:
    molecules: list[Molecule]
    totals: list[float]
    falling: bool
    notes: list[str]


def measure(
    source: str | Path,
    n: int = 24,
    *,
    model: str | Path | None = None,
    rule: str = "improvement",
    pool: int = POOL,
) -> ToMeasure:
    """See :func:`molgen.api.measure`."""
    check_rule(rule)
    if n < 1 or pool < n:
        raise ConfigError(f"n must be at least 1 and at most pool, got n {n} and pool {pool}", "measure")
    path = Path(source)
    if path.is_dir():
        folder, found = _from_run(path, model, pool)
    elif model is None:
        raise ConfigError("of a file needs --model FOLDER, one that `molgen qsar train` wrote", "measure")
    else:
        folder, found = Path(model), None
    activity = load(folder)
    found = found or _from_file(path, activity)
    told = activity.predict(found.molecules)
    fresh = np.flatnonzero(told.similarity < _SAME)
    mols = [found.molecules[i] for i in fresh]
    sign = -1.0 if found.falling else 1.0
    spread = _spread(activity, told, mols, fresh)
    exact = activity.y[activity.side == 0]
    prints = (
        Features.of(activity.forms(mols)).bits if mols else np.zeros((0, activity.bits.shape[1]), np.uint8)
    )
    if rule == "knowledge":
        chosen, worth = by_knowledge(prints, activity.bits, n)
    else:
        best = float((sign * exact).max())
        chosen, worth = by_improvement(sign * told.value[fresh], spread, prints, n, best=best)
    frame = _frame(activity, told, found, fresh[chosen], worth, spread[chosen], rule, sign)
    notes = list(found.notes)
    if known := len(found.molecules) - len(mols):
        notes.append(f"{known} are measured already and were left out")
    if not activity.useful:
        notes.append(
            f"the model is {activity.card['verdict']['words']}: rule knowledge, which does not ask it, is better"
        )
    return ToMeasure(frame, activity, rule, len(mols), notes)


def _spread(model: QsarModel, told: Predictions, mols: Sequence[Molecule], rows: np.ndarray) -> np.ndarray:
    """Standard deviations behind the calibrated intervals; the model's own where there are none."""
    half = (told.high - told.low)[rows] / 2
    if np.isfinite(half).all():
        return np.asarray(half / norm.ppf(0.5 + model.coverage / 2))
    return np.asarray(model.fitted.predict(Features.of(model.forms(mols)))[1])


def _from_run(path: Path, model: str | Path | None, pool: int) -> tuple[Path, _Candidates]:
    """The model and the best molecules of a run, through all filters and the hazard screen, not the user's own."""
    folder = RunFolder.open(path)
    if folder.kind != "optimize":
        raise ConfigError(
            f"is a run of `molgen {folder.kind}`; only a search has molecules to choose from", str(path)
        )
    config = configs.load(folder.config_path, OptimizeConfig).config
    base_dir = Path(folder.manifest["base_dir"])
    parts = {
        p.name or p.use: p for p in config.objective.components if p.use == "qsar" and p.role != "control"
    }
    if not parts:
        raise ConfigError("has no component qsar, so there is no model to teach", str(path))
    name = str(model) if model is not None else next(iter(parts))
    if name not in parts:
        raise ConfigError(f"no component qsar {name!r}{did_you_mean(name, list(parts))}", "model")
    memory = Memory(Entry.from_row(row) for row in folder.ledger.rows())
    output = config.output.model_copy(
        update={"n": pool, "max_similarity": 1.0, "select": "top", "ranking": "score"}
    )
    screen = Screen(output.hazards.screen, output.hazards.allow)
    known = [*read_compounds(config.seeds, base_dir), *known_of(folder, config.policy)]
    picked, _ = pick(memory, output, config.policy, known, screen)
    mols = [Molecule(mol.smiles, mol.policy, f"{CANDIDATE}{entry.id}") for entry, mol in picked]
    place = (base_dir / Path(str(parts[name].params["model"])).expanduser()).resolve()
    return place, _Candidates(mols, [entry.total for entry, _ in picked], _falls(parts[name]), screen.notes())


def _from_file(path: Path, model: QsarModel) -> _Candidates:
    table = read(path, policy=model.policy)
    notes = [*table.notes]
    if table.rejected:
        notes.append(
            f"{len(table.rejected)} rows could not be used; the first: line {table.rejected[0].line}"
        )
    distinct = list({mol.smiles: mol for mol in table.molecules}.values())
    return _Candidates(distinct, [float("nan")] * len(distinct), False, notes)


def _falls(part: ComponentConfig) -> bool:
    """Whether small values are wanted: an activity at an off-target."""
    return part.transform is not None and part.transform.type.startswith("reverse")


def _frame(
    model: QsarModel, told: Predictions, found: _Candidates, rows: np.ndarray, worth: np.ndarray, spread: np.ndarray,
    rule: str, sign: float,
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    evidence = model.evidence(told)
    best = float((sign * model.y[model.side == 0]).max()) * sign
    table = []
    for rank, (row, value, deviation) in enumerate(zip(rows.tolist(), worth, spread, strict=True), start=1):
        molecule = found.molecules[row]
        table.append(
            {
                "rank": rank,
                "id": molecule.id or "",
                "smiles": molecule.smiles,
                "why": _why(float(told.value[row]), float(deviation), best, sign, rule, model.name),
                "predicted": float(told.value[row]),
                "low": evidence["low"][row],
                "high": evidence["high"][row],
                "worth": round(float(value), 6),
                "score": found.totals[row],
                **{
                    key: evidence[key][row]
                    for key in ("in_domain", "nearest", "nearest_similarity", "nearest_activity")
                },
                model.name: "",
            }
        )
    columns = [
        *(
            "rank",
            "id",
            "smiles",
            "why",
            "predicted",
            "low",
            "high",
            "worth",
            "score",
            "in_domain",
            "nearest",
        ),
        *("nearest_similarity", "nearest_activity", model.name),
    ]
    return pd.DataFrame(table, columns=columns)


def _why(value: float, spread: float, best: float, sign: float, rule: str, name: str) -> str:
    if rule == "knowledge":
        return f"tells most about the others; {name} could be {value - spread:.2f} to {value + spread:.2f}"
    chance = float(norm.sf((best - value) * sign / max(spread, 1e-12)))
    return f"{chance:.0%} chance to be better than the best measured, {name} {best:.2f}"
