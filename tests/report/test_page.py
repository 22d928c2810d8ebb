import dataclasses
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from rdkit import Chem

from molgen.core.schema import OptimizeConfig
from molgen.optimize.protocol import Delivery
from molgen.report.page import to_html
from molgen.report.style import STYLE
from molgen.report.table import build_table

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Checks the nesting of elements and collects them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture(scope="module")
def page(delivery: Delivery, config: OptimizeConfig) -> Page:
    return Page(to_html(delivery, config))


def test_elements_are_nested_properly(page: Page) -> None:
    assert page.open == []
    identifiers = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert max(identifiers.values()) == 1


@pytest.mark.parametrize("which", ["delivery", "hostile"])
def test_nothing_is_loaded_from_anywhere(which: str, request: pytest.FixtureRequest) -> None:
    text = to_html(request.getfixturevalue(which))
    page = Page(text)
    for tag, attrs in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert "src" not in attrs
        for name in ("href", "xlink:href", "action", "data"):
            assert (attrs.get(name) or "#").startswith("#")
        assert not any(name.startswith("on") for name in attrs)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_text_of_a_user_became_markup(hostile: Delivery) -> None:
    text = to_html(hostile)
    page = Page(text)
    assert page.open == []
    assert page.count("script") == 1
    assert text.count("<script>") == 1
    assert "<script>alert(1)</script>" in page.text.replace("< ", "<")


def test_first_screen_states_what_was_asked_and_what_came(page: Page) -> None:
    first = page.text.partition("How they were found")[0]
    assert "30 of 30" in first
    assert "mean score, first and last 12 steps (+0.3" in first
    assert "2026-05-03 12:05 UTC" in first
    assert "the run stopped early" in first
    assert "lipophilicity, Crippen logP; wanted: 1 to 4" in first


def test_evidence_and_colored_atoms_of_the_best_are_on_their_cards(delivery: Delivery) -> None:
    rows = [dict(row, qed_lo80=0.123, qed_nearest="CMPD <9>") for row in delivery.candidates]
    parts = [dict(part) for part in delivery.components]
    parts[0]["evidence"] = {"qed_lo80": "lower end", "qed_nearest": "nearest"}
    weights = [
        [0.1 * (-1) ** at for at in range(Chem.MolFromSmiles(row["smiles"]).GetNumAtoms())]
        for row in rows[:2]
    ]
    told = dataclasses.replace(
        delivery, candidates=rows, components=parts, atoms={"qed": [*weights, None, [0.3], *[None] * 26]}
    )
    page = Page(to_html(told))
    assert page.open == []
    assert page.text.count("lo80 0.12") == 30
    assert "CMPD <9>" in page.text
    colored = [attrs for _, attrs in page.elements if attrs.get("aria-label") == "atoms by qed"]
    assert len(colored) == 2, "those of the third were not told, those of the fourth do not fit its structure"
    assert "full color: 0.3" in page.text
    names = build_table(told).names
    assert names[names.index("qed_desirability") + 1 :][:2] == ["qed_lo80", "qed_nearest"]


def test_the_report_of_a_finished_run_said_that_it_is_running(delivery: Delivery) -> None:
    told = dataclasses.replace(delivery, manifest={**delivery.manifest, "status": "running"})
    assert "<td>running</td>" not in to_html(told)


def test_a_single_chart_was_blown_up_to_the_whole_width() -> None:
    (rule,) = re.findall(r"^\.three\{[^}]*\}", STYLE, re.MULTILINE)
    assert "auto-fill" in rule


def test_a_shortfall_is_said(delivery: Delivery) -> None:
    page = Page(to_html(dataclasses.replace(delivery, requested=200)))
    assert "30 of 200" in page.text
    assert "fewer than asked" in page.text


def test_every_candidate_has_its_card_with_structure_reference_and_reasons(
    page: Page, delivery: Delivery
) -> None:
    identifiers = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
    for place in range(1, 31):
        assert f"card{place}" in identifiers
        assert f"mol{place}" in identifiers
    for row in delivery.candidates:
        assert row["smiles"] in page.text
        assert row["inchikey"] in page.text
    assert "undefined stereo: 1 (wavy or crossed bond)" in page.text
    assert "<erlotinib analogue>" in page.text
    assert "BRENK: nitro group" in page.text
    assert "quinazoline" in page.text


def test_every_internal_link_leads_somewhere(page: Page) -> None:
    identifiers = {attrs.get("id") for _, attrs in page.elements}
    links = {(attrs["href"] or "")[1:] for _, attrs in page.elements if "href" in attrs}
    assert len(links) > 30
    assert links <= identifiers


def test_funnel_and_losses_add_up_and_only_then_say_so(page: Page, delivery: Delivery) -> None:
    assert "3,000 proposed = 30 delivered + 2,970 lost" in page.text
    other = Page(to_html(dataclasses.replace(delivery, losses={"unparsable": 5})))
    assert "5 in all" in other.text
    assert "3,000 proposed =" not in other.text


def test_thousands_of_reasons_with_values_in_them_are_summed_up(delivery: Delivery) -> None:
    losses = {f"logp: {at / 10} too high": 1 for at in range(500)}
    page = Page(to_html(dataclasses.replace(delivery, losses=losses)))
    assert "logp 500" in page.text.replace(",", "")
    assert "12.3 too high" not in page.text


def test_settings_versions_and_hashes_are_there(page: Page) -> None:
    assert "max_similarity: 0.8" in page.text
    assert "packages.rdkit" in page.text
    assert "cd" * 32 in page.text


def test_a_run_without_anything_still_has_a_page(delivery: Delivery) -> None:
    empty = Delivery(
        name="empty", candidates=[], components=[], funnel=[], losses={}, history=[], scores=[], score_steps=[],
        settings={}, manifest={}, requested=10,
    )  # fmt: skip
    page = Page(to_html(empty))
    assert page.open == []
    assert "0 of 10" in page.text
    assert "No molecule was delivered" in page.text


def test_print_shows_twelve_molecules_on_a_page() -> None:
    """A4 less margins is 277 mm high: four rows of cards, their gaps and the heading must fit."""
    from molgen.report.style import STYLE

    rules = STYLE.partition("@media print")[2]
    height = re.search(r"\.card\{height:(\d+)mm", rules)
    gap = re.search(r"\.cards\{[^}]*repeat\((\d),1fr\);gap:(\d+)mm", rules)
    assert height
    assert gap
    assert int(gap[1]) * 4 >= 12
    assert 4 * int(height[1]) + 3 * int(gap[2]) + 10 <= 277


def test_a_hundred_molecules_stay_below_three_megabytes(delivery: Delivery) -> None:
    rows = [dict(row, rank=at) for at, row in enumerate((delivery.candidates * 4)[:100], start=1)]
    text = to_html(dataclasses.replace(delivery, candidates=rows, references=[]))
    assert len(text.encode()) < 3_000_000
