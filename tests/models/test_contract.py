"""Every family and every shipped prior keeps the generator contract."""

import pytest

from molgen.models.protocol import PROMISES
from molgen.models.registry import families, load, model_class, save, shipped
from molgen.testing import ToyLatent, check_generator

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "C[C@@H](N)C(=O)O", "c1ccncc1", "CCOC(=O)C", "NCCN"] * 4
SMALL = {
    "autoregressive": {"hidden": 24, "layers": 1, "embedding": 12, "pieces": 4, "max_tokens": 40},
    "graph_gan": {"width": 24, "blocks": 1, "noise": 8, "critic_width": 8, "critic_layers": 1},
    "graph_vae": {"latent": 8, "width": 32, "heads": 4, "layers": 1, "encoder_layers": 1, "site_width": 16},
    "latent_gan": {"noise": 16, "width": 32, "depth": 1, "critic_width": 32},
}


@pytest.mark.parametrize("name", sorted(families()))
def test_an_untrained_model_of_the_family(name, tmp_path):
    record = families()[name]
    options = dict(SMALL.get(name, {}))
    if "decoder" in record.params.model_fields:  # works in the latent space of another model
        options["decoder"] = str(save(_built("graph_vae", SMALL["graph_vae"]), tmp_path / "decoder", {}))
    check_generator(_built(name, options).eval(), capabilities=record.capabilities & set(PROMISES))


def _built(name, options):
    record = families()[name]
    return model_class(record).build(record.params(**options), SMILES, seed=1)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_prior(name):
    check_generator(load(name, verify=True))


def test_the_priors_that_the_documentation_names_are_shipped():
    assert {"moses", "druglike", "zinc250k"} <= set(shipped())


def test_the_toy_with_an_exact_latent_space():
    check_generator(ToyLatent(), capabilities={"encode", "decode"})


def test_the_suite_finds_a_family_that_promises_too_much():
    with pytest.raises(AssertionError, match="says 'constrain', but it cannot"):
        check_generator(ToyLatent(), capabilities={"constrain"})


def test_the_suite_finds_a_scaffold_that_gets_lost():
    class Forgetful(ToyLatent):
        def scaffold(self, smiles):
            return smiles

    with pytest.raises(AssertionError, match="does not contain"):
        check_generator(Forgetful())


def test_the_suite_finds_points_that_depend_on_the_list():
    class Sloppy(ToyLatent):
        def encode(self, smiles, batch_size=512):
            z = super().encode(smiles)
            return z - z[:1]

    with pytest.raises(AssertionError, match="depends on the list"):
        check_generator(Sloppy())
