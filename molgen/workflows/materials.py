"""What a training starts from: the molecules, the model before its first step, and the sets that the model makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from molgen.core.errors import DataError
from molgen.core.schema import TrainConfig
from molgen.learn import store
from molgen.models.registry import family, load, locate, model_class
from molgen.models.retrain import checked, retrained_params
from molgen.run.progress import hushed
from molgen.run.resources import pick_device
from molgen.workflows.train_data import Molecules, Say, Sources, read_molecules, refuse_labels


@dataclass(frozen=True)
class Materials:
    """The molecules, the model, and training and held-out set as its family wants them."""

    molecules: Molecules
    model: Any
    data: Any
    held_out: Any


def gather(config: TrainConfig, sources: Sources, say: Say, *, quiet: bool = False) -> Materials:
    """Read, build or load, and cut; whatever RDKit makes on the way comes from :func:`molgen.data.cache.kept`."""
    molecules = read_molecules(config, sources, say, quiet=quiet)
    with hushed(quiet):
        model = _model(config, molecules)
        if config.unlikelihood is not None:
            model.unlikelihood = config.unlikelihood
        taught: dict[str, Any] = {}
        tested: dict[str, Any] = {}
        if molecules.training_labels:
            taught, tested = {"labels": molecules.training_labels}, {"labels": molecules.held_out_labels}
        data = model.training_set(molecules.training, randomize=config.randomize, **taught)
        _report_unusable(say, data)
        held_out = model.training_set(molecules.held_out, **tested)
    for name, usable, all_of_them in (
        ("training", data, molecules.training),
        ("held-out", held_out, molecules.held_out),
    ):
        if not len(usable):
            raise DataError(
                f"the model can use none of the {len(all_of_them)} {name} molecules (parts that it does not know, or "
                "too long; log.txt lists them); give more molecules, or a larger share with holdout:"
            )
    return Materials(molecules, model, data, held_out)


def checked_params(config: TrainConfig) -> Any:
    """The checked parameters: those of the base with what may be changed, or of a new network.

    Raises ConfigError with keys below ``model.params``.
    """
    section = config.model
    if config.base is not None:
        name, stored = store.read_config(locate(config.base))
        return retrained_params(family(name), stored, section.params, config.base)
    return checked(family(section.family), section.params)


def _model(config: TrainConfig, molecules: Molecules) -> Any:
    device = torch.device(pick_device(config.device))
    labels = molecules.training_labels
    if config.base is not None:
        model: Any = load(config.base, device=str(device), changes=config.model.params)
        refuse_labels(config, model.family)
        if labels:
            model.learn_labels(labels, seed=config.seed)
        return model.train()
    refuse_labels(config, config.model.family)
    options = {"labels": labels} if labels else {}
    builder = model_class(family(config.model.family))
    return builder.build(checked_params(config), molecules.training, seed=config.seed, **options).to(device)


def _report_unusable(say: Say, data: Any) -> None:
    for row in data.unknown[:20]:
        say(f"left out: {row}")
    if data.unknown or data.too_long:
        say(
            f"left out of training: {len(data.unknown)} molecules with parts that the model does not know, "
            f"{len(data.too_long)} that are too long"
        )
