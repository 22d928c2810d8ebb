"""Evidence of scorers: its contract, its names, and that it never takes finished results down with it."""

import numpy as np
import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.testing import SCORER_SMILES, ToyEvidence, check_evidence, check_scorer


class Changed(ToyEvidence):
    """The toy with one answer replaced."""

    def __init__(self, evidence=None, weights=None):
        self.told, self.weights = evidence, weights

    def evidence(self, mols):
        return super().evidence(mols) if self.told is None else self.told(mols)

    def atom_weights(self, mols):
        return super().atom_weights(mols) if self.weights is None else self.weights(mols)


MOLS = [Molecule(text) for text in ("c1ccccc1O", "C", "OCC")]


def objective(scorer, **component):
    config = ObjectiveConfig.model_validate({"components": [{"use": "toy", **component}, {"use": "qed"}]})
    return build_objective(config, handed_in={"toy": scorer})


def test_the_toy_keeps_the_contract():
    check_scorer(ToyEvidence(), [text for text in SCORER_SMILES if text != "C"])


LAST = [0.0]


def told_in_turns(mols):
    LAST[0] += 1
    return {"x": [LAST[0]] * len(mols)}


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (lambda mols: {"x": [1.0]}, "1 entries for"),
        (lambda mols: {"x y": [1.0] * len(mols)}, "has a column 'x y'"),
        (lambda mols: {"contribution": [1.0] * len(mols)}, "has a column 'contribution'"),
        (lambda mols: {"x": "abcdef"[: len(mols)]}, "entries"),
        (lambda mols: {"x": [[1]] * len(mols)}, "holds a list"),
        (lambda mols: [1.0] * len(mols), "must be a dict"),
        (lambda mols: {f"x{len(mols)}": [1.0] * len(mols)}, "other columns"),
        (told_in_turns, "depends on the other molecules"),
    ],
)
def test_the_suite_catches_evidence_that_breaks_the_contract(evidence, words):
    with pytest.raises(AssertionError, match=words):
        check_evidence(Changed(evidence), [Molecule(text) for text in ("CCO", "CCN", "CCC")])


@pytest.mark.parametrize(
    "weights",
    [
        lambda mols: [np.zeros(1) for _ in mols],
        lambda mols: [np.full(mol.n_heavy, np.nan) for mol in mols],
        lambda mols: [None],
        lambda mols: [np.full(mol.n_heavy, float(len(mols))) for mol in mols],
    ],
)
def test_the_suite_catches_atom_weights_that_break_the_contract(weights):
    with pytest.raises(AssertionError, match=r"atom.weights of"):
        check_evidence(Changed(weights=weights), [Molecule(text) for text in ("CCO", "CCN")])


def test_columns_have_the_name_of_the_component_and_only_scored_molecules_are_asked_about():
    built = objective(ToyEvidence(), name="potency")
    table = built(MOLS, everything=True)
    told = built.evidence(MOLS, known=table.raw, explain=2)
    assert list(told.columns["potency"]) == ["potency_low", "potency_in_domain", "potency_nearest"]
    assert told.columns["potency"]["potency_low"] == [
        pytest.approx(1 / 7 - 0.1),
        None,
        pytest.approx(1 / 3 - 0.1),
    ]
    assert told.about["potency"]["potency_low"] == "lower end of the 80 % interval"
    assert "qed" not in told.columns
    weights = told.weights["potency"]
    assert weights[0].shape == (7,)
    assert weights[1:] == [None, None], "the second has no value, the third is beyond those to explain"
    names = list(table.to_frame(MOLS, told))
    assert names[names.index("potency_contribution") + 1 :][:3] == list(told.columns["potency"])


def test_evidence_that_has_the_name_of_another_component_gives_way():
    config = ObjectiveConfig.model_validate(
        {"components": [{"use": "toy"}, {"use": "qed", "name": "toy_low"}]}
    )
    told = build_objective(config, handed_in={"toy": ToyEvidence()}).evidence(MOLS)
    assert next(iter(told.columns["toy"])) == "toy_low_evidence"


def test_evidence_that_fails_did_not_take_the_scores_with_it():
    def fails(mols):
        raise ZeroDivisionError("of all things")

    built = objective(Changed(fails, fails))
    told = built.evidence(MOLS, explain=3)
    assert told.columns == {}
    assert told.weights == {}
    assert told.notes[0] == "toy: no evidence (ZeroDivisionError: of all things)."
    with pytest.raises(ScorerError, match="1 entries for 3"):
        objective(Changed(lambda mols: {"x": [1]})).evidence(MOLS)
