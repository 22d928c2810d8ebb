"""Encoding, decoding, neighbors, paths and scaffolds, with random weights: what must hold whatever the weights are."""

import pytest
import torch
from rdkit import Chem

from molgen.core.errors import DataError
from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.models.latent.moves import around, between, encoded, whitening

SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "N#Cc1ccc(C2CCNCC2)cc1F",
    "C[N+](C)(C)CC(=O)[O-]",
]
CARBAZOLE = "c1ccc2c(c1)[nH]c1ccccc12"


@pytest.fixture(scope="module")
def model():
    params = GraphVaeParams(
        latent=8, width=32, heads=4, layers=2, encoder_layers=2, site_width=16, min_count=1, prior="normal",
        property_molecules=0,
    )  # fmt: skip
    return GraphVae.build(params, SMILES, seed=3).eval()


def test_encoding_reads_fragments_that_training_never_saw_and_marks_what_is_outside(model):
    points = model.encode([SMILES[0], "C.C", CARBAZOLE])
    assert points.shape == (3, 8)
    assert torch.isnan(points).any(1).tolist() == [False, True, False]
    assert not torch.equal(points[0], points[2])


def test_encoding_does_not_depend_on_the_batch_or_the_writing(model):
    alone = torch.cat([model.encode([text]) for text in SMILES])
    mol = Chem.MolFromSmiles(SMILES[0])
    other = Chem.MolToSmiles(mol, rootedAtAtom=9, canonical=False)
    together = model.encode([*SMILES, other])
    assert torch.allclose(together[:-1], alone, atol=1e-4)
    assert torch.allclose(together[-1], alone[0], atol=1e-4)


def test_greedy_decoding_is_the_same_every_time_and_drawing_follows_the_seed(model):
    z = torch.randn(20, 8, generator=torch.Generator().manual_seed(1))
    assert model.decode(z) == model.decode(z)
    first = model.decode(z, greedy=False, seed=1)
    assert first == model.decode(z, greedy=False, seed=1)
    assert first != model.decode(z, greedy=False, seed=2)


def test_neighbors_and_paths_are_valid_molecules(model):
    ends = encoded(model, SMILES[1:3])
    near = around(ends[0], whitening(model), n=12, radius=1.0, seed=0)
    found = model.decode(near, greedy=False, seed=1) + model.decode(between(*ends, 7))
    assert len(found) == 19
    assert all(Chem.MolFromSmiles(text) is not None for text in found)


def test_what_cannot_be_encoded_is_named(model):
    with pytest.raises(DataError, match=r"'C\.C' cannot be encoded: more than one component"):
        encoded(model, ["CCO", "C.C"])
    assert model.outside("CCO") == ""


def test_more_samples_tighten_the_likelihood_bound(model):
    one = torch.stack([model.likelihood_bound(SMILES[:2], samples=1, seed=s) for s in range(20)]).mean(0)
    many = model.likelihood_bound(SMILES[:2], samples=40)
    assert bool((many > one - 0.5).all())
    assert torch.isnan(model.likelihood_bound([CARBAZOLE])).all()


@pytest.mark.parametrize(
    "scaffold",
    ["c1ccc2[nH]ccc2c1", CARBAZOLE, "O=C(Nc1ccccc1)c1ccncc1", "C1CCNCC1", "CS(N)(=O)=O", "C[N+](C)(C)C"],
)
def test_the_scaffold_is_a_part_of_every_molecule(model, scaffold):
    query = Chem.MolFromSmiles(scaffold)
    for text in model.sample(40, seed=1, scaffold=scaffold).smiles:
        assert Chem.MolFromSmiles(text).HasSubstructMatch(query), text


def test_only_marked_places_are_built_on(model):
    drawn = model.sample(60, seed=1, scaffold="[*:1]c1ccccn1").smiles
    grown = [mol for mol in map(Chem.MolFromSmiles, drawn) if mol.GetNumAtoms() > 6]
    assert grown
    for mol in grown:
        ring = Chem.MolFromSmarts("[cH]1[cH][cH][cH]nc1-[!#1]")
        assert mol.HasSubstructMatch(ring), Chem.MolToSmiles(mol)


def test_a_marked_sulfone_became_sulfur_dioxide_and_nothing_could_be_attached(model):
    drawn = model.sample(40, seed=1, scaffold="[*]S(=O)(=O)[*]").smiles
    assert any(Chem.MolFromSmiles(text).GetNumAtoms() > 3 for text in drawn)


@pytest.mark.parametrize(
    ("scaffold", "words"),
    [
        ("c1ccccc", "not a SMILES"),
        ("C1CC[*]1", "cut through a ring"),
        ("CC.C", "more than one part"),
        ("[*]", "no atom"),
        ("[*]=CC", "single bond"),
        ("C" * 70, "more than 64 heavy atoms"),
    ],
)
def test_what_is_no_scaffold_is_refused_with_the_reason(model, scaffold, words):
    with pytest.raises(DataError, match=words):
        model.sample(1, seed=1, scaffold=scaffold)


def test_molecules_stay_within_the_budgets(model):
    for text in model.sample(200, seed=4).smiles:
        assert Chem.MolFromSmiles(text).GetNumAtoms() <= model.limits[1]
