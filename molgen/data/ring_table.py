"""Build the ring-system frequency table that molgen ships: ``python -m molgen.data.ring_table -o FILE NAME=PATH ...``.

Each input is read through the standardization policy ``default``; a molecule that stands in several inputs counts
once, and a ring system counts once per molecule. The output is the same to the byte for the same inputs.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from rdkit import Chem, rdBase

from molgen.chem.fragments import ring_systems
from molgen.chem.molecule import parse
from molgen.chem.rings import FORMAT, flat
from molgen.chem.standardize import standardize
from molgen.core.errors import MoleculeError
from molgen.data.reader import raw_rows

_CHUNK = 2_000


def _rings_of(texts: list[str]) -> list[tuple[bytes, tuple[str, ...]] | None]:
    """For each string: a mark of the standardized molecule and its distinct flat ring systems; None if refused."""
    found: list[tuple[bytes, tuple[str, ...]] | None] = []
    with rdBase.BlockLogs():
        for text in texts:
            try:
                mol = standardize(parse(text), text=text)
            except MoleculeError:
                found.append(None)
                continue
            mark = hashlib.blake2b(Chem.MolToSmiles(mol).encode(), digest_size=8).digest()
            found.append((mark, tuple({flat(ring) for ring in ring_systems(mol)})))
    return found


def build(inputs: Mapping[str, Path], out: Path, workers: int = 1) -> Counter[str]:
    """Count the ring systems of all inputs (name -> file) and write the table. Returns the counts."""
    counts: Counter[str] = Counter()
    seen: set[bytes] = set()
    sources = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for name, path in inputs.items():
            texts = [text for _, text, _, _ in raw_rows(path)]
            parts = [texts[i : i + _CHUNK] for i in range(0, len(texts), _CHUNK)]
            before = len(seen)
            for number, part in enumerate(pool.map(_rings_of, parts), start=1):
                for found in part:
                    if found is not None and found[0] not in seen:
                        seen.add(found[0])
                        counts.update(found[1])
                if number % 10 == 0 or number == len(parts):
                    done = min(number * _CHUNK, len(texts))
                    print(
                        f"{name}: {done:,} of {len(texts):,} rows, {len(counts):,} ring systems",
                        file=sys.stderr,
                    )
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            new = len(seen) - before
            sources.append(f"# source: {name}: {len(texts)} rows, {new} molecules counted, sha256 {sha256}")
    lines = [
        f"# format: {FORMAT}",
        "# content: ring systems without stereo, and the number of molecules that contain each",
        *sources,
        f"# molecules: {len(seen)}",
        f"# ring systems: {len(counts)}",
        "# license: CC BY-SA 3.0, see NOTICE beside this file",
        "smiles\tmolecules",
        *(f"{ring}\t{count}" for ring, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
    ]
    out.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))
    return counts


def main(arguments: list[str] | None = None) -> None:
    """Command line; see the module docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("inputs", nargs="+", metavar="NAME=PATH", help="inputs, in the order of counting")
    options = parser.parse_args(arguments)
    named = [text.partition("=") for text in options.inputs]
    build({name: Path(path) for name, _, path in named}, options.out, options.workers)


if __name__ == "__main__":
    main()
