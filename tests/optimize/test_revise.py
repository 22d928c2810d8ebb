"""Strategies that remember molecules by score learn that these are worth something else now."""

import math

import torch

from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.optimize.hybrid.strategy import Hybrid
from molgen.optimize.latent import LatentSearch
from molgen.optimize.protocol import CanRevise, Proposal, Result
from molgen.optimize.registry import LatentParams, strategy
from molgen.optimize.replay import Remembered, Replay
from molgen.testing import RandomOptimizer

KNOWN = [f"{'C' * k}c1ccc({end})cc1" for k in range(1, 5) for end in ("O", "N", "C#N")]


def hybrid(known=KNOWN):
    """A hybrid whose model is never asked (it knows enough to choose), and the molecules that it was told."""
    params = GraphVaeParams(latent=6, width=32, heads=4, layers=1, encoder_layers=1, site_width=16,
                            property_molecules=0, prior="normal")  # fmt: skip
    model = GraphVae.build(params, [*KNOWN, *KNOWN], seed=2).eval()
    parts = {"parts": ["genetic", "recombination", "surrogate"], "start": len(KNOWN), "candidates": 4}
    search = Hybrid(model, strategy("hybrid", parts)[1], 3)
    tell(search, {text: 0.05 * k for k, text in enumerate(known)})
    return search


def tell(search, scores, total=None):
    start = search.next_id
    search.adopt([Proposal(start + i, text, "seed") for i, text in enumerate(scores)])
    rows = enumerate(scores.items())
    search.tell(
        [Result(start + i, "scored", text, s, s if total is None else total) for i, (text, s) in rows]
    )


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


def test_a_hybrid_that_was_told_to_forget_everything_learns_the_same_molecules_again():
    """A round of feedback begins so: what the round before found comes back with other scores."""
    search = hybrid()
    assert {p.origin for p in search.ask(4)} <= {"crossover", "mutation", "recombination"}
    search.revise({})
    assert search.smiles == []
    assert not search._knows_enough()
    tell(search, {text: 0.9 - 0.05 * k for k, text in enumerate(KNOWN)})
    assert search.smiles == KNOWN
    assert search.surrogate.scores[0] == max(search.surrogate.scores)
    assert {p.origin for p in search.ask(4)} <= {"crossover", "mutation", "recombination"}


def test_a_hybrid_learns_what_a_stage_asks_about_again():
    search = hybrid()
    search.revise({text: 0.5 for text in KNOWN[2:]})
    assert search.smiles == KNOWN[2:]
    tell(search, {KNOWN[0]: 0.8})
    assert search.smiles == [*KNOWN[2:], KNOWN[0]]


def test_a_scaffold_that_was_full_in_one_stage_is_open_in_the_next():
    search = hybrid()
    tell(search, {"CCc1ccncc1": 0.0}, total=0.6)
    assert search.full == {"c1ccncc1": None}
    known = {text: 0.5 for text in KNOWN}
    search.revise(known | {"CCc1ccncc1": 0.0})
    assert search.full == {"c1ccncc1": None}
    search.revise(known | {"CCc1ccncc1": 0.6})
    assert search.full == {}


def test_the_language_model_of_a_hybrid_forgets_scores_that_no_longer_hold():
    params = RecurrentParams(hidden=16, layers=1, embedding=8, pieces=0, max_tokens=20)
    model = SmilesLanguageModel.build(params, KNOWN, seed=2).eval()
    search = Hybrid(model, strategy("hybrid", {"start": 6, "teach_every": 8})[1], 3)
    tell(search, {text: 0.05 * (k + 1) for k, text in enumerate(KNOWN[:8])})
    assert len(search.draws.agent.replay) == 8
    tell(search, {KNOWN[8]: 0.4})
    search.revise({KNOWN[3]: 0.7, KNOWN[8]: 0.1})
    assert [(item.smiles, item.score) for item in search.draws.agent.replay.items] == [(KNOWN[3], 0.7)]
    assert [(x.smiles, x.score) for x in search.draws.waiting] == [(KNOWN[8], 0.1)]
    search.revise({})
    assert len(search.draws.agent.replay) == len(search.draws.waiting) == 0
