"""Turn a trained model into a shipped prior: sample its stored weights, measure, and complete its card.

    python pipelines/train_prior/finish.py runs/prior-moses --kind moses \\
        --data pipelines/train_prior/data -o molgen/models/priors/moses

Everything is measured on the 16-bit weights as they are stored: 30,000 raw strings are drawn from the model folder
and handed to ``evaluate.py``. ``--data`` is the folder that ``prepare.py`` wrote. How it was trained comes from the
model's own card and from the training run around it; the options ``--config`` to ``--commit`` say it otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import evaluate
import torch
from card import BATCH_SIZE, WHOLE, assemble, metrics_of, sampling, training_of
from card_words import KINDS
from latent_metrics import latent_metrics
from safetensors import safe_open

import molgen as mg
from molgen.chem.molecule import parse_all
from molgen.core.errors import DataError, ModelError, MolgenError
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.learn import store
from molgen.models.registry import family, load, locate
from molgen.run.files import read_json, sha256_file, write_json
from molgen.run.progress import say

MAX_BYTES = 12_000_000  # of a shipped prior
HELD_OUT = 5000  # molecules on which reconstruction and priors are measured


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
    training = training_of(arguments, source)
    with tempfile.TemporaryDirectory(prefix="finish-") as scratch:
        defaults = {"temperature": arguments.temperature, "min_p": arguments.min_p}
        if asked := {name: value for name, value in defaults.items() if value is not None}:
            source = _with_defaults(source, Path(scratch) / "model", asked)
        place = arguments.keep or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        measured, raw_sha256 = _measure(arguments, source, data, place / arguments.kind)
        metrics = metrics_of(arguments, source, measured, raw_sha256)
        if source.family in ("graph_vae", "latent_gan"):
            metrics["latent"] = _latent(arguments, source, data)
        if source.family == "graph_gan":
            metrics["one_shot"] = _one_shot(arguments, source)
        if sampling(source) != WHOLE:
            whole, _ = _measure(arguments, source, data, place / f"{arguments.kind}_whole", whole=True)
            found = {"n_valid": whole["n_valid"], "values": whole["metrics"]}
            metrics["whole_distribution"] = WHOLE | found
        return assemble(arguments, source, size, data, training, metrics)


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


def _one_shot(arguments: argparse.Namespace, source: store.StoredModel) -> dict[str, float]:
    """Shares of valid ones and of distinct ones among these, raw and with valences kept; how many that changes."""
    model: Any = load(source.path)
    found: dict[str, float] = {}
    for label, corrected in (("raw", False), ("corrected", True)):
        drawn = model.sample(arguments.n, seed=arguments.seed, batch_size=BATCH_SIZE, corrected=corrected)
        valid = [m.smiles for m in parse_all(drawn.smiles, "none").ok]
        found[f"{label} valid"] = len(valid) / len(drawn.smiles)
        found[f"{label} unique of valid"] = len(set(valid)) / max(1, len(valid))
        found["changed by correction"] = float(drawn.info["corrected"].mean())
    return found


def _latent(
    arguments: argparse.Namespace, source: store.StoredModel, data: Mapping[str, Any]
) -> dict[str, float]:
    """Reconstruction of held-out molecules, and what the learned prior is worth."""
    asked = _evaluation(arguments, Path(), data)
    held_out = asked.held_out or fetch("moses-test", progress=say)
    model: Any = load(source.path)
    return latent_metrics(
        getattr(model, "vae", model),  # a latent GAN is the prior of its VAE
        [text for _, text, _, _ in raw_rows(held_out)],
        most=min(arguments.n, HELD_OUT),
        seed=arguments.seed,
        fcd=evaluate.distance(asked),
    )


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


def _evaluation(arguments: argparse.Namespace, raw: Path, data: Mapping[str, Any]) -> argparse.Namespace:
    """The arguments of ``evaluate.py``."""
    files = {label: arguments.data / file["path"] for label, file in data["files"].items()}
    for label, path in files.items():
        if not path.is_file() or sha256_file(path) != data["files"][label]["sha256"]:
            raise DataError(f"{path} is not the file that its report describes; run prepare.py again")
    kind = KINDS[arguments.kind]
    official = kind.data == "moses"
    return argparse.Namespace(
        samples=raw,
        prior=kind.data,
        flat=kind.flat,
        training=None if official else files["training"],  # moses: the official file
        held_out=None if official else files["held out"],
        seed=0,
        brief=arguments.brief,
    )


if __name__ == "__main__":
    sys.exit(main())
