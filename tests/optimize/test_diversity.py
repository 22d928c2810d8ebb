import numpy as np
from rdkit import Chem

from molgen.chem.fingerprints import morgan, tanimoto
from molgen.core.schema import DiversityConfig
from molgen.optimize.diversity import ClusterMemory, ScaffoldMemory, build_quota, butina, maxmin, one_of_each
from molgen.optimize.memory import Entry

SMILES = [
    "Nc1ncnc2ccccc12", "CCCCCCO", "CNc1ncnc2ccccc12", "CCCCCCCO", "CCNc1ncnc2ccccc12", "O=C(O)c1ccncc1", "CCCCCO", "C",
]  # fmt: skip
MOLS = [Chem.MolFromSmiles(text) for text in SMILES]


def test_clusters_are_numbered_by_their_first_member_and_hold_what_is_similar():
    clusters = butina(MOLS, 0.4)
    assert clusters.tolist() == [0, 1, 0, 1, 0, 2, 1, 3]


def test_every_member_is_similar_to_the_center_of_its_cluster():
    clusters = butina(MOLS, 0.3)
    near = tanimoto(morgan(MOLS), morgan(MOLS)) >= 0.3
    np.fill_diagonal(near, True)
    for cluster in set(clusters.tolist()):
        members = np.flatnonzero(clusters == cluster)
        assert near[np.ix_(members, members)].all(axis=1).any()


def test_one_of_each_cluster_then_the_second_of_each():
    clusters = np.array([0, 0, 0, 1, 1, 2])
    assert one_of_each(clusters, 3) == [0, 3, 5]
    assert one_of_each(clusters, 5) == [0, 1, 3, 4, 5]
    assert one_of_each(clusters, 9) == [0, 1, 2, 3, 4, 5]


def test_maxmin_starts_with_the_best_and_takes_no_two_alike():
    chosen = maxmin(MOLS, 4)
    assert chosen == sorted(chosen)
    assert 0 in chosen
    assert len({butina(MOLS, 0.4)[k] for k in chosen}) == 4
    assert chosen == maxmin(MOLS, 4)
    assert maxmin(MOLS, 99) == list(range(8))


def visited(quota, smiles, total=0.8):
    return quota.visit(Entry(0, 1, "x", (), smiles, smiles, "scored", total, total, scaffold=smiles))


def test_a_cluster_has_one_quota_whatever_its_scaffolds():
    quota = ClusterMemory(2, 0.4, similarity=0.4, strength=0.75)
    series = ["Nc1ncnc2ccccc12", "CNc1ncnc2ccccc12", "CCNc1ncnc2ccccc12"]
    assert [visited(quota, text) for text in series] == [1.0, 1.0, 0.25]
    assert visited(quota, "CCCCCCO") == 1.0
    assert dict(quota.visits) == {series[0]: 3, "CCCCCCO": 1}
    assert visited(quota, "O=C(O)c1ccncc1", total=0.3) == 1.0, "too low to count"
    assert quota.metrics() == {"kinds": 2.0, "full_kinds": 1.0}
    quota.clear()
    assert visited(quota, series[2]) == 1.0
    assert dict(quota.visits) == {series[2]: 1}


def test_more_leaders_than_there_was_room_for():
    quota = ClusterMemory(1, 0.0, similarity=0.99)
    rings, links = ("c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1"), ("C", "CC", "O", "OC", "NC")
    texts = [f"{end}{link}{ring}" for end in "FNOCS" for link in links for ring in rings]
    assert sum(visited(quota, text) for text in texts) == len(quota.visits) > 64


def test_the_quota_that_a_configuration_asks_for():
    assert build_quota(None) is None
    scaffolds = build_quota(DiversityConfig(bucket_size=1, strength=0.5))
    assert isinstance(scaffolds, ScaffoldMemory)
    assert [visited(scaffolds, "CCO") for _ in range(2)] == [1.0, 0.5]
    assert isinstance(build_quota(DiversityConfig(kind="cluster")), ClusterMemory)


def test_clusters_are_the_same_after_a_resume(make_search):
    settings = {"diversity": {"kind": "cluster", "bucket_size": 1, "min_score": 0.1, "similarity": 0.3}}
    whole = make_search("whole", **settings)
    whole.run()
    part = make_search("part", **settings, budget={"molecules": 14, "steps": 2})
    part.run()
    resumed = make_search("part", **settings)
    resumed.restore()
    resumed.run()
    rows = [[str(Entry.from_row(row)) for row in s.folder.ledger.rows()] for s in (whole, resumed)]
    assert rows[0] == rows[1]
    assert resumed.diversity.visits == whole.diversity.visits
    assert any(count > 1 for count in whole.diversity.visits.values())
