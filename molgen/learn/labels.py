"""What a training says of each measured column: the names of its metrics, and their place on the model's card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Of held-out molecules: mean absolute error in the column's unit, R2 against the training mean, how many had a value.
METRICS = ("error", "r2", "values")


def metric_name(label: str, what: str) -> str:
    """The name of metric ``what`` of a column; trackers allow few signs in it."""
    return f"{re.sub(r'[^A-Za-z0-9_ .-]', '_', label)}_{what}"


def on_card(report: Mapping[str, Any], metrics: Mapping[str, float]) -> dict[str, Any]:
    """The report on the data with the last validation's metrics at each label, as a card holds it."""
    if "labels" not in report:
        return dict(report)
    labels = {}
    for name, found in report["labels"].items():
        held_out = {what: metrics.get(metric_name(name, what)) for what in METRICS}
        labels[name] = {**found, **{k: v for k, v in held_out.items() if v is not None}}
    return {**report, "labels": labels}


def from_card(card: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    """What the card says of a label; nothing where it says nothing."""
    data = card.get("data")
    labels = data.get("labels") if isinstance(data, Mapping) else None
    return dict(labels.get(label, {})) if isinstance(labels, Mapping) else {}
