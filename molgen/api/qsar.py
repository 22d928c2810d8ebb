"""Activity models on measured compounds: train, predict, look at what one is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.scoring.qsar.model import QsarModel
    from molgen.workflows.qsar import QsarPredictions, QsarTraining


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
    control: str | Path | None = None,
    seed: int = 1,
    overwrite: bool = False,
    quiet: bool = False,
) -> QsarTraining:
    """Curate an assay table, choose and fit a model of the column ``target``, and write it to the folder ``output``.

    ``unit`` (nM, uM ..., none) or ``unit_column`` say what a concentration is in; the model then learns the negative
    decadic logarithm of mol/L. Replicates become their median; compounds whose values differ by more than ``conflict``
    (1.0 for logarithms) are dropped, or kept with ``on_conflict="median"``. ``models``: some of gp, forest, graph;
    default: those meant for that many compounds. ``coverage``: share of truths that the intervals hold. ``part`` (i, k)
    learns from the i-th of k parts of the compounds only: an independent model as a control. ``control``: a folder for
    a second model that another algorithm learns from the other half of the compounds, to watch a search that this one
    steers (the notes have the lines for the objective). The result has ``words()``, ``card`` and ``useful``.

    Raises DataError for a table that cannot be used, with what to change.
    """
    from functools import partial

    from molgen.workflows import qsar, qsar_control

    train = qsar.qsar_train if control is None else partial(qsar_control.train_pair, control=control)
    return train(
        file,
        target,
        output,
        unit=unit,
        unit_column=unit_column,
        qualifier_column=qualifier_column,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        conflict=conflict,
        on_conflict=on_conflict,
        models=models,
        coverage=coverage,
        part=part,
        seed=seed,
        overwrite=overwrite,
        quiet=quiet,
    )


def qsar_predict(
    model: str | Path | QsarModel,
    molecules: str | Path | Sequence[str | Molecule],
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    coverage: float | None = None,
    quiet: bool = False,
) -> QsarPredictions:
    """Predict a file ("-": standard input), SMILES or molecules: value, interval, domain, nearest measured compound.

    One row per row of the input, in its order; a row without a usable structure says why in ``note``.
    """
    from molgen.workflows import qsar

    return qsar.qsar_predict(
        model, molecules, smiles_column=smiles_column, id_column=id_column, coverage=coverage, quiet=quiet
    )


def qsar_load(folder: str | Path) -> QsarModel:
    """A trained activity model, verified against its checksums. Raises ModelError that says what is wrong with it."""
    from molgen.workflows import qsar

    return qsar.qsar_load(folder)


def qsar_show(folder: str | Path) -> tuple[dict[str, Any], list[str]]:
    """The card of a verified model, and the same as sentences, the verdict first."""
    from molgen.scoring.qsar.card import words

    card = qsar_load(folder).card
    return card, words(card)
