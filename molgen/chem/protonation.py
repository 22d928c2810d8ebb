"""Charges that a molecule has at pH 7.4, by a short table of groups whose pKa lies clearly to one side.

Groups near neutrality (imidazole, thiols, phenols, sulfonamides of azines) stay as drawn: a table cannot know.
"""

from __future__ import annotations

from functools import cache

from rdkit import Chem

#: Of the two tables below; part of what a kept docking was computed with.
VERSION = 1
# Neighbors are sp3 carbon and hydrogen; electron-poor ones (CF3-CH2-N, NC-CH2-N, a second heteroatom) lower the pKa.
_AMINE = "[NX3;+0;!$(N[!#6]);!$(N[#6;!X4]);!$(N[CX4]C#N);!$(N[CX4]C(F)F);!$(N[CX4][O,S,F,Cl])]"
_QUIET = "!$([#7][C,S,P]=O);!$([#7][O,#7]);!$([#7]C#N);!$([#7]S(=O))"  # an acyl, N or O on the nitrogen
_AZINE = f"n1ccc([NX3;{_QUIET};!$(N[#6;!X4;!$(c1ccncc1)])])cc1"

#: name -> (SMARTS, whose first atom loses a hydrogen, and its usual pKa)
ACIDS = {
    "carboxylic acid": ("[OX2H1][CX3](=O)[#6,#1]", 4.2),
    "sulfonic acid": ("[OX2H1]S(=O)=O", -1.0),
    "sulfinic acid": ("[OX2H1][SX3]=O", 2.0),
    "phosphonic or phosphoric acid": ("[OX2H1]P(=O)", 2.0),
    "tetrazole": ("[nX3H1;$(n1nnnc1),$(n1nncn1)]", 4.9),
    "acyl or sulfonyl sulfonamide": ("[NX3H1](S(=O)=O)[$(C=O),$(S(=O)=O)]", 4.0),
    "thiocarboxylic acid": ("[SX2H1][CX3](=O)[#6]", 3.4),
}
#: name -> (SMARTS, whose first atom takes a hydrogen, and its usual pKa), most basic first
BASES = {
    "guanidine": (f"[NX2;+0;{_QUIET}]=[CX3]([NX3;{_QUIET}])[NX3;{_QUIET}]", 12.5),
    "amidine": (f"[NX2;+0;{_QUIET};!$(NC=O)]=[CX3]([#6,#1])[NX3;{_QUIET}]", 11.5),
    "amine": (_AMINE, 9.8),
    "4-aminopyridine": (f"[nX2;+0;$({_AZINE})]", 9.1),
}


@cache
def _patterns() -> tuple[list[Chem.Mol], list[Chem.Mol]]:
    first, second = ([Chem.MolFromSmarts(smarts) for smarts, _ in table.values()] for table in (ACIDS, BASES))
    return first, second


def protonate(mol: Chem.Mol) -> Chem.Mol:
    """The form at pH 7.4 of a neutral molecule, stereo kept; charges that are drawn stay.

    One acid loses one hydrogen for each acidic group (phosphorus: one). Of two bases at most three bonds apart
    (piperazine, ethylenediamine) one is charged, the likelier one: the charge of the first keeps the second neutral.
    """
    acids, bases = _patterns()
    charged = Chem.RWMol(mol)
    order = list(Chem.CanonicalRankAtoms(mol))
    loses: dict[int, int] = {}  # the atom that the group hangs on -> the atom that loses its hydrogen
    for pattern in acids:
        for match in sorted(mol.GetSubstructMatches(pattern), key=lambda found: order[found[0]]):
            loses.setdefault(match[1] if len(match) > 1 else match[0], match[0])
    taken = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetFormalCharge() > 0]
    distances = Chem.GetDistanceMatrix(mol)
    for pattern in bases:
        found = {match[0] for match in mol.GetSubstructMatches(pattern)}
        # secondary and primary amines before tertiary ones, then by canonical rank
        for place in sorted(found, key=lambda k: (mol.GetAtomWithIdx(k).GetDegree() == 3, order[k])):
            if all(distances[place][other] > 3 for other in taken):
                taken.append(place)
                _charge(charged.GetAtomWithIdx(place), 1)
    for place in set(loses.values()):
        _charge(charged.GetAtomWithIdx(place), -1)
    done = charged.GetMol()
    Chem.SanitizeMol(done)
    return done


def _charge(atom: Chem.Atom, charge: int) -> None:
    hydrogens = atom.GetTotalNumHs() + charge
    atom.SetFormalCharge(charge)
    atom.SetNoImplicit(True)
    atom.SetNumExplicitHs(hydrogens)
