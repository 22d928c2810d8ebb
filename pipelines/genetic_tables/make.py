"""Make the table of the genetic operators from unlabeled ZINC250k, to the byte.

    python pipelines/genetic_tables/make.py -o molgen/optimize/genetic/tables/zinc250k.json.gz

Molecules are standardized (policy ``flat``: neutral, without stereo), each counts once. Counted are pieces (a piece
once per molecule), elements, ring sizes and atom environments; no score, no property and no other set takes part. On a
site without network bring the set first with ``molgen data fetch zinc250k --source FILE``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rdkit import Chem

from molgen.chem.molecule import parse_all
from molgen.core.errors import MolgenError
from molgen.data import catalog
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.optimize.genetic.pieces import elementary, side_chains
from molgen.optimize.genetic.tables import FORMAT, environments
from molgen.run.files import sha256_file, write_atomic
from molgen.run.progress import Progress, say

#: Heavy atoms of a side chain that is kept as one piece.
LARGEST_CHAIN = 12
#: A piece, and an environment, that fewer molecules have is left out: it may be a mistake of the set.
FEWEST_PIECE, FEWEST_ENVIRONMENT = 3, 2
#: How many of the most frequent pieces are kept, by the number of wildcards.
MOST_PIECES = {1: 4000, 2: 2500, 3: 1000}
CHUNK = 500
DEFAULT = Path("molgen/optimize/genetic/tables/zinc250k.json.gz")


class Counts:
    """What is counted, molecule by molecule."""

    def __init__(self) -> None:
        self.molecules = 0
        self.pieces: Counter[str] = Counter()
        self.elements: Counter[int] = Counter()
        self.ring_sizes: Counter[int] = Counter()
        self.environments: Counter[int] = Counter()

    def add(self, mol: Chem.Mol) -> None:
        """Count one molecule."""
        self.molecules += 1
        self.elements.update(atom.GetAtomicNum() for atom in mol.GetAtoms())
        self.ring_sizes.update(len(ring) for ring in mol.GetRingInfo().AtomRings())
        self.environments.update(environments(mol))
        found = {*elementary(mol), *side_chains(mol, LARGEST_CHAIN)}
        self.pieces.update(text for text in found if text.count("*") in MOST_PIECES)

    def table(self, source: dict[str, Any]) -> dict[str, Any]:
        """The content of the shipped file."""
        often = sorted((-n, text) for text, n in self.pieces.items() if n >= FEWEST_PIECE)
        pieces = {
            str(k): {text: -n for n, text in [row for row in often if row[1].count("*") == k][:most]}
            for k, most in MOST_PIECES.items()
        }
        known = sorted(key for key, n in self.environments.items() if n >= FEWEST_ENVIRONMENT)
        return {
            "format": FORMAT,
            "source": source | {"molecules": self.molecules},
            "pieces": pieces,
            "elements": {str(z): n for z, n in sorted(self.elements.items())},
            "ring_sizes": {str(size): n for size, n in sorted(self.ring_sizes.items())},
            "environments": [b - a for a, b in zip([0, *known], known, strict=False)],
        }


def count(path: Path, one_in: int = 1) -> Counts:
    """Count the distinct one-fragment molecules of a file, or of every ``one_in``-th of its rows."""
    texts = [text for k, (_, text, _, _) in enumerate(raw_rows(path)) if k % one_in == 0]
    counts, seen = Counts(), set()
    with Progress(len(texts), "rows", "counting") as bar:
        for start in range(0, len(texts), CHUNK):
            part = texts[start : start + CHUNK]
            for molecule in parse_all(part, "flat").ok:
                if molecule.smiles not in seen and "." not in molecule.smiles:
                    seen.add(molecule.smiles)
                    counts.add(molecule.mol)
            bar.advance(len(part))
    return counts


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, fetch, count, write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT, metavar="FILE")
    parser.add_argument("--one-in", type=int, default=1, metavar="N", help="every N-th row only")
    arguments = parser.parse_args(argv)
    try:
        path = fetch("zinc250k", progress=say)
        entry = catalog.get_entry("zinc250k")
        source = {
            "name": entry.name,
            "title": entry.title,
            "license": entry.license,
            "citation": entry.citation,
            "sha256": sha256_file(path),
            "one_in": arguments.one_in,
        }
        table = count(path, arguments.one_in).table(source)
    except MolgenError as error:
        say(f"make: {error}")
        return error.exit_code
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(arguments.output, gzip.compress(json.dumps(table).encode(), 9, mtime=0))
    print(
        f"{arguments.output}  {arguments.output.stat().st_size:,} bytes, {table['source']['molecules']:,} molecules"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
