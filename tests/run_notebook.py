"""Executes one notebook in a scratch folder and fails on the first error or on stored outputs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    stored = [i for i, cell in enumerate(notebook.cells) if cell.get("outputs")]
    if stored:
        raise SystemExit(f"{path}: cells {stored} have stored outputs; clear them before committing")
    with tempfile.TemporaryDirectory() as scratch:
        NotebookClient(notebook, timeout=900, resources={"metadata": {"path": scratch}}).execute()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
