"""An activity model that learns further measurements: its own training set and the new values, trained again."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import molgen
from molgen.data.sdf import Row
from molgen.run.progress import Progress
from molgen.scoring.qsar import store
from molgen.scoring.qsar.curate import curate
from molgen.scoring.qsar.merge import SIGNS
from molgen.scoring.qsar.model import QsarModel
from molgen.scoring.qsar.train import train
from molgen.scoring.qsar.values import Scale
from molgen.workflows.feedback import Measured
from molgen.workflows.qsar import QsarTraining, keep

_RELATION = "relation"


def retrain(
    model: QsarModel, measured: Sequence[Measured], folder: Path, *, seed: int = 1, quiet: bool = False
) -> QsarTraining:
    """Train a model of the same kind on what ``model`` was trained on and ``measured``, and write it to ``folder``.

    A compound that was measured before gets the median, flagged in ``curation.csv``. Raises DataError, ModelError.
    """
    scale = Scale(
        "p" if model.unit else "plain", model.name, model.name, model.unit, relation_column=_RELATION
    )
    known = [
        (name, smiles, float(value), int(side))
        for name, smiles, value, side in zip(model.ids, model.smiles, model.y, model.side, strict=True)
    ]
    new = [
        (one.molecule.id or one.molecule.smiles, one.molecule.smiles, one.value, one.side) for one in measured
    ]
    rows = [
        Row(line, smiles, name, {model.name: repr(value), _RELATION: SIGNS[side]})
        for line, (name, smiles, value, side) in enumerate([*known, *new], start=2)
    ]
    curated = curate(
        rows, scale, policy=model.policy, conflicts="median", source=f"{model.name} and feedback"
    )
    before: dict[str, Any] = model.card
    about = {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "molgen": molgen.__version__,
        "data": {"file": f"{before['data']['file']} and {len(new)} new measurements", "sha256": ""},
        "settings": {**before["settings"], "on_conflict": "median", "models": [model.fitted.kind], "part": [1, 1]},
        "retrained": {"compounds_before": len(model.ids), "measurements": len(new),
                      "training_sha256": before["files"][store.TRAINING]},
    }  # fmt: skip
    with Progress(None, "steps", f"retraining {model.name}", quiet=quiet) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.advance(done - bar.count)

        trained = train(
            curated, policy=model.policy, kinds=[model.fitted.kind], coverage=model.coverage, seed=seed, about=about,
            progress=progress,
        )  # fmt: skip
    return keep(trained, curated, folder)
