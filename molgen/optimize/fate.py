"""What became of a molecule that was scored, read off the objective's table."""

from __future__ import annotations

import math
from typing import Any

from molgen.scoring.table import ScoreTable


def fate(table: ScoreTable, position: int) -> dict[str, Any]:
    """The fields of an :class:`molgen.optimize.memory.Entry` that the objective decides."""
    total = float(table.total[position])
    passed = bool(table.passed[position])
    return {
        "status": "failed" if math.isnan(total) else "scored" if passed else "filtered",
        "total": total,
        "values": {name: float(values[position]) for name, values in table.raw.items()},
        "desirability": {name: float(values[position]) for name, values in table.desirability.items()},
        "reason": table.reasons[position],
    }
