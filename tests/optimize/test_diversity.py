import numpy as np
from rdkit import Chem

from molgen.chem.fingerprints import morgan, tanimoto
from molgen.optimize.diversity import butina, maxmin, one_of_each

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
