from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from molgen.core.errors import DataError
from molgen.metrics.ring_novelty import BloomFilter, ring_systems_known

# Written by molbloom 2.2.1: 251 bits; benzene, piperidine and indole were put in.
WRITTEN_BY_MOLBLOOM = bytes.fromhex(
    "424c4f4f4d020d000000fb0000000000000004020401100002a80014090800c80044002600a21000140502000900004024"
)


@pytest.fixture
def known(tmp_path: Path) -> BloomFilter:
    (tmp_path / "rings.bloom").write_bytes(WRITTEN_BY_MOLBLOOM)
    return BloomFilter.read(tmp_path / "rings.bloom")


def test_members_written_by_molbloom_are_found(known: BloomFilter) -> None:
    assert all(ring in known for ring in ("c1ccccc1", "C1CCNCC1", "c1ccc2[nH]ccc2c1"))
    assert not any(ring in known for ring in ("c1ccncc1", "C1CC1", "", "C1CCCCCCC1"))


def test_a_molecule_is_known_when_all_its_ring_systems_are(known: BloomFilter) -> None:
    texts = ["CCO", "Cc1ccccc1", "C1CCNCC1c1ccccc1", "c1ccccc1C1CC1", "Cc1ccncc1"]
    assert (
        ring_systems_known([Chem.MolFromSmiles(t) for t in texts], known).tolist() == [True] * 3 + [False] * 2
    )


@pytest.mark.parametrize("cut", [0, 5, 17, 30])
def test_a_truncated_file_is_named(cut: int, tmp_path: Path) -> None:
    (tmp_path / "rings.bloom").write_bytes(WRITTEN_BY_MOLBLOOM[:cut])
    with pytest.raises(DataError, match=r"rings\.bloom"):
        BloomFilter.read(tmp_path / "rings.bloom")


def test_another_file_and_no_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.bloom").write_bytes(b"PK\x03\x04" + b"\0" * 50)
    with pytest.raises(DataError, match="chembl-gen-check"):
        BloomFilter.read(tmp_path / "x.bloom")
    with pytest.raises(DataError, match="cannot be read"):
        BloomFilter.read(tmp_path / "absent.bloom")
