"""The contract suite of what scorers may say beside their values: evidence columns and atom weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np

    from molgen.chem.molecule import Molecule
    from molgen.scoring.protocol import Scored, Scorer


def check_evidence(scorer: Scorer, mols: Sequence[Molecule]) -> None:
    """Assert that ``evidence`` and ``atom_weights``, where a scorer has them, keep their contracts.

    See :class:`molgen.scoring.protocol.HasEvidence`, ``HasPoses`` and ``HasAtomWeights``: one cell per molecule, the
    same columns whatever the list (also an empty one), and answers that do not depend on the other molecules. Raises
    AssertionError.
    """
    from molgen.core.errors import ScorerError
    from molgen.scoring.evidence import checked_columns, checked_poses, checked_weights
    from molgen.scoring.protocol import HasAtomWeights, HasEvidence, HasPoses

    few = list(mols)[:6]
    try:
        if isinstance(scorer, HasEvidence):
            whole = checked_columns(scorer.name, scorer.evidence(few), len(few))
            nothing = checked_columns(scorer.name, scorer.evidence([]), 0)
            assert list(nothing) == list(whole), "evidence of no molecules has other columns"
            for k, mol in enumerate(few):
                alone = checked_columns(scorer.name, scorer.evidence([mol]), 1)
                expected = {key: [cells[k]] for key, cells in whole.items()}
                assert alone == expected, f"evidence of {mol.smiles} depends on the other molecules"
        if isinstance(scorer, HasPoses):
            blocks = checked_poses(scorer.name, scorer.poses(few), len(few))
            for mol, block in zip(few, blocks, strict=True):
                assert list(scorer.poses([mol])) == [block], f"pose of {mol.smiles} depends on the others"
        if isinstance(scorer, HasAtomWeights):
            rows = checked_weights(scorer.name, scorer.atom_weights(few), few)
            assert len(checked_weights(scorer.name, scorer.atom_weights([]), [])) == 0
            for mol, row in zip(few, rows, strict=True):
                (alone_row,) = checked_weights(scorer.name, scorer.atom_weights([mol]), [mol])
                same = (
                    row is None if alone_row is None else row is not None and bool((alone_row == row).all())
                )
                assert same, f"atom weights of {mol.smiles} depend on the other molecules"
    except ScorerError as error:
        raise AssertionError(str(error)) from error


class ToyEvidence:
    """A scorer with everything that one may say: the share of heteroatoms, its interval, its nearest number. A fake."""

    name, unit, cost = "toy", "", 1e-5
    evidence_words: ClassVar = {
        "low": "lower end of the 80 % interval",
        "nearest": "nearest measured compound",
    }

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Heteroatoms by heavy atoms; methane has no value."""
        import numpy as np

        from molgen.scoring.protocol import Scored

        values = np.array([self._value(mol) for mol in mols], dtype=np.float64)
        return Scored(values, {k: "too small" for k in np.flatnonzero(np.isnan(values)).tolist()})

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[float | str | None]]:
        """An interval of 0.2 and the name of a compound; text, numbers and a missing cell."""
        values = [self._value(mol) for mol in mols]
        return {
            "low": [value - 0.1 for value in values],
            "in_domain": ["yes" if value < 0.5 else "no" for value in values],
            "nearest": ["CMPD-1" if mol.n_heavy > 5 else None for mol in mols],
        }

    def atom_weights(self, mols: Sequence[Molecule]) -> list[np.ndarray | None]:
        """Heteroatoms raise it, carbon lowers it; nothing to say about the smallest."""
        import numpy as np

        return [
            None
            if mol.n_heavy < 3
            else np.array([-0.1 if atom.GetSymbol() == "C" else 0.3 for atom in mol.mol.GetAtoms()])
            for mol in mols
        ]

    def _value(self, mol: Molecule) -> float:
        hetero = sum(atom.GetSymbol() != "C" for atom in mol.mol.GetAtoms())
        return hetero / mol.n_heavy if mol.n_heavy > 1 else float("nan")
