from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.metrics.latent import locality, path_length, slerp

ALKANES = ["C" * i for i in range(1, 31)]


def encode(smiles: Sequence[str]) -> np.ndarray:
    """A toy latent space of alcohols: the first number is the length, on a circle of radius 10."""
    angle = np.array([len(text) / 30 for text in smiles])
    return 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def decode(z: np.ndarray) -> list[str]:
    lengths = np.clip(np.round(np.arctan2(z[:, 1], z[:, 0]) * 30), 1, 30).astype(int)
    return ["C" * (n - 1) + "O" for n in lengths]


def scramble(z: np.ndarray) -> list[str]:
    """A space without order: the molecule depends on the last digits of the point."""
    return [["CCO", "c1ccccc1", "not a molecule"][int(abs(row.sum()) * 1e4) % 3] for row in z]


STARTS, ENDS = ["CO", "CCO"], ["C" * 20 + "O", "C" * 24 + "O"]


def test_a_smooth_space_has_short_steps_and_steady_paths() -> None:
    smooth = path_length(STARTS, ENDS, encode, decode, points=8)
    rough = path_length(STARTS, ENDS, encode, scramble, points=8)
    assert smooth.valid == 1.0
    assert smooth.distinct == 8
    assert smooth.drift > 0.7
    assert rough.valid < 1.0
    assert rough.distinct <= 2
    assert abs(rough.drift) < smooth.drift
    assert smooth.paths == 2


def test_a_step_that_changes_the_molecule_costs_its_distance_over_the_step_squared() -> None:
    def jump(z: np.ndarray) -> list[str]:
        jump.calls += 1  # type: ignore[attr-defined]
        return ["CCO" if jump.calls == 1 else "c1ccccc1"] * len(z)  # type: ignore[attr-defined]

    jump.calls = 0  # type: ignore[attr-defined]
    found = path_length(["CO"], ["CCCO"], encode, jump, step=0.1)
    assert found.length == pytest.approx(1.0 / 0.1**2)


def test_locality_falls_with_the_radius_and_is_reconstruction_at_zero() -> None:
    molecules = [decode(encode([text]))[0] for text in ALKANES[4:28:4]]
    found = locality(molecules, encode, decode, radii=(0.0, 1.0, 6.0))
    assert found[0.0] == 1.0
    assert found[0.0] >= found[1.0] >= found[6.0]
    assert found[6.0] < 1.0
    assert locality(molecules, encode, lambda z: ["broken("] * len(z), radii=(0.0,)) == {0.0: 0.0}


def test_slerp_keeps_the_length_and_the_ends() -> None:
    a, b = np.array([[3.0, 0.0]]), np.array([[0.0, 3.0]])
    for t in (0.0, 0.3, 1.0):
        assert np.linalg.norm(slerp(a, b, np.array([t]))) == pytest.approx(3.0)
    assert np.allclose(slerp(a, b, np.array([1.0])), b)
    assert np.allclose(slerp(a, 2 * a, np.array([0.5])), 1.5 * a)  # parallel: a straight line


def test_unequal_or_empty_lists_are_refused() -> None:
    with pytest.raises(DataError):
        path_length(["C"], [], encode, decode)
    with pytest.raises(DataError):
        locality([], encode, decode)
