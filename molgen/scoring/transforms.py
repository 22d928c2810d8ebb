"""Desirability curves: a raw value in its own unit becomes a number in 0..1, higher is better.

With x the raw value and S(z) = 1 / (1 + exp(-z)); ``ln 9`` makes "from 0.1 to 0.9" the meaning of every
width:

=================  ======================================================================================
identity           d = x for 0 <= x <= 1; anything else has no desirability (NaN)
linear             d = (x - low) / (high - low), cut to 0..1
reverse_linear     d = (high - x) / (high - low), cut to 0..1
sigmoid            d = S(2 ln 9 (x - m) / w), m = (low + high) / 2, w = width or high - low:
                   0.1 at low, 0.9 at high
reverse_sigmoid    d = S(2 ln 9 (m - x) / w): 0.9 at low, 0.1 at high
double_sigmoid     d = f(x) / f(m), f(x) = S(k (x - low)) S(k (high - x)), k = 2 ln 9 / w,
                   w = width or (high - low) / 4: about 0.5 at both ends of the window, 1 in its middle
step               d = 1 for low <= x <= high, else 0; one of the two may be left out
gaussian           d = exp(-(x - target)^2 / (2 width^2))
=================  ======================================================================================

All are vectorized, elementwise (a value does not depend on its neighbors) and let NaN through. The windows
follow the desirability functions of Derringer and Suich, J. Qual. Technol. 12 (1980) 214, with smooth edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from molgen.core.errors import ConfigError, Problem
from molgen.core.schema import TransformConfig

#: Which keys each shape needs and which more it may have.
KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "identity": (frozenset(), frozenset()),
    "linear": (frozenset({"low", "high"}), frozenset()),
    "reverse_linear": (frozenset({"low", "high"}), frozenset()),
    "sigmoid": (frozenset({"low", "high"}), frozenset({"width"})),
    "reverse_sigmoid": (frozenset({"low", "high"}), frozenset({"width"})),
    "double_sigmoid": (frozenset({"low", "high"}), frozenset({"width"})),
    "step": (frozenset(), frozenset({"low", "high"})),
    "gaussian": (frozenset({"target", "width"}), frozenset()),
}
_ALL_KEYS = ("low", "high", "target", "width")
_STEEP = 2.0 * math.log(9.0)
_ROUNDING = 1e-9  # identity accepts 1.0000000002: rounding in a similarity is no mistake of the user


@dataclass(frozen=True)
class Transform:
    """A checked curve: float64 ``[n]`` in, desirabilities ``[n]`` in 0..1 out, NaN where there is none."""

    config: TransformConfig

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Desirabilities of raw values, elementwise."""
        x = np.asarray(values, dtype=np.float64)
        return _SHAPES[self.config.type](x, self.config)

    def explain(self, value: float) -> str:
        """Say why a raw value is not desirable, for example ``612 outside 200..500``."""
        low, high, shape = self.config.low, self.config.high, self.config.type
        text = format_number(value)
        if shape in ("step", "double_sigmoid"):
            if low is None:
                return f"{text} above {format_number(high)}"
            if high is None:
                return f"{text} below {format_number(low)}"
            if low == high:
                return f"{text} is not {format_number(low)}"
            return f"{text} outside {format_number(low)}..{format_number(high)}"
        if shape in ("sigmoid", "linear"):
            return f"{text} too low (wanted: towards {format_number(high)})"
        if shape in ("reverse_sigmoid", "reverse_linear"):
            return f"{text} too high (wanted: towards {format_number(low)})"
        if shape == "gaussian":
            return f"{text} too far from {format_number(self.config.target)}"
        return f"{text} too low"

    def describe(self) -> str:
        """One line for tables and reports, for example ``double_sigmoid low=200 high=500``."""
        keys = [
            f"{key}={format_number(getattr(self.config, key))}"
            for key in _ALL_KEYS
            if _given(self.config, key)
        ]
        return " ".join([self.config.type, *keys])


def build_transform(config: TransformConfig, key: str = "transform") -> Transform:
    """Check a curve and return it; raises ConfigError with every problem."""
    problems = check_transform(config, key)
    if problems:
        raise ConfigError(problems, "transform")
    return Transform(config)


def check_transform(config: TransformConfig, key: str = "transform") -> list[Problem]:
    """All problems of a curve, each with its key path below ``key``."""
    needed, optional = KEYS[config.type]
    problems = [
        Problem(f"{key}.{name}", f"missing: a {config.type} curve needs {_and(sorted(needed))}")
        for name in _ALL_KEYS
        if name in needed and not _given(config, name)
    ]
    problems += [
        Problem(f"{key}.{name}", f"not used by a {config.type} curve; remove it or choose another type")
        for name in _ALL_KEYS
        if name not in needed | optional and _given(config, name)
    ]
    for name in _ALL_KEYS:
        value = getattr(config, name)
        if value is not None and not math.isfinite(value):
            problems.append(Problem(f"{key}.{name}", f"{value} is not a finite number"))
    if config.type == "step" and config.low is None and config.high is None:
        problems.append(Problem(key, "a step needs low, high or both"))
    if config.low is not None and config.high is not None and not problems:
        point = config.type == "step" and config.low == config.high  # exactly this value: fine for counts
        if config.low >= config.high and not point:
            problems.append(
                Problem(
                    f"{key}.low",
                    f"low ({format_number(config.low)}) must be below high ({format_number(config.high)})",
                )
            )
    return problems


def format_number(value: float | None) -> str:
    """A short number for messages: 612, 3.14, 1.2e-05."""
    return "none" if value is None else f"{value:.4g}" if abs(value) < 1e4 else f"{value:.6g}"


def _given(config: TransformConfig, name: str) -> bool:
    return getattr(config, name) is not None


def _and(names: list[str]) -> str:
    return " and ".join(names)


def _logistic(z: np.ndarray) -> np.ndarray:
    # Cut at 700 so that exp never overflows and the far tail stays above zero: only a step is worth exactly
    # 0.
    return 1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0)))


def _identity(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    fits = (x >= -_ROUNDING) & (x <= 1.0 + _ROUNDING)
    return np.where(fits, np.clip(x, 0.0, 1.0), np.nan)


def _linear(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    return np.clip((x - c.low) / (c.high - c.low), 0.0, 1.0)  # type: ignore[operator]


def _reverse_linear(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    return np.clip((c.high - x) / (c.high - c.low), 0.0, 1.0)  # type: ignore[operator]


def _sigmoid(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    assert c.low is not None
    assert c.high is not None
    return _logistic(_STEEP * (x - (c.low + c.high) / 2) / (c.width or c.high - c.low))


def _reverse_sigmoid(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    assert c.low is not None
    assert c.high is not None
    return _logistic(_STEEP * ((c.low + c.high) / 2 - x) / (c.width or c.high - c.low))


def _double_sigmoid(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    assert c.low is not None
    assert c.high is not None
    k = _STEEP / (c.width or (c.high - c.low) / 4)
    peak = float(_logistic(np.array(k * (c.high - c.low) / 2))) ** 2
    return np.clip(_logistic(k * (x - c.low)) * _logistic(k * (c.high - x)) / peak, 0.0, 1.0)


def _step(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    low = -math.inf if c.low is None else c.low
    high = math.inf if c.high is None else c.high
    return np.where(np.isnan(x), np.nan, ((x >= low) & (x <= high)).astype(np.float64))


def _gaussian(x: np.ndarray, c: TransformConfig) -> np.ndarray:
    assert c.target is not None
    assert c.width is not None
    # Cut so that squaring cannot overflow; exp(-0.5 * 38.6^2) is already the smallest double.
    return np.exp(-0.5 * np.square(np.clip((x - c.target) / c.width, -100.0, 100.0)))


_SHAPES: dict[str, Callable[[np.ndarray, TransformConfig], np.ndarray]] = {
    "identity": _identity,
    "linear": _linear,
    "reverse_linear": _reverse_linear,
    "sigmoid": _sigmoid,
    "reverse_sigmoid": _reverse_sigmoid,
    "double_sigmoid": _double_sigmoid,
    "step": _step,
    "gaussian": _gaussian,
}
