"""Which atoms a prediction rests on: how much it changes when an atom is masked."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from rdkit import Chem

from molgen.scoring.qsar.features import Features, environments
from molgen.scoring.qsar.kinds import Fitted


def atom_weights(fitted: Fitted, mol: Chem.Mol) -> np.ndarray:
    """Prediction minus prediction with the atom masked, float64 ``[heavy atoms]``, in units of the target.

    Fingerprint models: all environments that look at the atom are removed (Riniker and Landrum, J. Cheminf. 5 (2013)
    43); the descriptors of a forest stay. Graph network: the features of the atom are set to zero.
    """
    if fitted.kind == "graph":
        return _graph(fitted, mol)
    occurrences = environments(mol)
    whole = Counter(key for key, _ in occurrences)
    variants = [dict(whole)]
    for atom in range(mol.GetNumAtoms()):
        variants.append(dict(Counter(key for key, atoms in occurrences if atom not in atoms)))
    plain = Features.of([mol])
    descriptors = plain.descriptors if fitted.kind == "forest" else np.zeros((1, 0), dtype=np.float32)
    values = fitted.mean_of(
        Features.from_counts(variants, None, np.repeat(descriptors, len(variants), axis=0))
    )
    return np.asarray(values[0] - values[1:])


def _graph(fitted: Any, mol: Chem.Mol) -> np.ndarray:
    from molgen.scoring.qsar.graph import graph_of

    atoms, ends, bonds = graph_of(mol)
    variants = [(atoms, ends, bonds)]
    for atom in range(len(atoms)):
        masked = atoms.copy()
        masked[atom] = 0.0
        variants.append((masked, ends, bonds))
    values = fitted.mean_of_graphs(variants)
    return np.asarray(values[0] - values[1:])
