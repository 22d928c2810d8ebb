"""Make the training data of a shipped prior from the catalog's public sets, to the byte, with a report.

    python pipelines/train_prior/prepare.py moses
    python pipelines/train_prior/prepare.py druglike
    python pipelines/train_prior/prepare.py zinc250k
    python pipelines/train_prior/prepare.py qm9

``moses`` is the MOSES training set, its strings as published. ``druglike`` is ZINC250k followed by the ChEMBL-like
sample: canonical SMILES with charges and stereo as they are, one fragment, each molecule once. ``zinc250k`` is that
set alone, standardized and without stereo: the unlabeled data of the clean league of the optimization benchmarks.
``qm9`` is QM9 as it is, each molecule once; one in 13 is held out, some ten thousand. The
files go to ``data/`` beside this script, where the configurations look for them. The sets are fetched on first
use; on a site without network bring them first with ``molgen data fetch NAME --source FILE``.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molgen.core.errors import DataError, MolgenError
from molgen.data import catalog
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows, stream
from molgen.data.vocabulary import atom_tokens
from molgen.run.files import sha256_file, write_atomic, write_json
from molgen.run.manifest import versions
from molgen.run.progress import Progress, say

FORMAT = 1
SETS = {
    "moses": ("moses",),
    "druglike": ("zinc250k", "chembl-sample"),
    "zinc250k": ("zinc250k",),
    "qm9": ("qm9",),
}
#: How the molecules are standardized; the benchmark's oracles see no stereo and prefer neutral forms.
POLICIES = {"druglike": "none", "zinc250k": "flat", "qm9": "none"}
#: A token in fewer molecules than this is not learned well enough to be drawn correctly.
MIN_MOLECULES_PER_TOKEN = 100
#: One in so many molecules is held out, chosen by a hash: the same molecule is held out of any other mixture too.
HOLD_OUT_ONE_IN = 50
#: Of QM9 more, so that ten thousand drawn ones have as many to be compared with.
HOLD_OUT = {"qm9": 13}
DEFAULT_FOLDER = Path(__file__).parent / "data"


@dataclass
class Prepared:
    """The strings to train on, those held out, and what became of every row of the sources."""

    training: list[str]
    held_out: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    rare_tokens: list[str] = field(default_factory=list)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, fetch, prepare, write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prior", choices=sorted(SETS))
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER")
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args(argv)
    try:
        report = run(arguments.prior, arguments.output, overwrite=arguments.overwrite)
    except MolgenError as error:
        say(f"prepare: {error}")
        return error.exit_code
    for name, file in report["files"].items():
        print(f"{arguments.output / file['path']}  {file['molecules']:,} molecules ({name})")
    return 0


def run(prior: str, folder: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write ``PRIOR.smi`` (and ``PRIOR_heldout.smi``) and ``PRIOR.report.json`` into ``folder``; returns the report."""
    targets = {"training": folder / f"{prior}.smi", "held out": folder / f"{prior}_heldout.smi"}
    report_path = folder / f"{prior}.report.json"
    for target in (*targets.values(), report_path):
        if target.exists() and not overwrite:
            raise DataError(f"{target} exists already; choose another folder or add --overwrite")
    paths = {name: fetch(name, progress=say) for name in SETS[prior]}
    if prior == "moses":
        prepared = as_published(paths["moses"])
    else:
        prepared = mixture(
            list(paths.values()), policy=POLICIES[prior], one_in=HOLD_OUT.get(prior, HOLD_OUT_ONE_IN)
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for label, smiles in (("training", prepared.training), ("held out", prepared.held_out)):
        if smiles:
            target = targets[label]
            write_atomic(target, "\n".join(smiles) + "\n")
            files[label] = {"path": target.name, "molecules": len(smiles), "sha256": sha256_file(target)}
    report = {
        "format": FORMAT,
        "kind": "prior_data",
        "prior": prior,
        "sources": [_source(name, path) for name, path in paths.items()],
        "counts": prepared.counts,
        "rare_tokens": prepared.rare_tokens,
        "files": files,
        "versions": {name: v for name, v in versions().items() if name in ("molgen-toolkit", "rdkit")},
    }
    write_json(report_path, report)
    return report


def as_published(path: Path) -> Prepared:
    """The strings of a file in their order, untouched: published protocols compare with exactly these."""
    smiles = [text for _, text, _, _ in raw_rows(path)]
    return Prepared(smiles, counts={"rows": len(smiles)})


def mixture(
    paths: Sequence[Path],
    *,
    policy: str,
    min_molecules: int = MIN_MOLECULES_PER_TOKEN,
    one_in: int = HOLD_OUT_ONE_IN,
) -> Prepared:
    """The distinct one-fragment molecules of several files without rare tokens; one in ``one_in`` held out."""
    counts: Counter[str] = Counter()
    with Progress(None, "rows", "preparing") as bar:
        distinct = _distinct(paths, policy, counts, bar.advance)
    occurrences = Counter(token for smiles in distinct for token in set(atom_tokens(smiles)))
    rare = {token for token, n in occurrences.items() if n < min_molecules}
    kept = [smiles for smiles in distinct if rare.isdisjoint(atom_tokens(smiles))]
    counts["rare token"] = len(distinct) - len(kept)
    held_out = [smiles for smiles in kept if is_held_out(smiles, one_in)]
    training = [smiles for smiles in kept if not is_held_out(smiles, one_in)]
    if not training or not held_out:
        raise DataError(
            f"{len(kept)} molecules are left of {', '.join(map(str, paths))}: too few to train on"
        )
    return Prepared(training, held_out, dict(counts), sorted(rare))


def is_held_out(smiles: str, one_in: int = HOLD_OUT_ONE_IN) -> bool:
    """Whether a canonical string belongs to the held-out part, by its own hash alone."""
    return int(hashlib.sha256(smiles.encode()).hexdigest(), 16) % one_in == 0


def _distinct(
    paths: Iterable[Path], policy: str, counts: Counter[str], advance: Callable[[int], Any]
) -> list[str]:
    """Canonical strings in order of first appearance; fills ``counts`` with the rows and why any were dropped."""
    seen: dict[str, None] = {}
    for path in paths:
        for parsed in stream(path, policy=policy, progress=advance):
            counts["rows"] += len(parsed.ok) + len(parsed.rejected)
            counts.update(row.why for row in parsed.rejected)
            for molecule in parsed.ok:
                if "." in molecule.smiles:
                    counts["multiple fragments"] += 1
                elif molecule.smiles in seen:
                    counts["duplicate"] += 1
                else:
                    seen[molecule.smiles] = None
    return list(seen)


def _source(name: str, path: Path) -> dict[str, Any]:
    entry = catalog.get_entry(name)
    sha256 = sha256_file(path)
    return {
        "name": name,
        "title": entry.title,
        "origin": entry.origin,
        "license": entry.license,
        "citation": entry.citation,
        "sha256": sha256,
        **({"form": entry.also[sha256]} if sha256 in entry.also else {}),
    }


if __name__ == "__main__":
    sys.exit(main())
