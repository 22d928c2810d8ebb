"""Latent priors of one graph VAE side by side: FCD of their molecules, precision, recall and coverage of their points.

    python pipelines/train_prior/compare_priors.py graph-vae-moses --gan runs/latent-gan -n 10000 -o priors.json

Normal, mixture (fitted here, minutes), the VAE's own prior, the GAN of the model ``--gan`` (whose decoder must be this
VAE), and posteriors of held-out molecules, which is what a perfect prior would give. Choices at temperature 1.
The FCD is to MOSES Test; at n below 30,000 it is larger than in the literature, comparable within the table only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import torch
from latent_metrics import decoded
from torch import Tensor

from molgen.core.errors import ModelError, MolgenError
from molgen.core.seeding import numpy_generator
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.metrics.manifold import euclidean, manifold
from molgen.models.graph_vae.posterior import posterior
from molgen.models.latent.mixture import MixturePrior
from molgen.models.latent.prior import drawn
from molgen.models.registry import load
from molgen.run.files import write_json
from molgen.run.progress import say


def main(argv: list[str] | None = None) -> int:
    """Read the arguments, compare, print and write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("vae", help="the graph VAE, by name or folder")
    parser.add_argument("--gan", help="a latent GAN on it, by name or folder")
    parser.add_argument("-n", type=int, default=10_000, help="draws of each; default 10,000")
    parser.add_argument("--minutes", type=float, default=5.0, help="for fitting the mixture; default 5")
    parser.add_argument(
        "--training", type=Path, help="molecules that the mixture is fitted to; default: MOSES"
    )
    parser.add_argument("--held-out", type=Path, help="molecules to compare with; default: MOSES Test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        rows = compare(arguments)
        if arguments.output:
            write_json(arguments.output, {"n": arguments.n, "seed": arguments.seed, "priors": rows})
    except MolgenError as error:
        say(str(error))
        return error.exit_code
    names = ["FCD/Test", "unique", "precision", "recall", "density", "coverage"]
    print(f"{'points from':<24}" + "".join(f"{name:>11}" for name in names))
    for label, row in rows.items():
        print(f"{label:<24}" + "".join(f"{row[name]:>11.4g}" for name in names))
    return 0


def compare(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """One row of figures for each source of points."""
    vae: Any = load(arguments.vae)
    asked = argparse.Namespace(prior="moses", flat=False, training=None, held_out=None)
    fcd = evaluate.distance(asked)
    training = _posteriors(vae, arguments.training or fetch("moses", progress=say), 50_000, arguments.seed)
    held_out = _posteriors(
        vae, arguments.held_out or fetch("moses-test", progress=say), 2 * arguments.n, arguments.seed
    )
    half = len(held_out[0]) // 2
    generator = torch.Generator().manual_seed(arguments.seed)
    points = drawn(*held_out, generator)
    reference = points[:half]
    rows = {}
    for label, draw in _sources(arguments, vae, training, points[half:]).items():
        z = draw(min(arguments.n, half), generator)
        texts = decoded(vae, z, seed=arguments.seed)
        rows[label] = {
            "FCD/Test": fcd(texts),
            "unique": len(set(texts)) / len(texts),
            **_shares(vae, z, reference),
        }
        say(f"{label}: FCD/Test {rows[label]['FCD/Test']:.3f}")
    return rows


def _sources(
    arguments: argparse.Namespace, vae: Any, training: tuple[Tensor, Tensor], perfect: Tensor
) -> dict[str, Callable[[int, torch.Generator], Tensor]]:
    mixture = MixturePrior(vae.params.latent)
    mixture.fit(*training, seed=arguments.seed, minutes=arguments.minutes)
    found: dict[str, Callable[[int, torch.Generator], Tensor]] = {
        "standard normal": lambda n, g: torch.randn(n, vae.params.latent, generator=g),
        "mixture": mixture.sample,
        f"{vae.params.prior} (the VAE's own)": vae.prior.sample,
    }
    if arguments.gan is not None:
        gan: Any = load(arguments.gan)
        mine, its = vae.encoder.state_dict(), gan.vae.encoder.state_dict()
        if mine.keys() != its.keys() or any(not torch.equal(mine[k], its[k]) for k in mine):
            raise ModelError(
                f"{arguments.gan} works on another VAE than {arguments.vae}: its encoder differs"
            )
        found["latent GAN"] = gan.prior.sample
    return found | {"posteriors": lambda n, g: perfect[:n]}


def _posteriors(vae: Any, path: Path, most: int, seed: int) -> tuple[Tensor, Tensor]:
    texts = [text for _, text, _, _ in raw_rows(path)]
    picked = [texts[i] for i in numpy_generator(seed, "priors").permutation(len(texts))[:most]]
    forest, _ = vae.covered(picked)
    return posterior(vae, forest, np.arange(len(forest)))


def _shares(vae: Any, z: Tensor, reference: Tensor, most: int = 5000) -> dict[str, float]:
    spread = reference.std(0)
    found = manifold((z[:most] / spread).numpy(), (reference[:most] / spread).numpy(), euclidean)
    return {name: getattr(found, name) for name in ("precision", "recall", "density", "coverage")}


if __name__ == "__main__":
    sys.exit(main())
