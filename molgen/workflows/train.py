"""Training a generator from a configuration: read the data, train, measure, store the model folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from molgen.chem.molecule import Molecule, parse_all
from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, Interrupted, Problem, RunError
from molgen.core.schema import DataConfig, TrainConfig
from molgen.core.seeding import stream
from molgen.data import catalog
from molgen.data.reader import read
from molgen.learn.store import ancestry
from molgen.learn.trainer import Outcome, Trainer, mean_loss
from molgen.models.registry import family, load, locate, model_class, save
from molgen.run.folder import RunFolder
from molgen.run.interrupt import stop_signals
from molgen.run.manifest import collect
from molgen.run.progress import Progress
from molgen.run.resources import pick_device
from molgen.run.tracker import Status, Tracker, open_tracker


@dataclass(frozen=True)
class TrainResult:
    """Where the model and its run are, why the training ended, and the last validation."""

    model: Path
    run: Path
    reason: str
    metrics: Mapping[str, float]
    kind: Literal["train"] = "train"


def start(
    loaded: configs.Loaded[TrainConfig], out: Path, *, overwrite: bool = False, quiet: bool = False
) -> TrainResult:
    """Train into the run folder ``out``; the model is ``out/model``.

    An unfinished training with the same configuration goes on. Raises ConfigError or DataError before any training,
    Interrupted after saving a checkpoint.
    """
    config, base_dir = loaded.config, loaded.base_dir
    _params(config)
    text = configs.dump(config)
    if not overwrite and (out / "manifest.json").is_file() and not (out / "model").exists():
        folder = RunFolder.open(out)
        if folder.config_path.read_text(encoding="utf-8") != text:
            raise ConfigError(
                f"{out} is an unfinished training with another configuration; choose another folder"
            )
        return _drive(folder, config, Path(folder.manifest["base_dir"]), quiet)
    files = [_file(section, base_dir) for section in config.data]
    manifest = collect(
        seed=config.seed,
        inputs={file.name: file for file in files},
        models={} if config.base is None else {config.base: locate(config.base) / "weights.safetensors"},
        device=pick_device(config.device),
    )
    manifest["base_dir"] = str(base_dir)
    folder = RunFolder.create(out, kind="train", config_text=text, manifest=manifest, overwrite=overwrite)
    return _drive(folder, config, base_dir, quiet)


def resume(folder: RunFolder, *, quiet: bool = False) -> TrainResult:
    """Go on with an interrupted training. Raises RunError if it is done."""
    if (folder.path / "model").exists():
        raise RunError(f"{folder.path}: the training is done; the model is in {folder.path / 'model'}")
    config = configs.load(folder.config_path, TrainConfig).config
    return _drive(folder, config, Path(folder.manifest["base_dir"]), quiet)


def _drive(folder: RunFolder, config: TrainConfig, base_dir: Path, quiet: bool) -> TrainResult:
    folder.quiet = quiet
    with stop_signals() as stop, folder.lock():
        training, validation, report = _read(config, base_dir, folder)
        model = _model(config, training)
        if config.unlikelihood is not None:
            model.unlikelihood = config.unlikelihood
        data = model.training_set(training, randomize=config.randomize)
        held_out = model.training_set(validation)
        _report_unusable(folder, data)
        tracker = open_tracker(config.tracking, folder)
        tracker.start(folder, config.model_dump(mode="json"))
        trainer = Trainer(
            config.trainer,
            folder.path,
            seed=config.seed,
            device=pick_device(config.device),
            log=partial(_log, folder, tracker),
            progress=partial(Progress, quiet=quiet),
        )
        known = set(training)
        folder.update_manifest(status="running")
        try:
            outcome = trainer.fit(model, data, lambda m: _validate(m, held_out, config, known), stop=stop)
        except BaseException as error:
            status: Status = "interrupted" if isinstance(error, Interrupted) else "failed"
            folder.update_manifest(status=status)
            tracker.finish(status)
            if isinstance(error, Interrupted):
                raise Interrupted(error.signal_name, f"molgen resume {folder.path}") from None
            raise
        card = _card(config, folder, report, outcome)
        if hasattr(
            model, "finish"
        ):  # what a family fits once its weights are final, a latent prior for example
            folder.log("fitting what the finished weights allow")
            card["metrics"]["finish"] = model.finish(data, seed=stream(config.seed, "finish"))
        path = save(model, folder.path / "model", card)
        folder.update_manifest(status="done")
        folder.log(f"done: {outcome.reason}; model in {path}")
        tracker.finish("done")
    return TrainResult(path, folder.path, outcome.reason, outcome.state.history[-1])


def _log(folder: RunFolder, tracker: Tracker, metrics: Mapping[str, float], step: int) -> None:
    folder.log_metrics(metrics, step)
    tracker.log_metrics(metrics, step)
    if any(key.startswith("validation/") for key in metrics):
        words = ", ".join(f"{key.split('/')[-1]} {value:.4g}" for key, value in metrics.items())
        folder.log(f"step {step}: {words}")


def _params(config: TrainConfig) -> Any:
    """The checked architecture; None for a fine-tuned model, which keeps that of its base."""
    section = config.model
    if config.base is not None:
        if section.params:
            problem = Problem(
                "model.params", "a fine-tuned model keeps the architecture of its base; remove this"
            )
            raise ConfigError([problem])
        return None
    checked: configs.Loaded[Any] = configs.load(section.params, family(section.family).params)
    return checked.config


def _file(section: DataConfig, base_dir: Path) -> Path:
    path = base_dir / Path(section.path).expanduser()
    if path.is_file():
        return path
    if section.path in {entry.name for entry in catalog.list_entries()}:
        return catalog.locate(section.path)
    raise ConfigError(
        [Problem("data.path", f"no such file: {path}; nor is it a name of `molgen data list`")],
        "training data",
    )


def _read(
    config: TrainConfig, base_dir: Path, folder: RunFolder
) -> tuple[list[str], list[str], dict[str, Any]]:
    """Training and validation SMILES, distinct, in a fixed order, and the report on the data."""
    smiles: dict[str, None] = {}
    report: dict[str, Any] = {"files": {}}
    for section in config.data:
        file = _file(section, base_dir)
        molecules, rejected = _read_one(section, file, folder)
        smiles |= dict.fromkeys(m.smiles for m in molecules)
        report["files"][file.name] = {"kept": len(molecules), "rejected": rejected}
    everything = list(smiles)
    if config.validation is not None:
        file = _file(config.validation, base_dir)
        molecules, _ = _read_one(config.validation, file, folder)
        held_out = list(dict.fromkeys(m.smiles for m in molecules))
        training = [s for s in everything if s not in set(held_out)]
    else:
        order = np.random.default_rng(stream(config.seed, "holdout")).permutation(len(everything))
        count = min(max(1, round(config.holdout * len(everything))), 20_000)
        held_out = [everything[i] for i in sorted(order[:count])]
        training = [everything[i] for i in sorted(order[count:])]
    if not training or not held_out:
        raise DataError(
            f"{len(everything)} usable molecules are too few to train on and validate; see log.txt for the reasons"
        )
    report |= {"training": len(training), "validation": len(held_out)}
    folder.log(f"data: {len(training)} molecules to train on, {len(held_out)} held out")
    return training, held_out, report


def _read_one(section: DataConfig, file: Path, folder: RunFolder) -> tuple[list[Molecule], dict[str, int]]:
    with Progress(None, "rows", f"reading {file.name}", quiet=folder.quiet) as bar:
        table = read(
            file,
            smiles_column=section.smiles_column,
            id_column=section.id_column,
            policy=section.policy,
            progress=bar.advance,
        )
    reasons: dict[str, int] = {}
    for row in table.rejected:
        reasons[row.why] = reasons.get(row.why, 0) + 1
    words = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items())) or "none"
    folder.log(f"{file.name}: {len(table.molecules)} kept, {len(table.rejected)} rejected ({words})")
    return table.molecules, reasons


def _model(config: TrainConfig, training: Sequence[str]) -> Any:
    device = torch.device(pick_device(config.device))
    if config.base is not None:
        return load(config.base, device=str(device)).train()  # type: ignore[attr-defined]
    builder = model_class(family(config.model.family))
    return builder.build(_params(config), training, seed=config.seed).to(device)


def _report_unusable(folder: RunFolder, data: Any) -> None:
    for row in data.unknown[:20]:
        folder.log(f"left out: {row}")
    if data.unknown or data.too_long:
        folder.log(
            f"left out of training: {len(data.unknown)} molecules with parts that the model does not know, "
            f"{len(data.too_long)} that are too long"
        )


def _validate(model: Any, held_out: Any, config: TrainConfig, known: set[str]) -> dict[str, float]:
    """Loss on the held-out molecules, and valid, unique and novel shares of a raw sample."""
    metrics = {"validation_loss": mean_loss(model, held_out)}
    if hasattr(model, "validation_metrics"):
        metrics |= model.validation_metrics(held_out)
    n = config.trainer.sample_size
    if n:
        drawn = model.sample(n, seed=stream(config.seed, "validation"), batch_size=n)
        valid = [m.smiles for m in parse_all(drawn.smiles, "none").ok]
        metrics |= {
            "valid": len(valid) / n,
            "unique": len(set(valid)) / max(1, len(valid)),
            "novel": sum(s not in known for s in set(valid)) / max(1, len(set(valid))),
        }
    return metrics


def _card(
    config: TrainConfig, folder: RunFolder, report: Mapping[str, Any], outcome: Outcome
) -> dict[str, Any]:
    manifest = folder.manifest
    digests = {name: found.get("sha256") for name, found in manifest.get("inputs", {}).items()}
    return {
        "name": config.name,
        "created": manifest.get("created"),
        "data": {**report, "sha256": digests},
        "lineage": {"base": None}
        if config.base is None
        else ancestry(config.base, locate(config.base), {digest for digest in digests.values() if digest}),
        "training": {
            "config": config.model_dump(mode="json"),
            "reason_of_end": outcome.reason,
            "steps": outcome.state.step,
            "molecules": outcome.state.molecules,
            "minutes": round(outcome.state.seconds / 60, 1),
            "packages": manifest.get("packages"),
            "commit": (manifest.get("git") or {}).get("commit"),
        },
        "metrics": {"validation": outcome.state.history[-1]},
    }
