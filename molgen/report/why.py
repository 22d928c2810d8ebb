"""Why a molecule stands where it stands: what each component adds to its score, and what sets it apart from another."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from molgen.optimize.protocol import Delivery
from molgen.report.summary import fraction, is_number

_SMALLEST = {"geometric_mean": 0.01, "arithmetic_mean": 0.005}  # differences below this are not worth a word


def counted(delivery: Delivery) -> list[str]:
    """Names of the components that add to the score, in order."""
    return [str(c["name"]) for c in delivery.components if c.get("role", "score") in ("score", "penalty")]


def part_text(value: Any, aggregate: str) -> str:
    """A contribution as people read it: the factor on the score (geometric mean), or what is added (arithmetic)."""
    if not is_number(value):
        return ""
    if aggregate == "geometric_mean":
        return f"\N{MULTIPLICATION SIGN}{fraction(math.exp(value))}"
    return f"{'+' if value >= 0 else chr(0x2212)}{fraction(abs(value))}"


def apart(row: Mapping[str, Any], other: Mapping[str, Any], delivery: Delivery) -> list[tuple[str, float]]:
    """(component, difference of contributions) of two rows, the largest difference first; small ones are left out."""
    found = []
    for name in counted(delivery):
        mine, theirs = row.get(f"{name}_contribution"), other.get(f"{name}_contribution")
        if is_number(mine) and is_number(theirs):
            found.append((name, float(mine) - float(theirs)))  # type: ignore[arg-type]
    smallest = _SMALLEST[delivery.aggregate]
    return sorted((pair for pair in found if abs(pair[1]) >= smallest), key=lambda pair: -abs(pair[1]))


def sentence(place: int, delivery: Delivery) -> str:
    """Why it stands before the next one, in a sentence; empty for the last, and where nothing was recorded."""
    rows = delivery.candidates
    if place >= len(rows) or not counted(delivery):
        return ""
    row, other = rows[place - 1], rows[place]
    them = f"#{other.get('rank', place + 1)}"
    if delivery.ranking == "pareto" and is_number(row.get("front")):
        if row["front"] != other.get("front"):
            return (
                f"Before {them} because it is on front {row['front']}, {them} on front {other.get('front')}."
            )
        if not is_number(row.get("crowding")) and not is_number(other.get("crowding")):
            return f"Both it and {them} are at an end of front {row['front']}; its score is higher."
        return f"Before {them} because it has more room around it on front {row['front']}."
    found = apart(row, other, delivery)
    if not found:
        return f"As good as {them} in every component, within rounding."
    ahead = [part(name, gap, delivery.aggregate) for name, gap in found if gap > 0][:3]
    behind = [part(name, gap, delivery.aggregate) for name, gap in found if gap < 0][:2]
    words = f"Before {them} by {', '.join(ahead)}" if ahead else f"About as good as {them}"
    return words + (f"; behind it in {', '.join(behind)}." if behind else ".")


def part(name: str, gap: float, aggregate: str) -> str:
    """A difference of contributions with its component."""
    return f"{name} ({part_text(gap, aggregate)})"


def data_attribute(row: Mapping[str, Any], delivery: Delivery) -> str:
    """Contributions, values and score of a card for the comparison of two, as an HTML attribute."""
    rounded = {}
    for name in counted(delivery):
        added, value = row.get(f"{name}_contribution"), row.get(name)
        if is_number(added):
            shown = float(f"{value:.4g}") if is_number(value) else None
            rounded[name] = [round(float(added), 4), shown]  # type: ignore[arg-type]
    score = row.get("score")
    about = {"score": round(float(score), 4) if is_number(score) else None, "parts": rounded}  # type: ignore[arg-type]
    return f' data-why="{escape(json.dumps(about, separators=(",", ":")), quote=True)}"'


def comparison(delivery: Delivery) -> str:
    """The form that compares two molecules; the script of the page fills its table."""
    if len(delivery.candidates) < 2 or not counted(delivery):
        return ""
    last = len(delivery.candidates)
    field = '<input type="number" min="1" max="{last}" value="{value}" id="{key}" aria-label="rank">'
    first, second = (field.format(last=last, value=v, key=k) for v, k in ((1, "whya"), (2, "whyb")))
    how = (
        "Each component multiplies the score by a factor; all factors of a molecule make its score."
        if delivery.aggregate == "geometric_mean"
        else "Each component adds to the score; all parts of a molecule make its score."
    )
    return (
        f'<details class="panel compare" open data-how="{escape(delivery.aggregate)}"><summary>Why is one ranked above '
        f"another?</summary><p>Compare number {first} with number {second}</p>"
        f'<div class="scroll"><table id="whytable" class="values"></table></div><p class="soft">{how}</p></details>'
    )


def correlations(delivery: Delivery) -> Sequence[tuple[float, str, str]]:
    """(Spearman correlation of the desirabilities, component, component) of the delivered, most opposed first."""
    from scipy.stats import rankdata

    columns = {}
    for name in counted(delivery):
        values = [row.get(f"{name}_desirability") for row in delivery.candidates]
        if len(values) >= 5 and all(map(is_number, values)) and max(values) - min(values) > 0.05:  # type: ignore
            ranks = rankdata(values)
            columns[name] = (ranks - ranks.mean()) / (ranks.std() or 1.0)
    names = list(columns)
    pairs = [
        (float((columns[a] * columns[b]).mean()), a, b) for i, a in enumerate(names) for b in names[i + 1 :]
    ]
    return sorted(pairs)
