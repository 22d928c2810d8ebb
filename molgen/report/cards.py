"""The delivered molecules as HTML: one card each, and one table that shows at a glance why they rank as they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from rdkit import Chem

from molgen.chem.draw import compare, svg, svg_weights
from molgen.optimize.protocol import Delivery
from molgen.report.atoms import explained
from molgen.report.charts import share_bar
from molgen.report.sdf import read_smiles
from molgen.report.summary import NO_VALUE, fraction, is_number, unit_text
from molgen.report.summary import number as plain_number
from molgen.report.table import clean, known_columns
from molgen.report.why import data_attribute, part_text, sentence

_PICTURE = (240, 170)
_SMALL = (170, 120)
_COLORED = (240, 170)
#: Below this similarity two structures share too little for a picture of what changed.
_COMPARE_FROM = 0.35
_MARK_UP_TO = 0.6


@dataclass(frozen=True)
class Cards:
    """HTML of the cards and of the table, and how many pictures were drawn."""

    cards: str
    table: str
    strip: str
    drawn: int


def build_cards(delivery: Delivery, *, strip: int = 6) -> Cards:
    """Draw all candidates; ``strip`` is the number of the small pictures for the first screen."""
    references = _references(delivery)
    own = known_columns(delivery)
    cards, rows, thumbnails, drawn = [], [], [], 0
    for place, row in enumerate(delivery.candidates, start=1):
        mol = read_smiles(row.get("smiles"))
        picture, reference = _pictures(mol, row, references, place)
        drawn += mol is not None
        colored = _colored(mol, place, delivery)
        cards.append(_card(row, place, picture, reference, colored, delivery, own))
        rows.append(_table_row(row, place, delivery))
        if place <= strip and mol is not None:
            thumbnails.append(
                f'<a href="#card{place}" class="paper"><svg viewBox="0 0 {_PICTURE[0]} {_PICTURE[1]}" role="img" '
                f'aria-label="rank {place}"><use href="#mol{place}"/></svg>'
                f"<span>#{place} · {escape(fraction(row.get('score'), 3))}</span></a>"
            )
    return Cards("".join(cards), _table(delivery, rows), "".join(thumbnails), drawn)


def _references(delivery: Delivery) -> dict[str, Chem.Mol]:
    mols: dict[str, Chem.Mol] = {}
    for reference in delivery.references:
        mol = read_smiles(reference.get("smiles"))
        if mol is not None:
            for key in (reference.get("id"), reference.get("smiles")):
                if key is not None:
                    mols.setdefault(str(key), mol)
    return mols


def _pictures(
    mol: Chem.Mol | None, row: Mapping[str, Any], references: Mapping[str, Chem.Mol], place: int
) -> tuple[str, str]:
    """The structure and its nearest reference, laid out alike and with the changed atoms marked where that helps."""
    reference = references.get(str(row.get("nearest_reference")))
    similarity = row.get("nearest_similarity")
    if mol is None:
        return '<div class="paper missing">no picture</div>', ""
    both = None
    if reference is not None and is_number(similarity) and float(similarity) >= _COMPARE_FROM:  # type: ignore[arg-type]
        both = compare(mol, reference)
    if both is None:
        left = svg(mol, _PICTURE)
        right = svg(reference, _SMALL) if reference is not None else ""
    else:
        # Where most of it changed, orange everywhere says nothing: the common orientation helps alone.
        marked = len(both.changed) <= _MARK_UP_TO * mol.GetNumAtoms()
        left = svg(both.mol, _PICTURE, both.changed if marked else None)
        right = svg(both.reference, _SMALL, both.reference_changed if marked else None)
    left = left.replace(
        "<svg ", f'<svg id="mol{place}" role="img" aria-label="structure of rank {place}" ', 1
    )
    right = right.replace("<svg ", '<svg role="img" aria-label="nearest reference" ', 1)
    return f'<div class="paper">{left}</div>', f'<div class="paper small">{right}</div>' if right else ""


def _card(
    row: Mapping[str, Any],
    place: int,
    picture: str,
    reference: str,
    colored: str,
    delivery: Delivery,
    own: set[str],
) -> str:
    flags = [flag for flag in (text.strip() for text in str(row.get("flags") or "").split(";")) if flag]
    open_centers = row.get("undefined_stereo")
    if is_number(open_centers) and open_centers and not any("stereo" in flag.lower() for flag in flags):
        flags.append(f"undefined stereo: {number(open_centers)} (wavy or crossed bond)")
    chips = "".join(f'<span class="flag">{_text(flag)}</span>' for flag in flags)
    return (
        f'<article class="card" id="card{place}"{data_attribute(row, delivery)}>'
        f'<header><b class="rank">#{_text(row.get("rank", place))}</b><span class="id">{_text(row.get("id"))}</span>'
        f'<span class="score">{escape(fraction(row.get("score"), 3))}</span></header>'
        f'<div class="pictures">{picture}{_nearest(row, reference)}</div>'
        f'<div class="flags">{chips}</div>'
        f'<table class="values"><tbody>{_components(row, delivery)}</tbody></table>'
        f'<p class="why">{escape(sentence(place, delivery))}</p>{colored}'
        f'<p class="smiles">{_text(row.get("smiles"))}</p>'
        f'<p class="made">{_made(row)}</p>{_own_columns(row, own)}</article>'
    )


def _colored(mol: Chem.Mol | None, place: int, delivery: Delivery) -> str:
    """The structure once more for each component that says what its atoms add, colored by that."""
    if mol is None:
        return ""
    figures = []
    for part in explained(delivery):
        weights = part.weights(place, mol.GetNumAtoms())
        if weights is None:
            continue
        drawing = svg_weights(mol, weights, part.scale, _COLORED)
        drawing = drawing.replace("<svg ", f'<svg role="img" aria-label="atoms by {escape(part.name)}" ', 1)
        figures.append(
            f'<figure class="paper">{drawing}<figcaption>{escape(part.words())}</figcaption></figure>'
        )
    return f'<div class="atoms">{"".join(figures)}</div>' if figures else ""


def _nearest(row: Mapping[str, Any], reference: str) -> str:
    name = row.get("nearest_reference")
    if name is None:
        return ""
    similarity = number(row.get("nearest_similarity"))
    words = f"nearest: <b>{_text(name)}</b><br>similarity {similarity}"
    return f'<div class="nearest">{reference}<p>{words}</p></div>'


def _components(row: Mapping[str, Any], delivery: Delivery) -> str:
    lines = []
    for component in delivery.components:
        name = str(component["name"])
        unit = escape(unit_text(component))
        desirability = row.get(f"{name}_desirability")
        bar = share_bar(float(desirability), _grade(desirability), (60, 8)) if is_number(desirability) else ""  # type: ignore[arg-type]
        role = "" if component.get("role", "score") == "score" else f" <i>{_text(component.get('role'))}</i>"
        evidence = "".join(
            f"<dt>{_text(key.removeprefix(f'{name}_'))}</dt><dd>{number(row[key])}</dd>"
            for key in component.get("evidence", {})
            if row.get(key) is not None
        )
        lines.append(
            f"<tr><th>{_text(name)}{role}</th><td>{number(row.get(name))} <small>{unit}</small></td>"
            f"<td>{bar}</td><td>{escape(fraction(desirability))}</td>"
            f"<td>{escape(part_text(row.get(f'{name}_contribution'), delivery.aggregate))}</td></tr>"
        )
        if evidence:
            lines.append(f'<tr><td colspan="5" class="evidence"><dl>{evidence}</dl></td></tr>')
    return "".join(lines)


def _made(row: Mapping[str, Any]) -> str:
    parts = []
    if row.get("origin") is not None:
        parts.append(_text(row["origin"]))
    if row.get("step") is not None:
        parts.append(f"step {number(row['step'])}")
    if row.get("parents"):
        parts.append(f"from {_text(row['parents'])}")
    if is_number(row.get("nll")):
        parts.append(f"nll {number(row['nll'])}")
    if row.get("inchikey"):
        parts.append(f"<code>{_text(row['inchikey'])}</code>")
    return " · ".join(parts)


def _own_columns(row: Mapping[str, Any], own: set[str]) -> str:
    cells = [(key, clean(value)) for key, value in row.items() if key not in own]
    lines = "".join(
        f"<dt>{_text(key)}</dt><dd>{_text(value)}</dd>" for key, value in cells if value is not None
    )
    return f'<dl class="own">{lines}</dl>' if lines else ""


def _table(delivery: Delivery, rows: list[str]) -> str:
    if not rows:
        return ""
    names = [str(component["name"]) for component in delivery.components]
    units = {str(component["name"]): unit_text(component) for component in delivery.components}
    heads = ["rank", "structure", "id", "score", *names]
    heads += [key.replace("_", " ") for key in _placed(delivery)]
    heads += ["nearest reference", "similarity", "undefined stereo", "step", "flags"]
    cells = "".join(
        f'<th scope="col"><button type="button">{escape(head)}</button>'
        f"{f'<small>{escape(units[head])}</small>' if units.get(head) else ''}</th>"
        for head in heads
    )
    return (
        f'<div class="scroll"><table class="overview" id="overview"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _table_row(row: Mapping[str, Any], place: int, delivery: Delivery) -> str:
    cells = [
        _cell(row.get("rank", place)),
        f'<td class="paper"><svg viewBox="0 0 {_PICTURE[0]} {_PICTURE[1]}" aria-hidden="true">'
        f'<use href="#mol{place}"/></svg></td>',
        f'<td><a href="#card{place}">{_text(row.get("id"))}</a></td>',
        _cell(row.get("score"), row.get("score"), fraction(row.get("score"), 3)),
    ]
    for component in delivery.components:
        name = str(component["name"])
        cells.append(_cell(row.get(name), row.get(f"{name}_desirability")))
    cells += [_cell(row.get(key)) for key in _placed(delivery)]
    cells += [
        _cell(row.get(key)) for key in ("nearest_reference", "nearest_similarity", "undefined_stereo", "step")
    ]
    cells.append(f'<td class="words">{_text(row.get("flags"))}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _placed(delivery: Delivery) -> list[str]:
    """Columns of the overview that say how the list was chosen, as far as there are any."""
    return [
        key for key in ("front", "cluster") if any(row.get(key) is not None for row in delivery.candidates)
    ]


def _cell(value: Any, desirability: Any = None, text: str | None = None) -> str:
    if not is_number(value):
        return f"<td>{number(value) or NO_VALUE}</td>"
    grade = f" {_grade(desirability)}" if is_number(desirability) else ""
    return f'<td class="n{grade}" data-v="{float(value):.6g}">{escape(text) if text else number(value)}</td>'


def _grade(desirability: Any) -> str:
    """Class of a desirability: good from 0.7, fair from 0.4, poor below."""
    return "good" if desirability >= 0.7 else "fair" if desirability >= 0.4 else "poor"


def number(value: Any) -> str:
    """As in the summary, escaped: a user's column may hold a text where a number is expected."""
    return escape(plain_number(value))


def _text(value: Any) -> str:
    return "" if value is None else escape(str(value))
