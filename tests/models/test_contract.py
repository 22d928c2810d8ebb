"""Every family and every shipped prior keeps the generator contract."""

import pytest

from molgen.models.registry import families, load, model_class, shipped
from molgen.testing import check_generator

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "C[C@@H](N)C(=O)O", "c1ccncc1", "CCOC(=O)C", "NCCN"] * 4
SMALL = {
    "autoregressive": {"hidden": 24, "layers": 1, "embedding": 12, "pieces": 4, "max_tokens": 40},
    "graph_vae": {"latent": 8, "width": 32, "heads": 4, "layers": 1, "encoder_layers": 1, "site_width": 16},
}


@pytest.mark.parametrize("name", sorted(families()))
def test_an_untrained_model_of_the_family(name):
    record = families()[name]
    model = model_class(record).build(record.params(**SMALL.get(name, {})), SMILES, seed=1)
    check_generator(model.eval())


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_prior(name):
    check_generator(load(name, verify=True))


def test_the_priors_that_the_documentation_names_are_shipped():
    assert {"moses", "druglike"} <= set(shipped())
