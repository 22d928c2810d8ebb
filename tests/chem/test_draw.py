import re
import xml.etree.ElementTree as ElementTree

import pytest
from rdkit import Chem

from molgen.chem.draw import compare, depict, png, svg

ERLOTINIB = "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC"


def mol(smiles: str) -> Chem.Mol:
    parsed = Chem.MolFromSmiles(smiles)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    "smiles",
    [ERLOTINIB, "C", "[Na+].[Cl-]", "C[C@H](N)C(=O)O", "CC(N)C=CC", "O=C1c2ccccc2C2CC1C2", "[*:1]c1ccccc1"],
)
def test_svg_is_well_formed_small_and_free_of_ids_and_links(smiles: str) -> None:
    text = svg(mol(smiles), (200, 150))
    root = ElementTree.fromstring(text)
    assert root.attrib["viewBox"] == "0 0 200 150"
    assert len(root) > 0
    assert len(text) < 6000
    assert "href" not in text
    assert "id=" not in text.replace("width=", "")


def test_same_molecule_gives_the_same_drawing_and_coordinates() -> None:
    first, second = mol(ERLOTINIB), mol(ERLOTINIB)
    assert svg(first) == svg(second)
    assert png(first) == png(second)
    assert (depict(first).GetConformer().GetPositions() == depict(second).GetConformer().GetPositions()).all()


def test_drawing_leaves_the_molecule_as_it_was() -> None:
    given = mol("CC(N)C(=O)O")
    before = Chem.MolToCXSmiles(given)
    svg(given, highlight=[0])
    png(given)
    depict(given)
    assert given.GetNumConformers() == 0
    assert Chem.MolToCXSmiles(given) == before


def _points(text: str) -> list[tuple[float, float]]:
    """Absolute points of all path data, whether it is written in RDKit's way or in ours."""
    points = []
    for path in re.findall(r"\bd=['\"]([^'\"]*)['\"]", text):
        x = y = 0.0
        for command, numbers in re.findall(r"([MLQlqzZ])([^MLQlqzZ]*)", path):
            values = [float(v) for v in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
            for at in range(0, len(values), 2):
                dx, dy = (x, y) if command.islower() else (0.0, 0.0)
                points.append((round(values[at] + dx, 1), round(values[at + 1] + dy, 1)))
            if values:
                x, y = points[-1]
    return points


def test_folding_keeps_every_point_of_the_original_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    import molgen.chem.draw as module

    original = {}
    fold = module._compact
    monkeypatch.setattr(
        module, "_compact", lambda text, size: original.setdefault("svg", text) and fold(text, size)
    )
    folded = svg(mol(ERLOTINIB), highlight=[0, 1, 2])
    expected, found = _points(original["svg"]), _points(folded)
    assert len(expected) > 100
    assert sorted(found) == sorted(expected)
    assert len(folded) * 2 < len(original["svg"])


def test_an_element_that_the_folding_does_not_know_is_kept() -> None:
    from molgen.chem.draw import _compact

    text = "<svg><!-- END OF HEADER --><text class='x' x='1'>N</text><path d='M 1,2 L 3,4'/></svg>"
    folded = _compact(text, (10, 10))
    assert "<text x='1'>N</text>" in folded
    assert "M 1,2 L 3,4" in folded


def test_highlight_is_drawn_and_an_undefined_center_looks_different_from_a_defined_one() -> None:
    plain, marked = svg(mol("CCO")), svg(mol("CCO"), highlight=[2])
    assert "#ffd67f" in marked
    assert "#ffd67f" not in plain
    open_center, defined = svg(mol("CC(F)Cl")), svg(mol("C[C@H](F)Cl"))
    assert open_center != defined


def test_png_is_a_picture_of_the_asked_size() -> None:
    data = png(mol("CCO"), (120, 80))
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == 120
    assert int.from_bytes(data[20:24], "big") == 80


def test_compare_marks_what_changed_and_draws_both_alike() -> None:
    analogue, parent = mol("CCc1ccc(C(=O)NC)cc1"), mol("Cc1ccc(C(=O)NC)cc1")
    found = compare(analogue, parent)
    assert found is not None
    assert found.changed == [0]
    assert found.reference_changed == []
    match = analogue.GetSubstructMatch(parent)
    one, other = found.mol.GetConformer(), found.reference.GetConformer()
    for in_parent, in_analogue in enumerate(match):
        distance = (one.GetAtomPosition(in_analogue) - other.GetAtomPosition(in_parent)).Length()
        assert distance < 0.1


def test_compare_is_quick_and_repeatable_for_close_analogues() -> None:
    """The first search that was tried took seconds for such a pair, and its time limit decided what was marked."""
    one = mol("COc1cc2ncnc(Nc3ccc(F)c(Br)c3)c2cc1OCCCN1CCN(C)CC1")
    other = mol("COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1")
    found = [compare(one, other) for _ in range(20)]
    assert all(each is not None and each.changed == found[0].changed for each in found)  # type: ignore[union-attr]


def test_compare_says_nothing_about_molecules_that_share_little() -> None:
    assert compare(mol("CCCCCCCC"), mol("c1ccc2[nH]ccc2c1")) is None
