from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molgen.data.catalog import is_fetched, locate


@pytest.fixture(scope="session")
def sheets(test_data: Path) -> dict[str, dict[str, np.ndarray]]:
    """The public score sheets of TDC by version: column -> values, some hundred ZINC molecules."""
    import pandas as pd

    found = {}
    for version in ("1.1.14", "0.3.6"):
        path = test_data / "parity" / f"pmo_tdc_{version.replace('.', '_')}.parquet"
        if not path.is_file():
            pytest.skip(f"needs {path.name}, which is not in the test data")
        frame = pd.read_parquet(path).iloc[::20]
        found[version] = {name: frame[name].to_numpy() for name in frame.columns}
    return found


@pytest.fixture(scope="session")
def fetched() -> None:
    """The published classifiers, where somebody has fetched them: tests use no network."""
    names = [name for name in ("drd2", "gsk3b", "jnk3") if not is_fetched(name)]
    if names:
        pytest.skip(f"needs the arrays of {', '.join(names)}: molgen data fetch {' '.join(names)}")
    for name in ("drd2", "gsk3b", "jnk3"):
        locate(name)
