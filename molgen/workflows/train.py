"""Training a generator from a configuration: read the data, train, measure, store the model folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, Interrupted, RunError
from molgen.core.schema import TrainConfig
from molgen.core.seeding import stream
from molgen.data.cache import Carried, carried, has_rdkit
from molgen.learn.labels import on_card
from molgen.learn.store import ancestry
from molgen.learn.trainer import Outcome, Trainer, mean_loss
from molgen.models.registry import locate, save
from molgen.run.folder import RunFolder
from molgen.run.interrupt import stop_signals
from molgen.run.manifest import collect
from molgen.run.progress import Progress
from molgen.run.resources import pick_device
from molgen.run.tracker import Status, Tracker, open_tracker
from molgen.workflows.materials import checked_params, gather
from molgen.workflows.prepared import open_prepared
from molgen.workflows.train_data import Source, find_sources


@dataclass(frozen=True)
class TrainResult:
    """Where the model and its run are, why the training ended, and the last validation."""

    model: Path
    run: Path
    reason: str
    metrics: Mapping[str, float]
    kind: Literal["train"] = "train"


def start(
    loaded: configs.Loaded[TrainConfig],
    out: Path,
    *,
    prepared: Path | None = None,
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train into the run folder ``out``; the model is ``out/model``.

    An unfinished training with the same configuration goes on. ``prepared``: the folder with the arrays, see
    :mod:`molgen.workflows.prepared`. Raises ConfigError or DataError before any training, Interrupted after saving a
    checkpoint.
    """
    config, base_dir = loaded.config, loaded.base_dir
    checked_params(config)
    if not overwrite and (out / "manifest.json").is_file() and not (out / "model").exists():
        folder = RunFolder.open(out)
        if configs.load(folder.config_path, TrainConfig).config != config:
            raise ConfigError(
                f"{out} is an unfinished training with another configuration; choose another folder"
            )
        return _drive(folder, config, quiet)
    place, sources = _material_of(config, base_dir, prepared)
    manifest = collect(
        seed=config.seed,
        models={} if config.base is None else {config.base: locate(config.base) / "weights.safetensors"},
        device=pick_device(config.device),
    )
    manifest["inputs"] = {
        source.name: {"path": source.path, "sha256": source.sha256, "bytes": source.bytes}
        for source in sources.values()
    }
    manifest["base_dir"] = str(base_dir)
    if place is not None:
        manifest["prepared"] = {"folder": str(place.folder.absolute()), "rdkit": place.rdkit}
    folder = RunFolder.create(
        out, kind="train", config_text=configs.dump(config), manifest=manifest, overwrite=overwrite
    )
    return _drive(folder, config, quiet)


def resume(folder: RunFolder, *, quiet: bool = False) -> TrainResult:
    """Go on with an interrupted training. Raises RunError if it is done."""
    if (folder.path / "model").exists():
        raise RunError(f"{folder.path}: the training is done; the model is in {folder.path / 'model'}")
    return _drive(folder, configs.load(folder.config_path, TrainConfig).config, quiet)


def _material_of(
    config: TrainConfig, base_dir: Path, prepared: Path | None
) -> tuple[Carried | None, dict[str, Source]]:
    if prepared is not None:
        return open_prepared(prepared)
    return None, find_sources(config, base_dir)


def _drive(folder: RunFolder, config: TrainConfig, quiet: bool) -> TrainResult:
    folder.quiet = quiet
    prepared = folder.manifest.get("prepared")
    place, sources = _material_of(
        config, Path(folder.manifest["base_dir"]), None if prepared is None else Path(prepared["folder"])
    )
    begun = folder.manifest.get("inputs", {})
    changed = [s.path for s in sources.values() if begun.get(s.name, {}).get("sha256", s.sha256) != s.sha256]
    if changed:
        raise DataError(
            f"{', '.join(changed)}: changed since this training began; put the old file back, or start anew elsewhere"
        )
    with stop_signals() as stop, folder.lock(), carried(place):
        found = gather(config, sources, folder.log, quiet=quiet)
        model, data = found.model, found.data
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
        if hasattr(model, "on_alarm"):  # of a training that can collapse
            model.on_alarm = folder.log
        known = set(found.molecules.training)
        if config.trainer.sample_size and not has_rdkit():
            folder.log("RDKit is not here: what is drawn while training is not checked")
        folder.update_manifest(status="running")
        try:
            outcome = trainer.fit(
                model, data, lambda m: _validate(m, found.held_out, config, known), stop=stop
            )
        except BaseException as error:
            status: Status = "interrupted" if isinstance(error, Interrupted) else "failed"
            folder.update_manifest(status=status)
            tracker.finish(status)
            if isinstance(error, Interrupted):
                raise Interrupted(error.signal_name, f"molgen resume {folder.path}") from None
            raise
        card = _card(config, folder, found.molecules.report, outcome)
        if hasattr(
            model, "finish"
        ):  # what a family fits once its weights are final, a latent prior for example
            folder.log("fitting what the finished weights allow")
            with Progress(100, "%", "finishing", quiet=quiet) as bar:
                card["metrics"]["finish"] = model.finish(
                    data,
                    seed=stream(config.seed, "finish"),
                    advance=lambda share: bar.advance(round(100 * share) - bar.count),
                )
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


def _validate(model: Any, held_out: Any, config: TrainConfig, known: set[str]) -> dict[str, float]:
    """Loss on the held-out molecules, and valid, unique and novel shares of a raw sample."""
    metrics = {"validation_loss": mean_loss(model, held_out)}
    if hasattr(model, "validation_metrics"):
        metrics |= model.validation_metrics(held_out)
    n = config.trainer.sample_size
    if n and has_rdkit():
        from molgen.chem.molecule import parse_all

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
        "data": {**on_card(report, outcome.state.history[-1]), "sha256": digests},
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
