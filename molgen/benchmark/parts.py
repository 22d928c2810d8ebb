"""The parts that the oracles of GuacaMol and PMO are made of, and the molecules they aim at.

Everything here makes a new function that keeps what it needs to itself: two oracles share nothing that can change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rdkit import Chem
from rdkit.DataStructs import TanimotoSimilarity

from molgen.benchmark.curves import Curve, gaussian
from molgen.benchmark.features import Features, count_symbols
from molgen.benchmark.pharmacophore import similarity

#: One number per molecule.
Score = Callable[[Features], float]

#: The molecules that the tasks are about, as their authors wrote them.
TARGETS: Mapping[str, str] = {
    "albuterol": "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1",
    "amlodipine": r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC",
    "aripiprazole": "Clc4cccc(N3CCN(CCCCOc2ccc1c(NC(=O)CC1)c2)CC3)c4Cl",
    "camphor": "CC1(C)C2CCC1(C)C(=O)C2",
    "celecoxib": "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F",
    "fexofenadine": "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4",
    "menthol": "CC(C)C1CCC(C)CC1O",
    "mestranol": "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1",
    "osimertinib": "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34",
    "perindopril": "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC",
    "quinazoline": "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C",  # of the two hop tasks
    "ranolazine": "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2",
    "sildenafil": "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C",
    "sitagliptin": "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F",
    "sitagliptin isomer": "NC(CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F",  # valsartan task: not sitagliptin itself
    "tadalafil": "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C",
    "thiothixene": "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1",
    "troglitazone": "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O",
    "zaleplon": "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1",
}
VALSARTAN_PART = "CN(C=O)Cc1ccc(c2ccccc2)cc1"
SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"
SULFONE = "CS([#6])(=O)=O"
BENZOTHIAZOLE = "[#7]-c1ccc2ncsc2c1"
DECORATION = "[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"


def target(name: str) -> Features:
    """Features of a target molecule, made anew."""
    return Features.parse(TARGETS[name])


def like(name: str, kind: str, curve: Curve | None = None) -> Score:
    """Tanimoto similarity of count fingerprints to a target, through a curve."""
    aim: Any = target(name).fingerprint(kind)

    def score(molecule: Features) -> float:
        value = TanimotoSimilarity(aim, molecule.fingerprint(kind))
        return float(value if curve is None else curve(value))

    return score


def pharmacophore_like(name: str, curve: Curve) -> Score:
    """Tanimoto similarity of pharmacophores to a target, through a curve."""
    aim = target(name).pharmacophore
    return lambda molecule: curve(similarity(molecule.pharmacophore, aim))


def contains(smarts: str) -> Score:
    """1 where the substructure occurs, else 0."""
    pattern = Chem.MolFromSmarts(smarts)
    return lambda molecule: float(molecule.has(pattern))


def lacks(smarts: str) -> Score:
    """0 where the substructure occurs, else 1."""
    pattern = Chem.MolFromSmarts(smarts)
    return lambda molecule: float(not molecule.has(pattern))


def isomer(formula: str, mean: Callable[[list[float]], float], total: Callable[[Features], int]) -> Score:
    """Closeness to a molecular formula: one bell per element (sigma 1) and one for all atoms (sigma 2)."""
    wanted = count_symbols(formula)
    bells = [(symbol, gaussian(number, 1.0)) for symbol, number in wanted.items()]
    whole = gaussian(sum(wanted.values()), 2.0)

    def score(molecule: Features) -> float:
        values = [bell(molecule.atoms.get(symbol, 0)) for symbol, bell in bells]
        return mean([*values, whole(total(molecule))])

    return score
