"""The likeliest molecules of a point: never worse than greedy, as likely as the model says, bounded in time."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.beam import likeliest
from molgen.models.graph_vae.forest import collate
from molgen.models.graph_vae.growth import grow
from molgen.models.graph_vae.model import GraphVae
from molgen.models.graph_vae.objective import log_likelihood
from molgen.models.graph_vae.order import Padded

SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "N#Cc1ccc(C2CCNCC2)cc1F",
]


@pytest.fixture(scope="module")
def model():
    params = GraphVaeParams(
        latent=8, width=32, heads=4, layers=2, encoder_layers=1, site_width=16, min_count=1, prior="normal",
        property_molecules=0, common=6,
    )  # fmt: skip
    built = GraphVae.build(params, SMILES, seed=3).eval()
    with torch.no_grad():  # random weights are nearly indifferent; this makes greedy choices worth beating
        for parameter in built.decoder.parameters():
            parameter.mul_(1.3)
    return built


@pytest.fixture(scope="module")
def points():
    return torch.randn(12, 8, generator=torch.Generator().manual_seed(1))


def canonical(texts):
    return [Chem.CanonSmiles(text) for text in texts]


def test_a_beam_of_one_is_greedy(model, points):
    assert [found[0][0] for found in model.likeliest(points, 1)] == canonical(model.decode(points))


def test_the_best_of_a_beam_is_never_less_likely_than_greedy(model, points):
    greedy = grow(model, points).log_likelihood
    found = model.likeliest(points, 4)
    best = np.array([ranked[0][1] for ranked in found])
    assert (best >= greedy - 1e-4).all()
    assert (best > greedy + 0.1).any()
    for ranked in found:
        values = [value for _, value in ranked]
        assert values == sorted(values, reverse=True)
        assert len({text for text, _ in ranked}) == len(ranked) == 4
        assert canonical(text for text, _ in ranked) == [text for text, _ in ranked]


def test_a_point_has_the_same_beam_alone_and_in_company(model, points):
    alone = [model.likeliest(z.unsqueeze(0), 3)[0] for z in points[:4]]
    for one, many in zip(alone, model.likeliest(points[:4], 3), strict=True):
        assert [text for text, _ in one] == [text for text, _ in many]
        assert np.allclose([v for _, v in one], [v for _, v in many], atol=1e-3)


def test_the_log_likelihoods_are_those_of_the_model(model, points, monkeypatch):
    """Every finished tree is read back as a training molecule in the order in which it was grown."""
    monkeypatch.setattr(model, "limits", (40, 200))  # budgets are no part of the likelihood that is learned
    offered = []

    def remember(self, point, tree, score):
        offered.append((point, tree, score))
        return offer(self, point, tree, score)

    from molgen.models.graph_vae import beam

    offer = beam._Best.offer
    monkeypatch.setattr(beam._Best, "offer", remember)
    likeliest(model, points[:3], 3)
    offered = [row for row in offered if len(row[1][0]) < 30][:60]
    assert len(offered) > 20
    for point, tree, score in offered:
        fields = [np.array([part], np.int64) for part in tree]
        grown = Padded(np.array([len(tree[0])]), *fields)
        batch = collate(grown, grown, np.zeros(1, np.int64), model.table)
        with torch.no_grad():
            z = points[point : point + 1]
            total = log_likelihood(model.decoder, batch, z, *model.vectors(batch), model.blocked).total
        assert float(total) == pytest.approx(score, abs=2e-3)


def test_a_model_that_never_wants_to_stop_ends_within_the_budgets(model, points, monkeypatch):
    with torch.no_grad():
        was = model.decoder.stop.bias.clone()
        model.decoder.stop.bias.fill_(-1e6)
    try:
        fragments, atoms = model.limits
        texts = model.decode(points) + model.sample(20, seed=1).smiles
        texts += [text for ranked in model.likeliest(points[:2], 2) for text, _ in ranked]
        texts += model.sample(4, seed=1, scaffold="c1ccc2[nH]ccc2c1").smiles
    finally:
        with torch.no_grad():
            model.decoder.stop.bias.copy_(was)
    sizes = [Chem.MolFromSmiles(text).GetNumAtoms() for text in texts]
    assert max(sizes) <= max(atoms, 9 + 8)
    assert min(sizes) > 1
    assert fragments < 64


def test_a_scaffold_is_in_every_molecule_of_a_beam(model):
    query = Chem.MolFromSmiles("c1ccc2[nH]ccc2c1")
    for text in model.sample(6, seed=2, beam=3, scaffold="[*:1]c1ccc2[nH]ccc2c1").smiles:
        assert Chem.MolFromSmiles(text).HasSubstructMatch(query)
