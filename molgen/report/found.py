"""The section of the report that tells how the molecules were found and what was thrown away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from molgen.optimize.protocol import Delivery
from molgen.report import summary
from molgen.report.charts import Bars, Line, histogram, line_chart, share_bar
from molgen.report.summary import is_number

_MOST_LOSSES = 25
# Key of the history, words, class of the line; where two keys say the same, the first that is there counts.
_SHARES = (
    (("valid",), "valid", "s1"),
    (("new", "unique"), "not seen before", "s3"),
    (("passed_share", "passed"), "passed the filters", "s2"),
)


def found_section(delivery: Delivery) -> str:
    """Funnel, losses, score over the run, scores at its start and end, health of the generator."""
    parts = []
    if delivery.funnel:
        parts.append(f'<div class="panel">{_funnel(delivery.funnel)}</div>')
    if delivery.losses:
        parts.append(f'<div class="panel">{_losses(delivery.losses, delivery.funnel)}</div>')
    first, last = summary.first_and_last_scores(delivery)
    charts = [
        _score_chart(delivery.history),
        _efficiency_chart(delivery.history),
        *_control_charts(delivery),
        histogram(
            [Bars("first fifth of the steps", first, "s1"), Bars("last fifth", last, "s2")],
            title="Scores at the start and at the end",
            x_label="score",
            x_range=(0.0, 1.0),
        ),
        _health_chart(delivery.history),
        _volume_chart(delivery.history),
        _kinds_chart(delivery.history, delivery.settings),
    ]
    parts += [f'<div class="panel">{chart}</div>' for chart in charts if chart]
    return (
        f'<div class="two">{"".join(parts)}</div>'
        if parts
        else '<p class="soft">No history was recorded.</p>'
    )


def _funnel(funnel: Sequence[tuple[str, int]]) -> str:
    top = max(count for _, count in funnel) or 1
    rows: list[str] = []
    before: int | None = None
    for label, count in funnel:
        lost = "" if before is None or count >= before else f"\N{MINUS SIGN}{before - count:,}"
        rows.append(
            f"<tr><th>{escape(str(label))}</th><td class='wide'>{share_bar(count / top)}</td>"
            f'<td class="n">{count:,}</td><td class="n soft">{_percent(count / top)}</td>'
            f'<td class="n">{lost}</td></tr>'
        )
        before = count
    head = '<tr><th>step</th><th></th><th class="n">left</th><th class="n">share</th><th class="n">lost here</th></tr>'
    return (
        f'<h3>From proposed to delivered</h3><table class="funnel"><thead>{head}</thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _losses(losses: Mapping[str, int], funnel: Sequence[tuple[str, int]]) -> str:
    if len(losses) > _MOST_LOSSES:  # reasons that carry values ("logp: 6.3 ..."): what they have in common
        heads: dict[str, int] = {}
        for reason, count in losses.items():
            head = str(reason).partition(":")[0]
            heads[head] = heads.get(head, 0) + count
        losses = heads
    ordered = sorted(losses.items(), key=lambda item: (-item[1], item[0]))
    total = sum(losses.values()) or 1
    start, end = (funnel[0][1], funnel[-1][1]) if funnel else (0, 0)
    check = (
        f"{start:,} proposed = {end:,} delivered + {total:,} lost; each counts"
        if start == end + total
        else (f"{total:,} in all; each counts")
    )
    rows = [
        f'<tr><td>{escape(summary.loss_words(str(reason)))}</td><td class="n">{count:,}</td>'
        f'<td class="n soft">{_percent(count / total)}</td></tr>'
        for reason, count in ordered[:_MOST_LOSSES]
    ]
    rest = ordered[_MOST_LOSSES:]
    if rest:
        rows.append(
            f'<tr><td class="soft">{len(rest):,} further reasons</td>'
            f'<td class="n">{sum(n for _, n in rest):,}</td><td></td></tr>'
        )
    return (
        f"<h3>Why the others are not here</h3><table class='losses'><tbody>{''.join(rows)}</tbody></table>"
        f'<p class="soft">{check} once, under the first thing that stopped it.</p>'
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.2g} %"


def _column(history: Sequence[Mapping[str, Any]], key: str) -> list[float | None]:
    return [float(row[key]) if is_number(row.get(key)) else None for row in history]


def _steps(history: Sequence[Mapping[str, Any]]) -> list[float]:
    return [float(row["step"]) if is_number(row.get("step")) else float(at) for at, row in enumerate(history)]


def _score_chart(history: Sequence[Mapping[str, Any]]) -> str:
    steps, mean = _steps(history), _column(history, "mean_score")
    window = max(1, len(history) // 25)
    lines = [
        Line("best so far", steps, summary.running_best(_column(history, "best_score")), "s2"),
        Line("mean of the best 100 so far", steps, _column(history, "top100_score"), "s3"),
        Line("mean of the step", steps, mean, "thin s1"),
        Line(f"mean over {summary.count(window, 'step')}", steps, summary.running_mean(mean, window), "s1"),
    ]
    lines = [line for line in lines if any(y is not None for y in line.y)]
    if window == 1:
        lines = lines[:-1]
    return line_chart(lines, title="Score over the run", x_label="step", y_label="score", y_range=(0.0, 1.0))


def _efficiency_chart(history: Sequence[Mapping[str, Any]]) -> str:
    """What each number of paid calls had bought: the curve by which searches of different batch sizes compare."""
    calls = _column(history, "calls")
    rows = [(at, row) for at, row in zip(calls, history, strict=True) if at is not None]
    lines = [
        Line(label, [at for at, _ in rows], _column([row for _, row in rows], key), style)
        for key, label, style in (
            ("best_score", "best", "s2"),
            ("top10_score", "mean of the best 10", "s1"),
            ("top100_score", "mean of the best 100", "s3"),
        )
    ]
    lines = [line for line in lines if any(y is not None for y in line.y)]
    title = "Sample efficiency"
    return line_chart(lines, title=title, x_label="molecules scored", y_label="score", y_range=(0.0, 1.0))


def _control_charts(delivery: Delivery) -> list[str]:
    """Each control beside what it watches: a gap that opens is a score that is being gamed."""
    charts = []
    steps, window = _steps(delivery.history), max(1, len(delivery.history) // 25)
    for component in delivery.components:
        if component.get("role") != "control":
            continue
        name = str(component["name"])
        watched = str(component.get("watches") or "") or "score"
        lines = [
            Line(label, steps, summary.running_mean(_column(delivery.history, key), window), style)
            for label, key, style in (
                (f"{watched} (optimized)", f"watched/{name}", "s1"),
                (f"{name} (control)", f"control/{name}", "s2"),
            )
        ]
        title = f"{watched} and its control"
        charts.append(
            line_chart(lines, title=title, x_label="step", y_label="desirability", y_range=(0.0, 1.0))
        )
    return charts


def _health_chart(history: Sequence[Mapping[str, Any]]) -> str:
    steps, window = _steps(history), max(1, len(history) // 25)
    lines = []
    for keys, label, style in _SHARES:
        values = next(
            (v for v in (_column(history, key) for key in keys) if any(x is not None for x in v)), []
        )
        values = values or [None] * len(history)
        known = [value for value in values if value is not None]
        if known and min(known) >= 0.0 and max(known) <= 1.0:
            lines.append(Line(label, steps, summary.running_mean(values, window), style))
    return line_chart(
        lines,
        title="Health of the generator",
        x_label="step",
        y_label="share of proposals",
        y_range=(0.0, 1.0),
    )


def _volume_chart(history: Sequence[Mapping[str, Any]]) -> str:
    """Of a search that learns from the Pareto front: how much of what could be wished for it reaches."""
    return line_chart(
        [Line("dominated by the front", _steps(history), _column(history, "hypervolume"), "s2")],
        title="Hypervolume of the Pareto front",
        x_label="step",
        y_label="share of the unit cube",
        y_range=(0.0, 1.0),
    )


def _kinds_chart(history: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """How many scaffolds or clusters good molecules have come from, and how many of these earn nothing more."""
    diversity = settings.get("diversity") or {}
    kind = f"{diversity.get('kind', 'scaffold')}s" if isinstance(diversity, Mapping) else "kinds"
    steps = _steps(history)
    lines = [
        Line(f"{kind} with good molecules", steps, _column(history, "kinds"), "s1"),
        Line("of them full", steps, _column(history, "full_kinds"), "s3"),
    ]
    known = [value for line in lines for value in line.y if value is not None]
    if not known or not max(known):
        return ""
    top = max(known) * 1.05
    return line_chart(
        lines, title=f"Variety: {kind} over the run", x_label="step", y_label=kind, y_range=(0.0, top)
    )
