from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molgen.chem.alerts import compile_smarts
from molgen.chem.identity import identify
from molgen.data.sdf import Row
from molgen.scoring.novelty import index as module
from molgen.scoring.novelty.features import SIMILAR, prefixes, tanimoto
from molgen.scoring.novelty.inchikeys import compare_keys
from molgen.scoring.novelty.index import Index, make_index, open_index
from molgen.scoring.novelty.levels import LEVELS, RANK, Verdict, compare, exchanged
from molgen.scoring.novelty.lists import KnownList


def index_of(*smiles: str) -> Index:
    rows = [Row(i, text, f"P{i}") for i, text in enumerate(smiles, 1)]
    return make_index(KnownList("list", "smiles", iter(rows), []))


def verdict(query: str, *known: str) -> Verdict:
    return compare(index_of(*known), identify([query]))[0]


@pytest.fixture(scope="session")
def patents(story, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("patents") / "patents.csv"
    path.write_text("id,smiles\n" + "".join(f"{k},{v}\n" for k, v in story.patents.items()), encoding="utf-8")
    return path


def test_the_story_of_the_patent_list(story, patents) -> None:
    """All 60 at the right level or a stricter one; at most 2 of 240 clean ones near, none above."""
    index = open_index(patents)
    names = list(story.generated)
    found = identify([story.generated[name][0] for name in names])
    verdicts = compare(index, found, [compile_smarts(story.core, "the core")])
    wrong = {
        name: (story.generated[name], verdict)
        for name, verdict in zip(names, verdicts, strict=True)
        if not name.startswith("clean") and verdict.rank > RANK[story.generated[name][1]]
    }
    assert not wrong
    alarms = Counter(v.level for name, v in zip(names, verdicts, strict=True) if name.startswith("clean"))
    assert set(alarms) <= {"near", "clear"}
    assert alarms["near"] <= 2
    by_name = dict(zip(names, verdicts, strict=True))
    for name, answer in by_name.items():
        if name.startswith(("salt", "tautomer", "stereo")):
            assert answer.match == name


def test_the_story_with_inchikeys_only(story, tmp_path) -> None:
    """Exact, most tautomers and stereo forms are found by keys; near is not possible, so neighbors are clear."""
    rows = [f"{name},{Chem.MolToInchiKey(Chem.MolFromSmiles(s))}\n" for name, s in story.patents.items()]
    path = tmp_path / "keys.csv"
    path.write_text("id,InChIKey\n" + "".join(rows), encoding="utf-8")
    index = open_index(path)
    assert index.kind == "inchikey"
    texts = {name: smiles for name, (smiles, _) in story.generated.items() if not name.startswith("clean")}
    verdicts = compare_keys(index, list(texts.values()), identify(list(texts.values())))
    levels = {name: verdict for name, verdict in zip(texts, verdicts, strict=True)}

    def of(kind: str) -> Counter[str]:
        return Counter(v.level for name, v in levels.items() if name.startswith(kind))

    assert of("exact") == {"exact": 10}
    assert of("tautomer")["clear"] == 0
    assert of("stereo") == {"same_skeleton": 10}
    assert of("salt")["same_compound"] >= 6  # a salt inside the list is another key
    assert of("neighbor")["near"] == 0


def test_wording_never_promises_rights() -> None:
    assert LEVELS["clear"] == "no match in the list given"
    assert not any(
        "free" in words or "operate" in words or "patentable" in words for words in LEVELS.values()
    )


@pytest.mark.parametrize(
    ("query", "known", "level"),
    [
        ("OCCc1ccccc1", "C(O)Cc1ccccc1", "exact"),
        ("C[N+](C)(C)CCO", "C[N+](C)(C)CCO.[Cl-]", "same_compound"),
        ("[2H]C([2H])([2H])Oc1ccccc1CN", "COc1ccccc1CN", "same_compound"),
        ("CC(=O)CC(=O)c1ccccc1", "CC(O)=CC(=O)c1ccccc1", "same_compound"),
        ("C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", "same_skeleton"),
        ("Cc1ccc(CCN)cc1", "c1ccc(CCN)cc1", "near"),
        ("COc1ccc(CCN)cc1", "c1ccc(CCN)cc1", "near"),
        ("Fc1ccc(CCN)cc1", "Clc1ccc(CCN)cc1", "near"),
        ("Fc1ccc(CCN)cc1", "Fc1cccc(CCN)c1", "near"),
        ("c1ccc(CCN)nc1", "c1ccc(CCN)cc1", "near"),
        ("c1ccc(CCCN)cc1", "c1ccc(CCN)cc1", "near"),
        ("C1CCN(Cc2ccccc2)CC1", "C1CCN(Cc2ccccc2)C1", "near"),
        ("CCOc1ccc(CCN)cc1", "c1ccc(CCN)cc1", "clear"),
        ("C1CCC(CCN)CC1", "c1ccc(CCN)cc1", "clear"),
    ],
)
def test_level_of_a_pair(query: str, known: str, level: str) -> None:
    assert verdict(query, known).level == level
    assert verdict(known, query).level == level


def test_the_strictest_of_several_entries_counts() -> None:
    answer = verdict("C[C@H](N)c1ccccc1", "CC(N)c1ccccc1C", "C[C@@H](N)c1ccccc1", "C[C@H](N)c1ccccc1")
    assert (answer.level, answer.match) == ("exact", "P3")


def test_a_high_tanimoto_similarity_is_near_even_with_three_atoms_more() -> None:
    long = "CCCCCCCCCCCCCCCCCC(=O)NC1CCN(C(=O)c2ccc(C(C)(C)C)cc2)CC1"
    answer = verdict("CCC" + long, long)
    assert answer.level == "near"
    assert answer.why.startswith("Tanimoto similarity")


def test_another_element_in_a_ring_is_counted_atom_by_atom() -> None:
    assert exchanged("c1ccc(CCN)cc1", "c1ccc(CCN)nc1") == 1
    assert exchanged("c1ccc(CCN)cc1", "c1cnc(CCO)nc1") == 3
    assert verdict("n1ccc(CCN)nc1", "c1ccc(CCN)cc1").why == "2 heavy atoms are another element"


def test_refused_rows_are_counted_and_unreadable_queries_named() -> None:
    index = index_of("CCO", "not a smiles", "", "[Na+].[Cl-]")
    assert len(index) == 1
    assert sum(index.meta["refused"].values()) == 3
    assert "not compared with" in index.summary()
    answer = compare(index, identify(["C1CC"]))[0]
    assert answer.level == "unreadable"
    assert "unparsable" in answer.why


def test_prefix_filtering_loses_no_similar_pair() -> None:
    """Every pair at or above the threshold shares a prefix feature, whatever the frequencies are."""
    rng = random.Random(3)
    base = [sorted(rng.sample(range(5_000), 30)) for _ in range(40)]
    sets = base + [
        sorted({*rng.sample(b, len(b) - rng.randrange(4)), *rng.sample(range(5_000), rng.randrange(3))})
        for b in base
    ]
    features = np.concatenate([np.array(s, dtype=np.uint32) for s in sets])
    offsets = np.cumsum([0, *map(len, sets)])
    frequencies = np.bincount(features % module.BUCKETS, minlength=module.BUCKETS).astype(np.uint32)
    chosen, owner = prefixes(features, offsets, frequencies)
    prefix = [set(chosen[owner == i].tolist()) for i in range(len(sets))]
    similar = 0
    for i in range(len(sets)):
        for j in range(i):
            a, b = (np.array(sets[k], dtype=np.uint32) for k in (i, j))
            if tanimoto(a, b) >= SIMILAR:
                similar += 1
                assert prefix[i] & prefix[j]
    assert similar > 5


def test_a_long_list_is_indexed_once_and_found_again_by_content(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "KEPT_ROWS", 3)
    monkeypatch.setattr(module, "_SORTED", 8)  # so that the sort in buckets is used
    path = tmp_path / "list.csv"
    known = ["c1ccc(CCN)cc1", "CC(=O)Nc1ccccc1", "OC(=O)c1ccncc1", "CCN(CC)CCOC"]
    path.write_text("smiles,id\n" + "".join(f"{s},{i}\n" for i, s in enumerate(known)), encoding="utf-8")
    first = open_index(path)
    monkeypatch.setattr(module, "_write", None)  # a second build would fail
    again = open_index(path)
    renamed = tmp_path / "other.csv"
    path.rename(renamed)
    assert first.folder == again.folder == open_index(renamed).folder
    for index in (first, again):
        answers = compare(index, identify([*known, "Cc1ccc(CCN)cc1"]))
        assert [v.level for v in answers] == ["exact"] * 4 + ["near"]
        assert [v.match for v in answers] == ["0", "1", "2", "3", "0"]


def test_hashes_do_not_depend_on_the_order_of_atoms_or_on_the_batch() -> None:
    smiles = "CC(=O)Nc1ccc(OCC(O)CNC(C)C)cc1"
    mol = Chem.MolFromSmiles(smiles)
    texts = [Chem.MolToSmiles(mol, doRandom=True) for _ in range(5)]
    found = identify([*texts, "CCO", "c1ccccc1"])
    alone = identify([smiles])
    for name in ("drawn", "body", "shape"):
        assert len(set(getattr(found, name)[:5].tolist())) == 1
        assert getattr(found, name)[0] == getattr(alone, name)[0]
    assert found.near[: found.near_offsets[1]].tolist() == alone.near.tolist()
