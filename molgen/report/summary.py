"""Facts and words that the report states about a delivery; plain values, no HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from molgen.core.schema import OptimizeConfig
from molgen.optimize.protocol import Delivery

_AGGREGATE = {
    "geometric_mean": "geometric mean (one bad component spoils the total)",
    "arithmetic_mean": "arithmetic mean (components trade off)",
}
_LOSS_WORDS = {
    "unparsable": "not a valid structure",
    "empty": "nothing was generated",
    "invalid": "not a valid structure",
    "multiple_fragments": "more than one fragment",
    "element": "an element that the policy does not allow",
    "too_large": "too large",
    "dummy_atom": "an open attachment point",
    "radical": "a radical",
    "duplicate": "already seen in this run",
    "filtered": "rejected by a filter",
    "failed": "a component had no value",
    "known": "identical to one of your compounds",
}
#: What stands for "no value" where people read.
NO_VALUE = "\N{EN DASH}"
_LONGEST = 400
_START_KEYS = (
    "started",
    "started_utc",
    "started_at",
    "start",
    "created",
    "created_utc",
    "created_at",
    "time",
)
_END_KEYS = (
    "finished",
    "finished_utc",
    "finished_at",
    "ended",
    "end",
    "delivered",
    "delivered_at",
    "updated",
)


@dataclass(frozen=True)
class Rise:
    """Mean score of the first and of the last ``steps`` steps, of the last stage where ``staged``."""

    steps: int
    first: float
    last: float
    staged: bool = False

    @property
    def gain(self) -> float:
        """Last minus first."""
        return self.last - self.first


def score_rise(delivery: Delivery) -> Rise | None:
    """Compare the mean score at the start and at the end: a tenth of the steps, at least 1 and at most 20, each.

    Of a curriculum the last stage counts: scores of different objectives are no rise or fall. None where fewer than
    two steps have a mean score.
    """
    last = delivery.history[-1].get("stage") if delivery.history else None
    rows = [row for row in delivery.history if row.get("stage") == last]
    means = [float(row["mean_score"]) for row in rows if is_number(row.get("mean_score"))]
    if len(means) < 2:
        return None
    steps = min(20, max(1, len(means) // 10))
    return Rise(steps, sum(means[:steps]) / steps, sum(means[-steps:]) / steps, last is not None and last > 1)


def first_and_last_scores(delivery: Delivery) -> tuple[list[float], list[float]]:
    """Totals of the first and the last fifth of the steps, for the histogram."""
    pairs = [
        (step, score)
        for step, score in zip(delivery.score_steps, delivery.scores, strict=True)
        if is_number(score)
    ]
    if not pairs:
        return [], []
    low, high = min(step for step, _ in pairs), max(step for step, _ in pairs)
    if low == high:
        return [score for _, score in pairs], []
    width = (high - low + 1) / 5
    first = [score for step, score in pairs if step < low + width]
    last = [score for step, score in pairs if step > high - width]
    return first, last


def asked(delivery: Delivery, config: OptimizeConfig | None) -> str:
    """One sentence: what was asked for."""
    parts = [f"{count(delivery.requested, 'molecule')}"]
    if config is None:
        return f"{parts[0]}."
    parts.append(f"from the model {config.model}")
    if config.seeds is not None:
        parts.append(f"starting from {config.seeds.path}")
    parts.append(f"optimized with {config.optimizer.name} for the {_AGGREGATE[config.objective.aggregate]}")
    parts.append(f"within {count(config.budget.molecules, 'scored molecule')}")
    text = ", ".join(parts)
    if config.output.min_score > 0:
        text += f"; only totals of {number(config.output.min_score)} or more"
    if config.output.max_similarity < 1:
        text += f"; no two more similar than {number(config.output.max_similarity)} (ECFP4 Tanimoto)"
    return text + "."


def component_words(component: Mapping[str, Any]) -> str:
    """What a component measures and which values are wanted, for example ``lipophilicity; wanted: 1 to 4``."""
    words = str(component.get("summary") or component.get("use") or "")
    wish = _wanted(component.get("transform"))
    return f"{words}; wanted: {wish}" if wish else words


def _wanted(transform: Any) -> str:
    if not isinstance(transform, Mapping):
        return ""
    shape = transform.get("type")
    low, high, target = (number(transform.get(key)) for key in ("low", "high", "target"))
    if shape in ("step", "double_sigmoid"):
        if transform.get("low") is None:
            return f"at most {high}"
        if transform.get("high") is None:
            return f"at least {low}"
        return low if low == high else f"{low} to {high}"
    if shape in ("sigmoid", "linear"):
        return f"high (poor at {low}, good from {high})"
    if shape in ("reverse_sigmoid", "reverse_linear"):
        return f"low (good up to {low}, poor at {high})"
    return f"near {target}" if shape == "gaussian" else "high" if shape == "identity" else ""


def loss_words(reason: str) -> str:
    """A reason code in words; a reason that is in words already stays as it is."""
    head, separator, tail = reason.partition(":")
    words = _LOSS_WORDS.get(head.strip().lower())
    return reason if words is None else f"{words}{separator}{tail}"


def run_times(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, UTC time) of start and end, as far as the manifest says them."""
    times = []
    for label, keys in (("started", _START_KEYS), ("finished", _END_KEYS)):
        for key in keys:
            text = utc(manifest.get(key))
            if text:
                times.append((label, text))
                break
    return times


def utc(value: Any) -> str | None:
    """An ISO text or seconds since 1970 as ``2026-05-03 14:05 UTC``; None where it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, (int, float)):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(str(value))
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def unit_text(component: Mapping[str, Any]) -> str:
    """The unit of a component as people write it."""
    return str(component.get("unit") or "").replace("A^2", "Å²").replace("A^3", "Å³")


def flatten(values: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested dicts and lists as (key path, text) in their own order."""
    if isinstance(values, Mapping):
        rows = [flatten(item, f"{path}.{key}" if path else str(key)) for key, item in values.items()]
    elif isinstance(values, (list, tuple)) and any(
        isinstance(item, (Mapping, list, tuple)) for item in values
    ):
        rows = [flatten(item, f"{path}[{at}]") for at, item in enumerate(values)]
    else:
        text = ", ".join(map(str, values)) if isinstance(values, (list, tuple)) else str(values)
        if len(text) > _LONGEST:  # the diff of a dirty checkout
            text = f"{text[:_LONGEST]} … ({len(text) - _LONGEST:,} more characters in the file)"
        return [(path, "" if values is None else text)]
    return [row for part in rows for row in part]


def is_number(value: Any) -> bool:
    """Whether it is a finite number; texts, None and NaN are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any, digits: int = 3) -> str:
    """A number for people: three significant digits, thousands apart, a dash for no value."""
    if not is_number(value):
        return NO_VALUE if value is None or isinstance(value, float) else str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.{digits}g}"


def fraction(value: Any, digits: int = 2) -> str:
    """A score or desirability, 0 to 1, always with the same decimals; a small one is not written as nothing."""
    if not is_number(value):
        return number(value)
    smallest = 10.0**-digits
    return f"<{smallest:g}" if 0 < value < smallest / 2 else f"{value:.{digits}f}"


def count(value: int, noun: str) -> str:
    """``1 molecule``, ``1,200 molecules``."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def running_best(values: Sequence[float | None]) -> list[float | None]:
    """Best so far; None until there is a first value."""
    out: list[float | None] = []
    best: float | None = None
    for value in values:
        if value is not None and (best is None or value > best):
            best = value
        out.append(best)
    return out


def running_mean(values: Sequence[float | None], window: int) -> list[float | None]:
    """Mean of the last ``window`` values that exist."""
    out: list[float | None] = []
    for at in range(len(values)):
        part = [value for value in values[max(0, at - window + 1) : at + 1] if value is not None]
        out.append(sum(part) / len(part) if part else None)
    return out
