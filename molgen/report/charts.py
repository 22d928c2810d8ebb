"""Small inline SVG charts: lines, histograms, and a desirability curve over a histogram.

Colors come from the style sheet of the page (classes ``s1``..``s4``), so that one drawing serves light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from molgen.report.summary import number

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 10, 38


@dataclass(frozen=True)
class Line:
    """One line of a chart: y is None where there is no value; ``style`` names its class."""

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    style: str = "s1"


@dataclass(frozen=True)
class Bars:
    """One histogram: the values and how it is called."""

    label: str
    values: Sequence[float]
    style: str = "s1"


@dataclass(frozen=True)
class Cloud:
    """One group of points of a scatter plot."""

    label: str
    points: Sequence[tuple[float, float]]
    style: str = "s1"


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) that lie between ``low`` and ``high``."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    y_range: tuple[float, float] | None = None,
    size: tuple[int, int] = (560, 240),
) -> str:
    """Draw lines over a common x axis; an empty text where no line has a value."""
    xs = [x for line in lines for x, y in zip(line.x, line.y, strict=True) if y is not None]
    ys = [y for line in lines for y in line.y if y is not None]
    if not xs:
        return ""
    plot = _Plot(size, (min(xs), max(xs)), y_range or _padded(min(ys), max(ys)))
    parts = [plot.axes(x_label, y_label, whole_x=True)]
    for line in lines:
        parts.append(plot.path(line.x, line.y, f"line {line.style}"))
    return _figure(title, size, "".join(parts), [(line.label, line.style) for line in lines])


def histogram(
    groups: Sequence[Bars],
    *,
    title: str,
    x_label: str,
    x_range: tuple[float, float] | None = None,
    bins: int = 20,
    size: tuple[int, int] = (560, 240),
) -> str:
    """Draw one or more histograms as shares of their own group, so that groups of unequal size compare."""
    filled = [group for group in groups if len(group.values)]
    if not filled:
        return ""
    everything = [value for group in filled for value in group.values]
    low, high = x_range or _padded(min(everything), max(everything), 0.0)
    shares = [[n / len(group.values) for n in _counts(group.values, low, high, bins)] for group in filled]
    top = max(max(share) for share in shares)
    plot = _Plot(size, (low, high), (0.0, top * 1.08))
    parts = [plot.axes(x_label, "share of molecules", percent_y=True)]
    parts += [plot.bars(share, f"bar {group.style}") for group, share in zip(filled, shares, strict=True)]
    legend = [(f"{group.label} (n = {len(group.values):,})", group.style) for group in filled]
    return _figure(title, size, "".join(parts), legend)


def desirability_chart(
    values: Sequence[float],
    curve: Callable[[Sequence[float]], Sequence[float]] | None,
    *,
    title: str,
    x_label: str,
    marks: Sequence[float] = (),
    threshold: float | None = None,
    size: tuple[int, int] = (360, 190),
) -> str:
    """Draw where the delivered values lie (bars) and how each raw value is judged (line, 0 to 1)."""
    points = [*values, *marks]
    if not points:
        return ""
    low, high = _padded(min(points), max(points), 0.12)
    if len(values) and min(values) >= 0:  # a weight or a count: no axis below zero
        low = max(0.0, low)
    plot = _Plot(size, (low, high), (0.0, 1.05))
    parts = [plot.axes(x_label, "desirability", y_ticks=(0.0, 0.5, 1.0))]
    legend = []
    if len(values):
        counts = _counts(values, low, high, 24)
        top = max(counts)
        parts.append(plot.bars([n / top * 0.9 for n in counts], "bar s1"))
        legend.append((f"delivered (n = {len(values):,})", "s1"))
    if curve is not None:
        xs = [low + (high - low) * at / 160 for at in range(161)]
        ys = [None if math.isnan(y) else float(y) for y in curve(xs)]
        parts.append(plot.path(xs, ys, "line s2"))
        legend.append(("desirability", "s2"))
    if threshold is not None:
        parts.append(plot.path([low, high], [threshold, threshold], "line dashed s3"))
        legend.append((f"must reach {number(threshold)}", "s3"))
    return _figure(title, size, "".join(parts), legend)


def scatter_chart(
    clouds: Sequence[Cloud],
    *,
    title: str,
    x_label: str,
    y_label: str,
    span: tuple[float, float] = (0.0, 1.0),
    size: tuple[int, int] = (360, 260),
) -> str:
    """Draw points over axes that both go over ``span``; later groups lie on top."""
    low, high = span
    plot = _Plot(size, (low, high), (low, high + (high - low) * 0.02))
    parts = [plot.axes(x_label, y_label, y_ticks=ticks(low, high))]
    for cloud in clouds:
        dots = "".join(f"M{plot.px(x):.1f} {plot.py(y):.1f}h0" for x, y in cloud.points)
        parts.append(f'<path class="dots {cloud.style}" d="{dots}"/>')
    legend = [(f"{cloud.label} (n = {len(cloud.points):,})", cloud.style) for cloud in clouds]
    return _figure(title, size, "".join(parts), legend)


def share_bar(share: float, style: str = "s1", size: tuple[int, int] = (300, 14)) -> str:
    """A horizontal bar that fills ``share`` (0 to 1) of its width; decorative, the number stands beside it."""
    width, height = size
    inside = max(0.0, min(1.0, share)) * width
    return (
        f'<svg class="share" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="{width}" height="{height}"/>'
        f'<rect class="bar {style}" width="{inside:.1f}" height="{height}"/></svg>'
    )


class _Plot:
    """Maps data to pixels and draws the parts of one chart."""

    def __init__(self, size: tuple[int, int], x: tuple[float, float], y: tuple[float, float]) -> None:
        self.width, self.height = size
        self.x = x if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        self.y = y if y[1] > y[0] else (y[0] - 0.5, y[0] + 0.5)

    def px(self, value: float) -> float:
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def py(self, value: float) -> float:
        low, high = self.y
        inner = self.height - _TOP - _BOTTOM
        return _TOP + inner - (min(max(value, low), high) - low) / (high - low) * inner

    def axes(
        self,
        x_label: str,
        y_label: str,
        *,
        y_ticks: Sequence[float] | None = None,
        percent_y: bool = False,
        whole_x: bool = False,
    ) -> str:
        left, right, base = _LEFT, self.width - _RIGHT, self.py(self.y[0])
        parts = []
        for value in ticks(*self.y) if y_ticks is None else y_ticks:
            y = self.py(value)
            text = f"{value * 100:.3g} %" if percent_y else _tick(value)
            parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
        for value in ticks(*self.x, wanted=max(3, self.width // 72)):
            if whole_x and value != int(value):
                continue
            x = self.px(value)
            parts.append(f'<path class="axis" d="M{x:.1f} {base:.1f}v4"/>')
            parts.append(f'<text x="{x:.1f}" y="{base + 16:.1f}" text-anchor="middle">{_tick(value)}</text>')
        parts.append(f'<path class="axis" d="M{left} {base:.1f}H{right}"/>')
        middle, center = (left + right) / 2, (_TOP + base) / 2
        parts.append(
            f'<text class="label" x="{middle:.0f}" y="{self.height - 5}" text-anchor="middle">{escape(x_label)}</text>'
            f'<text class="label" transform="translate(10 {center:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>"
        )
        return "".join(parts)

    def path(self, xs: Sequence[float], ys: Sequence[float | None], style: str) -> str:
        out, pen = [], "M"
        for x, y in zip(xs, ys, strict=True):
            if y is None:
                pen = "M"
                continue
            out.append(f"{pen}{self.px(x):.1f} {self.py(y):.1f}")
            pen = "L"
        if len(out) == 1:  # one point has no line: a short dash shows it
            out.append("h3")
        return f'<path class="{style}" d="{"".join(out)}"/>'

    def bars(self, heights: Sequence[float], style: str) -> str:
        low, high = self.x
        width = (self.px(high) - self.px(low)) / len(heights)
        base = self.py(0.0)
        shapes = "".join(
            f"M{self.px(low) + at * width + 0.5:.1f} {base:.1f}V{self.py(value):.1f}h{width - 1:.1f}V{base:.1f}z"
            for at, value in enumerate(heights)
            if value > 0
        )
        return f'<path class="{style}" d="{shapes}"/>'


def _figure(title: str, size: tuple[int, int], body: str, legend: Sequence[tuple[str, str]]) -> str:
    keys = "".join(f'<span class="key {style}"><i></i>{escape(label)}</span>' for label, style in legend)
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{escape(title)}">{body}</svg>'
        f'<div class="legend">{keys}</div></figure>'
    )


def _counts(values: Sequence[float], low: float, high: float, bins: int) -> list[int]:
    counts = [0] * bins
    for value in values:
        place = int((value - low) / (high - low) * bins)
        counts[min(bins - 1, max(0, place))] += 1
    return counts


def _padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    if high > low:
        return low - (high - low) * share, high + (high - low) * share
    width = abs(low) * 0.1 or 0.5
    return low - width, high + width


def _tick(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
