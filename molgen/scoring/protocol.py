"""What a scorer is: molecules in, one number each out, and NaN where there is no number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


@dataclass(frozen=True)
class Scored:
    """The answer of one scorer for a list of molecules.

    ``values``: float64 ``[n]`` in the scorer's unit; NaN means *no value*, never a number that stands for
    failure. ``errors``: position -> why there is no value. ``notes``: position -> words that explain a value
    ("PAINS quinone_A(370)", the nearest reference), used in the reasons and the reports.
    """

    values: np.ndarray
    errors: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)


@runtime_checkable
class Scorer(Protocol):
    """A score of molecules. Same molecule, same number, whatever else is in the list.

    ``cost`` is a rough number of CPU seconds per molecule: cheap scorers run first, dear ones are cached and
    cut into smaller chunks. Optional attributes: ``fingerprint`` (a string that changes when the values can
    change; scorers that are built outside the registry are cached only if they have one), ``stream(mols)``, a
    generator of ``(position, value, error, note)`` for scorers whose values come one by one (each is
    journaled at once), ``chunk`` (molecules per call) and ``close()``.
    """

    name: str
    unit: str
    cost: float

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list of molecules."""
        ...


@dataclass(frozen=True)
class Context:
    """What a scorer may need while it is built: where relative paths start, and the molecules' policy."""

    base_dir: Path
    policy: str = "default"


#: Asked now and then while a batch is scored: the name of the signal that wants us to stop, else None.
StopCheck = Callable[[], "str | None"]
