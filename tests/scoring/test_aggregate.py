import numpy as np
import pytest

from molgen.scoring.aggregate import MEANS, aggregate

NAN = np.nan


def total(rows, weights, how="geometric_mean", optional=None):
    return aggregate([np.array(row, dtype=float) for row in rows], weights, optional, how)


def test_weighted_means():
    assert total([[0.5], [0.8]], [1, 3]) == pytest.approx([(0.5 * 0.8**3) ** 0.25])
    assert total([[0.5], [0.8]], [1, 3], "arithmetic_mean") == pytest.approx([(0.5 + 2.4) / 4])


@pytest.mark.parametrize("how", MEANS)
def test_one_component_is_its_own_mean(how):
    d = np.linspace(0, 1, 11)
    assert total([d], [2.5], how) == pytest.approx(d, abs=1e-15)


def test_exact_zero_gives_exact_zero_and_a_tiny_value_does_not():
    d = total([[0.0, 1e-300, 0.0], [1.0, 1.0, 0.0]], [1, 1])
    assert d[0] == 0.0
    assert d[1] > 0.0
    assert d[2] == 0.0


@pytest.mark.parametrize("how", MEANS)
def test_missing_values_spoil_the_total_or_are_left_out(how):
    rows = [[0.5, NAN, NAN], [0.8, 0.8, NAN]]
    strict = total(rows, [1, 1], how)
    assert np.isnan(strict).tolist() == [False, True, True]
    lenient = total(rows, [1, 1], how, [True, True])
    assert lenient[0] == strict[0]
    assert lenient[1] == pytest.approx(0.8)
    assert np.isnan(lenient[2])


def test_a_missing_component_is_not_hidden_by_a_zero():
    assert np.isnan(total([[0.0], [NAN]], [1, 1]))[0]
    assert total([[0.0], [NAN]], [1, 1], optional=[False, True])[0] == 0.0


@pytest.mark.parametrize("how", MEANS)
def test_a_total_does_not_depend_on_the_rest_of_the_batch(how):
    rng = np.random.default_rng(0)
    rows = rng.random((5, 1003))
    rows[rng.random(rows.shape) < 0.05] = NAN
    rows[rng.random(rows.shape) < 0.05] = 0.0
    weights, optional = [1, 0.3, 2, 1 / 3, 7], [True, False, True, True, False]
    together = aggregate(list(rows), weights, optional, how)
    alone = [aggregate(list(rows[:, i : i + 1]), weights, optional, how)[0] for i in range(rows.shape[1])]
    assert np.array_equal(together, alone, equal_nan=True)
    inside = together[~np.isnan(together)]
    assert ((inside >= 0) & (inside <= 1)).all()


@pytest.mark.parametrize("how", MEANS)
def test_contributions_add_up_to_the_total_exactly(how):
    from molgen.scoring.aggregate import contributions

    random = np.random.default_rng(3)
    table = {name: random.uniform(0.01, 1, 50) for name in "abcpq"}
    table["b"][:20] = NAN
    weights = {"a": 1.0, "b": 0.5, "c": 3.0}
    expected = (
        aggregate([table[n] for n in "abc"], [1.0, 0.5, 3.0], [True] * 3, how) * table["p"] * table["q"]
    )
    parts = contributions(table, weights, ["p", "q"], how)
    assert np.isnan(parts["b"][:20]).all()
    added = sum(np.nan_to_num(part) for part in parts.values())
    assert (np.exp(added) if how == "geometric_mean" else added) == pytest.approx(expected, abs=1e-12)


def test_a_zero_takes_everything_and_a_perfect_value_takes_nothing():
    from molgen.scoring.aggregate import contributions

    parts = contributions({"a": np.array([0.0, 1.0]), "b": np.array([0.5, 0.5])}, {"a": 1.0, "b": 1.0})
    assert parts["a"].tolist() == [-np.inf, 0.0]
    assert parts["b"] == pytest.approx(np.log([0.5, 0.5]) / 2)
