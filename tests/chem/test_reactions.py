from __future__ import annotations

import pytest
from rdkit import Chem

from molgen.chem.reactions import Reaction, choose, reactions
from molgen.core.errors import ConfigError


def canonical(smiles: str) -> str:
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize("reaction", reactions(), ids=lambda reaction: reaction.name)
def test_a_reaction_finds_the_blocks_of_its_example_and_leaves_others_alone(reaction: Reaction) -> None:
    found = reaction.back(Chem.MolFromSmiles(reaction.example["product"]))
    wanted = sorted(canonical(block) for block in reaction.example["blocks"])
    assert wanted in [sorted(canonical(block) for block in blocks) for blocks in found]
    assert reaction.miss
    for smiles in reaction.miss:
        assert not reaction.back(Chem.MolFromSmiles(smiles)), smiles


@pytest.mark.parametrize("reaction", reactions(), ids=lambda reaction: reaction.name)
def test_alternatives_of_a_reaction_take_the_same_products_apart(reaction: Reaction) -> None:
    """The first template decides whether any is tried."""
    patterns = {Chem.MolToSmarts(template.GetReactantTemplate(0)) for template in reaction.templates}
    assert len(patterns) == 1


def test_blocks_keep_their_stereo_centers() -> None:
    amide = next(reaction for reaction in reactions() if reaction.name == "amide coupling")
    (blocks, *_) = amide.back(Chem.MolFromSmiles("C[C@H](NC(=O)c1ccncc1)c1ccccc1"))
    assert canonical("C[C@H](N)c1ccccc1") in blocks


def test_an_unknown_reaction_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'Suzuki coupling'"):
        choose(["Suzuki couplin"])
    assert len(choose(["Suzuki coupling"])) == len(reactions()) - 1
