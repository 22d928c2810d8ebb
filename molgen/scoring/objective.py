"""The objective: components, curves and a mean, from a list of molecules to a table of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.build import build_components, objective_fingerprint
from molgen.scoring.cache import ScoreCache
from molgen.scoring.chunks import Runner
from molgen.scoring.evaluate import Block, Component
from molgen.scoring.evidence import Evidence, gather
from molgen.scoring.pool import Pool
from molgen.scoring.protocol import Scorer, StopCheck
from molgen.scoring.table import ScoreTable, make_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from molgen.chem.molecule import Molecule


__all__ = ["Objective", "ScoreTable", "build_objective", "score_table"]


def build_objective(
    config: ObjectiveConfig,
    *,
    base_dir: Path | str = ".",
    policy: str = "default",
    workers: int = 1,
    cache: ScoreCache | None = None,
    handed_in: Mapping[str, Scorer] | None = None,
) -> Objective:
    """Build all scorers of a configuration; raises ConfigError with all problems, keys as
    ``objective.components[i]``.

    ``base_dir``: where relative paths start. ``handed_in``: scorers that this package cannot build (they need
    a model), by the ``name`` or the ``use`` of their component; they run in this process. ``workers`` > 1:
    the others run in that many processes, with the same values.
    """
    base_dir = Path(base_dir).resolve()
    components, problems = build_components(config.components, base_dir, policy, handed_in or {})
    if problems:
        raise ConfigError(problems, "objective")
    ready = [component for component in components if component is not None]
    setup = {
        "kind": "objective",
        "base_dir": str(base_dir),
        "policy": policy,
        "components": [
            entry.model_dump(mode="json") if component.remote else None
            for entry, component in zip(config.components, ready, strict=True)
        ],
    }
    return Objective(config, ready, policy, Pool(workers, setup) if workers > 1 else None, cache)


class Objective:
    """Call it with molecules, get a :class:`ScoreTable`; :meth:`close` ends its worker processes.

    ``names``: the components, in the order of the configuration. ``fingerprint``: sha256 of everything that
    determines the totals. ``user_files``: path -> sha256 of the files of the user's that it read (own
    functions and what they import, reference molecules): copy them and the objective can be built again.
    """

    def __init__(
        self,
        config: ObjectiveConfig,
        components: list[Component],
        policy: str,
        pool: Pool | None = None,
        cache: ScoreCache | None = None,
    ) -> None:
        self.config = config
        self.components = components
        self.policy = policy
        self.cache = ScoreCache() if cache is None else cache
        self.names = [component.name for component in components]
        self.fingerprint = objective_fingerprint(config, components, policy)
        self.user_files: dict[str, str] = {}
        for component in components:
            self.user_files |= getattr(component.scorer, "files", {})
        #: What a scorer says of itself that every reader of its results must know (its model is no better than chance).
        self.warnings = [
            f"{c.name}: {words}" for c in components if (words := getattr(c.scorer, "warning", ""))
        ]
        self._runner = Runner(components, self.cache, pool)
        # Filters before the rest, controls for what is left, cheap before dear; the file decides between equals.
        turn = {"filter": 0, "control": 2}
        self._order = sorted(
            range(len(components)), key=lambda i: (turn.get(components[i].role, 1), components[i].scorer.cost)
        )

    def __call__(
        self,
        mols: Sequence[Molecule],
        *,
        everything: bool = False,
        stop: StopCheck | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> ScoreTable:
        """Score molecules; a molecule's values do not depend on the others in the list, nor on the workers.

        ``everything``: compute all components also for molecules that a filter rejects, so that all reasons
        are known; totals stay the same. ``stop``: asked a few times per second for the name of a signal; then
        Interrupted is raised, values so far are in the journal. ``progress``: called with the number of
        distinct molecules done, at the end of each chunk. Raises ScorerError when a scorer breaks its
        contract.
        """
        distinct = list(dict.fromkeys(mols))
        block = Block.empty(len(self.components), len(distinct))
        groups = [list(group) for _, group in groupby(self._order, key=self._runner.is_remote)]
        for number, which in enumerate(groups):
            counted = progress if number == len(groups) - 1 else None
            self._runner.run(which, distinct, block, everything, stop, counted)
        if len(distinct) < len(mols):
            block = _spread(block, distinct, mols)
        return make_table(self.components, block, self.config.aggregate)

    def evidence(
        self,
        mols: Sequence[Molecule],
        *,
        known: Mapping[str, np.ndarray] | None = None,
        explain: int = 0,
        stop: StopCheck | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Evidence:
        """What the scorers say beside their values; see :func:`molgen.scoring.evidence.gather`."""
        return gather(self.components, mols, known=known, explain=explain, stop=stop, progress=progress)

    def keep_in(self, cache: ScoreCache) -> None:
        """Look for raw values in this cache, and put new ones there, from now on."""
        self.cache = self._runner.cache = cache

    def close(self) -> None:
        """End worker processes and guarded functions; the cache belongs to whoever opened it."""
        if self._runner.pool is not None:
            self._runner.pool.close()
        for component in self.components:
            close = getattr(component.scorer, "close", None)
            if close is not None:
                close()

    def __enter__(self) -> Objective:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> list[dict[str, Any]]:
        """One dict per component for reports: name, use, role, weight, unit, transform (dict), summary."""
        return [
            {
                "name": c.name,
                "use": c.use,
                "role": c.role,
                "weight": c.weight,
                "unit": c.scorer.unit,
                "transform": c.transform.config.model_dump(exclude_none=True),
                "summary": c.summary,
                **({"watches": c.watches} if c.role == "control" else {}),
            }
            for c in self.components
        ]


def score_table(
    mols: Sequence[Molecule], objective: Objective | ObjectiveConfig, *, everything: bool = False
) -> pd.DataFrame:
    """Score molecules and return a DataFrame with their ids, other columns, totals, values and reasons."""
    if isinstance(objective, ObjectiveConfig):
        policy = mols[0].policy if mols else "default"
        with build_objective(objective, policy=policy) as built:
            return built(mols, everything=everything).to_frame(mols)
    return objective(mols, everything=everything).to_frame(mols)


def _spread(block: Block, distinct: Sequence[Molecule], mols: Sequence[Molecule]) -> Block:
    """Give the values of distinct molecules to every place where they stand."""
    place = {mol: k for k, mol in enumerate(distinct)}
    source = [place[mol] for mol in mols]

    def words(of: list[dict[int, str]]) -> list[dict[int, str]]:
        return [{i: entry[k] for i, k in enumerate(source) if k in entry} for entry in of]

    return Block(block.values[:, source], words(block.errors), words(block.notes), block.alive[source])
