"""The three kinds of models, their features, and what is left of them after storing."""

import numpy as np
import pytest
from rdkit import Chem

from molgen.chem.fingerprints import morgan
from molgen.scoring.qsar import forest, gp, graph
from molgen.scoring.qsar.explain import atom_weights
from molgen.scoring.qsar.features import Features, environments
from molgen.scoring.qsar.kernel import tanimoto_counts
from molgen.scoring.qsar.kinds import KINDS, candidates


@pytest.fixture(scope="module")
def mols(compounds):
    return [Chem.MolFromSmiles(smiles) for smiles, _ in compounds(60)]


@pytest.fixture(scope="module")
def y(compounds):
    return np.array([value for _, value in compounds(60)])


@pytest.fixture(scope="module")
def x(mols):
    return Features.of(mols)


@pytest.fixture(scope="module")
def exact():
    return np.zeros(60, dtype=np.int8)


def naive(a, b):
    keys = {*a, *b}
    low = sum(min(a.get(k, 0), b.get(k, 0)) for k in keys)
    return low / sum(max(a.get(k, 0), b.get(k, 0)) for k in keys)


def counts(mol):
    found = {}
    for key, _ in environments(mol):
        found[key] = found.get(key, 0) + 1
    return found


def test_the_kernel_is_tanimoto_of_counts(mols, x):
    expected = [[naive(counts(a), counts(b)) for b in mols[:12]] for a in mols[:12]]
    some = Features.of(mols[:12])
    assert tanimoto_counts(some, Features.of(mols[:12])) == pytest.approx(np.array(expected), abs=1e-12)
    assert tanimoto_counts(x.take(np.arange(12)), x.take(np.arange(12))) == pytest.approx(
        np.array(expected), abs=1e-6
    )
    assert np.linalg.eigvalsh(tanimoto_counts(x, x)).min() > -1e-5


def test_many_queries_at_once_give_the_same_kernel_as_few(mols):
    known, many = Features.of(mols[:40]), Features.of([*mols, *mols])
    assert np.array_equal(tanimoto_counts(many, known)[:8], tanimoto_counts(Features.of(mols[:8]), known))


def test_bits_and_table_are_those_of_rdkit(mols, x):
    assert np.array_equal(x.bits, morgan(mols))
    assert np.array_equal(x.table[:, :2048], morgan(mols, counts=True))
    part = x.take(np.array([5, 3, 3]))
    assert np.array_equal(part.bits, x.bits[[5, 3, 3]])
    assert np.array_equal(part.take(np.array([1])).table, x.table[[3]])


def test_a_part_alone_computes_nothing_for_the_whole(mols):
    whole = Features.of(mols)
    part = whole.take(np.arange(10, 20)).alone()
    kernel = tanimoto_counts(part, part.take(np.arange(3)))
    assert kernel.shape == (10, 3)
    assert "gram" not in whole.shared
    assert np.array_equal(part.table, whole.table[10:20])


def test_a_process_interpolates_what_it_knows_and_is_unsure_of_what_it_does_not(x, y, exact):
    fitted = gp.fit(x, y, exact, 1)
    mean, spread = fitted.predict(x)
    assert np.corrcoef(mean, y)[0, 1] > 0.9
    foreign = Features.of([Chem.MolFromSmiles("OP(=O)(O)CCCCBr")])
    far, unsure = fitted.predict(foreign)
    assert unsure[0] > 1.3 * spread.max()
    assert abs(far[0] - fitted.mean) < 0.2  # it falls back to the mean


def test_a_process_is_the_textbook_one(x, y, exact):
    fitted = gp.fit(x, y, exact, 1)
    k = tanimoto_counts(x, x)
    inverse = np.linalg.inv(k + fitted.ratio * np.eye(len(y)))
    mean = inverse.sum(0) @ y / inverse.sum()
    assert fitted.predict(x)[0] == pytest.approx(mean + k @ inverse @ (y - mean), abs=1e-6)
    signal = (y - mean) @ inverse @ (y - mean) / len(y)
    variance = signal * (1 + fitted.ratio - np.einsum("ij,jk,ki->i", k, inverse, k))
    assert fitted.predict(x)[1] == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_our_forest_predicts_what_the_forest_of_scikit_learn_predicts(x, y):
    grown = forest.grow(x.table, y, 3, 25)
    ours = forest.Forest.from_sklearn(grown)
    rng = np.random.default_rng(0)
    other = np.vstack([x.table, x.table + rng.integers(0, 2, x.table.shape).astype(np.float32)])
    assert np.array_equal(ours.predict_table(other)[0], grown.predict(other))
    each = np.array([tree.predict(other) for tree in grown.estimators_])
    assert ours.predict_table(other)[1] == pytest.approx(each.std(axis=0))


@pytest.mark.parametrize("kind", [gp, forest])
def test_a_bound_is_no_measurement(kind, x, y, exact):
    """ "< 9" of inactive compounds must not teach that they are worth 9, and "< 5" must teach that they are weak."""
    weak = np.argsort(y)[:12]
    side = exact.copy()
    side[weak] = -1

    def mean_error(bound):
        known = y.copy()
        known[weak] = bound
        as_bound = kind.fit(x, known, side, 1).mean_of(x)[weak]
        as_value = kind.fit(x, known, exact, 1).mean_of(x)[weak]
        return as_bound.mean(), as_value.mean()

    as_bound, as_value = mean_error(9.5)
    assert as_bound < as_value - 0.5
    as_bound, as_value = mean_error(5.0)
    assert abs(as_bound - as_value) < 0.3


def test_a_graph_network_learns_and_a_bound_costs_only_on_its_wrong_side(x, y, exact, monkeypatch):
    monkeypatch.setattr(graph, "_EPOCHS", 50)
    fitted = graph.fit(x, y, exact, 1)
    assert np.corrcoef(fitted.mean_of(x), y)[0, 1] > 0.6
    monkeypatch.setattr(graph, "_EPOCHS", 3)
    some = exact.copy()
    some[:30] = 1
    low = y.copy()
    low[:30] = y.min() - 5.0  # "> a very low number" says nothing
    nothing, bounds = graph.fit(x, low, exact, 1), graph.fit(x, low, some, 1)
    assert bounds.mean_of(x)[:30].mean() > nothing.mean_of(x)[:30].mean()


@pytest.mark.parametrize("name", KINDS)
def test_models_are_deterministic_and_survive_storing(name, x, y, exact, monkeypatch):
    monkeypatch.setattr(graph, "_EPOCHS", 2)
    kind = KINDS[name]
    first, second = kind.fit(x, y, exact, 7), kind.fit(x, y, exact, 7)
    assert np.array_equal(first.mean_of(x), second.mean_of(x))
    again = kind.from_arrays({k: np.array(v) for k, v in first.arrays().items()})
    # float32: the kernel of a set with itself, and the weights of the network
    assert again.mean_of(x) == pytest.approx(first.mean_of(x), abs=1e-5)
    assert again.predict(x)[1] == pytest.approx(first.predict(x)[1], abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_masking_finds_the_atom_that_matters(name, monkeypatch):
    """Activity is the number of bromines: the bromine carries the prediction."""
    monkeypatch.setattr(graph, "_EPOCHS", 40)
    texts = [f"{'C' * k}c1cccc({s})c1" for k in range(1, 16) for s in ("Br", "F", "N", "O")]
    y = np.array([6.0 + 2.0 * ("Br" in text) for text in texts])
    mols = [Chem.MolFromSmiles(text) for text in texts]
    fitted = KINDS[name].fit(Features.of(mols), y, np.zeros(len(y), dtype=np.int8), 1)
    mol = Chem.MolFromSmiles("CCCCc1cccc(Br)c1")
    weights = atom_weights(fitted, mol)
    assert weights.shape == (mol.GetNumAtoms(),)
    bromine = mol.GetSubstructMatch(Chem.MolFromSmarts("[Br]"))[0]
    near = {bromine, *(a.GetIdx() for a in mol.GetAtomWithIdx(bromine).GetNeighbors())}
    assert int(weights.argmax()) in near
    assert weights[bromine] > 0


def test_candidates_follow_the_number_of_compounds():
    assert [k.name for k in candidates(30)] == ["gp", "forest"]
    assert [k.name for k in candidates(4000)] == ["gp", "forest", "graph"]
    assert [k.name for k in candidates(30_000)] == ["forest", "graph"]
