import math
import xml.etree.ElementTree as ElementTree

import pytest

from molgen.report.charts import Bars, Line, desirability_chart, histogram, line_chart, share_bar, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 119.0, [0, 50, 100]),
        (-0.1, 0.1, [-0.1, -0.05, 0.0, 0.05, 0.1]),
        (3.0, 3.0, [3.0]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, expected: list[float]) -> None:
    found = ticks(low, high)
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)
    assert found == pytest.approx(expected)


def svg_of(figure: str) -> ElementTree.Element:
    root = ElementTree.fromstring(figure)
    found = root.find("svg")
    assert found is not None
    return found


def test_a_missing_value_breaks_the_line_instead_of_counting_as_zero() -> None:
    figure = line_chart(
        [Line("mean", [0, 1, 2, 3], [0.5, None, 0.5, 0.5])],
        title="t",
        x_label="step",
        y_label="score",
        y_range=(0, 1),
    )
    path = next(p.attrib["d"] for p in svg_of(figure).iter("path") if p.attrib["class"] == "line s1")
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_histogram_bars_add_up_to_their_group() -> None:
    size = (560, 240)
    values = [0.05] * 3 + [0.55] * 1
    svg = svg_of(
        histogram([Bars("a", values)], title="t", x_label="score", x_range=(0, 1), bins=10, size=size)
    )
    path = next(p.attrib["d"] for p in svg.iter("path") if p.attrib["class"] == "bar s1")
    bars = path.split("M")[1:]
    heights = [
        float(bar.split(" ")[1].split("V")[0]) - float(bar.split("V")[1].split("h")[0]) for bar in bars
    ]
    assert len(bars) == 2
    assert heights[0] == pytest.approx(3 * heights[1], rel=0.02)


def test_a_value_at_the_upper_end_falls_into_the_last_bar() -> None:
    svg = svg_of(histogram([Bars("a", [1.0, 1.0])], title="t", x_label="score", x_range=(0, 1), bins=4))
    path = next(p.attrib["d"] for p in svg.iter("path") if p.attrib["class"] == "bar s1")
    assert path.count("M") == 1


def test_nothing_to_draw_is_an_empty_text() -> None:
    assert line_chart([Line("a", [0], [None])], title="t", x_label="x", y_label="y") == ""
    assert histogram([Bars("a", [])], title="t", x_label="x") == ""
    assert desirability_chart([], None, title="t", x_label="x") == ""


def test_one_point_is_still_seen() -> None:
    figure = line_chart([Line("a", [0], [0.5])], title="t", x_label="x", y_label="y", y_range=(0, 1))
    assert "h3" in figure


def test_desirability_curve_leaves_out_where_it_has_no_value() -> None:
    figure = desirability_chart(
        [0.2, 0.8],
        lambda xs: [x if 0 <= x <= 1 else math.nan for x in xs],
        title="t",
        x_label="x",
        marks=[-1.0, 2.0],
    )
    assert "nan" not in figure
    ElementTree.fromstring(figure)


def test_titles_and_labels_are_escaped() -> None:
    figure = desirability_chart([1.0], None, title="<b>", x_label='"<i>"')
    ElementTree.fromstring(figure)
    assert "<b>" not in figure
    assert "<i>" not in figure.replace("<i></i>", "")


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.4, 7.0])
def test_share_bar_stays_in_its_track(share: float) -> None:
    root = ElementTree.fromstring(share_bar(share))
    assert 0 <= float(root[1].attrib["width"]) <= float(root[0].attrib["width"])
