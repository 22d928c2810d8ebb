import pandas as pd
import pytest

from molgen.report.frame import MoleculeFrame, show


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "smiles": ["CCO", "not a molecule", None, "c1ccccc1"],
            "name": ["<script>x</script>", "b", "c", "d"],
            "score": [0.51234, float("nan"), None, 1.0],
        }
    )


def test_structures_are_shown_and_texts_escaped(frame: pd.DataFrame) -> None:
    html = show(frame)
    assert html.count("<svg ") == 2
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "0.51" in html
    assert "nan" not in html.lower()


def test_only_the_first_rows_are_shown_and_it_says_so(frame: pd.DataFrame) -> None:
    html = show(frame, n=1)
    assert html.count("<svg ") == 1
    assert "1 of 4 rows shown" in html
    assert "rows shown" not in show(frame)


def test_a_wrong_column_names_the_right_ones(frame: pd.DataFrame) -> None:
    with pytest.raises(KeyError, match="columns: smiles, name, score"):
        show(frame, smiles_column="structure")


def test_a_result_shows_itself_in_a_notebook(frame: pd.DataFrame) -> None:
    class Result(MoleculeFrame):
        def to_frame(self) -> pd.DataFrame:
            return frame

        def caption(self) -> str:
            return "four <rows>"

    html = Result()._repr_html_()
    assert "four &lt;rows&gt;" in html
    assert "<svg " in html


def test_a_result_without_a_table_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        MoleculeFrame()  # type: ignore[abstract]
