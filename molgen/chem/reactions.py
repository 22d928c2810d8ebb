"""Robust reactions of medicinal chemistry, run backwards: from a product to the sets of blocks it can be made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from rdkit import Chem, rdBase
from rdkit.Chem import rdChemReactions

from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean

FORMAT = 1
_MATCHES = 50  # places of one product where one template is tried


@dataclass(frozen=True)
class Reaction:
    """One named reaction; ``templates`` are the alternatives (leaving groups), product first.

    ``last``: it comes last in a route, because what it sets free would disturb the step before.
    """

    name: str
    templates: tuple[Any, ...]
    example: Mapping[str, Any]
    miss: tuple[str, ...]
    last: bool = False

    def back(self, mol: Chem.Mol) -> list[tuple[str, ...]]:
        """All distinct sets of blocks (canonical SMILES) that give ``mol`` in one step of this reaction."""
        found: dict[tuple[str, ...], None] = {}
        pattern = self.templates[0].GetReactantTemplate(0)
        if not mol.HasSubstructMatch(pattern):
            return []
        with rdBase.BlockLogs():
            for template in self.templates:
                for outcome in template.RunReactants((mol,), maxProducts=_MATCHES):
                    blocks = tuple(_finished(part) for part in outcome)
                    if all(blocks):
                        found[blocks] = None
        return list(found)


@cache
def reactions() -> tuple[Reaction, ...]:
    """All reactions of the table, compiled once per process."""
    text = files("molgen.chem").joinpath("tables/reactions.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    assert content["format"] == FORMAT, content["format"]
    return tuple(
        Reaction(
            entry["name"],
            tuple(_compiled(smarts) for smarts in entry["retro"]),
            entry["example"],
            tuple(entry["miss"]),
            entry.get("last", False),
        )
        for entry in content["reactions"]
    )


def choose(without: Collection[str] = ()) -> tuple[Reaction, ...]:
    """The reactions but those named. Raises ConfigError with the nearest name for one that is not there."""
    names = [reaction.name for reaction in reactions()]
    for name in without:
        if name not in names:
            raise ConfigError(f"no reaction {name!r}{did_you_mean(name, names)}")
    return tuple(reaction for reaction in reactions() if reaction.name not in without)


def _compiled(smarts: str) -> Any:
    reaction = rdChemReactions.ReactionFromSmarts(smarts)
    _, errors = reaction.Validate(silent=True)
    assert not errors, smarts
    reaction.Initialize()
    return reaction


def _finished(part: Chem.Mol) -> str:
    """Canonical SMILES of a block as the reaction leaves it; "" where no molecule comes out."""
    try:
        Chem.SanitizeMol(part)
    except ValueError:  # RDKit's own exceptions derive from it
        return ""
    smiles = Chem.MolToSmiles(part)
    return "" if "." in smiles else smiles
