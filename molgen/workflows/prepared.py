"""A training prepared as arrays in a folder, to be carried to a machine that has neither RDKit nor the data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, RunError
from molgen.core.schema import TrainConfig
from molgen.data.cache import Carried, carried, rdkit_version
from molgen.run.files import explained, read_json, write_atomic, write_json
from molgen.run.manifest import versions
from molgen.run.progress import say
from molgen.workflows.train_data import Source, find_sources, sources_from_json, sources_to_json

FORMAT = 1
RECORD, CONFIG = "prepared.json", "run.yaml"


@dataclass(frozen=True)
class Prepared:
    """A folder that `molgen train` accepts in place of a configuration."""

    folder: Path
    training: int
    held_out: int
    bytes: int

    def summary(self) -> str:
        """What there is, and the next command."""
        return (
            f"{self.folder}: {self.training:,} molecules to train on, {self.held_out:,} held out, "
            f"{self.bytes / 1e6:.1f} MB; next, here or where there is no RDKit: molgen train {self.folder} -o RUN"
        )


def prepare(
    loaded: configs.Loaded[TrainConfig], out: Path, *, overwrite: bool = False, quiet: bool = False
) -> Prepared:
    """Do all that a training does before its first step, and put every array of it into the folder ``out``.

    Raises ConfigError and DataError as the training would.
    """
    from molgen.workflows.materials import checked_params, gather

    config = loaded.config
    checked_params(config)
    if out.exists() and not (overwrite and is_prepared(out)):
        cure = "add --overwrite to replace it" if is_prepared(out) else "choose another name"
        raise RunError(f"{out} exists; {cure}")
    with explained(out.parent, "create"):
        out.parent.mkdir(parents=True, exist_ok=True)
    sources = find_sources(config, loaded.base_dir)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        place = Path(temporary) / out.name
        place.mkdir()
        rdkit = rdkit_version()
        with carried(Carried(place, rdkit, filling=True)):
            found = gather(config, sources, (lambda text: None) if quiet else say, quiet=quiet)
        write_atomic(place / CONFIG, configs.dump(config))
        write_json(
            place / RECORD,
            {
                "format": FORMAT,
                "rdkit": rdkit,
                "packages": versions(),
                "sources": sources_to_json(sources),
            },
        )
        if out.exists():
            shutil.rmtree(out)
        with explained(out):
            place.rename(out)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    return Prepared(out, len(found.molecules.training), len(found.molecules.held_out), size)


def is_prepared(folder: Path) -> bool:
    """Whether a folder was made by :func:`prepare`."""
    return (folder / RECORD).is_file()


def load_config(folder: Path, overrides: Sequence[str] = ()) -> configs.Loaded[TrainConfig]:
    """The configuration of a prepared folder; what has nothing to do with the data may be overridden."""
    if not is_prepared(folder):
        raise ConfigError(
            f"{folder} is a folder, but no prepared training (it has no {RECORD}); give a configuration file, or make "
            f"such a folder with: molgen train CONFIG --prepare-only -o {folder}"
        )
    return configs.load(folder / CONFIG, TrainConfig, overrides)


def open_prepared(folder: Path) -> tuple[Carried, dict[str, Source]]:
    """Where the arrays are, and the files that they were made from. Raises DataError."""
    try:
        record = read_json(folder / RECORD, newest=FORMAT)
        return Carried(folder, record["rdkit"]), sources_from_json(record["sources"])
    except (RunError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder} is no prepared training, or damaged ({error}); copy the whole folder again"
        ) from None
