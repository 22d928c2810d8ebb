"""What a search begins with: molecules that the model draws, and pieces of ZINC250k where it draws too little."""

from __future__ import annotations

from collections.abc import Collection

from molgen.chem.canonical import canonical
from molgen.core.seeding import numpy_generator, stream
from molgen.optimize.genetic.recombine import from_table
from molgen.optimize.hybrid.pool import Candidate
from molgen.optimize.hybrid.proposers import LanguageModel

#: Times the model is asked for what is still missing, before common pieces of ZINC250k have to do.
_DRAWS = 4


def drawn(
    model: LanguageModel, n: int, known: tuple[Collection[str], ...], seed: int, round_: int
) -> list[Candidate]:
    """``n`` molecules of the model, as far as it draws valid ones that are not ``known``; then what pieces make.

    Where that is not enough either, the invalid and known ones fill up.
    """
    found: dict[str, Candidate] = {}
    spare: list[Candidate] = []

    def is_new(text: str) -> bool:
        return text not in found and not any(text in some for some in known)

    for attempt in range(_DRAWS):
        if len(found) == n:
            break
        for idea in model.propose(n - len(found), stream(seed, "draw", round_, attempt)):
            text = canonical(idea.smiles)
            candidate = Candidate(text or idea.smiles, "prior", (), model.name, idea.nll)
            if text is not None and is_new(text):
                found[text] = candidate
            else:
                spare.append(candidate)
    for text in from_table(2 * (n - len(found)), numpy_generator(seed, "pieces", round_)):
        if len(found) < n and is_new(text):
            found[text] = Candidate(text, "pieces", (), "pieces")
    return [*found.values(), *spare[: n - len(found)]]
