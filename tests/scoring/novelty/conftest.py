"""A list of patent compounds, and 300 generated molecules of which the right answer is known."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem


def menu(text: str) -> list[str]:
    """SMILES with an open place each."""
    return text.split()


HEADS = menu(
    "c1ccc({})cc1 c1cc(OC)c({})cc1 c1cnc({})cn1 c1cc({})ccc1C#N c1csc({})c1 C1CCC({})CC1 "
    "c1ccc2c(c1)c({})c[nH]2 c1ccc2oc({})cc2c1 c1c({})onc1C c1cc(C(F)(F)F)cc({})c1 C1CC1({}) "
    "c1ccc2ncc({})cc2c1 c1cc({})c(Cl)cc1Br CC(C)CC{} c1n(C)nc({})c1 c1ccc(cc1)-c2ccc({})cc2 c1cc({})cs1 "
    "C1CCOC({})C1 c1cc2OCOc2cc1{} c1ccc(S(C)(=O)=O)c({})c1"
)
LINKS = menu(
    "C(=O)N{} S(=O)(=O)N{} CN{} NC(=O)N{} OC{} C(=O)N(C)C{} CCC(=O)N{} c1nc({})no1 c1nnc({})s1 "
    "N1CCN({})CC1 C(=O)N1CCC({})CC1 NCC(O)C{}"
)
TAILS = menu(
    "c1ccccc1 c1ccncc1 Cc1ccc(F)cc1 C1CCCC1 c1ncc(Cl)cn1 CCN1CCOCC1 c1ccc2[nH]ncc2c1 CC(C)(C)C Cc1cccs1 "
    "c1ccc(OC(C)C)cc1 C1CCN(C(C)=O)CC1 c1cc(C)no1 c1cc(F)cc(F)c1 CCc1ccccn1 C1CC2CCC1C2 c1nc2ccccc2s1 "
    "CC(=O)OCC c1ccc(N(C)C)cc1 C1COC1 CC#N"
)
MIDDLES = menu(
    "c1ccc({})cc1 c1cc({})ccn1 CC{} c1ccc({})o1 C1CCN({})CC1 c1cnn({})c1 c1cc({})cc(C)c1 c1sc({})nc1 "
    "CC(C){} C1CC({})C1"
)

#: Pairs of tautomers with a place for the rest: hydroxypyridines, keto and enol, pyrazolones, amidines ...
TAUTOMERS = [
    ("Oc1cc({})ccn1", "O=c1cc({})cc[nH]1"),
    ("Oc1nccc({})n1", "O=c1nccc({})[nH]1"),
    ("CC(=O)CC(=O){}", "CC(O)=CC(=O){}"),
    ("CCOC(=O)CC(=O){}", "CCOC(=O)C=C(O){}"),
    ("Cc1cc(O)n({})n1", "CC1=NN({})C(=O)C1"),
    ("Cc1cc(O)n({})n1", "Cc1cc(=O)n({})[nH]1"),
    ("Cc1cnc({})[nH]1", "Cc1c[nH]c({})n1"),
    ("NC(=N{})C1CC1", "N=C(N{})C1CC1"),
    ("Sc1ncc({})cn1", "S=c1ncc({})c[nH]1"),
    ("c1ccc2nc({})[nH]c2c1C", "c1ccc2[nH]c({})nc2c1C"),
]
CORE = "c1ccc2c(c1)nc(N1CCOCC1)nc2-[#6]"


@dataclass
class Story:
    """``patents``: id -> SMILES. ``core``: SMARTS. ``generated``: name -> (SMILES, loosest right level)."""

    patents: dict[str, str] = field(default_factory=dict)
    core: str = CORE
    generated: dict[str, tuple[str, str]] = field(default_factory=dict)


def built(rng: random.Random, *menus: list[str]) -> str:
    """One part of each menu, each put into the place that the one before it leaves open."""
    text = "{}"
    for level, menu in enumerate(menus, 1):  # ring numbers of their own for each level: %11, %21 ...
        text = text.format(re.sub(r"\d", lambda digit, k=level: f"%{k}{digit[0]}", rng.choice(menu)))
    return text


def distinct(rng: random.Random, heads: list[str], n: int) -> list[str]:
    """Drug-like molecules of five parts; two of them hardly ever resemble each other."""
    made: dict[str, None] = {}
    while len(made) < n:
        made[canonical(built(rng, heads, LINKS, MIDDLES, LINKS, TAILS))] = None
    return list(made)


def part(rng: random.Random) -> str:
    """A substituent that begins with a carbon chain."""
    return "CCC" + built(rng, LINKS, MIDDLES, LINKS, TAILS)


def canonical(smiles: str) -> str:
    """RDKit's SMILES."""
    mol = Chem.MolFromSmiles(smiles)
    assert mol is not None, smiles
    return Chem.MolToSmiles(mol)


def other_order(smiles: str) -> str:
    """The same molecule, written from another atom."""
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), doRandom=True)


@pytest.fixture(scope="session")
def story() -> Story:
    """10 exact, 10 salts and charges, 10 tautomers, 10 stereo forms, 10 neighbors, 10 with the core, 240 clean."""
    rng = random.Random(7)
    patents, clean = distinct(rng, HEADS[::2], 1_000), distinct(rng, HEADS[1::2], 240)
    told = Story({f"US{i}": smiles for i, smiles in enumerate(patents)})

    def plant(kind: str, level: str, listed: str | None, drawn: str) -> None:
        number = len(told.generated)
        if listed is not None:
            told.patents[f"{kind}{number}"] = listed
        told.generated[f"{kind}{number}"] = (drawn, level)

    for i in range(10):
        plant("exact", "exact", None, other_order(patents[i]))
    for i in range(10):
        body = part(rng)
        listed, drawn = [
            (f"NCC{body}", f"[NH3+]CC{body}.[Cl-]"),
            (f"OC(=O)C{body}", f"[Na+].[O-]C(=O)C{body}"),
            (f"[NH3+]CC(C){body}.OS(=O)(=O)[O-]", f"NCC(C){body}"),
            (f"C1CNCCN1{body}", f"C1C[NH2+]CCN1{body}"),
            (f"[K+].[O-]C(=O)CC{body}", f"OC(=O)CC{body}.CCN(CC)CC"),
        ][i % 5]
        plant("salt", "same_compound", listed, drawn)
    for listed, drawn in TAUTOMERS:
        body = part(rng)
        plant("tautomer", "same_compound", listed.format(body), drawn.format(body))
    for i in range(10):
        body = part(rng)
        listed, drawn = [
            (f"C[C@H](O){body}", f"C[C@@H](O){body}"),
            (f"C[C@H](N)C{body}", f"CC(N)C{body}"),
            (f"C/C=C/{body}", f"C/C=C\\{body}"),
            (f"CC(F)C{body}", f"C[C@@H](F)C{body}"),
            (f"O[C@H]1CC[C@@H]1{body}", f"O[C@@H]1CC[C@@H]1{body}"),
        ][i % 5]
        plant("stereo", "same_skeleton", listed, drawn)
    methyl, fluoro = (AllChem.ReactionFromSmarts(f"[cH:1]>>[c:1]{new}") for new in ("C", "F"))
    i = 10
    while sum(name.startswith("neighbor") for name in told.generated) < 10:
        products = (methyl if i % 2 else fluoro).RunReactants((Chem.MolFromSmiles(patents[i]),))
        if products:
            plant(
                "neighbor",
                "near",
                None,
                canonical(Chem.MolToSmiles(products[rng.randrange(len(products))][0])),
            )
        i += 1
    for _ in range(10):
        plant("core", "core", None, f"c1ccc2c(c1)nc(N1CCOCC1)nc2{part(rng)}")
    for smiles in clean:
        plant("clean", "clear", None, smiles)
    assert len(told.generated) == 300
    return told
