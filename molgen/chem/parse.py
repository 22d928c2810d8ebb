"""A string becomes an RDKit molecule, or an error that says in words why not."""

from __future__ import annotations

from rdkit import Chem, rdBase

from molgen.core.errors import MoleculeError

_PARAMETERS = Chem.SmilesParserParams()
_PARAMETERS.parseName = False
_PARAMETERS.allowCXSMILES = False


def parse(text: str) -> Chem.Mol:
    """The RDKit molecule of a string, sanitized, not standardized. Raises MoleculeError with the reason."""
    if not isinstance(text, str) or not (stripped := text.strip()):
        raise MoleculeError("empty", "no structure given")
    mol = None
    if not any(character.isspace() for character in stripped):
        mol = Chem.MolFromSmiles(stripped, _PARAMETERS)
    if mol is not None and mol.GetNumAtoms():
        return mol
    raise _diagnosis(stripped)


def _diagnosis(text: str) -> MoleculeError:
    with rdBase.BlockLogs():
        raw = Chem.MolFromSmiles(text, sanitize=False)
        problems = [] if raw is None or " " in text else Chem.DetectChemistryProblems(raw)
    for problem in problems:
        why = "valence" if "Valence" in problem.GetType() else "aromaticity"
        return MoleculeError(why, problem.Message().strip(), text)
    if any(character.isspace() for character in text):
        return MoleculeError(
            "unparsable", "blanks inside; a SMILES has none (is this the right column?)", text
        )
    return MoleculeError("unparsable", "not a SMILES that RDKit can read", text)
