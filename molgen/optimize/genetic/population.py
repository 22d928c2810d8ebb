"""The best molecules of a search, in order, and how parents are drawn from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rdkit import Chem, rdBase

from molgen.chem.fragments import murcko_scaffold


@dataclass(frozen=True)
class Member:
    """A molecule with its latest score: canonical SMILES, the id of its proposal, its Murcko scaffold."""

    smiles: str
    score: float
    id: int
    scaffold: str


class Population:
    """At most ``size`` molecules, best first, at most ``per_scaffold`` with one scaffold (0: no limit).

    Among equals the earlier one stays before the later one. Acyclic molecules share no scaffold.
    """

    def __init__(self, size: int, per_scaffold: int, members: Iterable[Member] = ()) -> None:
        self.size, self.per_scaffold = size, per_scaffold
        self.members: list[Member] = list(members)

    def __len__(self) -> int:
        return len(self.members)

    def update(self, scores: dict[str, tuple[float, int]]) -> int:
        """Take in molecules (SMILES -> score, id); known ones get the new score. Returns how many came in and stay."""
        kept = [
            replace(member, score=scores[member.smiles][0]) if member.smiles in scores else member
            for member in self.members
        ]
        have = {member.smiles for member in kept}
        new = [
            Member(text, score, number, scaffold_of(text) if self.per_scaffold else "")
            for text, (score, number) in scores.items()
            if text not in have
        ]
        room: Counter[str] = Counter()
        self.members = []
        for member in sorted([*kept, *new], key=lambda member: (-member.score, member.id)):
            if member.scaffold and room[member.scaffold] >= self.per_scaffold:
                continue
            room[member.scaffold] += 1
            self.members.append(member)
            if len(self.members) == self.size:
                break
        stay = {member.smiles for member in self.members}
        return sum(member.smiles in stay for member in new)

    def weights(self, elite: float) -> list[float]:
        """How often each member becomes a parent: by rank alone, ``1 / (elite * n + rank)``.

        With 500 members and 0.002, three in five parents come from the best tenth, whatever the scale of the scores.
        """
        n = len(self.members)
        return [1 / (elite * n + rank) for rank in range(1, n + 1)]


def scaffold_of(smiles: str) -> str:
    """Murcko scaffold; "" without rings."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    return "" if mol is None else murcko_scaffold(mol)
