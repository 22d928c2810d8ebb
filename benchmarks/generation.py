"""Speed of sampling, training and the optimization loop with a 3 x 512 LSTM, beside the same network used plainly.

    python benchmarks/generation.py [FILE] [-n 2000] [--pieces 480]

Rates are molecules per CPU-second of one thread; compare ratios, not absolute numbers. An untrained network would draw
strings of arbitrary length, so the draws follow the molecules of FILE (default: zinc250k of the catalog): every step
does its full work, then the next token of a real molecule is taken. ``plain`` is the textbook version: float32, one
nn.LSTM call per token, every row stepped until the longest has ended, atom-level tokens.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from molgen.chem.molecule import parse_all
from molgen.core.schema import OptimizeConfig
from molgen.data.fetch import fetch
from molgen.data.reader import read
from molgen.models.autoregressive import RecurrentParams, sampler
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.models.autoregressive.sequences import pad_lists
from molgen.optimize.agent_params import ReinforceParams
from molgen.optimize.diversity import ScaffoldMemory
from molgen.optimize.loop import Search
from molgen.optimize.reinforce import reinforce
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop
from molgen.run.resources import bf16_supported, cpu_flags, cpu_model
from molgen.run.tracker import NullTracker
from molgen.scoring.objective import build_objective

ALERTS = [
    "[N+](=O)[O-]", "C(=O)Cl", "[CX3H1](=O)[#6]", "N=[N+]=[N-]", "C1OC1", "S(=O)(=O)Cl", "[SH]", "C=CC(=O)C",
    "OO", "N=C=O", "[Si]", "[Se]", "NN", "C#CC#C",
]  # fmt: skip


class ScriptedStepper(sampler.Stepper):
    """Does all the work of a step, then makes the next token of a real molecule certain."""

    script: Any = None  # endless iterator over token sequences

    def start(self, rows: int) -> None:
        """Take the next molecules."""
        super().start(rows)
        self.texts = [[*next(self.script), 0] for _ in range(rows)]
        width = max(map(len, self.texts))
        self.plan = torch.tensor([row + [0] * (width - len(row)) for row in self.texts])
        self.at = 0

    def keep(self, rows: Tensor) -> None:
        """Drop the others."""
        super().keep(rows)
        self.plan = self.plan[rows]

    def step(self, tokens: Tensor) -> Tensor:
        """Logits of the network, plus certainty."""
        logits = super().step(tokens)
        logits.scatter_(1, self.plan[:, self.at : self.at + 1], 50.0)
        self.at += 1
        return logits


def per_cpu_second(n: int, work: Callable[[], object]) -> float:
    """Molecules per CPU-second of this process."""
    started = time.process_time()
    work()
    return n / (time.process_time() - started)


def build(smiles: Sequence[str], pieces: int) -> SmilesLanguageModel:
    """An untrained 3 x 512 LSTM."""
    params = RecurrentParams(cell="lstm", hidden=512, layers=3, pieces=pieces)
    return SmilesLanguageModel.build(params, smiles, seed=1).eval()


def plain_sampling(model: SmilesLanguageModel, smiles: Sequence[str], batch: int = 500) -> None:
    """Step nn.LSTM in float32, all rows to the end, then parse, canonicalize and deduplicate."""
    network = model.network
    for first in range(0, len(smiles), batch):
        rows = pad_lists([model.vocabulary.encode(s) for s in smiles[first : first + batch]]).inputs
        state = None
        with torch.no_grad():
            for t in range(rows.shape[1]):
                hidden, state = network.rnn(network.embedding(rows[:, t : t + 1]), state)
                torch.multinomial(torch.softmax(network.output(hidden[:, 0]), dim=1), 1)
        {m.smiles for m in parse_all(smiles[first : first + batch], "default").ok}


def our_sampling(model: SmilesLanguageModel, smiles: Sequence[str], batch: int = 500) -> None:
    """What ``molgen sample`` does."""
    for first in range(0, len(smiles), batch):
        drawn = model.sample(len(smiles[first : first + batch]), seed=first, batch_size=batch)
        {m.smiles for m in parse_all(drawn.smiles, "default").ok}


def training_step(model: SmilesLanguageModel, batches: Sequence[Any], low: bool) -> None:
    """Forward, backward and AdamW on each batch."""
    optimizer = model.optimizers(1e-3, 0.0)["model"]
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            ((_, loss, _),) = model.training_step(batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()


def loop(model: SmilesLanguageModel, batch: int, replay: int, steps: int) -> float:
    """Molecules per CPU-second of whole loop steps with QED and 14 alerts."""
    config = OptimizeConfig(
        objective={
            "components": [
                {"use": "qed"},
                {"use": "custom_alerts", "role": "filter", "params": {"smarts": ALERTS}},
            ]
        },
        batch_size=batch,
        budget={"molecules": 10**6, "steps": steps},
        checkpoint_every=10**6,
        tracking={"mlflow": False},
    )
    with tempfile.TemporaryDirectory() as scratch, build_objective(config.objective) as objective:
        folder = RunFolder.create(Path(scratch) / "run", kind="optimize", config_text="", manifest={})
        folder.quiet = True
        optimizer = reinforce(model, ReinforceParams(replay_sample=replay), seed=1)
        search = Search(config, folder, optimizer, objective, NullTracker(), Stop(), ScaffoldMemory(25, 0.4))
        search.checkpoint()  # not part of a step
        return per_cpu_second(steps * batch, search.run)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", help="molecules; default: zinc250k of the catalog")
    parser.add_argument("-n", type=int, default=2000, help="molecules to sample")
    parser.add_argument("--pieces", type=int, default=480, help="multi-character tokens of our model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = read(arguments.file or fetch("zinc250k"), limit=10 * arguments.n)
    smiles = [m.smiles for m in table.molecules]
    some = smiles[: arguments.n]
    amx = "amx_bf16" in cpu_flags()
    print(
        f"{cpu_model()}; bf16 {'yes' if bf16_supported() else 'no'}, AMX {'yes' if amx else 'no'}; one thread"
    )
    atoms, pieces = build(smiles, 0), build(smiles, arguments.pieces)
    for model in (atoms, pieces):
        tokens = sum(len(model.vocabulary.encode(s)) for s in some) / len(some)
        print(f"  vocabulary {len(model.vocabulary)}: {tokens:.1f} tokens a molecule")
    original, sampler.Stepper = sampler.Stepper, ScriptedStepper  # type: ignore[misc]
    rows = {"plain": per_cpu_second(len(some), lambda: plain_sampling(atoms, some))}
    for name, model in (("ours, atom tokens", atoms), ("ours, pieces", pieces)):
        ScriptedStepper.script = itertools.cycle([model.vocabulary.encode(s) for s in some])
        rows[name] = per_cpu_second(len(some), lambda model=model: our_sampling(model, some))  # type: ignore[misc]
    show("sampling incl. parsing, canonicalization, deduplication", rows)
    rows = {}
    for name, model, low in (
        ("plain", atoms, False),
        ("ours, atom tokens", atoms, True),
        ("ours, pieces", pieces, True),
    ):
        data = model.training_set(smiles)
        batches = [data.batch(chosen) for chosen in data.plan(256, 1)[:4]]
        training_step(model, batches[:1], low and bf16_supported())
        count = sum(len(b.inputs) for b in batches)
        rows[name] = per_cpu_second(
            count, lambda m=model, b=batches, x=low: training_step(m, b, x and bf16_supported())
        )  # type: ignore[misc]
    show("training, batch 256", rows)
    rows = {}
    for name, model in (("atom tokens", atoms), ("pieces", pieces)):
        for batch, replay in ((128, 0), (64, 16)):
            ScriptedStepper.script = itertools.cycle([model.vocabulary.encode(s) for s in smiles])
            rows[f"ours, {name}, batch {batch}, replay {replay}"] = loop(model, batch, replay, 8)
    show("loop step, QED + 14 alerts", rows)
    sampler.Stepper = original  # type: ignore[misc]


def show(title: str, rows: dict[str, float]) -> None:
    """Print rates, and ratios to the first row."""
    first = next(iter(rows.values()))
    print(f"{title}, molecules per CPU-second:")
    for name, rate in rows.items():
        print(f"  {name:<40} {rate:8.0f}   x {rate / first:.2f}")


if __name__ == "__main__":
    main()
