"""Molecules into points of a model's latent space and back, row by row, with the reason where there is none."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.molecule import Parsed, parse_all
from molgen.core.errors import ConfigError, DataError
from molgen.data.reader import stream
from molgen.report.frame import MoleculeFrame
from molgen.run.files import write_atomic
from molgen.run.progress import Progress
from molgen.workflows.capability import require

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("id", "smiles", "problem")


@dataclass(frozen=True)
class Encoded(MoleculeFrame):
    """One row per row of the input, in its order: ``z`` float32 ``[n, d]``, NaN where ``problem`` says why."""

    id: list[str]
    smiles: list[str]
    z: np.ndarray
    problem: list[str]

    def __len__(self) -> int:
        return len(self.smiles)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``id`` and ``problem`` where there are any, ``smiles``, ``z0``, ``z1`` ..."""
        import pandas as pd

        table = pd.DataFrame(_columns(self))
        points = pd.DataFrame(self.z, columns=[f"z{k}" for k in range(self.z.shape[1])])
        return pd.concat([table, points], axis=1)

    def caption(self) -> str:
        """How many have a point, and why the others have none."""
        return f"{self.problem.count('')} of {len(self)} rows encoded" + _lost(self.problem)

    def save(self, path: Path | str) -> None:
        """An ``.npz`` with the arrays ``z``, ``id``, ``smiles`` and ``problem``, for NumPy and for ``decode``."""
        import io

        buffer = io.BytesIO()
        texts: dict[str, Any] = {name: np.array(getattr(self, name), np.str_) for name in _TEXTS}
        np.savez_compressed(buffer, allow_pickle=False, z=self.z, **texts)
        write_atomic(Path(path), buffer.getvalue())


@dataclass(frozen=True)
class Decoded(MoleculeFrame):
    """One row per point: ``smiles`` (empty where ``problem`` says why) and, where known, what the point came from.

    With a beam several rows per point, likeliest first: the number of the ``point``, the ``rank`` of the molecule (from
    1; 0 where there is none) and its ``log_likelihood`` (nats, given the point).
    """

    id: list[str]
    source: list[str]
    smiles: list[str]
    problem: list[str]
    point: list[int] | None = None
    rank: list[int] | None = None
    log_likelihood: list[float] | None = None

    def __len__(self) -> int:
        return len(self.smiles)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``id``, ``source`` and ``problem`` where there are any, ``smiles``; those of a beam."""
        import pandas as pd

        beam = {name: getattr(self, name) for name in ("point", "rank", "log_likelihood")}
        return pd.DataFrame(
            {k: v for k, v in beam.items() if k == "point" and v is not None}
            | _columns(self)
            | {k: v for k, v in beam.items() if k != "point" and v is not None}
        )

    def caption(self) -> str:
        """How many became molecules, and how many are what the points came from."""
        text = f"{self.problem.count('')} of {len(self)} points decoded"
        if self.rank is not None:
            text = f"{sum(map(bool, self.smiles))} molecules of {max(self.point or [0], default=0)} points"
        first = self.rank or [1] * len(self)
        known = [
            (a, b) for a, b, r in zip(self.source, self.smiles, first, strict=True) if a and b and r == 1
        ]
        if known:
            flat = parse_all([x for pair in known for x in pair], "flat")
            names = dict(zip(flat.index, (m.smiles for m in flat.ok), strict=True))
            same = sum(names.get(2 * k) == names.get(2 * k + 1) for k in range(len(known)))
            text += f", {same} of {len(known)} back to the molecule that they came from (stereo aside)"
        return text + _lost(self.problem)


def encode(
    generator: Any,
    molecules: str | Path | Sequence[str],
    *,
    policy: str = "default",
    smiles_column: str | None = None,
    batch_size: int = 512,
    quiet: bool = False,
) -> Encoded:
    """Points of a file ("-": standard input) or of a list of SMILES; a bad row is reported, never fatal.

    Raises ModelError for a model without an encoder, DataError for a file that cannot be read at all.
    """
    require(generator, "encode")
    columns: tuple[list[str], list[str], list[str]] = ([], [], [])
    parts: list[np.ndarray] = []
    chunks = (
        stream(molecules, smiles_column=smiles_column, policy=policy, chunk=2048)
        if isinstance(molecules, (str, Path))
        else (
            parse_all(molecules[k : k + 2048], policy, first_line=k + 1)
            for k in range(0, len(molecules), 2048)
        )
    )
    with Progress(None, "rows", "encoding", quiet=quiet) as bar:
        for parsed in chunks:
            parts.append(_points(generator, parsed, columns, batch_size))
            bar.advance(len(parts[-1]))
    z = np.concatenate(parts) if parts else generator.encode([]).cpu().numpy()
    return Encoded(columns[0], columns[1], z, columns[2])


def _points(
    generator: Any, parsed: Parsed, columns: tuple[list[str], list[str], list[str]], batch_size: int
) -> np.ndarray:
    count = len(parsed.ok) + len(parsed.rejected)
    found = generator.encode([m.smiles for m in parsed.ok], batch_size=batch_size).float().cpu().numpy()
    z = np.full((count, found.shape[1]), np.nan, np.float32)
    z[parsed.index] = found
    good = dict(zip(parsed.index, parsed.ok, strict=True))
    bad = iter(parsed.rejected)  # in the order of the rows
    ids, smiles, problems = columns
    for row in range(count):
        molecule = good.get(row)
        if molecule is None:
            rejected = next(bad)
            ids.append("")
            smiles.append(rejected.text)
            problems.append(f"{rejected.why}: {rejected.detail} (line {rejected.line})")
            continue
        ids.append(molecule.id or "")
        smiles.append(molecule.smiles)
        missing = bool(np.isnan(z[row]).any())
        problems.append(generator.outside(molecule.smiles) or "not covered" if missing else "")
    return z


def decode(
    generator: Any,
    points: Any,
    *,
    temperature: float | None = None,
    beam: int | None = None,
    seed: int = 1,
    **options: Any,
) -> Decoded:
    """Molecules at points: an array or tensor ``[n, d]``, an :class:`Encoded`, or a file of one (npz, npy, CSV ...).

    The likeliest choices at each point, or with a ``temperature`` drawn ones, or the ``beam`` likeliest distinct
    molecules of each. Raises ModelError for a model that cannot do it, DataError for points of another size.
    """
    import torch

    require(generator, "decode", *([] if beam is None else ["beam"]))
    if beam is not None and (temperature is not None or beam < 1):
        raise ConfigError("must be at least 1, and goes without a temperature: it draws nothing", "beam")
    if isinstance(points, (str, Path)):
        points = read_points(Path(points))
    known = points if isinstance(points, Encoded) else None
    values = points if known is None else known.z
    # a copy: torch warns of arrays that cannot be written to, as those of a Parquet file
    z = (values if isinstance(values, torch.Tensor) else torch.from_numpy(np.array(values))).float()
    if z.ndim == 1:
        z = z.unsqueeze(0)
    _check_size(generator, z)
    if temperature is not None:
        options |= {"greedy": False, "temperature": temperature, "seed": seed}
    usable = ~z.isnan().any(1)
    rows = usable.nonzero().squeeze(1).tolist()
    if beam is not None:
        ranked: list[Any] = [[] for _ in z]
        for row, found in zip(rows, generator.likeliest(z[usable], beam, **options), strict=True):
            ranked[row] = found
        return _ranked(ranked, known)
    texts = generator.decode(z[usable], **options)
    parsed = parse_all(texts)
    smiles, problem = [""] * len(z), ["no point"] * len(z)
    for k, molecule in zip(parsed.index, parsed.ok, strict=True):
        smiles[rows[k]], problem[rows[k]] = molecule.smiles, ""
    for rejected in parsed.rejected:
        problem[rows[rejected.line - 1]] = f"{rejected.why}: {rejected.detail} ({rejected.text[:80]!r})"
    blank = [""] * len(z)
    if known is None:
        return Decoded(blank, blank, smiles, problem)
    problem = [new and (old or new) for new, old in zip(problem, known.problem, strict=True)]
    source = ["" if why else text for text, why in zip(known.smiles, known.problem or blank, strict=True)]
    return Decoded(known.id, source, smiles, problem)


def _ranked(ranked: Sequence[Sequence[tuple[str, float]]], known: Encoded | None) -> Decoded:
    """The molecules of all points in one table; standardization may make two of a point the same, which counts once."""
    rows: list[tuple[str, str, str, str, int, int, float]] = []
    for k, found in enumerate(ranked):
        parsed = parse_all([text for text, _ in found])
        values: dict[str, float] = {}
        for i, molecule in zip(parsed.index, parsed.ok, strict=True):
            values.setdefault(molecule.smiles, found[i][1])
        why = "" if values else parsed.rejected[0].why if parsed.rejected else "no point"
        name = source = ""
        if known is not None:
            name, source = known.id[k], "" if known.problem[k] else known.smiles[k]
            why = why and (known.problem[k] or why)
        for rank, (smiles, value) in enumerate(values.items() or [("", math.nan)], start=bool(values)):
            rows.append((name, source, smiles, why, k + 1, rank, value))
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(7)]
    return Decoded(*columns)


def read_points(path: Path) -> Encoded:
    """Points that :meth:`Encoded.save` or ``molgen encode`` wrote, or a plain array. Raises DataError."""
    import pandas as pd

    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        if suffix == ".npy":
            return _plain(np.load(path, allow_pickle=False), {})
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as found:
                if "z" not in found:
                    raise DataError(f"{path}: has no array 'z'; arrays: {', '.join(found)}")
                return _plain(found["z"], {name: found[name].tolist() for name in _TEXTS if name in found})
        if suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, sep="\t" if suffix == ".tsv" else ",", dtype={"id": str})
    except (ValueError, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: cannot be read as points ({error}); npz, npy, csv, tsv, parquet") from None
    names = sorted(
        (c for c in map(str, frame.columns) if c[:1] == "z" and c[1:].isdigit()), key=lambda c: int(c[1:])
    )
    if not names:
        raise DataError(
            f"{path}: has no columns z0, z1 ...; columns: {', '.join(map(str, frame.columns))[:200]}"
        )
    texts = {name: frame[name].fillna("").astype(str).tolist() for name in _TEXTS if name in frame.columns}
    return _plain(frame[names].to_numpy(np.float32), texts)


def _plain(z: np.ndarray, texts: dict[str, list[str]]) -> Encoded:
    if z.ndim != 2 or z.dtype.kind != "f":
        raise DataError(f"points must be numbers [n, d], not {z.dtype} of shape {z.shape}")
    blank = [""] * len(z)
    return Encoded(texts.get("id", blank), texts.get("smiles", blank), z, texts.get("problem", blank))


def _check_size(generator: Any, z: Any) -> None:
    from molgen.models.latent.moves import from_prior

    size = from_prior(generator, 1, seed=0).shape[1]
    if z.ndim != 2 or z.shape[1] != size:
        raise DataError(f"points of this model have {size} numbers, these have shape {list(z.shape)}")


def _columns(result: Encoded | Decoded) -> dict[str, list[str]]:
    names = [n for n in ("id", "source", "smiles", "problem") if hasattr(result, n)]
    return {n: getattr(result, n) for n in names if n == "smiles" or any(getattr(result, n))}


def _lost(problems: Sequence[str]) -> str:
    counted = Counter(text.partition(":")[0] for text in problems if text)
    return "".join(f"; {count} not: {why}" for why, count in counted.most_common())
