"""The section of the report that draws each component of the objective: what is wanted and what was delivered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from molgen.core.errors import ConfigError
from molgen.core.schema import OptimizeConfig, TransformConfig
from molgen.optimize.protocol import Delivery
from molgen.report import summary
from molgen.report.charts import desirability_chart
from molgen.report.summary import is_number, number
from molgen.scoring.transforms import Transform, build_transform


def objective_section(delivery: Delivery, config: OptimizeConfig | None) -> str:
    """One box per component: its curve over the values of the delivered, its role and its words."""
    thresholds = _thresholds(config)
    boxes = []
    for component in delivery.components:
        name = str(component["name"])
        transform, words = _transform(component.get("transform"))
        values = [float(row[name]) for row in delivery.candidates if is_number(row.get(name))]
        unit = summary.unit_text(component)
        chart = desirability_chart(
            values,
            _curve(transform) if transform is not None else None,
            title=name,
            x_label=f"{name} ({unit})" if unit else name,
            marks=_marks(transform),
            threshold=component.get("threshold", thresholds.get(name))
            if component.get("role") == "filter"
            else None,
        )
        weight = (
            f", weight {number(component.get('weight'))}" if component.get("role", "score") == "score" else ""
        )
        words = f"{escape(str(component.get('use') or ''))}{escape(words)}"
        boxes.append(
            f'<div class="panel">{chart or f"<h3>{escape(name)}</h3>"}'
            f"<p>{escape(summary.component_words(component))}</p>"
            f'<p class="soft">{role_of(component)}{weight} · {words}</p></div>'
        )
    lead = (
        "Each component turns a raw value into a desirability between 0 and 1 (line). Bars show where the delivered "
        "molecules lie, scaled to their highest bar."
    )
    return f'<p>{lead}</p><div class="three">{"".join(boxes)}</div>'


def _thresholds(config: OptimizeConfig | None) -> dict[str, float]:
    if config is None:
        return {}
    return {
        c.name or c.use.rpartition(":")[2]: c.threshold
        for c in config.objective.components
        if c.role == "filter"
    }


def _transform(values: Any) -> tuple[Transform | None, str]:
    """The curve of a component and its words; a curve that cannot be read is described, not drawn."""
    if not values:
        return None, ""
    if isinstance(values, str):
        return None, f" · {values}"
    try:
        known = {key: value for key, value in dict(values).items() if key in TransformConfig.model_fields}
        transform = build_transform(TransformConfig(**known))
    except (ConfigError, ValueError, TypeError):
        return None, f" · {json.dumps(values, default=str)}"
    return transform, f" · {transform.describe()}"


def _curve(transform: Transform) -> Callable[[Sequence[float]], Sequence[float]]:
    return lambda xs: transform(np.asarray(xs, dtype=np.float64)).tolist()


def _marks(transform: Transform | None) -> list[float]:
    """Raw values that the drawing must reach so that the whole curve is seen."""
    if transform is None:
        return []
    c = transform.config
    if c.type == "identity":
        return [0.0, 1.0]
    if c.target is not None and c.width is not None:
        return [c.target - 3 * c.width, c.target + 3 * c.width]
    ends = [value for value in (c.low, c.high) if value is not None]
    margin = (max(ends) - min(ends)) * 0.4 if len(ends) == 2 else abs(ends[0]) * 0.3 if ends else 0.0
    return [min(ends) - margin, max(ends) + margin] if ends else []


def role_of(component: Mapping[str, Any]) -> str:
    """Role of a component, escaped."""
    return escape(str(component.get("role") or "score"))
