"""The alarm for a search that has left the chemistry of its prior: properties, neighbors, likelihood."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from molgen.chem.fingerprints import morgan, tanimoto
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.seeding import stream
from molgen.metrics.drift import drifts, property_table
from molgen.optimize.memory import CARRIED, Memory

#: Draws from the prior that the search is compared with, and how many of its newest molecules are.
DRAWS, RECENT = 128, 64
#: Steps between two looks.
EVERY = 20
#: Standard deviations of the prior's own draws at which the mean of the newest molecules counts as drifted. An
#: objective may move a property by one (it is asked to); two is the edge of what the prior draws at all.
FAR = 2.0
_PROPERTIES = ("mol_weight", "logp", "tpsa", "fraction_csp3", "rotatable_bonds", "sa_score", "formal_charge")
_WORDS = {
    "mol_weight": "molecular weight",
    "logp": "logP",
    "tpsa": "polar surface",
    "fraction_csp3": "fraction of sp3 carbon",
    "rotatable_bonds": "number of rotatable bonds",
    "sa_score": "SA score",
    "formal_charge": "net charge",
    "nearest": "similarity to the nearest draw of the prior",
    "nll": "negative log-likelihood per atom under the prior",
}


class PriorDrift:
    """Compares what a search finds with what its prior draws; the draws depend on ``seed`` alone.

    ``asked``: properties that the objective itself moves, which are left out. ``likelihood``: also ask the prior how
    likely the molecules are (models that can say it quickly).
    """

    def __init__(
        self, prior: Any, policy: str, seed: int, asked: Collection[str] = (), *, likelihood: bool = False
    ) -> None:
        self.prior, self.policy, self.seed = prior, policy, seed
        self.names = [name for name in _PROPERTIES if name not in asked]
        self.likelihood = likelihood
        self._last: tuple[Memory | None, int, dict[str, tuple[float, float, float]]] = (None, -1, {})

    @cached_property
    def _draws(self) -> list[Molecule]:
        drawn = self.prior.sample(DRAWS, seed=stream(self.seed, "drift"), batch_size=DRAWS)
        return list({mol.smiles: mol for mol in parse_all(drawn.smiles, self.policy).ok}.values())

    @cached_property
    def _reference(self) -> dict[str, np.ndarray]:
        return self._table(self._draws)

    def look(self, memory: Memory) -> dict[str, tuple[float, float, float]]:
        """Property -> (mean of the newest molecules, mean of the prior's draws, difference in its deviations).

        Empty while the search has found fewer than a comparison needs.
        """
        if self._last[0] is not memory or self._last[1] != memory.proposed:
            self._last = memory, memory.proposed, self._look(memory)
        return self._last[2]

    def _look(self, memory: Memory) -> dict[str, tuple[float, float, float]]:
        newest = (e for e in reversed(memory.first.values()) if e.origin not in ("seed", CARRIED))
        recent = [Molecule(str(entry.smiles), self.policy) for entry in islice(newest, RECENT)]
        if len(recent) < RECENT or len(self._draws) < RECENT // 2:
            return {}
        found = drifts(self._table(recent), self._reference)
        return {d.name: (d.mean, d.reference_mean, d.effect) for d in found if math.isfinite(d.effect)}

    def _table(self, mols: list[Molecule]) -> dict[str, np.ndarray]:
        table = property_table([mol.mol for mol in mols], self.names)
        prints, draws = morgan([mol.mol for mol in mols]), morgan([mol.mol for mol in self._draws])
        near = tanimoto(prints, draws)
        known = {mol.smiles: column for column, mol in enumerate(self._draws)}
        for row, mol in enumerate(mols):
            if mol.smiles in known:  # a draw is compared with the other draws
                near[row, known[mol.smiles]] = 0.0
        table["nearest"] = near.max(axis=1).astype(np.float64)
        if self.likelihood:
            import torch

            with torch.no_grad():
                nats = self.prior.log_likelihood([mol.smiles for mol in mols]).double().cpu().numpy()
            able = np.isfinite(nats)
            table["nll"] = (-nats / np.array([mol.mol.GetNumHeavyAtoms() for mol in mols]))[able]
        return table


def sentences(found: dict[str, tuple[float, float, float]]) -> dict[str, str]:
    """A sentence for each property that has drifted far, the farthest first."""
    # More like its draws, or likelier than they are, is a narrowing: the collapse alarm is about that
    wrong_side = {"nearest": 1.0, "nll": -1.0}
    far = [
        (abs(effect), name, mean, reference)
        for name, (mean, reference, effect) in found.items()
        if abs(effect) >= FAR and effect * wrong_side.get(name, 0.0) <= 0
    ]
    return {
        name: f"the mean {_WORDS.get(name, name)} of the newest {RECENT} molecules is {mean:.3g}, {effect:.1f} "
        f"standard deviations from the {reference:.3g} of the prior's own draws"
        for effect, name, mean, reference in sorted(far, reverse=True)
    }
