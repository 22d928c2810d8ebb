"""Compares molecules with a list of which only InChIKeys are known: the first three levels, and nothing beyond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgen.chem.alerts import Substructure
from molgen.chem.identity import Identities, text_hash
from molgen.chem.parse import parse
from molgen.core.errors import MoleculeError
from molgen.scoring.novelty.index import Index
from molgen.scoring.novelty.levels import Verdict, rest

#: What is said wherever such a list was used.
LIMIT = (
    "the list has InChIKeys only: near was not possible, nor were cores taken from it; a salt of the list is found "
    "only by the same salt, a tautomer as far as InChI or an enumeration of tautomers goes"
)
_TAUTOMERS = 30


def compare_keys(
    index: Index, texts: Sequence[str], found: Identities, cores: Sequence[Substructure] = ()
) -> list[Verdict]:
    """One verdict per molecule; ``texts`` are the SMILES as they were written. Some 10 ms each."""
    assert index.kind == "inchikey"
    with rdBase.BlockLogs():
        return [
            rest(found, i, cores) if found.why[i] else _verdict(index, text, found.smiles[i]) or rest(found, i, cores)
            for i, text in enumerate(texts)
        ]  # fmt: skip


def _verdict(index: Index, text: str, smiles: str) -> Verdict | None:
    mol = Chem.MolFromSmiles(smiles)
    drawn, standard = _key(text), Chem.MolToInchiKey(mol)
    for key, level, why in (
        (drawn, "exact", "the same InChIKey"),
        (standard, "same_compound", "the same InChIKey without salt and charge"),
    ):
        if key and (name := _name(index, "inchikey", key)) is not None:
            return Verdict(level, name, why=why)  # type: ignore[arg-type]
    forms = _tautomers(mol)
    for key in forms:
        if (name := _name(index, "inchikey", key)) is not None:
            return Verdict("same_compound", name, why="the InChIKey of a tautomer")
    for key in [drawn, standard, *forms]:
        if key and (name := _name(index, "block", key[:14])) is not None:
            return Verdict("same_skeleton", name, why="the same first block of the InChIKey")
    return None


def _name(index: Index, kind: str, key: str) -> str | None:
    for _, rows in index.lookup(kind, np.array([text_hash(key)], dtype=np.uint64)):
        return index.entry(int(rows[0]))[1]
    return None


def _key(text: str) -> str:
    try:
        return str(Chem.MolToInchiKey(parse(text)))
    except MoleculeError:
        return ""


def _tautomers(mol: Chem.Mol) -> list[str]:
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(_TAUTOMERS)
    enumerator.SetRemoveSp3Stereo(False)
    return list(dict.fromkeys(filter(None, (Chem.MolToInchiKey(form) for form in enumerator.Enumerate(mol)))))
