"""Reference ligands of the scorer ``shape``: read in their pose, or given a computed one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgen.chem.conformers import embed, lowest
from molgen.core.errors import ConfigError, DataError, MoleculeError, Problem
from molgen.scoring.shape.params import ShapeParams

#: References beyond this number are refused: each costs an overlay per conformer.
MOST = 20
_CONFORMERS = 20  # of which the one of lowest energy stands for a reference without a pose
_WITH_POSE = (".sdf", ".sd", ".mol")


@dataclass(frozen=True)
class Reference:
    """``mol``: heavy atoms, neutral, with one conformer. ``computed``: it is not from the user's file."""

    name: str
    mol: Chem.Mol
    computed: bool


def read_references(params: ShapeParams, base_dir: Path) -> tuple[list[Reference], dict[str, str]]:
    """The references and path -> sha256 of the file; raises ConfigError with keys relative to the parameters."""
    from molgen.run.files import sha256_file

    problems: list[Problem] = []
    found: list[Reference] = []
    files: dict[str, str] = {}
    if params.file is not None:
        path = (base_dir / Path(params.file).expanduser()).resolve()
        try:
            found += _with_pose(path) if path.suffix.lower() in _WITH_POSE else _of_table(path)
            files[str(path)] = sha256_file(path)
        except (DataError, OSError) as error:
            problems.append(Problem("file", str(error)))
    named = isinstance(params.references, dict)
    items = params.references.items() if isinstance(params.references, dict) else enumerate(params.references)
    for key, smiles in items:
        try:
            found.append(_computed(str(key) if named else smiles, smiles))
        except MoleculeError as error:
            place = f"references.{key}" if named else f"references[{key}]"
            problems.append(Problem(place, f"not a usable reference: {error.detail} (got {smiles!r})"))
    if not found and not problems:
        problems.append(Problem("file", f"no usable molecule in {params.file}"))
    if len(found) > MOST:
        problems.append(
            Problem("file", f"{len(found)} references, {MOST} are allowed; choose the ones that matter")
        )
    if problems:
        raise ConfigError(problems, "shape")
    return found, files


def _with_pose(path: Path) -> Iterator[Reference]:
    blocks = path.read_text(encoding="utf-8", errors="replace").split("$$$$")
    for number, block in enumerate(filter(str.strip, blocks), 1):
        with rdBase.BlockLogs():
            mol = Chem.MolFromMolBlock(block.lstrip("\r\n") if number > 1 else block)
        where = f"{path}: record {number}"
        if mol is None:
            raise DataError(f"{where} is not a readable molecule; write it anew with your modelling program")
        name = mol.GetProp("_Name").strip() or (path.stem if number == 1 else f"{path.stem}-{number}")
        if len(Chem.GetMolFrags(mol)) > 1:
            raise DataError(f"{where} has several parts; leave only the ligand, without solvent and ions")
        if not mol.GetNumAtoms():
            raise DataError(f"{where} has no atoms")
        if not mol.GetConformer().Is3D():
            try:
                yield _computed(name, Chem.MolToSmiles(mol))
            except MoleculeError as error:
                raise DataError(f"{where}: a drawing, and no conformer: {error.detail}") from error
        else:
            Chem.AssignStereochemistryFrom3D(mol)
            yield Reference(name, _plain(mol), computed=False)


def _of_table(path: Path) -> Iterable[Reference]:
    from molgen.data.reader import read

    molecules = read(path, limit=MOST + 1).molecules
    return [_computed(mol.id or mol.smiles, mol.smiles) for mol in molecules]


def _computed(name: str, smiles: str) -> Reference:
    from molgen.chem.molecule import Molecule

    full = embed(Molecule.from_smiles(smiles).mol, _CONFORMERS)
    return Reference(name, _plain(Chem.Mol(full, confId=lowest(full))), computed=True)


def _plain(mol: Chem.Mol) -> Chem.Mol:
    """Without hydrogens and charges, as the molecules are that it is compared with: both change the pharmacophore."""
    with rdBase.BlockLogs():
        plain = rdMolStandardize.Uncharger().uncharge(Chem.RemoveHs(mol))
    # Through RDKit's binary form now: it halves the precision of coordinates, and would do so on the way to a worker.
    return Chem.Mol(plain.ToBinary())
