"""A thousand scaffolds of published molecules, most with rings that the model never saw: all of them survive."""

import gzip
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae

SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "N#Cc1ccc(C2CCNCC2)cc1F",
]


@pytest.fixture(scope="module")
def model():
    params = GraphVaeParams(
        latent=6, width=32, heads=4, layers=1, encoder_layers=1, site_width=16, min_count=1, prior="normal",
        property_molecules=0,
    )  # fmt: skip
    return GraphVae.build(params, SMILES, seed=3).eval()


@pytest.fixture(scope="module")
def scaffolds(test_data: Path) -> list[Chem.Mol]:
    found: dict[str, Chem.Mol] = {}
    with gzip.open(test_data / "parity" / "jtvae_moses_sample.smi.gz", "rt") as file:
        for line in file:
            mol = Chem.MolFromSmiles(line.split()[0])
            if mol is None:
                continue
            Chem.RemoveStereochemistry(mol)
            smiles = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
            if smiles and smiles not in found:
                found[smiles] = Chem.MolFromSmiles(smiles)
            if len(found) == 1000:
                break
    return list(found.values())


def marked(mol: Chem.Mol, place: int) -> str:
    """The scaffold with an attachment point at one atom, instead of one of its hydrogens."""
    editable = Chem.RWMol(mol)
    atom = editable.GetAtomWithIdx(place)
    if atom.GetNumExplicitHs():
        atom.SetNumExplicitHs(atom.GetNumExplicitHs() - 1)
    editable.AddBond(place, editable.AddAtom(Chem.Atom(0)), Chem.BondType.SINGLE)
    return Chem.MolToSmiles(editable)


def built_on_only(grown: Chem.Mol, core: Chem.Mol, place: int) -> bool:
    """Whether the core is in the molecule with nothing more bound to it than one bond at ``place``."""
    return any(
        all(
            grown.GetAtomWithIdx(there).GetDegree() - core.GetAtomWithIdx(here).GetDegree() <= (here == place)
            for here, there in enumerate(match)
        )
        for match in grown.GetSubstructMatches(core, uniquify=False, maxMatches=10_000)
    )


def test_a_thousand_scaffolds_are_in_what_is_grown_from_them(model, scaffolds):
    assert len(scaffolds) == 1000
    lost, larger = [], 0
    for k, core in enumerate(scaffolds):
        open_places = [atom.GetIdx() for atom in core.GetAtoms() if atom.GetTotalNumHs()]
        place = open_places[k % len(open_places)] if k % 2 and open_places else None
        text = Chem.MolToSmiles(core) if place is None else marked(core, place)
        grown = Chem.MolFromSmiles(model.sample(1, seed=k, scaffold=text).smiles[0])
        kept = grown is not None and (
            grown.HasSubstructMatch(core) if place is None else built_on_only(grown, core, place)
        )
        if not kept:
            lost.append(text)
        larger += grown is not None and grown.GetNumAtoms() > core.GetNumAtoms()
    assert not lost
    assert larger > 300  # an untrained model stops often, but not always
