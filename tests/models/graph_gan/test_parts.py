"""Generator, critic, decoding, rarity and estimators, each by itself and with random weights."""

from dataclasses import replace

import pytest
import torch
from rdkit import Chem

from molgen.models.graph_gan.critic import Critic
from molgen.models.graph_gan.decoding import corrected, within_valence, write
from molgen.models.graph_gan.estimators import evolution, rloo
from molgen.models.graph_gan.generator import Chosen, Generator
from molgen.models.graph_gan.graphs import AtomTypes, Batch, one_hot
from molgen.models.graph_gan.objective import excess
from molgen.models.graph_gan.rarity import Visits, fingerprint

TYPES = AtomTypes(("C", "N", "O", "F", "N+", "O-"), (4, 3, 2, 1, 4, 1))


@pytest.fixture
def generator():
    torch.manual_seed(3)
    return Generator(noise=6, width=24, blocks=1, max_atoms=6, types=len(TYPES))


def draw(generator, n=64):
    torch.manual_seed(1)
    sizes = torch.randint(1, 7, (n,))
    return generator(3 * torch.randn(n, 6), sizes)


def shuffled(batch, layout, seed=0):
    """The same graphs with their atoms in another order."""
    random = torch.Generator().manual_seed(seed)
    order = torch.stack(
        [torch.cat([torch.randperm(k, generator=random), torch.arange(k, 6)]) for k in batch.sizes.tolist()]
    )
    lower = layout.dense(batch.bonds)
    both = lower + lower.transpose(1, 2)
    rows = torch.arange(len(order))[:, None, None]
    moved = both[rows, order[:, :, None], order[:, None, :]]
    return Batch(batch.atoms.gather(1, order), moved[:, layout.i, layout.j], batch.sizes, batch.labels)


def test_every_draw_is_connected(generator):
    logits = draw(generator)
    chosen = generator.choose(logits)
    loose = AtomTypes(TYPES.names, (99,) * 6)
    for text in write(chosen, generator.layout, loose):
        assert "." not in text


def test_correction_makes_every_graph_valid_connected_and_of_its_size(generator):
    logits = draw(generator, 200)
    raw = generator.choose(logits)
    assert not bool(within_valence(raw, generator.layout, TYPES).all())
    fixed = corrected(logits, generator.layout, TYPES)
    assert bool(within_valence(fixed, generator.layout, TYPES).all())
    for text, size in zip(write(fixed, generator.layout, TYPES), logits.sizes.tolist(), strict=True):
        mol = Chem.MolFromSmiles(text)
        assert mol is not None, text
        assert mol.GetNumAtoms() == size
        assert "." not in text


def test_correction_goes_round_a_type_that_would_close_the_molecule_too_early():
    generator = Generator(noise=2, width=8, blocks=1, max_atoms=6, types=len(TYPES))
    fluorine = torch.tensor([0.0, 0.0, 0.0, 9.0, 0.0, 0.0]).expand(1, 6, 6)
    logits = replace(generator(torch.zeros(1, 2), torch.tensor([6])), atoms=fluorine)
    fixed = corrected(logits, generator.layout, TYPES)
    (text,) = write(fixed, generator.layout, TYPES)
    assert Chem.MolFromSmiles(text) is not None
    assert fixed.atoms[0].tolist().count(3) < 6


def test_a_broken_valence_is_written_as_it_is_and_does_not_parse():
    generator = Generator(noise=2, width=8, blocks=1, max_atoms=6, types=len(TYPES))
    bonds = torch.zeros(1, 15, dtype=torch.int64)
    bonds[0, 0] = 3
    broken = Chosen(
        torch.tensor([[0, 2, 0, 0, 0, 0]]), torch.zeros(1, 6, dtype=torch.int64), bonds, torch.tensor([2])
    )
    assert Chem.MolFromSmiles(write(broken, generator.layout, TYPES)[0]) is None
    atoms, hot = one_hot(broken.batch(), len(TYPES))
    over = excess(atoms, hot, torch.tensor(TYPES.valence, dtype=torch.float32), generator.layout)
    assert over.tolist() == [1.0]  # the oxygen has three bonds, one too many


def test_the_critic_and_the_fingerprint_do_not_see_the_order_of_the_atoms(generator):
    batch = generator.choose(draw(generator)).batch()
    other = shuffled(batch, generator.layout)
    assert not torch.equal(batch.atoms, other.atoms)
    critic = Critic(6, len(TYPES), 16, 2, pac=2)
    here, there = (critic(*one_hot(b, len(TYPES))) for b in (batch, other))
    assert here.shape == (32,)
    assert torch.allclose(here, there, atol=1e-4)
    assert torch.equal(fingerprint(batch, generator.layout), fingerprint(other, generator.layout))
    assert len(torch.unique(fingerprint(batch, generator.layout))) > 40


def test_the_critic_sees_rings_that_message_passing_alone_cannot_see():
    layout = Generator(noise=2, width=8, blocks=1, max_atoms=6, types=1).layout

    def graph(pairs):
        bonds = torch.zeros(1, 15, dtype=torch.int64)
        for i, j in pairs:
            bonds[0, i * (i - 1) // 2 + j] = 1
        return one_hot(
            Batch(torch.zeros(1, 6, dtype=torch.int64), bonds, torch.tensor([6]), torch.zeros(1, 0)), 1
        )

    critic = Critic(6, 1, 16, 2, pac=1)
    hexagon = graph([(1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (5, 0)])
    triangles = graph([(1, 0), (2, 1), (2, 0), (4, 3), (5, 4), (5, 3)])
    assert layout.atoms == 6
    assert not torch.allclose(critic(*hexagon), critic(*triangles), atol=1e-3)


def test_a_rare_graph_is_worth_more(generator):
    found = fingerprint(generator.choose(draw(generator)).batch(), generator.layout)
    visits = Visits(bits=12)
    visits.add(found[:1].repeat(8))
    bonus = visits.bonus(found)
    assert bonus[0] < 0.35
    assert bonus.max() == 1.0


def carbons(chosen, draws):
    """The share of carbon in a graph: what is rewarded here."""
    inside = torch.arange(6) < chosen.sizes[:, None]
    return ((chosen.atoms == 0) & inside).sum(1) / chosen.sizes


@pytest.mark.parametrize("name", ["rloo", "evolution"])
def test_an_estimator_leads_to_what_is_rewarded(generator, name):
    torch.manual_seed(0)
    z, sizes = torch.randn(32, 6), torch.randint(1, 7, (32,))
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.01)
    before = carbons(generator.choose(generator(z, sizes)), 1).mean()
    for _ in range(30):
        if name == "rloo":
            loss = rloo(generator, generator(z, sizes), carbons, 4, 1.0)
        else:
            loss = evolution(generator, z, sizes, carbons, 8)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = carbons(generator.choose(generator(z, sizes)), 1).mean()
    assert after > before + 0.2


def test_straight_through_choices_are_hard_and_have_a_gradient(generator):
    logits = draw(generator)
    chosen = generator.choose(logits)
    atoms, bonds = generator.straight_through(logits, 1.0)
    hard_atoms, hard_bonds = one_hot(chosen.batch(), len(TYPES))
    assert torch.allclose(atoms, hard_atoms, atol=1e-5)
    assert torch.allclose(bonds, hard_bonds, atol=1e-5)
    over = excess(atoms, bonds, torch.tensor(TYPES.valence, dtype=torch.float32), generator.layout)
    over.mean().backward()
    assert float(generator.enter.weight.grad.abs().sum()) > 0


def test_probabilities_of_all_choices_of_two_atoms_sum_to_one():
    types, layout_atoms = 2, 2
    torch.manual_seed(2)
    generator = Generator(noise=2, width=8, blocks=1, max_atoms=layout_atoms, types=types)
    logits = generator(torch.randn(1, 2), torch.tensor([2]))
    total = 0.0
    for a in range(2):
        for b in range(2):
            for order in (1, 2, 3):
                chosen = Chosen(
                    torch.tensor([[a, b]]), torch.tensor([[0, 0]]), torch.tensor([[order]]), torch.tensor([2])
                )
                total += float(generator.log_probability(logits, chosen).detach().exp())
    assert total == pytest.approx(1.0, abs=1e-5)
