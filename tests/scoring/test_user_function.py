import math

import numpy as np
import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, ScorerError
from molgen.core.schema import ComponentConfig, ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.user_file import source_files
from molgen.scoring.user_function import UserFunction
from molgen.testing import check_scorer

MOLS = [Molecule(text) for text in ("CCO", "c1ccccc1", "CCN", "CCF", "CCCl")]


def write(tmp_path, source, name="my_scores.py"):
    (tmp_path / name).write_text(source)
    return tmp_path / name


def function(tmp_path, source, name="f", timeout=None, **params):
    return UserFunction(write(tmp_path, source), name, params, timeout=timeout, policy="default")


def objective(tmp_path, source, use="my_scores.py:f", **component):
    write(tmp_path, source)
    config = ComponentConfig(use=use, **component)
    return build_objective(ObjectiveConfig(components=[config]), base_dir=tmp_path)


def refused(tmp_path, source, **component):
    with pytest.raises(ConfigError) as caught:
        objective(tmp_path, source, **component)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(mol): return mol.GetNumAtoms()", [3, 6, 3, 3, 3]),
        ("def f(smiles): return len(smiles)", [3, 8, 3, 3, 4]),
        ("def f(mols): return [m.GetNumAtoms() for m in mols]", [3, 6, 3, 3, 3]),
        (
            "import numpy as np\ndef f(smiles_list): return np.array([len(s) for s in smiles_list])",
            [3, 8, 3, 3, 4],
        ),
        ("def f(smiles, *, plus: int = 1): return len(smiles) + plus", [4, 9, 4, 4, 5]),
        ("def f(smiles): return 'N' in smiles", [0, 0, 1, 0, 0]),
    ],
)
@pytest.mark.parametrize("timeout", [None, 60.0])
def test_the_name_of_the_first_parameter_says_what_the_function_gets(tmp_path, source, expected, timeout):
    scorer = function(tmp_path, source, timeout=timeout)
    assert scorer(MOLS).values.tolist() == expected
    scorer.close()


def test_a_user_function_keeps_the_contract_of_scorers(tmp_path):
    check_scorer(function(tmp_path, "def f(mol, limit: int = 3): return mol.GetNumAtoms() / limit", limit=2))


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_raising_on_one_molecule_costs_only_that_one(tmp_path, timeout):
    source = "def f(smiles):\n    if 'N' in smiles:\n        raise ValueError('no amines')\n    return 1.0\n"
    scorer = function(tmp_path, source, timeout=timeout)
    scored = scorer(MOLS)
    assert np.array_equal(scored.values, [1, 1, math.nan, 1, 1], equal_nan=True)
    assert scored.errors == {2: "ValueError: no amines (line 3 of my_scores.py)"}
    scorer.close()


def test_raising_on_all_is_reported(tmp_path):
    table = objective(tmp_path, "def f(mol): return mol.GetNumAtomz()")(MOLS)
    assert np.isnan(table.total).all()
    assert table.reasons[0].startswith("f: no value (AttributeError: ")
    (warning,) = table.warnings
    assert warning.startswith("f: no value for any of 5 molecules; the first: AttributeError")


def test_a_list_function_that_raises_has_no_value_for_the_whole_list(tmp_path):
    scored = function(tmp_path, "def f(mols): raise RuntimeError('no license')")(MOLS)
    assert np.isnan(scored.values).all()
    assert scored.errors[4].startswith("RuntimeError: no license")


@pytest.mark.parametrize(("result", "words"), [("None", "returned None"), ("float('nan')", "returned NaN")])
def test_none_and_nan_mean_no_value(tmp_path, result, words):
    one = function(tmp_path, f"def f(mol): return {result}")(MOLS[:1])
    assert np.isnan(one.values[0])
    assert one.errors == {0: words}
    many = function(tmp_path, f"def f(mols): return [1.0, {result}]")(MOLS[:2])
    assert many.errors == {1: words}
    assert function(tmp_path, "def f(mol): return 1e999")(MOLS[:1]).errors == {
        0: "returned an infinite value"
    }


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_a_wrong_length_names_the_function_and_both_lengths(tmp_path, timeout):
    scorer = function(tmp_path, "def f(mols): return [1.0] * (len(mols) - 1)", timeout=timeout)
    with pytest.raises(ScorerError, match=r"my_scores\.py:f returned 4 values for 5 molecules"):
        scorer(MOLS)
    scorer.close()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(mol): return 'good'", r"my_scores\.py:f returned 'good' \(str\) for CCO"),
        ("def f(mol): return [1.0]", r"returned \[1.0\] \(list\) for CCO"),
        ("def f(mols): return 1.0", r"returned float for a list of 5 molecules"),
        ("def f(mols): return ['a'] * len(mols)", r"returned a list with 'a' \(str\) for CCO"),
    ],
)
def test_a_wrong_type_is_a_scorer_error(tmp_path, source, words):
    with pytest.raises(ScorerError, match=words):
        function(tmp_path, source)(MOLS)


HANGS = """
import os, threading
def f(smiles):
    if "N" in smiles:
        threading.Event().wait()
    if "F" in smiles:
        os._exit(3)
    return 1.0
"""


def test_a_hanging_scorer_is_killed_and_the_next_molecule_gets_a_new_process(tmp_path):
    with objective(tmp_path, HANGS, timeout=0.5) as built:
        table = built(MOLS)
    assert table.reasons == [
        "",
        "",
        "f: no value (timed out after 0.5 s)",
        "f: no value (the worker process ended with exit code 3)",
        "",
    ]
    assert table.total[4] == 1.0


def test_what_a_function_prints_does_not_reach_stdout(tmp_path, capfd):
    for timeout in (None, 60.0):
        scorer = function(tmp_path, "def f(smiles):\n    print('hello')\n    return 1.0", timeout=timeout)
        assert scorer(MOLS[:1]).values.tolist() == [1.0]
        scorer.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("hello") == 2


def test_a_function_that_changes_its_molecule_does_not_change_ours(tmp_path):
    source = "def f(mol):\n    mol.GetAtomWithIdx(0).SetAtomicNum(7)\n    return mol.GetAtomWithIdx(0).GetAtomicNum()"
    mol = Molecule("CC")
    assert function(tmp_path, source)([mol]).values.tolist() == [7]
    assert mol.mol.GetAtomWithIdx(0).GetAtomicNum() == 6


def test_missing_file_function_and_first_parameter_are_config_errors(tmp_path):
    source = "def few_rings(mol): return 1\ndef g(x): return 1\ndef h(): return 1\n"
    assert "no such file" in refused(tmp_path, source, use="other.py:f")[0]
    assert (
        "has no function 'few_ring'; did you mean 'few_rings'?"
        in refused(tmp_path, source, use="my_scores.py:few_ring")[0]
    )
    assert (
        "mol, smiles, mols or smiles_list; here it is 'x'"
        in refused(tmp_path, source, use="my_scores.py:g")[0]
    )
    assert "here it is missing" in refused(tmp_path, source, use="my_scores.py:h")[0]
    assert refused(tmp_path, source, use="my_scores.py:g")[0].startswith("objective.components[0].use: ")


def test_a_file_that_cannot_be_imported_is_a_config_error_with_its_line(tmp_path):
    assert (
        "NameError: name 'nope' is not defined (line 2 of my_scores.py)" in refused(tmp_path, "\nnope\n")[0]
    )
    assert "SyntaxError" in refused(tmp_path, "def f(mol:\n")[0]


def test_parameters_are_checked_against_the_signature(tmp_path):
    source = "def f(mol, limit: int, name: str | None = None, share: float = 0.5): return 1"
    problems = refused(tmp_path, source, params={"limits": 3, "share": "x", "name": 3})
    key = "objective.components[0].params"
    assert problems == [
        f"{key}.limits: no such parameter; did you mean 'limit'?",
        f"{key}.limit: missing: the function has no default for it",
        f"{key}.share: should be float (got 'x')",
        f"{key}.name: should be str or nothing (got 3)",
    ]
    objective(tmp_path, source, params={"limit": 3, "share": 1})


def test_files_are_hashed_with_the_neighbors_that_they_import(tmp_path):
    write(tmp_path, "LIMIT = 2\n", "helper_values.py")
    path = write(tmp_path, "import math\nfrom helper_values import LIMIT\ndef f(mol): return LIMIT\n")
    assert sorted(name.rpartition("/")[2] for name in source_files(path)) == [
        "helper_values.py",
        "my_scores.py",
    ]
    before = UserFunction(path, "f", {}, timeout=None, policy="default")
    assert before(MOLS[:1]).values.tolist() == [2]
    write(tmp_path, "LIMIT = 3\n", "helper_values.py")
    after = UserFunction(path, "f", {}, timeout=None, policy="default")
    assert before.fingerprint != after.fingerprint


def test_an_edited_file_is_not_served_from_an_earlier_import(tmp_path):
    assert function(tmp_path, "def f(mol): return 1")(MOLS[:1]).values.tolist() == [1]
    assert function(tmp_path, "def f(mol): return 2")(MOLS[:1]).values.tolist() == [2]


def test_the_objective_names_the_users_files_and_their_hashes(tmp_path):
    built = objective(tmp_path, "def f(mol): return 1.0")
    ((path, sha),) = built.user_files.items()
    assert path == str(tmp_path / "my_scores.py")
    assert len(sha) == 64
    assert objective(tmp_path, "def f(mol): return 0.5").fingerprint != built.fingerprint
