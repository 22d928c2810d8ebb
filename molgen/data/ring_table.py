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
from pathlib import Path

from molgen.chem.fragments import ring_systems
from molgen.chem.rings import FORMAT, flat
from molgen.data.reader import stream


def build(inputs: Mapping[str, Path], out: Path) -> Counter[str]:
    """Count the ring systems of all inputs (name -> file) and write the table. Returns the counts."""
    counts: Counter[str] = Counter()
    seen: set[bytes] = set()
    flattened: dict[str, str] = {}
    sources = []
    for name, path in inputs.items():
        rows = new = 0
        for parsed in stream(path, chunk=2_000):  # each chunk holds its RDKit molecules, some 30 kB each
            rows += len(parsed.ok) + len(parsed.rejected)
            for molecule in parsed.ok:
                mark = hashlib.blake2b(molecule.smiles.encode(), digest_size=8).digest()
                if mark in seen:
                    continue
                seen.add(mark)
                new += 1
                found = set()
                for ring in ring_systems(molecule.mol):
                    if ring not in flattened:
                        flattened[ring] = flat(ring)
                    found.add(flattened[ring])
                counts.update(found)
            if rows % 20_000 < len(parsed.ok) + len(parsed.rejected):
                print(f"{name}: {rows:,} rows, {new:,} new molecules, {len(counts):,} rings", file=sys.stderr)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        sources.append(f"# source: {name}: {rows} rows, {new} molecules counted, sha256 {sha256}")
    lines = [
        f"# format: {FORMAT}",
        "# content: ring systems without stereo, and the number of molecules that contain each",
        *sources,
        f"# molecules: {len(seen)}",
        f"# ring systems: {len(counts)}",
        "# licence: CC BY-SA 3.0, see NOTICE beside this file",
        "smiles\tmolecules",
        *(f"{ring}\t{count}" for ring, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
    ]
    out.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))
    return counts


def main(arguments: list[str] | None = None) -> None:
    """Command line; see the module docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("inputs", nargs="+", metavar="NAME=PATH", help="inputs, in the order of counting")
    options = parser.parse_args(arguments)
    named = [text.partition("=") for text in options.inputs]
    build({name: Path(path) for name, _, path in named}, options.out)


if __name__ == "__main__":
    main()
