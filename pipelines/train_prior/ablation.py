"""What the choices in the graph VAE are worth: small trainings that differ in one thing, as one table.

    python pipelines/train_prior/ablation.py --data pipelines/train_prior/data -o runs/ablation

50,000 molecules of the MOSES training set and the same number of molecules seen in every run; measured on others of it
that no run has seen, and against the test set's statistics. A run that is done is not repeated: after an interruption
the same line goes on. The table is written after each run, as Markdown on standard output and as JSON in the folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import evaluate
import torch
from latent_metrics import latent_metrics

import molgen as mg
from molgen.core.errors import MolgenError
from molgen.core.seeding import numpy_generator
from molgen.data.reader import raw_rows
from molgen.models.registry import load
from molgen.run.files import read_json, write_json
from molgen.run.progress import say

FORMAT = 1
#: Name -> settings that differ from the shipped profile.
VARIANTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "KL weight 0.01": {"kl_weight": 0.01},
    "KL weight 0.2": {"kl_weight": 0.2},
    "KL weight 1": {"kl_weight": 1.0},
    "canonical order only": {"random_order": 0.0},
    "half in random order": {"random_order": 0.5},
    "vocabulary: 20 times or more": {"min_count": 20},
    "vocabulary: 200 times or more": {"min_count": 200},
}
COLUMNS = (
    "covered", "reconstructed", "reconstruction_nats", "kl_nats", "active_units",
    "FCD, standard normal", "FCD, learned prior", "FCD, posteriors",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, train, measure, print; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that prepare.py wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--molecules", type=int, default=50_000, help="to train on; default 50,000")
    parser.add_argument("--held-out", type=int, default=5000, help="to measure on; default 5,000")
    parser.add_argument("--epochs", type=float, default=4.0, help="passes over them; default 4")
    parser.add_argument("--prior-minutes", type=float, default=2.0, help="for the learned prior; default 2")
    parser.add_argument("--only", nargs="*", choices=tuple(VARIANTS), default=list(VARIANTS))
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        held_out = _prepare(arguments)
        for name in arguments.only:
            _run(name, held_out, arguments)
            table(arguments.output)
    except MolgenError as error:
        say(f"ablation: {error}")
        return error.exit_code
    return 0


def _prepare(arguments: argparse.Namespace) -> list[str]:
    """The training molecules in a file of the folder; returns the held-out ones."""
    smiles = [text for _, text, _, _ in raw_rows(arguments.data / "moses.smi")]
    order = numpy_generator(0, "ablation").permutation(len(smiles))
    count = min(arguments.molecules, len(smiles) - arguments.held_out)
    arguments.output.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{smiles[i]}\n" for i in order[:count])
    (arguments.output / "train.smi").write_text(lines, encoding="utf-8")
    return [smiles[i] for i in order[count : count + arguments.held_out]]


def _run(name: str, held_out: list[str], arguments: argparse.Namespace) -> None:
    place = arguments.output / name.replace(":", "").replace(" ", "-")
    if (place / "ablation.json").is_file():
        return
    say(f"==> {name}")
    if not (place / "model").exists():
        profile = Path(__file__).with_name("graph_vae_moses.yaml")
        params = {
            "kl_warmup": 400,
            "property_molecules": 2000,
            "prior_minutes": arguments.prior_minutes,
        } | VARIANTS[name]
        trainer = {"epochs": arguments.epochs, "minutes": 100_000, "sample_size": 0}
        settings = {"data[0].path": str((arguments.output / "train.smi").resolve()), "holdout": 0.01}
        settings |= {f"model.params.{key}": value for key, value in params.items()}
        settings |= {f"trainer.{key}": value for key, value in trainer.items()} | {"tracking.mlflow": "false"}
        mg.train(profile, place, overrides=[f"{key}={value}" for key, value in settings.items()])
    asked = argparse.Namespace(prior="moses", flat=False, training=None, held_out=None)
    model: Any = load(place / "model")
    found = latent_metrics(model, held_out, most=len(held_out), seed=0, fcd=evaluate.distance(asked))
    write_json(
        place / "ablation.json", {"format": FORMAT, "name": name, "changed": VARIANTS[name], "metrics": found}
    )


def table(folder: Path) -> None:
    """Print what is there so far."""
    found = [read_json(path, newest=FORMAT) for path in sorted(folder.glob("*/ablation.json"))]
    rows = {row["name"]: row["metrics"] for row in found}
    print("| variant | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    for name in VARIANTS:
        if name in rows:
            print(f"| {name} | " + " | ".join(f"{rows[name][column]:.4g}" for column in COLUMNS) + " |")


if __name__ == "__main__":
    sys.exit(main())
