"""Two activity models for one search: one steers; one that learned other compounds another way watches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from molgen.core.errors import ConfigError, DataError
from molgen.scoring.qsar import store
from molgen.workflows.qsar import QsarTraining, qsar_train

#: Compounds of a half below which both learn from all of them: two poor models would watch nothing.
FEWEST_IN_HALF = 60
_GP_MOST = 5000


def train_pair(
    file: str | Path, target: str, output: str | Path, control: str | Path, **options: Any
) -> QsarTraining:
    """Train the steering model and its control; the first's result, with notes about both.

    ``options``: those of :func:`molgen.workflows.qsar.qsar_train`; ``part`` is chosen here. Raises as it does.
    """
    overwrite = bool(options.get("overwrite", False))
    if Path(control).absolute() == Path(output).absolute():
        raise ConfigError(f"{control} is the place of the model itself; choose another folder", "control")
    if options.pop("part", (1, 1)) != (1, 1):
        raise ConfigError("a part is chosen for both models with --control; leave --part out", "part")
    store.check_place(Path(control), overwrite=overwrite)
    halves = _halves(file, target, output, options)
    steering = halves or qsar_train(file, target, output, **{**options, "overwrite": True})
    part = (2, 2) if halves is not None else (1, 1)
    kind = _other(steering.model.fitted.kind, len(steering.model.ids))
    watching = qsar_train(
        file, target, control, **{**options, "models": [kind], "part": part, "overwrite": overwrite}
    )
    on = "another half of the compounds" if halves is not None else "the same compounds, too few for halves"
    name = steering.model.name
    return QsarTraining(
        steering.model,
        steering.folder,
        steering.curated,
        steering.validation,
        [
            *steering.notes,
            f"control {control}: {kind}, on {on}: {watching.words()[0]}",
            "in an objective:",
            f"  - {{use: qsar, name: {name}, params: {{model: {output}}}}}",
            f"  - {{use: qsar, name: {name}_control, role: control, watches: {name}, params: {{model: {control}}}}}",
        ],
    )


def _halves(
    file: str | Path, target: str, output: str | Path, options: dict[str, Any]
) -> QsarTraining | None:
    """The steering model on the first half; None where that is too little."""
    try:
        found = qsar_train(file, target, output, **{**options, "part": (1, 2)})
    except DataError as error:
        if "a model needs at least" not in str(error):
            raise
        return None
    return found if len(found.model.ids) >= FEWEST_IN_HALF else None


def _other(kind: str, n: int) -> str:
    """An algorithm with other mistakes."""
    if kind != "gp" and n <= _GP_MOST:
        return "gp"
    return "forest" if kind != "forest" else "graph"
