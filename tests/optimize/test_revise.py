"""Strategies that remember molecules by score learn that these are worth something else now."""

import math

import torch

from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.optimize.latent import LatentSearch
from molgen.optimize.protocol import CanRevise, Proposal, Result
from molgen.optimize.registry import LatentParams
from molgen.optimize.replay import Remembered, Replay
from molgen.testing import RandomOptimizer


def test_a_replay_memory_is_ordered_by_the_new_scores_and_forgets_what_has_none():
    replay = Replay(5)
    replay.add([Remembered(s, s, score, -1.0, s) for s, score in (("C", 0.9), ("N", 0.5), ("O", 0.4))])
    replay.revise({"C": 0.1, "N": 0.7})
    assert [(item.smiles, item.score) for item in replay.items] == [("N", 0.7), ("C", 0.1)]
    replay.revise({"C": math.nan, "N": 0.0})
    assert replay.items == []


def test_a_latent_search_fits_the_new_scores():
    params = GraphVaeParams(latent=6, width=32, heads=4, layers=1, encoder_layers=1, site_width=16,
                            property_molecules=0, prior="normal")  # fmt: skip
    smiles = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "OCCO", "NCCN"]
    search = LatentSearch(GraphVae.build(params, smiles * 4, seed=2).eval(), LatentParams(start=4), 3)
    assert isinstance(search, CanRevise)
    assert not isinstance(RandomOptimizer(smiles), CanRevise)
    proposals = [Proposal(i, text, "seed") for i, text in enumerate(smiles)]
    search.adopt(proposals)
    search.tell([Result(i, "scored", text, 0.1 * i, 0.1 * i) for i, text in enumerate(smiles)])
    known = list(search.smiles)
    assert len(known) >= 3
    search.revise({text: 1.0 - 0.1 * k for k, text in enumerate(known[1:])} | {known[0]: math.nan})
    assert search.smiles == known[1:]
    assert search.scores.tolist() == [1.0 - 0.1 * k for k in range(len(known) - 1)]
    assert len(search.points) == len(search.ids) == len(known) - 1
    assert torch.isfinite(search.points).all()
    assert search._best() == 0
