import itertools

import numpy as np
import pytest

from molgen.core.errors import ConfigError
from molgen.core.schema import TransformConfig
from molgen.scoring.transforms import KEYS, build_transform, check_transform

CURVES = {
    "identity": {},
    "linear": {"low": 2, "high": 5},
    "reverse_linear": {"low": 2, "high": 5},
    "sigmoid": {"low": 2, "high": 5},
    "reverse_sigmoid": {"low": 2, "high": 5},
    "double_sigmoid": {"low": 2, "high": 5},
    "step": {"low": 2, "high": 5},
    "gaussian": {"target": 3, "width": 2},
}
X = np.concatenate([np.linspace(-10, 15, 2001), [-1e300, 1e300, 2, 5, 3.5]])


def curve(shape, **changes):
    return build_transform(TransformConfig(type=shape, **{**CURVES[shape], **changes}))


def test_every_shape_of_the_schema_is_here():
    assert set(CURVES) == set(KEYS) == set(TransformConfig.model_fields["type"].annotation.__args__)


@pytest.mark.parametrize("shape", CURVES)
def test_desirabilities_are_in_0_1_and_nan_passes_through(shape):
    d = curve(shape)(X)
    inside = d[~np.isnan(d)]
    assert ((inside >= 0) & (inside <= 1)).all()
    assert np.isnan(curve(shape)(np.array([np.nan]))).all()
    if shape != "identity":
        assert not np.isnan(d).any()


@pytest.mark.parametrize("shape", CURVES)
def test_a_value_does_not_depend_on_its_neighbors_in_the_array(shape):
    f = curve(shape)
    alone = np.concatenate([f(X[i : i + 1]) for i in range(len(X))])
    assert np.array_equal(f(X), alone, equal_nan=True)
    assert np.array_equal(f(X[::3]), f(X)[::3], equal_nan=True)


@pytest.mark.parametrize(
    ("shape", "sign"), [("linear", 1), ("sigmoid", 1), ("reverse_linear", -1), ("reverse_sigmoid", -1)]
)
def test_one_sided_curves_are_monotone(shape, sign):
    assert (sign * np.diff(curve(shape)(np.sort(X))) >= 0).all()


@pytest.mark.parametrize(("shape", "top"), [("double_sigmoid", 3.5), ("gaussian", 3.0), ("step", 3.5)])
def test_two_sided_curves_rise_to_1_and_fall(shape, top):
    x = np.sort(X)
    d = curve(shape)(x)
    assert (np.diff(d[x <= top]) >= 0).all()
    assert (np.diff(d[x >= top]) <= 0).all()
    assert curve(shape)(np.array([top]))[0] == pytest.approx(1.0)


def test_documented_points_of_the_curves():
    at = np.array([2.0, 3.5, 5.0])
    assert curve("linear")(at) == pytest.approx([0, 0.5, 1])
    assert curve("reverse_linear")(at) == pytest.approx([1, 0.5, 0])
    assert curve("sigmoid")(at) == pytest.approx([0.1, 0.5, 0.9])
    assert curve("reverse_sigmoid")(at) == pytest.approx([0.9, 0.5, 0.1])
    assert curve("sigmoid", width=1.0)(np.array([3.0, 4.0])) == pytest.approx([0.1, 0.9])
    assert curve("double_sigmoid")(at) == pytest.approx([0.5, 1.0, 0.5], abs=2e-3)
    assert curve("step")(np.array([1.999, 2, 5, 5.001])).tolist() == [0, 1, 1, 0]
    assert curve("gaussian")(np.array([3.0, 5.0])) == pytest.approx([1.0, np.exp(-0.5)])


def test_the_ends_of_a_double_sigmoid_window_pass_a_filter_at_one_half():
    for width in (None, 0.1, 3.0, 30.0):
        assert (curve("double_sigmoid", width=width)(np.array([2.0, 5.0])) >= 0.5).all()


def test_only_a_step_or_a_line_is_worth_exactly_zero_near_its_window():
    assert curve("sigmoid")(np.array([-50.0]))[0] > 0
    assert curve("double_sigmoid")(np.array([-5.0]))[0] > 0


def test_identity_outside_0_1_is_no_value_but_rounding_is_forgiven():
    d = curve("identity")(np.array([0.5, 3.7, -0.1, 1 + 1e-12, -1e-12]))
    assert np.array_equal(d, [0.5, np.nan, np.nan, 1.0, 0.0], equal_nan=True)


def problems(shape, **keys):
    return [str(p) for p in check_transform(TransformConfig(type=shape, **keys), "c.transform")]


@pytest.mark.parametrize(
    "shape", ["linear", "reverse_linear", "sigmoid", "reverse_sigmoid", "double_sigmoid"]
)
def test_missing_and_swapped_ends_are_config_errors(shape):
    assert [p.split(":")[0] for p in problems(shape)] == ["c.transform.high", "c.transform.low"][::-1]
    assert problems(shape, low=1) == [f"c.transform.high: missing: a {shape} curve needs high and low"]
    for low, high in ((5, 2), (2, 2)):
        (problem,) = problems(shape, low=low, high=high)
        assert f"low ({low}) must be below high ({high})" in problem
    with pytest.raises(ConfigError, match="missing"):
        build_transform(TransformConfig(type=shape))


def test_step_needs_one_end_and_may_have_equal_ends():
    assert problems("step", low=0) == problems("step", high=0) == problems("step", low=0, high=0) == []
    assert "low, high or both" in problems("step")[0]
    assert "below" in problems("step", low=3, high=2)[0]


def test_keys_of_another_shape_and_infinite_ends_are_refused():
    assert "not used by a sigmoid curve" in problems("sigmoid", low=0, high=1, target=0.5)[0]
    assert "not used by a identity curve" in problems("identity", low=0)[0]
    assert "missing" in problems("gaussian", target=1)[0]
    assert "finite" in problems("linear", low=float("-inf"), high=1)[0]


def test_explanations_name_value_and_window():
    assert curve("step", low=200, high=500).explain(612.0) == "612 outside 200..500"
    assert curve("double_sigmoid", low=200, high=500).explain(612.34) == "612.3 outside 200..500"
    assert build_transform(TransformConfig(type="step", high=5)).explain(7.0) == "7 above 5"
    assert build_transform(TransformConfig(type="step", low=5)).explain(1.0) == "1 below 5"
    for shape in CURVES:
        assert "7" in curve(shape).explain(7.0)


def test_every_shape_describes_itself():
    texts = [curve(shape).describe() for shape in CURVES]
    assert texts[1] == "linear low=2 high=5"
    assert all(a != b for a, b in itertools.pairwise(texts))
