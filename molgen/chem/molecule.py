"""The molecule as a frozen value, and the only two ways to get one: from one string or from many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rdkit import Chem, rdBase

from molgen.chem.parse import parse
from molgen.chem.standardize import Policy, get_policy, standardize
from molgen.core.errors import MoleculeError

_NO_DATA: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Molecule:
    """A structure that parsed and went through a named policy. Equality and hash: (smiles, policy) only.

    ``smiles`` is the canonical isomeric SMILES, ``id`` and ``data`` (the other columns of its row) travel along.
    ``mol`` is always what RDKit reads from ``smiles``, whatever string the molecule came from, so that every value
    computed from it is the same again when the written file is read back.
    """

    smiles: str
    policy: str = "default"
    id: str | None = field(default=None, compare=False)
    data: Mapping[str, Any] = field(default_factory=lambda: _NO_DATA, compare=False)
    _mol: Chem.Mol | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def from_smiles(
        cls, text: str, policy: str = "default", id: str | None = None, data: Mapping[str, Any] | None = None
    ) -> Molecule:
        """Parse and standardize one string. Raises MoleculeError with a reason code and the text."""
        with rdBase.BlockLogs():
            smiles, mol = _canonical(text, rules := get_policy(policy))
        molecule = cls(smiles, rules.name, id, _NO_DATA if data is None else data)
        object.__setattr__(molecule, "_mol", mol)
        return molecule

    @property
    def mol(self) -> Chem.Mol:
        """The RDKit molecule, parsed at first use and kept. Treat it as read-only."""
        if self._mol is None:
            mol = Chem.MolFromSmiles(self.smiles)
            assert mol is not None, self.smiles
            object.__setattr__(self, "_mol", mol)
        return self._mol

    def release(self) -> None:
        """Forget the parsed RDKit molecule (some 10 kB); it is parsed again when asked for."""
        object.__setattr__(self, "_mol", None)

    @property
    def inchikey(self) -> str:
        """Standard InChIKey; "" where InChI has none."""
        with rdBase.BlockLogs():
            return Chem.MolToInchiKey(self.mol)

    @property
    def n_heavy(self) -> int:
        """Number of heavy atoms."""
        return self.mol.GetNumHeavyAtoms()

    def __reduce__(self) -> tuple[Any, ...]:
        # strings only: a worker parses faster than it would receive the RDKit object with its properties
        strings = (self.smiles, self.policy, self.id)
        return Molecule, (*strings, dict(self.data)) if self.data else strings

    def _repr_svg_(self) -> str:
        from molgen.chem.draw import svg

        return svg(self.mol)


@dataclass(frozen=True)
class Rejected:
    """A row that gave no molecule: where it stood, what it said, the reason code and the words for it."""

    line: int
    text: str
    why: str
    detail: str
    file: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file else f"row {self.line}"
        return f"{where}: {self.why}: {self.detail} ({self.text[:80]!r})"


@dataclass(frozen=True)
class Parsed:
    """What became of a batch: ``len(ok) + len(rejected) == len(raw)``, and ``ok[k]`` came from ``raw[index[k]]``."""

    ok: list[Molecule]
    index: list[int]
    rejected: list[Rejected]

    @property
    def reasons(self) -> dict[str, int]:
        """Reason code -> how many rows."""
        counts: dict[str, int] = {}
        for row in self.rejected:
            counts[row.why] = counts.get(row.why, 0) + 1
        return counts


def parse_all(
    raw: Sequence[str],
    policy: str = "default",
    *,
    ids: Sequence[str | None] | None = None,
    data: Sequence[Mapping[str, Any]] | None = None,
    file: str = "",
    first_line: int = 1,
) -> Parsed:
    """Parse and standardize a batch; a bad row becomes a Rejected with its line, never an exception."""
    rules = get_policy(policy)
    ok: list[Molecule] = []
    index: list[int] = []
    rejected: list[Rejected] = []
    with rdBase.BlockLogs():
        for position, text in enumerate(raw):
            try:
                smiles, mol = _canonical(text, rules)
            except MoleculeError as error:
                shown = text if isinstance(text, str) else ""
                rejected.append(Rejected(first_line + position, shown, error.why, error.detail, file))
                continue
            molecule = Molecule(
                smiles,
                rules.name,
                None if ids is None else ids[position],
                _NO_DATA if data is None else data[position],
            )
            if mol is not None:
                object.__setattr__(molecule, "_mol", mol)
            ok.append(molecule)
            index.append(position)
    return Parsed(ok, index, rejected)


def _canonical(text: str, policy: Policy) -> tuple[str, Chem.Mol | None]:
    """Canonical SMILES, and the RDKit molecule if it was parsed from exactly that string."""
    mol = parse(text)
    try:
        form = standardize(mol, policy, text=text)
    except MoleculeError as error:
        raise MoleculeError(error.why, error.detail, text) from error
    smiles = Chem.MolToSmiles(form)
    return smiles, mol if smiles == text else None
