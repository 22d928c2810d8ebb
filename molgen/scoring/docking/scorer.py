"""The scorer ``docking``: affinity by AutoDock Vina, with its pose."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.chem.protonation import VERSION as PROTONATION
from molgen.core.errors import ScorerError
from molgen.scoring.docking.params import DockingParams
from molgen.scoring.docking.receptor import Receptor, find_receptor
from molgen.scoring.docking.sanity import PoseCheck
from molgen.scoring.docking.workers import Docked, Workers
from molgen.scoring.external_answer import Answer
from molgen.scoring.external_cache import KeptAnswers
from molgen.scoring.protocol import Context, Scored, StopCheck, scored

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule

INSTALL = "pip install 'molgen-toolkit[dock]'"
ENGINE = "molgen.scoring.docking.engine"
_KEPT = 5000  # results in memory, for the evidence and poses of what is delivered
#: Parameters that say how, not what the answer is (a molecule that was too slow is asked about again in another run).
_HOW = frozenset(
    {"parallel", "time_limit", "cost", "cache", "receptor", "target", "around", "center", "size"}
)


class Docking:
    """Affinity in kcal/mol, lower binds better; runs in processes of its own, ``parallel`` at a time.

    ``files``: path -> sha256 of the receptor. ``concerns`` tells the toxicity check that low is strong.
    """

    unit = "kcal/mol"
    remote = False
    concerns = "ki"
    evidence_words = {  # noqa: RUF012 - never changed
        "efficiency": "affinity by heavy atoms, kcal/mol; -0.3 is a usual bar",
        "receptor": "what it was docked into",
        "stereo": "whether its stereo was defined, or one isomer was docked",
        "pose_check": "PoseBusters: sound, or what is wrong (clashes, geometry, strain)",
        "form": "what was docked: charges as at pH 7.4, unless the objective says as drawn",
    }

    def __init__(
        self, name: str, params: DockingParams, receptor: Receptor, base_dir: Path, engine: str = ENGINE
    ) -> None:
        self.name, self.params, self.receptor, self.base_dir = name, params, receptor, base_dir
        self.cost = params.cost
        # Some for each process: none waits long for the slowest of a chunk, and each value is journaled as it comes.
        self.chunk = 1 if params.parallel == 1 else 4 * params.parallel
        self.files = {} if params.target else {str(receptor.path): receptor.sha256}
        self.summary = (
            f"docking into {receptor.name} (AutoDock Vina, exhaustiveness {params.exhaustiveness}, protonated as "
            + ("at pH 7.4)" if params.protonation == "pH 7.4" else "standardized)")
        )
        self._engine = engine
        about = [
            receptor.sha256,
            receptor.center,
            receptor.size,
            params.model_dump(mode="json", exclude=set(_HOW)),
        ]
        versions = [
            engine,
            f"protonation {PROTONATION}",
            *(_version(package) for package in ("vina", "meeko", "rdkit")),
        ]
        self.fingerprint = hashlib.sha256(json.dumps([about, versions]).encode()).hexdigest()
        setup = {
            "kind": "docking",
            "engine": engine,
            "receptor": str(receptor.path),
            "center": list(receptor.center),
            "size": list(receptor.size),
            "exhaustiveness": params.exhaustiveness,
            "seed": params.seed,
            "protonation": params.protonation,
        }
        self._workers = Workers(setup, params.parallel, params.time_limit)
        self._check = PoseCheck(receptor.path)
        self._stop: StopCheck | None = None
        self._known: OrderedDict[str, Docked] = OrderedDict()
        path = None if params.cache is None else base_dir / Path(params.cache).expanduser()
        self._kept = KeptAnswers(path, self.fingerprint)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; see :class:`molgen.scoring.protocol.Scored`."""
        return scored(len(mols), self.stream(mols, None))

    def heed(self, stop: StopCheck | None) -> None:
        """Whom to ask, while a docking is in flight, whether to stop."""
        self._stop = stop

    def stream(
        self, mols: Sequence[Molecule], mark: Callable[[list[int]], None] | None
    ) -> Iterator[tuple[int, float, str, str]]:
        """Yield (position, value, error, note) as dockings end; ``mark`` hears which begin."""
        places: dict[str, list[int]] = {}
        for position, mol in enumerate(mols):
            found = self._find(mol.smiles)
            if found is not None:
                yield position, found.value, found.error, ""
            else:
                places.setdefault(mol.smiles, []).append(position)
        todo = list(places)

        def started(k: int) -> None:
            if mark is not None:
                mark(places[todo[k]])

        for k, docked in self._workers.run(todo, started, lambda: self._stop):
            self._keep(todo[k], docked)
            for position in places[todo[k]]:
                yield position, docked.value, docked.error, ""

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[float | str | None]]:
        """Columns named in ``evidence_words``; what is not in memory or in the cache is docked again."""
        rows = self._all(mols)
        return {
            "efficiency": [
                None if row.error else row.value / mol.n_heavy for row, mol in zip(rows, mols, strict=True)
            ],
            "receptor": [None if row.error else self.receptor.name for row in rows],
            "stereo": [None if row.error else _stereo(mol) for row, mol in zip(rows, mols, strict=True)],
            "pose_check": [self._check(row.block) if row.block else None for row in rows],
            "form": [None if row.error else self._form(mol) for row, mol in zip(rows, mols, strict=True)],
        }

    def poses(self, mols: Sequence[Molecule]) -> list[str | None]:
        """Mol block of the best pose in the receptor's coordinates, heavy atoms; None where there is none."""
        return [row.block or None for row in self._all(mols)]

    def close(self) -> None:
        """End the docking processes."""
        self._workers.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return Docking, (self.name, self.params, self.receptor, self.base_dir, self._engine)

    def _form(self, mol: Molecule) -> str:
        from rdkit import Chem

        from molgen.chem.protonation import protonate

        drawn = self.params.protonation == "drawn"
        return mol.smiles if drawn else str(Chem.MolToSmiles(protonate(Chem.MolFromSmiles(mol.smiles))))

    def _all(self, mols: Sequence[Molecule]) -> list[Docked]:
        rows = {}
        for position, value, error, _ in self.stream(mols, None):
            found = self._find(mols[position].smiles)
            rows[position] = found or Docked(value, "", error)
        return [rows[position] for position in range(len(mols))]

    def _find(self, smiles: str) -> Docked | None:
        found = self._known.get(smiles)
        if found is None and (kept := self._kept.get(smiles)) is not None:
            found = Docked(kept.value, str(kept.extras.get("pose", "")))
        return found

    def _keep(self, smiles: str, docked: Docked) -> None:
        if len(self._known) >= _KEPT:
            self._known.popitem(last=False)
        self._known[smiles] = docked
        if not docked.error:
            self._kept.add({smiles: Answer(docked.value, extras={"pose": docked.block})})


def _stereo(mol: Molecule) -> str:
    from molgen.chem.stereo import undefined_double_bonds, undefined_stereo_centers

    open_ones = int(undefined_stereo_centers(mol.mol)) + int(undefined_double_bonds(mol.mol))
    return "one isomer docked" if open_ones else "defined"


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def build(name: str, params: DockingParams, context: Context) -> Docking:
    """Check engine, receptor and box; raises ConfigError or, with the line that installs it, ScorerError."""
    missing = [package for package in ("vina", "meeko", "gemmi") if find_spec(package) is None]
    if missing:
        raise ScorerError(f"docking needs {', '.join(missing)}, not installed here: {INSTALL}")
    return Docking(name, params, find_receptor(params, context.base_dir), context.base_dir)
