from pathlib import Path
from types import SimpleNamespace

import pytest

from molgen.core.errors import RunError
from molgen.core.schema import OptimizeConfig
from molgen.optimize.protocol import Delivery
from molgen.report import write_results


def test_four_files_are_written_and_nothing_else(
    folder: SimpleNamespace, delivery: Delivery, config: OptimizeConfig
) -> None:
    paths = write_results(folder, delivery, config=config)
    assert {key: path.name for key, path in paths.items()} == {
        "csv": "candidates.csv",
        "sdf": "candidates.sdf",
        "xlsx": "candidates.xlsx",
        "html": "report.html",
    }
    assert {path.name for path in folder.results.iterdir()} == {path.name for path in paths.values()}


def test_same_delivery_gives_the_same_bytes(tmp_path: Path, hostile: Delivery) -> None:
    first = write_results(SimpleNamespace(results=tmp_path / "a"), hostile)
    second = write_results(SimpleNamespace(results=tmp_path / "b"), hostile)
    for key, path in first.items():
        assert path.read_bytes() == second[key].read_bytes(), key


def test_an_unwritable_folder_is_named(tmp_path: Path, hostile: Delivery) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="results"):
        write_results(SimpleNamespace(results=tmp_path / "results"), hostile)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
