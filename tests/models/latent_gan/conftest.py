import pytest

from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.models.latent_gan import LatentGanParams
from molgen.models.latent_gan.model import LatentGan
from molgen.models.registry import save

SMILES = [
    "CCO", "CCN", "CCC", "c1ccccc1", "Cc1ccccc1", "CC(=O)O", "CC(=O)Nc1ccccc1", "NCC(=O)O", "C1CCCCC1", "CC(C)O",
    "c1ccncc1", "Clc1ccccc1", "BrCCO", "CC(=O)NCC", "COc1ccccc1", "O=C(O)c1ccccc1", "CCOC(C)=O", "NCCN", "CCCCO",
    "Oc1ccccc1", "Nc1ccccc1", "CC(C)N", "CCS", "OCCO", "FC(F)F", "c1ccoc1", "c1ccsc1", "C1CCNCC1", "CNC", "COC",
]  # fmt: skip
TINY = {
    "width": 32,
    "depth": 1,
    "critic_width": 32,
    "critic_depth": 2,
    "noise": 8,
    "pac": 2,
    "molecules": 500,
}


@pytest.fixture(scope="session")
def decoder(tmp_path_factory):
    """The folder of an untrained graph VAE, small enough to step in milliseconds."""
    params = GraphVaeParams(
        latent=8, width=32, heads=4, layers=1, encoder_layers=1, site_width=16, prior="normal", min_count=1
    )
    vae = GraphVae.build(params, SMILES, seed=1)
    return save(vae, tmp_path_factory.mktemp("vae") / "tiny-vae", {"name": "tiny-vae"})


@pytest.fixture
def make(decoder):
    def build(labels=None, **options):
        params = LatentGanParams(decoder=str(decoder), **TINY, **options)
        return LatentGan.build(params, SMILES, seed=3, labels=labels)

    return build
