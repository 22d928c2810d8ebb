"""Canonical strings without messages, and what a search files a molecule under."""

from __future__ import annotations

import pytest

from molgen.chem.canonical import canonical, scaffold_of


def test_a_broken_string_is_none_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert canonical("c1ccccc") is None
    assert canonical("") is None
    assert capfd.readouterr().err == ""


def test_stereo_is_kept_unless_it_is_not_wanted() -> None:
    assert canonical("OC(=O)[C@@H](N)C") == canonical("C[C@H](N)C(=O)O")
    assert canonical("OC(=O)[C@@H](N)C", stereo=False) == "CC(N)C(=O)O"


def test_a_molecule_without_ring_is_its_own_scaffold() -> None:
    assert scaffold_of("Cc1ccccc1") == "c1ccccc1"
    assert scaffold_of("CCO") == "CCO"
