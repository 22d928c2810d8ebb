"""Turn a trained model into a shipped prior: sample its stored weights, measure, and complete its card.

    python pipelines/train_prior/finish.py runs/prior-moses --kind moses \\
        --data pipelines/train_prior/data -o molgen/models/priors/moses

Everything is measured on the 16-bit weights as they are stored: 30,000 raw strings are drawn from the model folder
and handed to ``evaluate.py``. ``--data`` is the folder that ``prepare.py`` wrote. How it was trained comes from the
model's own card and from the training run around it; the options ``--config`` to ``--commit`` say it otherwise.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import evaluate
import torch
from card_words import DESCRIPTIONS, KINDS, METRIC_NOTES, PROTOCOLS
from latent_metrics import latent_metrics
from safetensors import safe_open

import molgen as mg
from molgen.core import config as configs
from molgen.core.errors import DataError, ModelError, MolgenError
from molgen.core.schema import TrainConfig
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.learn import store
from molgen.models.registry import family, load, locate
from molgen.run.files import read_json, sha256_file, write_json
from molgen.run.manifest import MANIFEST_FORMAT, git_state, now
from molgen.run.progress import say
from molgen.run.resources import cpu_model

WHOLE: dict[str, Any] = {"temperature": 1.0, "min_p": 0.0}  # how the whole distribution is sampled
MAX_BYTES = 12_000_000  # of a shipped prior
BATCH_SIZE = 512  # of the sampling; a part of what makes the sample reproducible
HELD_OUT = 5000  # molecules on which reconstruction and priors are measured
#: What a card must say about the training.
REQUIRED = ("config", "steps", "molecules", "minutes", "hardware", "commit")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, sample, measure, write; returns the exit code."""
    arguments = _arguments(argv)
    torch.set_num_threads(1)
    try:
        card = finish(arguments)
    except MolgenError as error:
        say(f"finish: {error}")
        return error.exit_code
    for name, value in card["metrics"]["values"].items():
        print(f"{name:<32}{'too few molecules' if value is None else f'{value:.6g}'}")
    say(f"{arguments.output}: card complete; next: molgen models verify {arguments.output}")
    return 0


def finish(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do it all; returns the card. Everything that can be wrong is found before the first molecule is drawn."""
    destination: Path = arguments.output
    if destination.exists() and not arguments.overwrite:
        raise ModelError(f"{destination} exists already; choose another folder or add --overwrite")
    source = store.load(locate(arguments.model), verify=True)
    size = _check_stored(source)
    data = read_json(arguments.data / f"{KINDS[arguments.kind].data}.report.json", newest=1)
    training = _training(arguments, source)
    with tempfile.TemporaryDirectory(prefix="finish-") as scratch:
        defaults = {"temperature": arguments.temperature, "min_p": arguments.min_p}
        if asked := {name: value for name, value in defaults.items() if value is not None}:
            source = _with_defaults(source, Path(scratch) / "model", asked)
        place = arguments.keep or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        measured, raw_sha256 = _measure(arguments, source, data, place / arguments.kind)
        metrics = _metrics(arguments, source, measured, raw_sha256)
        if source.family == "graph_vae":
            metrics["latent"] = _latent(arguments, source, data)
        if _sampling(source) != WHOLE:
            whole, _ = _measure(arguments, source, data, place / f"{arguments.kind}_whole", whole=True)
            found = {"n_valid": whole["n_valid"], "values": whole["metrics"]}
            metrics["whole_distribution"] = WHOLE | found
        return _assemble(arguments, source, size, data, training, metrics)


def _sampling(source: store.StoredModel) -> dict[str, float]:
    """The model's own settings of sampling."""
    return {name: source.params.get(name, value) for name, value in WHOLE.items()}


def _with_defaults(
    source: store.StoredModel, place: Path, defaults: Mapping[str, float]
) -> store.StoredModel:
    """The same weights under other sampling defaults; 16-bit numbers come through unchanged."""
    params = family(source.family).params(**{**source.params, **defaults}).model_dump(mode="json")
    store.save(
        place,
        family=source.family,
        params=params,
        assets=source.assets,
        weights=source.weights,
        card=source.card,
    )
    changed = store.load(place, verify=True)
    assert changed.card["files"][store.WEIGHTS] == source.card["files"][store.WEIGHTS]
    return changed


def _measure(
    arguments: argparse.Namespace,
    source: store.StoredModel,
    data: Mapping[str, Any],
    place: Path,
    *,
    whole: bool = False,
) -> tuple[dict[str, Any], str]:
    """Draw raw strings to ``place_raw.smi`` and measure them; the metrics, and the sha256 of the strings.

    ``whole``: from the whole distribution, in brief.
    """
    raw = place.with_name(f"{place.name}_raw.smi")
    drawn = mg.load(source.path, device="cpu").sample(
        arguments.n, seed=arguments.seed, batch_size=BATCH_SIZE, raw=True, **(WHOLE if whole else {})
    )
    raw.write_text("".join(f"{text}\n" for text in drawn.smiles), encoding="utf-8")
    asked = _evaluation(arguments, raw, data)
    asked.brief = asked.brief or whole
    measured = evaluate.evaluate(asked)
    write_json(place.with_name(f"{place.name}_metrics.json"), measured)
    return measured, sha256_file(raw)


def _latent(
    arguments: argparse.Namespace, source: store.StoredModel, data: Mapping[str, Any]
) -> dict[str, float]:
    """Reconstruction of held-out molecules, and what the learned prior is worth."""
    asked = _evaluation(arguments, Path(), data)
    held_out = asked.held_out or fetch("moses-test", progress=say)
    model: Any = load(source.path)
    return latent_metrics(
        model,
        [text for _, text, _, _ in raw_rows(held_out)],
        most=min(arguments.n, HELD_OUT),
        seed=arguments.seed,
        fcd=evaluate.distance(asked),
    )


def _assemble(
    arguments: argparse.Namespace,
    source: store.StoredModel,
    size: int,
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> dict[str, Any]:
    """The complete card, written with the model to its place."""
    card = {
        "format": store.FORMAT,
        "name": arguments.kind,
        **DESCRIPTIONS[arguments.kind],
        "created": now(),
        "family": source.family,
        "parameters": source.card.get("parameters"),
        "bytes": size,
        "lineage": source.card.get("lineage", {"base": None}),
        "data": _data(data, source.card),
        "training": training,
        "metrics": metrics,
        "files": source.card["files"],
    }
    _write(source.path, arguments.output, card)
    return card


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="the trained model: its folder, or that of its training run")
    parser.add_argument("--kind", choices=tuple(KINDS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder that prepare.py wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DEST")
    parser.add_argument("-n", type=int, default=30_000, help="raw strings to draw; default 30,000")
    parser.add_argument("--seed", type=int, default=1, help="of the sampling; default 1")
    parser.add_argument(
        "--temperature", type=float, help="the model's sampling default from now on; likewise"
    )
    parser.add_argument(
        "--min-p", type=float, help="the model's sampling default from now on; stored and measured with it"
    )
    parser.add_argument("--brief", action="store_true", help="fewer metrics: a rehearsal, not for a card")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the raw strings and metrics there")
    parser.add_argument("--overwrite", action="store_true")
    told = parser.add_argument_group("the training, where the model and its run do not say it")
    told.add_argument("--config", type=Path, help="the configuration it was trained with")
    told.add_argument("--steps", type=int)
    told.add_argument("--molecules", type=int, help="molecules seen, repetitions counted")
    told.add_argument("--minutes", type=float, help="of training")
    told.add_argument("--hardware", help="that trained it, in words")
    told.add_argument("--commit", help="git commit of the code that trained it")
    told.add_argument("--note", action="append", default=[], help="a sentence for the card; may be repeated")
    return parser.parse_args(argv)


def _check_stored(source: store.StoredModel) -> int:
    """Bytes of the folder; refuses what must not ship: too large, or not stored in 16 bits."""
    size = sum(path.stat().st_size for path in source.path.iterdir() if path.name != store.CARD)
    if size > MAX_BYTES:
        raise ModelError(f"{source.path} has {size:,} bytes, a shipped prior may have {MAX_BYTES:,}")
    with safe_open(source.path / store.WEIGHTS, framework="pt") as weights:
        wide = [name for name in weights.keys() if weights.get_slice(name).get_dtype() in ("F32", "F64")]  # noqa: SIM118 - it is no dict
    if wide:
        raise ModelError(f"{source.path}: {', '.join(wide[:3])} are not stored in 16 bits; store it again")
    return size


def _training(arguments: argparse.Namespace, source: store.StoredModel) -> dict[str, Any]:
    """How it was trained: card, run and options together. Raises DataError for what is missing."""
    known = {
        key: value for key, value in dict(source.card.get("training") or {}).items() if value is not None
    }
    manifest = source.path.parent / "manifest.json"
    if manifest.is_file():
        known["hardware"] = read_json(manifest, newest=MANIFEST_FORMAT)["device_name"]
    if arguments.config is not None:
        known["config"] = configs.load(arguments.config, TrainConfig).config.model_dump(mode="json")
    for key in ("steps", "molecules", "minutes", "hardware", "commit"):
        if getattr(arguments, key) is not None:
            known[key] = getattr(arguments, key)
    missing = [key for key in REQUIRED if known.get(key) is None]
    if missing:
        options = ", ".join(f"--{key}" for key in missing)
        raise DataError(f"the card of {source.path} does not say how it was trained; add {options}")
    params = family(source.family).params
    continued = known["config"].get("base") is not None  # then the network is that of its base
    if not continued and params(**known["config"]["model"]["params"]) != params(**source.params):
        raise DataError(
            f"the configuration describes another network than the one in {source.path}, "
            f"which has {source.params}"
        )
    return known | ({"notes": arguments.note} if arguments.note else {})


def _evaluation(arguments: argparse.Namespace, raw: Path, data: Mapping[str, Any]) -> argparse.Namespace:
    """The arguments of ``evaluate.py``."""
    files = {label: arguments.data / file["path"] for label, file in data["files"].items()}
    for label, path in files.items():
        if not path.is_file() or sha256_file(path) != data["files"][label]["sha256"]:
            raise DataError(f"{path} is not the file that its report describes; run prepare.py again")
    kind = KINDS[arguments.kind]
    druglike = kind.data == "druglike"
    return argparse.Namespace(
        samples=raw,
        prior=kind.data,
        flat=kind.flat,
        training=files["training"] if druglike else None,  # moses: the official file
        held_out=files["held out"] if druglike else None,
        seed=0,
        brief=arguments.brief,
    )


def _data(report: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """Where the data are from and what was done with them; counts of the training where the card has them."""
    told = card.get("data")
    used: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    counts = {key: used[key] for key in ("training", "validation") if key in used}
    return {
        "sources": report["sources"],
        "prepared_by": "pipelines/train_prior/prepare.py",
        "counts": report["counts"],
        "tokens_left_out": report["rare_tokens"],
        "files": report["files"],
        **({"used": counts} if counts else {}),
    }


def _metrics(
    arguments: argparse.Namespace, source: store.StoredModel, measured: Mapping[str, Any], raw_sha256: str
) -> dict[str, Any]:
    """The measured values with everything that is needed to compare them."""
    git = git_state() or {}
    return {
        "protocol": PROTOCOLS[arguments.kind].format(n=measured["n_raw"]),
        "notes": METRIC_NOTES[arguments.kind],
        "n": measured["n_raw"],
        "n_valid": measured["n_valid"],
        "n_reference": measured["n_reference"],
        "sampling": {
            "seed": arguments.seed,
            **_sampling(source),
            "batch_size": BATCH_SIZE,
            "device": "cpu",
        },
        "raw_sha256": raw_sha256,
        "values": measured["metrics"],
        "brief": arguments.brief,
        "inputs_sha256": measured["inputs_sha256"],
        "versions": measured["versions"],
        "hardware": cpu_model(),
        "git": {key: git.get(key) for key in ("commit", "dirty")},
    }


def _write(source: Path, destination: Path, card: Mapping[str, Any]) -> None:
    """Assemble the folder beside its place, check it, and rename it, so that half a prior never carries its name."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as temporary:
        place = Path(temporary) / destination.name
        place.mkdir()
        for name in card["files"]:
            shutil.copyfile(source / name, place / name)
        store.write_card(place, card)
        load(place, verify=True)
        if destination.exists():
            destination.rename(Path(temporary) / "replaced")
        place.rename(destination)


if __name__ == "__main__":
    sys.exit(main())
