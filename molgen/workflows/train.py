"""Training a generator from a configuration: read the data, train, measure, store the model folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molgen.chem.molecule import Molecule, parse_all
from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, Interrupted, Problem
from molgen.core.schema import DataConfig, TrainConfig
from molgen.core.seeding import stream
from molgen.data import catalog
from molgen.data.reader import read
from molgen.learn.trainer import Outcome, Trainer, mean_loss
from molgen.models.library import family, load, locate, model_class, save
from molgen.run.folder import RunFolder
from molgen.run.interrupt import stop_signals
from molgen.run.manifest import collect
from molgen.run.progress import Progress
from molgen.run.resources import pick_device
from molgen.run.tracker import open_tracker


@dataclass(frozen=True)
class TrainResult:
    """Where the model and its run are, why the training ended, and the last validation."""

    model: Path
    run: Path
    reason: str
    metrics: Mapping[str, float]


def train(
    loaded: configs.Loaded[TrainConfig], out: Path, *, overwrite: bool = False, quiet: bool = False
) -> TrainResult:
    """Train into the run folder ``out``; the model is ``out/model``. An existing unfinished run goes on.

    Raises ConfigError or DataError before any training, Interrupted after saving a checkpoint.
    """
    config, base_dir = loaded.config, loaded.base_dir
    params = _params(loaded)
    files = [_file(section, base_dir) for section in config.data]
    text = configs.dump(config)
    unfinished = not overwrite and (out / "manifest.json").is_file() and not (out / "model").exists()
    if unfinished:
        folder = RunFolder.open(out)
        if folder.config_path.read_text(encoding="utf-8") != text:
            raise ConfigError(
                f"{out} is an unfinished training with another configuration; choose another folder"
            )
    else:
        manifest = collect(
            seed=config.seed,
            inputs={file.name: file for file in files},
            models={} if config.base is None else {config.base: locate(config.base) / "weights.safetensors"},
            device=pick_device(config.device),
        )
        folder = RunFolder.create(out, kind="train", config_text=text, manifest=manifest, overwrite=overwrite)
    folder.quiet = quiet
    with stop_signals() as stop, folder.lock():
        training, validation, report = _read(config, files, base_dir, folder, quiet)
        model = _model(config, params, training)
        data = model.training_set(training, randomize=config.randomize)
        held_out = model.training_set(validation)
        _report_unusable(folder, data)
        tracker = open_tracker(config.tracking, folder)
        tracker.start(folder, config.model_dump(mode="json"))

        def log(metrics: dict[str, float], step: int) -> None:
            folder.log_metrics(metrics, step)
            tracker.log_metrics(metrics, step)
            if any(key.startswith("validation/") for key in metrics):
                folder.log(
                    f"step {step}: "
                    + ", ".join(f"{key.split('/')[-1]} {v:.4g}" for key, v in metrics.items())
                )

        trainer = Trainer(
            config.trainer,
            folder.path,
            seed=config.seed,
            device=pick_device(config.device),
            log=log,
            progress=lambda **options: Progress(quiet=quiet, **options),
        )
        known = set(training)
        folder.update_manifest(status="running")
        try:
            outcome = trainer.fit(model, data, lambda m: _validate(m, held_out, config, known), stop=stop)
        except Interrupted as signal:
            folder.update_manifest(status="interrupted")
            tracker.finish("interrupted")
            raise Interrupted(signal.signal_name, f"molgen train {folder.config_path} -o {out}") from None
        except BaseException:
            folder.update_manifest(status="failed")
            tracker.finish("failed")
            raise
        card = _card(config, folder, report, outcome)
        path = save(model, folder.path / "model", card)
        folder.update_manifest(status="done")
        folder.log(f"done: {outcome.reason}; model in {path}")
        tracker.finish("done")
    return TrainResult(path, folder.path, outcome.reason, outcome.state.history[-1])


def _params(loaded: configs.Loaded[TrainConfig]) -> Any:
    section = loaded.config.model
    if loaded.config.base is not None:
        if section.params:
            raise ConfigError(
                [
                    loaded.problem(
                        "model.params", "a fine-tuned model keeps the architecture of its base; remove this"
                    )
                ]
            )
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
    config: TrainConfig, files: Sequence[Path], base_dir: Path, folder: RunFolder, quiet: bool
) -> tuple[list[str], list[str], dict[str, Any]]:
    """Training and validation SMILES, distinct, in a fixed order, and the report on the data."""
    smiles: dict[str, None] = {}
    report: dict[str, Any] = {"files": {}}
    for section, file in zip(config.data, files, strict=True):
        molecules, rejected = _read_one(section, file, folder, quiet)
        smiles |= dict.fromkeys(m.smiles for m in molecules)
        report["files"][file.name] = {"kept": len(molecules), "rejected": rejected}
    everything = list(smiles)
    if config.validation is not None:
        file = _file(config.validation, base_dir)
        molecules, _ = _read_one(config.validation, file, folder, quiet)
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


def _read_one(
    section: DataConfig, file: Path, folder: RunFolder, quiet: bool
) -> tuple[list[Molecule], dict[str, int]]:
    table = read(
        file, smiles_column=section.smiles_column, id_column=section.id_column, policy=section.policy
    )
    reasons: dict[str, int] = {}
    for row in table.rejected:
        reasons[row.why] = reasons.get(row.why, 0) + 1
    words = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items())) or "none"
    folder.log(f"{file.name}: {len(table.molecules)} kept, {len(table.rejected)} rejected ({words})")
    return table.molecules, reasons


def _model(config: TrainConfig, params: Any, training: Sequence[str]) -> Any:
    device = torch.device(pick_device(config.device))
    if config.base is not None:
        return load(config.base, device=str(device)).train()  # type: ignore[attr-defined]
    builder = model_class(family(config.model.family))
    return builder.build(params, training, seed=config.seed).to(device)


def _report_unusable(folder: RunFolder, data: Any) -> None:
    for row in data.unknown[:20]:
        folder.log(f"left out: {row}")
    if data.unknown or data.too_long:
        folder.log(
            f"left out of training: {len(data.unknown)} molecules with tokens that the model does not know, "
            f"{len(data.too_long)} that are too long"
        )


def _validate(model: Any, held_out: Any, config: TrainConfig, known: set[str]) -> dict[str, float]:
    """Loss on the held-out molecules, and valid, unique and novel shares of a raw sample."""
    metrics = {"validation_loss": mean_loss(model, held_out)}
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
    return {
        "name": config.name,
        "created": manifest.get("created"),
        "data": report,
        "inputs": manifest.get("inputs"),
        "lineage": {"base": config.base},
        "training": {
            "config": config.model_dump(mode="json"),
            "reason_of_end": outcome.reason,
            "steps": outcome.state.step,
            "molecules": outcome.state.molecules,
            "minutes": round(outcome.state.seconds / 60, 1),
            "versions": manifest.get("versions"),
            "git": manifest.get("git"),
        },
        "metrics": {"validation": outcome.state.history[-1]},
    }
