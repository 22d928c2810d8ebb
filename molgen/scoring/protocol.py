"""What a scorer is: molecules in, one number each out, and NaN where there is no number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    journaled at once), ``chunk`` (fewest molecules per call that are worth it), ``heed(stop)`` (told before each call
    whom to ask whether to stop; it may then raise Interrupted), ``remote`` (False: never in a worker process),
    ``files`` (path -> sha256 of what it read), ``summary`` (words for the report), ``warning`` (words that must be
    read before its values: the report begins with them), ``references`` (molecules that results are compared with),
    ``transform`` (a default curve of its own), ``concerns`` (words for the toxicity check) and ``close()``.
    """

    name: str
    unit: str
    cost: float

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list of molecules."""
        ...


@runtime_checkable
class HasEvidence(Protocol):
    """A scorer that can say more about a molecule than its value: interval, domain, nearest compound ...

    Asked only about molecules that are delivered or were given to be scored, never about all that a search tries.
    """

    def evidence(self, mols: Sequence[Molecule]) -> Mapping[str, Sequence[float | int | str | None]]:
        """Column -> one number, text or None per molecule, in their order; the same columns whatever the list.

        Written as ``<component>_<column>``, in the order of the mapping. Names are ``[A-Za-z0-9_]+``. An attribute
        ``evidence_words`` (column -> meaning, with its unit) is put into the headers of the files.
        """
        ...


@runtime_checkable
class HasAtomWeights(Protocol):
    """A scorer that can say what each atom adds to its value; the report colors the best molecules by it."""

    def atom_weights(self, mols: Sequence[Molecule]) -> Sequence[np.ndarray | None]:
        """Float64 ``[heavy atoms]`` per molecule in the scorer's unit, in the order of ``mol.mol``'s atoms.

        Positive: the atom raises the value. None where there is nothing to say.
        """
        ...


@runtime_checkable
class HasPoses(Protocol):
    """A scorer that lays molecules into space (docking, overlay); asked about delivered molecules only."""

    def poses(self, mols: Sequence[Molecule]) -> Sequence[str | None]:
        """Mol block (V2000 or V3000, angstrom) per molecule, in their order; None where there is no pose.

        The structure is the molecule's own; the results SDF takes its coordinates from here.
        """
        ...


def scored(n: int, found: Iterable[tuple[int, float, str, str]]) -> Scored:
    """The answer for ``n`` molecules whose values come one by one, as ``stream`` of a :class:`Scorer` gives them."""
    values = np.full(n, np.nan)
    errors: dict[int, str] = {}
    for position, value, error, _ in found:
        values[position] = value
        if error:
            errors[position] = error
    return Scored(values, errors)


@dataclass(frozen=True)
class Context:
    """What a scorer may need while it is built: where relative paths start, and the molecules' policy."""

    base_dir: Path
    policy: str = "default"


#: Asked now and then while a batch is scored: the name of the signal that wants us to stop, else None.
StopCheck = Callable[[], "str | None"]
