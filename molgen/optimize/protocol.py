"""Ask/tell: what a strategy proposes, what it is told, and what a run delivers at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Proposal:
    """A raw string that a strategy wants scored.

    ``id`` is unique within the run; results are matched by it, so they may come back in any order. ``origin``
    says where it came from (``reinforce``, ``seed``, ``crossover`` ...), ``parents`` are ids or the user's own ids.
    """

    id: int
    smiles: str
    origin: str
    parents: tuple[str, ...] = ()
    nll: float | None = None  # negative log-likelihood under the proposing model, nats


@dataclass(frozen=True)
class Result:
    """What became of a proposal.

    ``status``: ``scored``; ``filtered`` (a filter of the objective rejected it, score 0); ``failed`` (a scorer had
    no value: NaN); ``invalid`` (did not parse or standardize); ``duplicate`` (already seen in this run; it carries
    the score of the first). ``score`` is what the optimizer learns from: the total in 0..1 (under a Pareto reward:
    the place beside the front) after the diversity memory, NaN where there is none. ``total`` is the objective's own
    value, ``desirability`` what its components say, 0..1 by name, NaN where not computed.
    """

    id: int
    status: str
    smiles: str | None  # standardized, None if invalid
    score: float
    total: float
    reason: str = ""
    desirability: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class CanRevise(Protocol):
    """A strategy that remembers molecules by score and can learn that they are worth something else now.

    That happens under a Pareto reward after each step (the front moves), and when a stage of a curriculum is over.
    """

    def revise(self, scores: Mapping[str, float]) -> None:
        """``scores``: of all known molecules, by standardized SMILES, NaN where there is none. What is not among them
        is not known any more, and may be proposed again. Called between two steps; deterministic."""
        ...


@runtime_checkable
class HasNotes(Protocol):
    """A strategy that does something now and then which the user should read of."""

    def notes(self) -> list[str]:
        """What happened in the last :meth:`Optimizer.tell`, in words."""
        ...


class Optimizer(Protocol):
    """A search strategy. It never sees the scorers, only the results, in any order, matched by id."""

    name: str

    def ask(self, n: int) -> list[Proposal]:
        """``n`` proposals with new ids. What a checkpoint saves does not change until :meth:`tell`."""
        ...

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Take proposals that others made (the user's seed compounds) into the next :meth:`tell`."""
        ...

    def tell(self, results: Sequence[Result]) -> Mapping[str, float]:
        """Learn from results of proposals that were asked; returns metrics of the step (losses, rates)."""
        ...

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Everything needed to go on: (JSON-able values, tensors by name)."""
        ...

    def load_state(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        ...

    def model(self) -> Any | None:
        """The generator that the search has taught, to be stored with the run; None if there is none."""
        ...


@dataclass(frozen=True)
class Delivery:
    """What a run hands over: the ranked candidates with their evidence, and the story of how they were found.

    ``candidates``: one dict per delivered molecule, in rank order, with the keys
    ``rank, id, smiles, inchikey, score``, for each component ``<name>`` (raw value, in its unit),
    ``<name>_desirability``, ``<name>_contribution`` (:func:`molgen.scoring.aggregate.contributions`; roles score and
    penalty) and the columns of its evidence, ``cluster``, ``cluster_size``, ``front`` and ``crowding``
    (under a Pareto ranking), ``flags`` (words, '; '-joined), ``nearest_reference``,
    ``nearest_similarity`` (ECFP4 Tanimoto, None without references), ``undefined_stereo`` (count), ``scaffold``,
    ``step``, ``origin``, ``parents`` ('; '-joined), ``nll`` and the user's columns for seeds.
    ``components``: one dict per component: ``name, use, role, weight, unit, transform (dict), summary`` (words) and
    ``evidence`` (column -> meaning).
    ``funnel``: ordered list of (label, count): proposed -> parsed -> ... -> delivered; ``losses``: reason -> count.
    ``history``: one dict per step: ``step, calls, mean_score, best_score, valid, unique, filtered_share ...``.
    ``scores``: totals of all scored molecules in order of step (for histograms), with ``score_steps`` beside it.
    """

    name: str
    candidates: list[dict[str, Any]]
    components: list[dict[str, Any]]
    funnel: list[tuple[str, int]]
    losses: dict[str, int]
    history: list[dict[str, float]]
    scores: list[float]
    score_steps: list[int]
    settings: dict[str, Any]
    manifest: dict[str, Any]
    requested: int
    notes: list[str] = field(default_factory=list)  # sentences that belong on the first screen of the report
    references: list[dict[str, Any]] = field(
        default_factory=list
    )  # {"id":, "smiles":} shown beside candidates
    aggregate: str = "geometric_mean"
    ranking: str = "score"
    #: Component -> what each atom adds to its value, per candidate; None where nothing was said.
    atoms: dict[str, list[list[float] | None]] = field(default_factory=dict)
    #: Component -> mol block of the pose per candidate; None where there is none.
    poses: dict[str, list[str | None]] = field(default_factory=dict)

    @property
    def shortfall(self) -> int:
        """How many fewer molecules were delivered than asked."""
        return max(0, self.requested - len(self.candidates))
