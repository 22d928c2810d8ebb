"""What an objective asks its scorers: each molecule once, in any batch, by several processes, until it is stopped."""

import json
import os

import numpy as np
import pytest

from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import Interrupted, ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.cache import ScoreCache
from molgen.scoring.objective import build_objective
from molgen.testing import SCORER_SMILES

MOLS = parse_all(SCORER_SMILES, "default").ok


def mols(*smiles):
    return [Molecule(text) for text in smiles]


ALL_ROLES = [
    {"use": "qed"},
    {"use": "logp"},
    {"use": "sa_score", "weight": 0.3},
    {"use": "tpsa", "role": "penalty"},
    {"use": "mol_weight", "role": "filter"},
    {"use": "custom_alerts", "role": "filter", "params": {"smarts": {"nitro": "[N+](=O)[O-]"}}},
    {"use": "similarity", "params": {"references": ["CCO", "c1ccccc1O"]}, "name": "like"},
]


def same(a, b):
    assert np.array_equal(a.total, b.total, equal_nan=True)
    assert np.array_equal(a.passed, b.passed)
    assert a.reasons == b.reasons
    assert a.errors == b.errors
    assert a.notes == b.notes
    for name in a.raw:
        assert np.array_equal(a.raw[name], b.raw[name], equal_nan=True), name
        assert np.array_equal(a.desirability[name], b.desirability[name], equal_nan=True), name


def test_scores_do_not_depend_on_the_batch(objective):
    with objective(ALL_ROLES) as built:
        together = built(MOLS)
        for k, mol in enumerate(MOLS):
            alone = built([Molecule(mol.smiles)])
            assert alone.total[0] == together.total[k]
            assert alone.reasons[0] == together.reasons[k]
        turned = built(MOLS[::-1])
    assert np.array_equal(turned.total[::-1], together.total)


def test_a_molecule_that_stands_twice_is_computed_once_and_scored_twice(toy, objective):
    toy = toy({"C": 0.3, "CC": np.nan})
    table = objective([{"use": "a"}], {"a": toy})(mols("C", "CC", "C", "CC"))
    assert toy.asked == ["C", "CC"]
    assert table.total[0] == table.total[2] == pytest.approx(0.3)
    assert table.reasons[1] == table.reasons[3] == "a: no value (toy broke)"


def test_no_molecules_no_rows(objective):
    with objective(ALL_ROLES) as built:
        table = built([])
    assert len(table) == 0
    assert list(table.to_frame([])) == ["smiles", "total", "passed", "reason", *_columns(table)]


def _columns(table):
    names = []
    for name in table.raw:
        names += [name, f"{name}_desirability"]
        names += [f"{name}_contribution"] if name in table.contribution else []
    return names


def test_dear_values_are_asked_once_cheap_ones_again(toy, objective):
    dear, cheap = toy(cost=1.0, fingerprint="d"), toy(cost=1e-5, fingerprint="c")
    unknown = toy(cost=1.0)
    toys = {"dear": dear, "cheap": cheap, "unknown": unknown}
    built = objective([{"use": name} for name in toys], toys)
    same(built(mols("C", "CC")), built(mols("CC", "C", "CCC")[:2][::-1]))
    assert sorted(dear.asked) == ["C", "CC"]
    assert len(cheap.asked) == len(unknown.asked) == 4, "no fingerprint, no cache"


def test_a_killed_run_pays_only_for_the_calls_in_flight(tmp_path, toy, objective):
    class Dies(toy):
        def stream(self, chosen, mark):
            for k, mol in enumerate(chosen):
                if mark is not None:
                    mark([k])
                self.asked.append(mol.smiles)
                if mol.smiles == "CCC" and self.values:
                    raise KeyboardInterrupt
                yield k, 0.25, "", "a note"

    names = ("C", "CC", "CCC", "CCCC")
    first, second = Dies({"die": 1}, 1.0, "d"), Dies({}, 1.0, "d")
    with ScoreCache(tmp_path / "scores.jsonl") as cache, pytest.raises(KeyboardInterrupt):
        objective([{"use": "a"}], {"a": first}, cache=cache)(mols(*names))
    assert first.asked == ["C", "CC", "CCC"]
    with ScoreCache(tmp_path / "scores.jsonl") as cache:
        assert cache.lost == 1
        table = objective([{"use": "a"}], {"a": second}, cache=cache)(mols(*names))
    assert second.asked == ["CCC", "CCCC"]
    assert table.notes == {"a": dict.fromkeys(range(4), "a note")}


def test_a_stop_request_ends_the_batch_between_chunks(toy, objective):
    toy = toy(cost=1.0)
    answers = iter([None, None, "SIGTERM"])
    with pytest.raises(Interrupted, match="SIGTERM") as caught:
        objective([{"use": "a"}], {"a": toy})(mols("C", "CC", "CCC"), stop=lambda: next(answers))
    assert caught.value.exit_code == 75
    assert toy.asked == ["C", "CC"]


def test_progress_adds_up_to_the_distinct_molecules(objective):
    steps = []
    with objective(ALL_ROLES) as built:
        built(MOLS + MOLS, progress=steps.append)
    assert sum(steps) == len(MOLS)


def test_two_workers_give_the_same_bits_as_none(tmp_path, toy):
    (tmp_path / "mine.py").write_text(
        "import os\n"
        "def f(smiles):\n"
        "    if 'Br' in smiles:\n"
        "        raise ValueError('iodine')\n"
        "    return 1 / len(smiles)\n"
        "def pid(smiles):\n"
        "    return float(os.getpid())\n"
    )
    sigmoid = {"type": "sigmoid", "low": 0, "high": 1}
    components = [
        *ALL_ROLES,
        {"use": "mine.py:f"},
        {"use": "mine.py:pid", "transform": sigmoid},
        {"use": "a", "role": "filter"},
        {"use": "b"},
    ]
    toys = {"a": toy({"CCO": 0.1}), "b": toy({"C": np.nan}, 1.0)}
    config = ObjectiveConfig.model_validate({"components": components})
    tables, processes, journals = [], [], []
    for workers in (1, 2):
        journal = tmp_path / f"{workers}.jsonl"
        with (
            ScoreCache(journal) as cache,
            build_objective(config, base_dir=tmp_path, handed_in=toys, workers=workers, cache=cache) as built,
        ):
            table = built(MOLS)
        pids = table.raw.pop("pid")
        processes.append(set(pids[~np.isnan(pids)]))
        tables.append(table)
        rows = [json.loads(line) for line in journal.read_text().splitlines()]
        values = [(row["m"], row["v"] or -1, row.get("e", "")) for row in rows if "m" in row]
        journals.append(sorted(value for value in values if value[1] <= 1))
    same(*tables)
    assert journals[0] == journals[1]
    assert journals[0]
    assert processes[0] == {float(os.getpid())}
    assert not processes[0] & processes[1]


def test_a_worker_that_dies_costs_only_its_molecule(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import os\ndef f(smiles):\n    if 'B' in smiles:\n        os._exit(9)\n    return 0.5\n"
    )
    config = ObjectiveConfig.model_validate({"components": [{"use": "mine.py:f"}]})
    boron = [k for k, mol in enumerate(MOLS) if "B" in mol.smiles]
    with build_objective(config, base_dir=tmp_path, workers=2) as built:
        table = built(MOLS)
    assert np.flatnonzero(np.isnan(table.total)).tolist() == boron
    assert table.reasons[boron[0]] == "f: no value (the worker process ended with exit code 9)"


def test_a_scorer_error_in_a_worker_is_raised_here_and_the_pool_goes_on(tmp_path):
    (tmp_path / "mine.py").write_text("def f(smiles): return 0.5 if smiles != 'CCO' else 'bad'\n")
    config = ObjectiveConfig.model_validate({"components": [{"use": "mine.py:f"}]})
    with build_objective(config, base_dir=tmp_path, workers=2) as built:
        with pytest.raises(ScorerError, match=r"mine\.py:f returned 'bad' \(str\) for CCO"):
            built(MOLS)
        assert built(MOLS[2:6]).total.tolist() == pytest.approx([0.5] * 4)


def test_a_stop_request_does_not_wait_for_busy_workers(tmp_path):
    (tmp_path / "mine.py").write_text("import threading\ndef f(smiles): threading.Event().wait()\n")
    config = ObjectiveConfig.model_validate({"components": [{"use": "mine.py:f"}]})
    calls = []

    def stop():
        calls.append(1)
        return "SIGUSR1" if len(calls) > 3 else None

    with (
        build_objective(config, base_dir=tmp_path, workers=2) as built,
        pytest.raises(Interrupted, match="SIGUSR1"),
    ):
        built(MOLS, stop=stop)
