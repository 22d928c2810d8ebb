"""The strategy ``genetic``: a population of the best molecules found, and their children, in small steps.

After Mol GA (Tripp and Hernandez-Lobato, "Genetic algorithms are strong baselines for molecule generation", 2023):
a large population, parents drawn by rank, few children a step, and no call for what is known already. Added are pieces
ranked by the scores of their molecules, a limit for each scaffold, and a start from the prior or the user's compounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from molgen.chem.canonical import canonical
from molgen.chem.rings import flat
from molgen.core.seeding import numpy_generator, stream
from molgen.optimize.genetic.operators import Child, offspring
from molgen.optimize.genetic.params import GeneticParams
from molgen.optimize.genetic.population import Member, Population
from molgen.optimize.genetic.recombine import from_table, recombine
from molgen.optimize.genetic.tables import tables
from molgen.optimize.protocol import Proposal, Result

#: Times the prior is asked for what is still missing, before common pieces of ZINC250k have to do.
_DRAWS = 4

#: SMILES, origin, parents, negative log-likelihood.
Row = tuple[str, str, tuple[str, ...], float | None]


class Genetic:
    """The strategy ``genetic``, behind ask/tell."""

    name = "genetic"

    def __init__(self, prior: Any, params: GeneticParams, seed: int) -> None:
        self.prior, self.params, self.seed = prior, params, seed
        self.population = Population(params.population, params.per_scaffold)
        self.seen: dict[str, None] = {}  # without stereo: the operators know none
        self.round = self.next_id = 0
        self.scored = 0
        self.seeds: list[str] = []
        self.table = tables()
        self._pending: dict[int, Proposal] = {}
        self._adopted: frozenset[int] = frozenset()

    # -- ask -----------------------------------------------------------------------------------------

    def ask(self, n: int) -> list[Proposal]:
        """``n`` molecules, none of them known: from the prior until there are parents, then mostly children."""
        rng = numpy_generator(self.seed, "ask", self.round)
        missing = self.params.start - self.scored if len(self.population) else n
        fresh = min(n, max(missing, int(rng.binomial(n, self.params.fresh))))
        rows = self._children(n - fresh, rng) if fresh < n else []
        rows += self._drawn(n - len(rows), {flat(row[0]) for row in rows}, rng)
        proposals = [Proposal(self.next_id + i, *row) for i, row in enumerate(rows)]
        self._pending = {p.id: p for p in proposals}
        return proposals

    def _children(self, n: int, rng: np.random.Generator) -> list[Row]:
        """At most ``n`` children of the population."""
        params, members = self.params, self.population.members
        pool = [(member.smiles, member.score) for member in members]
        number = int(rng.binomial(n, params.recombination))
        made: list[Child] = recombine(
            pool, number, rng, known=self.seen, strange=params.strange, table=self.table
        )
        made += offspring(
            [member.smiles for member in members],
            n - len(made),
            rng,
            weights=self.population.weights(params.elite),
            known={**self.seen, **dict.fromkeys(text for text, _, _ in made)},
            mutation=params.mutation,
            strange=params.strange,
            table=self.table,
        )
        return [
            (text, origin, tuple(str(members[k].id) for k in dict.fromkeys(parents)), None)
            for text, origin, parents in made
        ]

    def _drawn(self, n: int, taken: set[str], rng: np.random.Generator) -> list[Row]:
        """``n`` molecules of the prior, as far as it draws valid new ones; then what pieces of ZINC250k make."""
        found: list[Row] = []
        spare: list[Row] = []
        for attempt in range(_DRAWS):
            if len(found) == n:
                return found
            drawn = self.prior.sample(n - len(found), seed=stream(self.seed, "prior", self.round, attempt))
            for i, text in enumerate(drawn.smiles):
                nll = None if drawn.log_likelihood is None else -float(drawn.log_likelihood[i])
                row: Row = (text, "prior", (), nll)
                plain = _canonical(text)
                if plain is None or plain in self.seen or plain in taken:
                    spare.append(row)
                else:
                    taken.add(plain)
                    found.append(row)
        for text in from_table(2 * (n - len(found)), rng):
            if len(found) < n and text not in self.seen and text not in taken:
                taken.add(text)
                found.append((text, "pieces", (), None))
        return found + spare[: n - len(found)]

    # -- tell ----------------------------------------------------------------------------------------

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Take the user's seed compounds: with their scores they are parents like all others.

        What is odd about them (a boronic acid, a macrocycle) is not held against their children.
        """
        self._pending |= {p.id: p for p in proposals}
        self._adopted |= {p.id for p in proposals}

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """Let what has a score into the population; a known molecule gets its latest score."""
        unknown = [r.id for r in results if r.id not in self._pending]
        if unknown:
            raise ValueError(f"tell() got ids that were not asked: {unknown[:5]}; pass each result back once")
        scores: dict[str, tuple[float, int]] = {}
        for result in sorted(results, key=lambda r: r.id):
            self.seen[flat(self._pending[result.id].smiles)] = None
            if result.smiles is None:
                continue
            self.seen[flat(result.smiles)] = None
            if result.id in self._adopted and self._pending[result.id].origin == "seed":
                self.seeds.append(result.smiles)
            if not math.isnan(result.score):
                self.scored += result.status != "duplicate"
                scores[result.smiles] = (result.score, result.id)
        if self._adopted:
            self.table = tables().widened(self.seeds)
        entered = self.population.update(scores)
        self.round += 1
        self.next_id = max([self.next_id, *(i + 1 for i in self._pending)])
        self._pending, self._adopted = {}, frozenset()
        members = self.population.members
        return {
            "population": float(len(members)),
            "population_mean": float(np.mean([m.score for m in members])) if members else math.nan,
            "entered": entered / len(results) if results else 0.0,
        }

    # -- keeping -------------------------------------------------------------------------------------

    def model(self) -> None:
        """Nothing was taught."""

    def revise(self, scores: Mapping[str, float]) -> None:
        """Other scores of the population; what has none any more leaves it."""
        members = self.population.members
        known = {m.smiles: (scores.get(m.smiles, math.nan), m.id) for m in members}
        known = {smiles: row for smiles, row in known.items() if not math.isnan(row[0])}
        self.population.members = [m for m in members if m.smiles in known]
        self.population.update(known)

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The population, and every molecule seen so that none is proposed again."""
        values = {name: getattr(self, name) for name in ("round", "next_id", "scored")}
        values |= {"seen": list(self.seen), "seeds": list(self.seeds)}
        values["population"] = [list(astuple(m)) for m in self.population.members]
        return values, {}

    def load_state(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.round, self.next_id, self.scored = values["round"], values["next_id"], values["scored"]
        self.seen, self.seeds = dict.fromkeys(values["seen"]), list(values["seeds"])
        self.table = tables().widened(self.seeds)
        self.population.members = [Member(*row) for row in values["population"]]


def _canonical(text: str) -> str | None:
    """Canonical SMILES without stereo, None where it does not parse."""
    smiles = canonical(text)
    return None if smiles is None else flat(smiles)
