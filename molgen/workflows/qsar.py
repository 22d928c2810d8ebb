"""Activity models from a user's table to a folder, and from a folder to predictions for a list."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import molgen
from molgen.chem.molecule import Molecule, parse_all
from molgen.chem.standardize import get_policy
from molgen.core.errors import ConfigError, DataError
from molgen.data.reader import open_source
from molgen.report.frame import MoleculeFrame
from molgen.run.files import sha256_file
from molgen.run.progress import Progress
from molgen.scoring.qsar import card as cards
from molgen.scoring.qsar import store
from molgen.scoring.qsar.curate import Curated, curate
from molgen.scoring.qsar.model import QsarModel, load
from molgen.scoring.qsar.train import Training, chosen_kinds, train
from molgen.scoring.qsar.values import find_scale

if TYPE_CHECKING:
    import pandas as pd

    from molgen.data.sdf import Row

CURATION, VALIDATION = "curation.csv", "validation.csv"
ON_CONFLICT = ("drop", "median")


@dataclass(frozen=True)
class QsarTraining:
    """A trained activity model, where it lies, and what became of every row of the table."""

    model: QsarModel
    folder: Path
    curated: Curated
    validation: pd.DataFrame
    notes: list[str]

    @property
    def card(self) -> dict[str, Any]:
        """Figures, settings, data and verdict."""
        return self.model.card

    @property
    def useful(self) -> bool:
        """Whether it is better than the mean and than scrambled activities."""
        return self.model.useful

    def words(self) -> list[str]:
        """The card as sentences, the verdict first."""
        return cards.words(self.card)


@dataclass(frozen=True)
class QsarPredictions(MoleculeFrame):
    """Predictions for the rows of a list, in its order; a row without a usable structure says why."""

    model: QsarModel
    frame: pd.DataFrame
    n_rejected: int
    notes: list[str] = field(default_factory=list)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``id``, ``smiles``, the prediction, its evidence, ``note``, then the input's own."""
        return self.frame

    def caption(self) -> str:
        """How many, how many of them inside the domain, and what the model is worth."""
        inside = int((self.frame["in_domain"] == "yes").sum())
        capped = int((self.frame["capped"] == "yes").sum())
        words = (
            f"{len(self.frame) - self.n_rejected} predictions of {self.model.name}, {inside} in the domain, "
        )
        words += f"{capped} capped, {self.n_rejected} rows without a usable structure"
        return words + ("" if self.model.useful else "; " + str(self.model.card["verdict"]["words"]))


def qsar_train(
    file: str | Path,
    target: str,
    output: str | Path,
    *,
    unit: str | None = None,
    unit_column: str | None = None,
    qualifier_column: str | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str = "default",
    conflict: float | None = None,
    on_conflict: str = "drop",
    models: Sequence[str] | None = None,
    coverage: float = 0.8,
    part: tuple[int, int] = (1, 1),
    seed: int = 1,
    overwrite: bool = False,
    quiet: bool = False,
) -> QsarTraining:
    """See :func:`molgen.api.qsar_train`."""
    folder = Path(output)
    _check(on_conflict, coverage, part, conflict, policy)
    chosen_kinds(models, 0)  # a mistyped kind is refused before any work
    store.check_place(folder, overwrite=overwrite)
    source = open_source(file, smiles_column=smiles_column, id_column=id_column)
    with Progress(None, "rows", "reading", quiet=quiet) as bar:
        rows: list[Row] = []
        for row in source.rows:
            rows.append(row)
            bar.advance()
    scale, notes = find_scale(
        source.path, source.columns, target, unit, unit_column, qualifier_column, [r.data.get(target) for r in rows]
    )  # fmt: skip
    if target == source.smiles_column:
        raise DataError(f"{file}: {target!r} holds the structures; name the column of the activities")
    with Progress(len(rows), "rows", "curating", quiet=quiet) as bar:
        curated = curate(
            rows, scale, policy=policy, conflict=conflict, conflicts=on_conflict, part=part, source=source.path,
            progress=bar.advance,
        )  # fmt: skip
    about = {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "molgen": molgen.__version__,
        "data": {"file": Path(source.path).name, "sha256": "" if source.path == "-" else sha256_file(file)},
        "settings": {
            "target": target, "unit": unit, "unit_column": unit_column, "qualifier_column": qualifier_column,
            "conflict": conflict, "on_conflict": on_conflict, "models": list(models) if models else None,
            "part": list(part),
        },
    }  # fmt: skip
    with Progress(None, "steps", "training", quiet=quiet) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.advance(done - bar.count)

        trained = train(
            curated, policy=policy, kinds=models, coverage=coverage, seed=seed, about=about, progress=progress
        )
    return keep(trained, curated, folder, [*source.notes, *notes])


def keep(trained: Training, curated: Curated, folder: Path, notes: Sequence[str] = ()) -> QsarTraining:
    """Write a trained model with its tables and its card in words to ``folder``."""
    texts = {
        CURATION: _csv(curated.frame()),
        VALIDATION: _csv(trained.validation),
        store.WORDS: cards.page(trained.model.card),
    }
    trained.model.save(folder, texts)
    return QsarTraining(trained.model, folder, curated, trained.validation, list(notes))


def _check(
    on_conflict: str, coverage: float, part: tuple[int, int], conflict: float | None, policy: str
) -> None:
    get_policy(policy)
    if on_conflict not in ON_CONFLICT:
        raise ConfigError(f"must be one of {', '.join(ON_CONFLICT)}, got {on_conflict!r}", "on_conflict")
    if not 0.0 < coverage < 1.0:
        raise ConfigError(f"must be between 0 and 1, got {coverage:g}", "coverage")
    if not 1 <= part[0] <= part[1]:
        raise ConfigError(f"{part[0]}/{part[1]} is no part; write 1/2 or 2/2", "part")
    if conflict is not None and not conflict > 0:
        raise ConfigError(f"must be more than 0, got {conflict:g}", "conflict")


def _csv(frame: pd.DataFrame) -> str:
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def qsar_load(folder: str | Path) -> QsarModel:
    """See :func:`molgen.api.qsar_load`."""
    return load(folder)


def qsar_predict(
    model: str | Path | QsarModel,
    molecules: str | Path | Sequence[str | Molecule],
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    coverage: float | None = None,
    quiet: bool = False,
) -> QsarPredictions:
    """See :func:`molgen.api.qsar_predict`."""
    if coverage is not None and not 0.0 < coverage < 1.0:
        raise ConfigError(f"must be between 0 and 1, got {coverage:g}", "coverage")
    loaded = model if isinstance(model, QsarModel) else load(model)
    texts, ids, data, refused, notes = _list(molecules, smiles_column, id_column)
    parsed = parse_all(texts, loaded.policy, ids=ids, data=data)
    why = {row.line - 1: f"{row.why}: {row.detail}" for row in parsed.rejected} | refused
    usable = [(i, mol) for i, mol in zip(parsed.index, parsed.ok, strict=True) if i not in refused]
    parts: list[pd.DataFrame] = []
    with Progress(len(usable), "molecules", "predicting", quiet=quiet) as bar:
        for start in range(0, len(usable), 1024):
            chunk = usable[start : start + 1024]
            parts.append(loaded.frame([mol for _, mol in chunk], coverage))
            bar.advance(len(chunk))
    frame = _whole(parts or [loaded.frame([])], [i for i, _ in usable], texts, ids, data, why)
    return QsarPredictions(loaded, frame, len(why), notes)


def _list(
    molecules: str | Path | Sequence[str | Molecule], smiles_column: str | None, id_column: str | None
) -> tuple[list[str], list[str | None], list[dict[str, Any]], dict[int, str], list[str]]:
    """Texts, ids, other columns, what the format refused, and notes."""
    if isinstance(molecules, (str, Path)):
        source = open_source(molecules, smiles_column=smiles_column, id_column=id_column)
        rows = list(source.rows)
        refused = {i: f"{row.why}: {row.detail}" for i, row in enumerate(rows) if row.why}
        return [r.text for r in rows], [r.id for r in rows], [r.data for r in rows], refused, source.notes
    texts = [item.smiles if isinstance(item, Molecule) else item for item in molecules]
    ids = [item.id if isinstance(item, Molecule) else None for item in molecules]
    data = [dict(item.data) if isinstance(item, Molecule) else {} for item in molecules]
    return texts, ids, data, {}, []


def _whole(
    parts: list[pd.DataFrame],
    places: list[int],
    texts: list[str],
    ids: list[str | None],
    data: list[dict[str, Any]],
    why: dict[int, str],
) -> pd.DataFrame:
    """All rows of the input in its order, those without a prediction too."""
    import pandas as pd

    known = pd.concat(parts, ignore_index=True)
    known.index = pd.Index(places)
    frame = known.reindex(range(len(texts)))
    frame["id"] = [i or "" for i in ids]
    for place in why:
        frame.loc[place, "smiles"] = texts[place][:200]
    frame["note"] = [why.get(i, "") for i in range(len(texts))]
    names = [name for name in dict.fromkeys(key for row in data for key in row) if name not in frame.columns]
    own = pd.DataFrame([{name: row.get(name) for name in names} for row in data], index=frame.index)
    return pd.concat([frame, own], axis=1) if names else frame
