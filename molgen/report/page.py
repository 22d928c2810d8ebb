"""The report page: one HTML file that tells what was asked, found and thrown away; it loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape

import yaml

from molgen.core.schema import OptimizeConfig
from molgen.optimize.protocol import Delivery
from molgen.report import summary
from molgen.report.cards import Cards, build_cards
from molgen.report.found import found_section
from molgen.report.objective import objective_section, role_of
from molgen.report.style import SCRIPT, STYLE
from molgen.report.summary import is_number
from molgen.report.variety import variety_section
from molgen.report.why import comparison


def to_html(delivery: Delivery, config: OptimizeConfig | None = None) -> str:
    """Write the whole page as text; the same delivery gives the same text."""
    cards = build_cards(delivery)
    sections = [
        ("how", "How they were found", found_section(delivery)),
        ("molecules", "Molecules", _molecules(delivery, cards)),
        ("variety", "Variety and trade-offs", variety_section(delivery)),
        ("why", "Filters and objective", objective_section(delivery, config)),
        ("settings", "Settings and origin", _origin(delivery)),
    ]
    sections = [section for section in sections if section[2]]
    nav = "".join(f'<a href="#{name}">{title}</a>' for name, title, _ in sections)
    body = "".join(
        f'<section id="{name}"><h2>{title}</h2>{content}</section>' for name, title, content in sections
    )
    script_hash = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    # The policy forbids the page to load anything and to run any script but ours, whatever the texts contain.
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script_hash}'; base-uri 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(delivery.name)} - molgen</title><style>{STYLE}</style></head><body><main>\n"
        f"{_first_screen(delivery, config, cards, nav)}{body}"
        "<footer>Written by molgen. The complete record (every proposal with its scores or its reason) is in the "
        f"run folder: ledger.jsonl, metrics.jsonl, run.yaml, manifest.json.</footer></main><script>{SCRIPT}</script>"
        "</body></html>\n"
    )


def _first_screen(delivery: Delivery, config: OptimizeConfig | None, cards: Cards, nav: str) -> str:
    times = " · ".join(f"{label} {text}" for label, text in summary.run_times(delivery.manifest))
    notes = "".join(f"<li>{escape(note)}</li>" for note in delivery.notes)
    notes = f'<ul class="notes">{notes}</ul>' if notes else ""
    goals = "".join(
        f"<li><b>{escape(str(c['name']))}</b> <small>{role_of(c)}</small>: "
        f"{escape(summary.component_words(c))}</li>"
        for c in delivery.components
    )
    facts = "".join(
        f'<div class="fact panel"><b>{big}</b><span>{small}</span></div>' for big, small in _facts(delivery)
    )
    return (
        f'<h1>{escape(delivery.name)}</h1><p class="soft">{times}</p>'
        f"<p><b>Asked:</b> {escape(summary.asked(delivery, config))}</p>"
        f'<div class="facts">{facts}</div>'
        f'{notes}<div class="strip">{cards.strip}</div>'
        f'<details open><summary>Objective</summary><ul class="objective">{goals}</ul></details><nav>{nav}</nav>'
    )


def _facts(delivery: Delivery) -> list[tuple[str, str]]:
    delivered = len(delivery.candidates)
    share = (
        "all that were asked" if delivered >= delivery.requested else "fewer than asked, see the losses below"
    )
    facts = [(f"{delivered:,} of {delivery.requested:,}", f"molecules delivered, {share}")]
    rise = summary.score_rise(delivery)
    if rise is not None:
        sign = "+" if rise.gain >= 0 else "\N{MINUS SIGN}"
        steps = summary.count(rise.steps, "step") + (" of the last stage" if rise.staged else "")
        facts.append(
            (
                f"{rise.first:.2f} → {rise.last:.2f}",
                f"mean score, first and last {steps} ({sign}{abs(rise.gain):.2f})",
            )
        )
    scores = [float(row["score"]) for row in delivery.candidates if is_number(row.get("score"))]
    if scores:
        best, lowest = (escape(summary.fraction(value, 3)) for value in (max(scores), min(scores)))
        facts.append((best, f"best score delivered; the lowest is {lowest}"))
    scaffolds = {row["scaffold"] for row in delivery.candidates if row.get("scaffold")}
    if scaffolds:
        facts.append((f"{len(scaffolds):,}", "different scaffolds (Murcko) among the delivered"))
    if delivery.scores:
        facts.append((f"{len(delivery.scores):,}", "molecules scored"))
    return facts


def _molecules(delivery: Delivery, cards: Cards) -> str:
    if not delivery.candidates:
        return "<p>No molecule was delivered. The losses above say what stopped them.</p>"
    files = "The same list is in candidates.csv, candidates.sdf and candidates.xlsx beside this page."
    legend = (
        "Orange marks the atoms that differ from the nearest reference, which is drawn beside it in the same "
        "orientation. A wavy or crossed bond is a stereo center or double bond that is left undefined. Bars "
        "show the desirability of each value: green from 0.7, yellow from 0.4, red below; the number after it is what "
        "the component "
        + ("multiplies the score by." if delivery.aggregate == "geometric_mean" else "adds to the score.")
    )
    return (
        f'<p class="lead">{legend} {files}</p>'
        '<details class="overview-part" open><summary>All at a glance (click a column to sort)</summary>'
        f'<div class="panel">{cards.table}</div></details>{comparison(delivery)}<div class="cards">{cards.cards}</div>'
    )


def _origin(delivery: Delivery) -> str:
    settings = json.loads(json.dumps(delivery.settings, default=str))
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True) if settings else ""
    told = {key: value for key, value in delivery.manifest.items() if key != "status"}  # not yet "done" here
    rows = "".join(
        f"<tr><th>{escape(path)}</th><td>{escape(value)}</td></tr>" for path, value in summary.flatten(told)
    )
    return (
        '<div class="two"><div><h3>Settings of this run (run.yaml)</h3>'
        f"<pre>{escape(text)}</pre></div>"
        '<div><h3>Versions, data and hashes (manifest.json)</h3><div class="panel">'
        f'<table class="facts-table"><tbody>{rows}</tbody></table></div></div></div>'
    )
