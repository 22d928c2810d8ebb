"""Comparing a file of molecules with a list of known compounds, chunk by chunk, and writing what was found."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rdkit import Chem, rdBase

from molgen.chem.alerts import Substructure, compile_all
from molgen.chem.hazard import WITHHELD, Screen, hazard
from molgen.chem.identity import Identities, identify
from molgen.core.errors import ConfigError, DataError
from molgen.data.parallel import in_order
from molgen.data.reader import open_source
from molgen.data.sdf import Row
from molgen.run.files import explained
from molgen.run.progress import Progress
from molgen.scoring.novelty.inchikeys import LIMIT, compare_keys
from molgen.scoring.novelty.index import Index, open_index
from molgen.scoring.novelty.levels import LEVELS, Verdict, compare
from molgen.scoring.novelty.patents import PatentFilters

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the answer, before those of the input.
COLUMNS = ("id", "smiles", "level", "match", "match_smiles", "why", "tanimoto")
PATENT_COLUMNS = ("scaffold_in_patents", "skeleton_in_patents")
#: Where rows can be written while they come.
ENDINGS = (".csv", ".tsv", ".jsonl")


@dataclass
class NoveltyResult:
    """How many molecules are known at each level, in order; ``rows`` only if no file was written.

    ``notes`` are sentences that belong beside the numbers: what of the list could not be used, what was not possible.
    """

    counts: dict[str, int]
    notes: list[str]
    path: Path | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def to_frame(self) -> pd.DataFrame:
        """The rows; read from the file if one was written."""
        import pandas as pd

        if self.path is None:
            return pd.DataFrame(self.rows)
        if self.path.suffix == ".jsonl":
            return pd.read_json(self.path, lines=True)
        return pd.read_csv(self.path, sep="\t" if self.path.suffix == ".tsv" else ",")

    def caption(self) -> str:
        """The counts in words; never more than the list can tell."""
        words = ", ".join(f"{count:,} {level}" for level, count in self.counts.items() if count)
        return f"{words or 'no molecules'}. 'clear' means: {LEVELS['clear']}"


def novelty(
    file: str | Path | Sequence[str],
    against: str | Path,
    *,
    cores: Sequence[str] | Mapping[str, str] = (),
    out: Path | None = None,
    patents: bool = False,
    smiles_column: str | None = None,
    id_column: str | None = None,
    against_smiles_column: str | None = None,
    against_id_column: str | None = None,
    hazards: bool = True,
    workers: int = 1,
    quiet: bool = False,
) -> NoveltyResult:
    """Compare a file ("-": standard input) or SMILES with a list; see :func:`molgen.api.novelty`."""
    compiled = compile_all(dict(cores) if isinstance(cores, Mapping) else list(cores))
    screen = Screen(on=hazards)
    filters = PatentFilters() if patents else None
    if out is not None and out.suffix not in ENDINGS:
        raise ConfigError(f"{out}: rows are written while they come, to {', '.join(ENDINGS)}", "output")
    with Progress(None, "rows", "indexing the list", quiet=quiet) as bar:
        index = open_index(
            against,
            smiles_column=against_smiles_column,
            id_column=against_id_column,
            workers=workers,
            progress=bar.advance,
        )
    rows, names, notes = _input(file, smiles_column, id_column)
    columns = [*COLUMNS, *(PATENT_COLUMNS if filters else ()), *(n for n in names if n not in COLUMNS)]
    counts: Counter[str] = Counter(dict.fromkeys(LEVELS, 0))
    kept: list[dict[str, Any]] = []
    with Progress(None, "molecules", "comparing", quiet=quiet) as bar, _Writer(out, columns) as writer:
        for part, (found, classes) in in_order(
            _examine if hazards else _identify_only, rows, workers=workers
        ):
            screen.counts.update(name for name in classes if name is not None)
            for row in _answers(part, found, classes, index, compiled, filters):
                counts[row["level"]] += 1
                if out is None:
                    kept.append(row)
                else:
                    writer.write(row)
            bar.advance(len(part), clear=counts["clear"])
    if not sum(counts.values()):
        raise DataError(f"{file}: there is no row in it")
    said = [*notes, index.summary(), *(f"{index.meta['name']}: {note}" for note in index.meta["notes"])]
    said += [LIMIT] if index.kind == "inchikey" else []
    said += [PatentFilters.MEANING] if filters else []
    return NoveltyResult(dict(counts), [*said, *screen.notes()], out, kept)


def _input(
    file: str | Path | Sequence[str], smiles_column: str | None, id_column: str | None
) -> tuple[Iterator[Row], list[str], list[str]]:
    """Rows, names of the other columns, and notes."""
    if not isinstance(file, (str, Path)):
        return (Row(line, text) for line, text in enumerate(file, 1)), [], []
    source = open_source(file, smiles_column=smiles_column, id_column=id_column)
    names = [name for name in source.columns if name not in (source.smiles_column, source.id_column)]
    return source.rows, names, source.notes


def _answers(
    part: Sequence[Row],
    found: Identities,
    hazards: Sequence[str | None],
    index: Index,
    cores: Sequence[Substructure],
    filters: PatentFilters | None,
) -> Iterator[dict[str, Any]]:
    if index.kind == "smiles":
        verdicts = compare(index, found, cores)
    else:
        verdicts = compare_keys(index, [row.text for row in part], found, cores)
    for row, smiles, verdict, danger in zip(part, found.smiles, verdicts, hazards, strict=True):
        name = row.id or f"line {row.line}"
        if danger is not None:  # nothing of the row but its id: other columns may hold the structure as well
            yield _row(name, "", Verdict("withheld", why=f"{WITHHELD}: {danger}"))
            continue
        answer = _row(name, smiles or row.text, verdict)
        if filters is not None and smiles:
            answer |= dict(zip(PATENT_COLUMNS, filters.seen(Chem.MolFromSmiles(smiles)), strict=True))
        yield answer | {key: value for key, value in row.data.items() if key not in answer}


def _examine(texts: list[str]) -> tuple[Identities, list[str | None]]:
    """Hashes and hazard classes of a chunk; this runs in the worker processes."""
    found = identify(texts)
    with rdBase.BlockLogs():
        return found, [_hazard(text, smiles) for text, smiles in zip(texts, found.smiles, strict=True)]


def _identify_only(texts: list[str]) -> tuple[Identities, list[str | None]]:
    return identify(texts), [None] * len(texts)


def _hazard(text: str, smiles: str) -> str | None:
    """The class for which a row is withheld: by its molecule, or by what standardization cut off or refused."""
    mol = Chem.MolFromSmiles(text) if "." in text or not smiles else Chem.MolFromSmiles(smiles)
    return None if mol is None else hazard(mol)


def _row(name: str, smiles: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "id": name,
        "smiles": smiles,
        "level": verdict.level,
        "match": verdict.match,
        "match_smiles": verdict.match_smiles,
        "why": verdict.why,
        "tanimoto": verdict.tanimoto,
    }


class _Writer:
    """Writes rows into a temporary file, which takes the place of the real one at the end, or never."""

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self.path, self.columns = path, columns
        self.temporary = None if path is None else path.with_name(f".{path.name}.part")
        self.stream: IO[str] | None = None

    def __enter__(self) -> _Writer:
        if self.temporary is not None and self.path is not None:
            with explained(self.path):
                self.stream = self.temporary.open("w", encoding="utf-8", newline="")
            delimiter = "\t" if self.path.suffix == ".tsv" else ","
            self.csv = csv.writer(self.stream, delimiter=delimiter, lineterminator="\n")
            if self.path.suffix != ".jsonl":
                self.csv.writerow(self.columns)
        return self

    def write(self, row: Mapping[str, Any]) -> None:
        """One row, at once."""
        assert self.stream is not None
        assert self.path is not None
        if self.path.suffix == ".jsonl":
            self.stream.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        else:
            self.csv.writerow(["" if row.get(name) is None else row[name] for name in self.columns])

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.stream is None or self.temporary is None or self.path is None:
            return
        self.stream.close()
        if kind is None:
            with explained(self.path):
                self.temporary.replace(self.path)
        else:
            self.temporary.unlink(missing_ok=True)
