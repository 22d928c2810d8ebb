"""Contract suites and toy fakes for what plugs into molgen: for our own tests and for those of plug-in
authors."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from molgen.testing.evidence import ToyEvidence, check_evidence
from molgen.testing.generators import ToyLatent, check_generator

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.optimize.protocol import Proposal, Result
    from molgen.scoring.protocol import Scored, Scorer

__all__ = [
    "SCORER_SMILES",
    "RandomOptimizer",
    "ToyEvidence",
    "ToyLatent",
    "check_evidence",
    "check_generator",
    "check_optimizer",
    "check_scorer",
]

# --- Scorers -----------------------------------------------------------------------------------------------

#: Small molecules of many kinds: acyclic, charged, with stereo, with alerts, large, with unusual elements.
SCORER_SMILES = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CCO",
    "C",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[N+](C)(C)CC(=O)[O-]",
    "C[C@H](N)C(=O)O",
    "CC(N)C(=O)O",
    "O=[N+]([O-])c1ccc(Cl)cc1",
    "O=C1C=CC(=O)C(c2ccccc2)=C1",
    "CC(C)(C)OC(=O)N1CCC2(CC1)CCNCC2",
    "C1CC2CCC1CC2",
    "FC(F)(F)c1ccc(Br)c(I)c1",
    "CCCCCCCCCCCCCCCC(=O)O",
    "CC/C=C/C",
    "OB(O)c1ccccc1",
    "CN1CCC[C@H]1c1cccnc1",
)


def check_scorer(scorer: Scorer, smiles: Sequence[str] = SCORER_SMILES) -> None:
    """Assert that a scorer keeps the contract of :class:`molgen.scoring.protocol.Scorer`.

    Length and type of the answer, reasons for missing values, and values that do not depend on the order of
    the list, on what else is in it, on how often it is asked, or on a round trip through pickle. Raises
    AssertionError.
    """
    from molgen.chem.molecule import Molecule

    assert scorer.name
    assert isinstance(scorer.name, str)
    assert isinstance(scorer.unit, str)
    assert math.isfinite(scorer.cost)
    assert scorer.cost > 0, "cost: CPU seconds per molecule, above zero"

    def fresh() -> list[Molecule]:
        return [Molecule(text) for text in smiles]

    mols = fresh()
    before = [mol.smiles for mol in mols]
    scored = scorer(mols)
    _check_answer(scorer.name, scored, len(mols))
    assert [mol.smiles for mol in mols] == before, "the scorer changed its input"
    _check_answer(scorer.name, scorer([]), 0)

    reference = _as_dict(smiles, scored)
    _same(scorer.name, "asked again", reference, _as_dict(smiles, scorer(mols)))
    _same(scorer.name, "asked again with molecules parsed anew", reference, _as_dict(smiles, scorer(fresh())))
    backwards = list(reversed(smiles))
    _same(scorer.name, "in reverse order", reference, _as_dict(backwards, scorer(list(reversed(mols)))))
    alone = {text: _as_dict([text], scorer([mol]))[text] for text, mol in zip(smiles, fresh(), strict=True)}
    _same(scorer.name, "one at a time", reference, alone)
    copy = pickle.loads(pickle.dumps(scorer))  # made one line above: nothing foreign is ever unpickled
    _same(scorer.name, "after a round trip through pickle", reference, _as_dict(smiles, copy(fresh())))
    check_evidence(scorer, mols)


def _check_answer(name: str, scored: Scored, n: int) -> None:
    import numpy as np

    from molgen.scoring.protocol import Scored

    assert isinstance(scored, Scored), f"{name} returned {type(scored).__name__}, not Scored"
    assert scored.values.dtype == np.float64, f"{name} returned {scored.values.dtype}, not float64"
    assert scored.values.shape == (n,), f"{name} returned shape {scored.values.shape} for {n} molecules"
    assert not np.isinf(scored.values).any(), f"{name} returned an infinite value"
    for position, words in scored.errors.items():
        assert 0 <= position < n, f"{name} has an error at {position}, there are {n} molecules"
        assert words, f"{name} has an error without words at {position}"
        assert np.isnan(scored.values[position]), f"{name} has a value and an error at {position}: {words}"
    for position in np.flatnonzero(np.isnan(scored.values)).tolist():
        assert position in scored.errors, f"{name} has no value at {position} and does not say why"


def _as_dict(smiles: Sequence[str], scored: Scored) -> dict[str, float]:
    return dict(zip(smiles, scored.values.tolist(), strict=True))


def _same(name: str, how: str, expected: dict[str, float], got: dict[str, float]) -> None:
    for smiles, value in expected.items():
        other = got[smiles]
        same = value == other or (math.isnan(value) and math.isnan(other))
        assert same, f"{name} of {smiles}: {value!r}, but {how} {other!r}"


# --- Optimizers --------------------------------------------------------------------------------------------


class RandomOptimizer:
    """The simplest strategy: strings drawn from a list, nothing learned. A baseline, and a fake for tests."""

    name = "random"

    def __init__(self, pool: Sequence[str], seed: int = 0) -> None:
        self.pool = list(pool)
        self.seed = seed
        self.round = 0
        self.next_id = 0

    def ask(self, n: int) -> list[Proposal]:
        """Draw with replacement; the same draw until told."""
        from molgen.core.seeding import python_random
        from molgen.optimize.protocol import Proposal

        drawn = python_random(self.seed, self.round).choices(self.pool, k=n)
        return [Proposal(self.next_id + i, text, self.name) for i, text in enumerate(drawn)]

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Nothing to prepare."""

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """Move on to the next draw."""
        self.round += 1
        self.next_id = max([self.next_id, *(result.id + 1 for result in results)])
        return {}

    def model(self) -> None:
        """Nothing is taught."""

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Two counters."""
        return {"round": self.round, "next_id": self.next_id}, {}

    def load_state(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.round, self.next_id = values["round"], values["next_id"]


def check_optimizer(
    make: Callable[[], Any], score: Callable[[str], float], steps: int = 4, n: int = 8
) -> None:
    """Assert that a strategy keeps the contract of :class:`molgen.optimize.protocol.Optimizer`.

    ``make`` gives a fresh one each time. Ids are new in every step, asking changes nothing that a checkpoint sees,
    results may come in any order, values may be missing, and a restored copy goes on exactly like the original.
    """
    from molgen.optimize.protocol import Result

    def tell(optimizer: Any, proposals: Sequence[Proposal], backwards: bool = False) -> None:
        results = []
        for k, proposal in enumerate(proposals):
            value = math.nan if k == 0 else score(proposal.smiles)
            status = "failed" if k == 0 else "invalid" if k == 1 else "scored"
            smiles = None if status == "invalid" else proposal.smiles
            results.append(Result(proposal.id, status, smiles, math.nan if k == 1 else value, value))
        optimizer.tell(results[::-1] if backwards else results)

    original = make()
    seen: set[int] = set()
    for step in range(steps):
        before = original.state()[0]
        proposals = original.ask(n)
        assert original.state()[0] == before, "ask() changed the state that a checkpoint saves"
        assert len(proposals) == n
        ids = {proposal.id for proposal in proposals}
        assert len(ids) == n
        assert not ids & seen, "ids are not new"
        seen |= ids
        tell(original, proposals, backwards=bool(step % 2))
    values, tensors = original.state()
    copied = make()
    copied.load_state(values, {name: tensor.clone() for name, tensor in tensors.items()})
    for _ in range(2):
        expected, got = original.ask(n), copied.ask(n)
        assert [(p.id, p.smiles) for p in expected] == [(p.id, p.smiles) for p in got], (
            "restored, but different"
        )
        tell(original, expected)
        tell(copied, got)
