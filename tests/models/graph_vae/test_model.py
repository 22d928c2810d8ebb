import pytest
import torch
from rdkit import Chem

from molgen.models.graph_vae import FAMILY, GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.models.registry import load, save
from molgen.testing import check_generator

SMALL = GraphVaeParams(
    latent=8, width=32, heads=4, layers=2, encoder_layers=2, site_width=16, min_count=1, property_molecules=8,
    prior="normal", prior_minutes=0.05, kl_warmup=10,
)  # fmt: skip
SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "C[N+](C)(C)CC(=O)[O-]",
    "O=[N+]([O-])c1cnc[nH]1",
    "N#Cc1ccc(C2CCNCC2)cc1F",
    "COc1ccc2[nH]c(S(=O)Cc3ncc(C)c(OC)c3C)nc2c1",
    "CCP(=O)(O)OC1CCCC1",
]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return GraphVae.build(SMALL, SMILES, seed=3).eval()


def test_it_keeps_the_contract_of_a_generator(model):
    check_generator(model)


def test_random_weights_give_a_thousand_valid_molecules_of_a_thousand(model):
    drawn = model.sample(1000, seed=1).smiles
    valid = [text for text in drawn if Chem.MolFromSmiles(text) is not None]
    assert len(valid) == 1000
    assert len(set(valid)) > 300  # many stop after a fragment or two: nobody has taught them to go on


def test_training_teaches_it_to_rebuild_what_it_saw():
    model = GraphVae.build(SMALL, SMILES, seed=3).train()
    data = model.training_set(SMILES)
    optimizer = model.optimizers(5e-3, 0.0)["model"]
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for step in range(150):
            for rows in data.plan(16, step):
                for _, loss, _ in model.training_step(data.batch(rows, step)):
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(float(loss.detach()))
    model.eval()
    assert losses[-1] < 0.3 * losses[0]
    rebuilt = model.decode(model.encode(SMILES))
    same = [Chem.CanonSmiles(a) == Chem.CanonSmiles(b) for a, b in zip(rebuilt, SMILES, strict=True)]
    assert sum(same) >= 6


def test_validating_in_the_middle_of_a_bf16_training_mixed_two_precisions(model):
    data = model.training_set(SMILES)
    expected, outside = model.sample(20, seed=1).smiles, model.validation_metrics(data)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.sample(20, seed=1).smiles == expected
        assert model.validation_metrics(data)["rebuilt"] == outside["rebuilt"]
        assert len(model.decode(model.encode(SMILES))) == len(SMILES)


def test_another_objective_and_another_prior_keep_the_learned_weights(model, tmp_path):
    folder = save(model, tmp_path / "model", {"name": "tiny"})
    changed = load(folder, changes={"kl_weight": 0.4, "prior": "mixture", "prior_minutes": 20.0})
    assert changed.params == model.params.model_copy(
        update={"kl_weight": 0.4, "prior": "mixture", "prior_minutes": 20.0}
    )
    before = {k: v for k, v in model.state_dict().items() if not k.startswith("prior.")}
    after = {k: v for k, v in changed.state_dict().items() if not k.startswith("prior.")}
    assert before.keys() == after.keys()
    assert all(
        torch.equal(after[k], v.half().float() if v.is_floating_point() else v) for k, v in before.items()
    )
    assert type(changed.prior) is not type(model.prior)
    assert (
        load(folder, changes={"prior": "normal"}).prior.state_dict().keys() == model.prior.state_dict().keys()
    )


def test_no_parameter_of_the_objective_decides_about_a_weight(model):
    others = {"property_molecules": 4, "kl_warmup": 7, "prior_minutes": 0.1}
    shapes = {k: v.shape for k, v in model.state_dict().items()}
    for name in FAMILY.objective_params - {"prior"}:
        params = SMALL.model_copy(update={name: others.get(name, 0.3)})
        other = GraphVae.from_assets(params, model.assets())
        assert {k: v.shape for k, v in other.state_dict().items()} == shapes, name
