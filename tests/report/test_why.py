"""Why a molecule stands where it stands: the words, the clusters and the trade-offs of the page."""

import dataclasses
import json
import math

from molgen.optimize.protocol import Delivery
from molgen.report.page import to_html
from molgen.report.why import apart, correlations, data_attribute, part_text, sentence

COMPONENTS = [
    {"name": "logp", "use": "logp", "role": "score", "weight": 1.0, "unit": "", "transform": None, "summary": ""},
    {"name": "qed", "use": "qed", "role": "score", "weight": 1.0, "unit": "", "transform": None, "summary": ""},
    {"name": "mw", "use": "mw", "role": "filter", "weight": 1.0, "unit": "", "transform": None, "summary": ""},
]  # fmt: skip
SMILES = ["CCO", "CCN", "CCC", "CCS", "CCF", "CCCl"]


def delivery(**changes) -> Delivery:
    rows = []
    for k, smiles in enumerate(SMILES):
        a, b = 0.9 - 0.1 * k, 0.3 + 0.1 * k
        row = {"rank": k + 1, "id": f"m{k}", "smiles": smiles, "score": math.sqrt(a * b)}
        for name, value in (("logp", a), ("qed", b)):
            row |= {name: value, f"{name}_desirability": value, f"{name}_contribution": math.log(value) / 2}
        rows.append(row | {"cluster": 1 + k % 2, "cluster_size": 7, "front": 1 + k // 3})
    told = Delivery(
        name="x", candidates=rows, components=COMPONENTS, funnel=[], losses={}, history=[], scores=[],
        score_steps=[], settings={}, manifest={}, requested=6,
    )  # fmt: skip
    return dataclasses.replace(told, **changes)


def test_factors_and_parts():
    assert part_text(math.log(0.5), "geometric_mean") == "\N{MULTIPLICATION SIGN}0.50"
    assert part_text(0.25, "arithmetic_mean") == "+0.25"
    assert part_text(-0.25, "arithmetic_mean") == "\N{MINUS SIGN}0.25"
    assert part_text(None, "geometric_mean") == ""


def test_a_sentence_says_what_sets_it_apart_from_the_next():
    told = delivery()
    first, second = told.candidates[:2]
    assert [name for name, _ in apart(first, second, told)] == ["qed", "logp"]
    assert (
        sentence(1, told).replace("\N{MULTIPLICATION SIGN}", "*")
        == "Before #2 by logp (*1.06); behind it in qed (*0.87)."
    )
    assert sentence(6, told) == ""
    alike = delivery(candidates=[first, {**first, "rank": 2}])
    assert sentence(1, alike) == "As good as #2 in every component, within rounding."


def test_under_a_pareto_ranking_the_front_is_the_reason():
    told = delivery(ranking="pareto")
    assert sentence(3, told) == "Before #4 because it is on front 1, #4 on front 2."
    assert sentence(1, told) == "Both it and #2 are at an end of front 1; its score is higher."
    told.candidates[1]["crowding"] = 0.4
    assert "more room around it on front 1" in sentence(1, told)


def test_the_attribute_of_a_card_holds_what_the_comparison_needs():
    from html import unescape

    text = data_attribute(delivery().candidates[0], delivery())
    about = json.loads(unescape(text).removeprefix(' data-why="').removesuffix('"'))
    assert about == {"score": 0.5196, "parts": {"logp": [-0.0527, 0.9], "qed": [-0.602, 0.3]}}


def test_opposed_components_are_found_and_drawn():
    told = delivery()
    assert correlations(told) == [(-1.0, "logp", "qed")] or abs(correlations(told)[0][0] + 1) < 1e-9
    page = to_html(told)
    assert "logp against qed (rank correlation -1.00)" in page
    assert "front 1 (n = 3)" in to_html(delivery(ranking="pareto"))
    assert correlations(delivery(candidates=told.candidates[:3])) == [], "three points say nothing"


def test_clusters_are_shown_by_their_best():
    page = to_html(delivery())
    assert "fall into 2 clusters" in page
    assert "<b>cluster 1</b>: 3 molecules of 7 to choose from" in page
    assert 'id="whytable"' in page
    empty = to_html(delivery(candidates=[], components=[]))
    assert "Clusters" not in empty
    assert 'id="whytable"' not in empty
