"""Draw molecules as compact SVG or PNG, with coordinates that depend on the molecule alone.

No window system is needed. The SVG has no ids, no scripts and no external references, so that any number of drawings
can be pasted into one HTML page; redundant style text is folded together, which makes it three times smaller than
RDKit's own output and pixel-identical to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdDepictor, rdRascalMCES
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.rdBase import BlockLogs

# Darker than RDKit's defaults: yellow sulfur and cyan fluorine are unreadable on white paper.
_PALETTE = {
    7: (0.10, 0.25, 0.80),
    8: (0.80, 0.08, 0.08),
    9: (0.05, 0.50, 0.48),
    15: (0.80, 0.40, 0.00),
    16: (0.60, 0.46, 0.00),
    17: (0.04, 0.52, 0.16),
    35: (0.55, 0.22, 0.10),
    53: (0.45, 0.10, 0.55),
}
_HIGHLIGHT = (1.0, 0.84, 0.50)
# Far apart also for the color-blind, and light enough for black letters on them.
_RAISES, _LOWERS = (0.33, 0.62, 0.95), (0.98, 0.58, 0.20)
_SECONDS = 10  # analogues never come near it, see compare

_ELEMENT = re.compile(r"<(path|ellipse)\b([^>]*?)/>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([\w-]+)='([^']*)'", re.DOTALL)
_UNKNOWN = re.compile(r"<(circle|rect|polygon|polyline|line|text|image|g)\b")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?|[A-Za-z]")


@dataclass(frozen=True)
class Comparison:
    """Two molecules drawn alike: the second is laid out on the first, ``changed`` are atom indices outside of what
    they share."""

    mol: Chem.Mol
    changed: list[int]
    reference: Chem.Mol
    reference_changed: list[int]


def depict(mol: Chem.Mol) -> Chem.Mol:
    """Return a copy with one fresh set of 2D coordinates; same molecule and atom order, same coordinates."""
    flat = Chem.Mol(mol)
    flat.RemoveAllConformers()
    if flat.GetNumAtoms():
        rdDepictor.Compute2DCoords(flat, canonOrient=True, clearConfs=True, useRingTemplates=True)
        rdDepictor.StraightenDepiction(flat)
    return flat


def svg(mol: Chem.Mol, size: tuple[int, int] = (240, 170), highlight: Sequence[int] | None = None) -> str:
    """Draw as an SVG element; ``size`` is (width, height) in pixels, ``highlight`` atom indices to mark.

    A tetrahedral center or double bond without defined stereo is drawn with a wavy or crossed bond. A molecule that
    has a 2D conformer keeps its layout, see :func:`depict` and :func:`compare`.
    """
    drawer = rdMolDraw2D.MolDraw2DSVG(*size)
    _draw(drawer, mol, highlight, clear_background=False)
    return _compact(drawer.GetDrawingText(), size)


def svg_weights(
    mol: Chem.Mol, weights: Sequence[float], scale: float, size: tuple[int, int] = (240, 170)
) -> str:
    """Draw with each atom colored by its weight: blue raises, orange lowers, white does neither.

    ``weights``: one per atom; ``scale`` (above 0) is the weight that has the full color.
    """
    colors = _colors(weights, scale)
    drawer = rdMolDraw2D.MolDraw2DSVG(*size)
    _draw(drawer, mol, list(colors), clear_background=False, colors=colors)
    return _compact(drawer.GetDrawingText(), size)


def png(mol: Chem.Mol, size: tuple[int, int] = (480, 340), highlight: Sequence[int] | None = None) -> bytes:
    """Draw as PNG on white; ``size`` is (width, height) in pixels, ``highlight`` atom indices to mark."""
    drawer = rdMolDraw2D.MolDraw2DCairo(*size)
    _draw(drawer, mol, highlight, clear_background=True)
    return bytes(drawer.GetDrawingText())


def png_weights(
    mol: Chem.Mol, weights: Sequence[float], scale: float, size: tuple[int, int] = (480, 340)
) -> bytes:
    """Draw as PNG on white with each atom colored by its weight, as :func:`svg_weights` does."""
    colors = _colors(weights, scale)
    drawer = rdMolDraw2D.MolDraw2DCairo(*size)
    _draw(drawer, mol, list(colors), clear_background=True, colors=colors)
    return bytes(drawer.GetDrawingText())


def _colors(weights: Sequence[float], scale: float) -> dict[int, tuple[float, float, float]]:
    colors = {}
    for atom, weight in enumerate(weights):
        share = min(1.0, abs(weight) / scale)
        if share >= 0.05:  # paler than this is not told from white
            full = _RAISES if weight > 0 else _LOWERS
            red, green, blue = (round(1 - share * (1 - c), 3) for c in full)
            colors[atom] = (red, green, blue)
    return colors


def compare(mol: Chem.Mol, reference: Chem.Mol) -> Comparison | None:
    """Lay out ``reference`` on ``mol`` by their largest common substructure and find the atoms outside of it.

    What they share is one connected piece, whole rings only. The search is RASCAL (Raymond, Gardiner and Willett,
    Comput. J. 45 (2002) 631), milliseconds for analogues; for others it is given up. Returns None where less than
    half of the smaller molecule is shared, for then such a picture misleads.
    """
    options: Any = rdRascalMCES.RascalOptions()  # RDKit's stubs take its properties for methods
    # With these four, 120 pairs of nearest neighbors took 2 ms each and 0.2 s at most; several pieces instead of
    # one, or parts of rings, or rdFMCS, took seconds for every tenth pair.
    options.singleLargestFrag = True
    options.completeAromaticRings = True
    options.completeSmallestRings = True
    options.ringMatchesRingOnly = True
    options.similarityThreshold = 0.5
    options.timeout = _SECONDS
    with BlockLogs():
        found = rdRascalMCES.FindMCES(mol, reference, options)
    if not found or found[0].timedOut:
        return None
    pairs = [(int(i), int(j)) for i, j in found[0].atomMatches()]
    if len(pairs) * 2 < min(mol.GetNumAtoms(), reference.GetNumAtoms()):
        return None
    flat, other = depict(mol), Chem.Mol(reference)
    other.RemoveAllConformers()
    try:
        rdDepictor.GenerateDepictionMatching2DStructure(other, flat, pairs)
    except (
        RuntimeError,
        ValueError,
    ):  # ring systems whose layouts cannot be superposed: the marks are still right
        other = depict(reference)
    shared, shared_reference = {i for i, _ in pairs}, {j for _, j in pairs}
    return Comparison(
        flat,
        [i for i in range(mol.GetNumAtoms()) if i not in shared],
        other,
        [j for j in range(reference.GetNumAtoms()) if j not in shared_reference],
    )


def _draw(
    drawer: rdMolDraw2D.MolDraw2D,
    mol: Chem.Mol,
    highlight: Sequence[int] | None,
    *,
    clear_background: bool,
    colors: Mapping[int, tuple[float, float, float]] | None = None,
) -> None:
    options: Any = drawer.drawOptions()  # RDKit's stubs take its properties for methods
    options.clearBackground = clear_background
    options.updateAtomPalette(_PALETTE)
    options.setHighlightColour(_HIGHLIGHT)
    options.padding = 0.04
    width = drawer.Width()
    options.bondLineWidth = max(1.2, width / 170)
    options.scaleBondWidth = False
    options.fixedBondLength = width / 10.5  # an upper limit, so that small molecules are not blown up
    options.minFontSize = 6
    options.unspecifiedStereoIsUnknown = True
    options.highlightBondWidthMultiplier = 12
    flat = mol if _is_flat(mol) else depict(mol)
    atoms = sorted(set(highlight or ()))
    inside = set() if colors else set(atoms)  # a bond between two colors has none
    bonds = [
        bond.GetIdx()
        for bond in flat.GetBonds()
        if bond.GetBeginAtomIdx() in inside and bond.GetEndAtomIdx() in inside
    ]
    options.highlightRadius = 0.4 if colors else options.highlightRadius
    rdMolDraw2D.PrepareAndDrawMolecule(
        drawer, flat, highlightAtoms=atoms, highlightBonds=bonds, highlightAtomColors=dict(colors or {})
    )
    drawer.FinishDrawing()


def _is_flat(mol: Chem.Mol) -> bool:
    return mol.GetNumConformers() > 0 and not mol.GetConformer().Is3D()


def _compact(text: str, size: tuple[int, int]) -> str:
    """Fold RDKit's SVG: neighboring strokes of one color become one path, defaults are not repeated."""
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">'
    )
    if _UNKNOWN.search(text):  # an element that the folding below does not know: leave the drawing as it is
        body = text.partition("<!-- END OF HEADER -->")[2].rpartition("</svg>")[0]
        return head + re.sub(r"\s+class='[^']*'", "", body).strip() + "</svg>"
    parts: list[str] = []
    run: dict[tuple[str, ...], list[str]] = {}

    def flush() -> None:
        parts.extend(_element(style, "".join(paths)) for style, paths in run.items())
        run.clear()

    for match in _ELEMENT.finditer(text):
        attributes: dict[str, str] = dict(_ATTRIBUTE.findall(match.group(2)))
        style = dict(item.split(":", 1) for item in attributes.get("style", "").split(";") if ":" in item)
        fill = attributes.get("fill", style.get("fill", "none"))
        stroke = style.get("stroke", "none")
        opacity = style.get("fill-opacity", "1")
        if match.group(1) == "ellipse":
            flush()
            place = " ".join(f'{name}="{attributes[name]}"' for name in ("cx", "cy", "rx", "ry"))
            parts.append(f'<ellipse {place} fill="{fill.lower()}"/>')
            continue
        key = (fill, stroke, style.get("stroke-width", "").removesuffix("px"), opacity)
        path = _numbers(attributes.get("d", ""))
        if fill == "none" or "fill" in attributes:  # strokes and glyphs neither overlap nor hide one another
            run.setdefault(key, []).append(path)
        else:
            flush()
            parts.append(_element(key, path))
    flush()
    return head + "".join(parts) + "</svg>"


def _element(key: tuple[str, ...], path: str) -> str:
    fill, stroke, width, opacity = key
    text = f'<path fill="{fill.lower()}"'
    if stroke != "none" and float(width or 1) > 0:
        text += f' stroke="{stroke.lower()}" stroke-width="{width}"'
    if float(opacity) != 1:
        text += f' fill-opacity="{opacity}"'
    return f'{text} d="{path}"/>'


def _numbers(path: str) -> str:
    """Write path data with one decimal, relative to the point before (shorter), and no spare separators."""
    x = y = 0.0
    out: list[str] = []
    command = ""
    values: list[float] = []
    for token in _NUMBER.findall(path):
        if token.isalpha():
            command = token
            values = []
            if token == "Z":
                out.append("z")
            continue
        values.append(float(token))
        if len(values) < {"M": 2, "L": 2, "Q": 4, "C": 6}[command]:
            continue
        moved = [round(v - (x if i % 2 == 0 else y), 1) for i, v in enumerate(values)]
        x, y = values[-2], values[-1]
        if command == "M":
            out.append(f"M{_short(x)}{_join(y)}")
            command = "L"
        else:
            out.append(command.lower() + _short(moved[0]) + "".join(_join(v) for v in moved[1:]))
        values = []
    return "".join(out)


def _short(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    text = text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
    return "0" if text in ("-0", "") else text


def _join(value: float) -> str:
    text = _short(value)
    return text if text.startswith("-") else " " + text
