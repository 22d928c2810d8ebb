"""Whether the scaffold of a molecule, or its skeleton, was ever seen in a patent document (filters of SureChEMBL)."""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from molgen.chem.bloom import BloomFilter
from molgen.data.catalog import locate


class PatentFilters:
    """Murcko scaffolds and skeletons of SureChEMBL as Bloom filters. Raises DataError with the line that fetches them.

    A Bloom filter forgets nothing and takes a stranger for a member about once in thirty thousand times.
    """

    #: What the columns mean; said wherever they are shown.
    MEANING = (
        "scaffold_in_patents, skeleton_in_patents: seen in some patent document that SureChEMBL has read, claimed or "
        "not; skeleton: the scaffold with all atoms carbon and all bonds single; empty: no rings"
    )

    def __init__(self) -> None:
        self._scaffolds = BloomFilter.read(locate("surechembl-scaffolds"))
        self._skeletons = BloomFilter.read(locate("surechembl-skeletons"))

    def seen(self, mol: Chem.Mol) -> tuple[bool | None, bool | None]:
        """Scaffold seen, skeleton seen; None for a molecule without rings."""
        scaffold = MurckoScaffold.GetScaffoldForMol(mol)
        if not scaffold.GetNumAtoms():
            return None, None
        # as the filters were made: exocyclic double bonds stay, as single bonds to carbon, in the skeleton
        skeleton = MurckoScaffold.MakeScaffoldGeneric(scaffold)
        return Chem.MolToSmiles(scaffold) in self._scaffolds, Chem.MolToSmiles(skeleton) in self._skeletons
