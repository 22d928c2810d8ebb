"""The rules that a user chose: judges molecules, with every reason, relaxation and inheritance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molgen.chem.rules.book import PRESETS, Book, Options
from molgen.chem.rules.rule import Group, Hit, Rule, Verdict
from molgen.chem.screen import features
from molgen.core.errors import ConfigError, Problem
from molgen.core.suggest import did_you_mean


@dataclass(frozen=True)
class Relaxation:
    """A name that the user relaxed, and the rules that it stands for."""

    name: str
    rules: tuple[Rule, ...]


class RuleSet:
    """The rules in force. Groups are asked cheap ones first; a molecule is read once for all of them.

    Raises:
        ConfigError: unknown presets, rules, limits, windows; all at once.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options = options or Options()
        book = Book(options)
        problems: list[Problem] = []
        if options.preset not in PRESETS:
            problems.append(
                Problem("preset", f"no preset {options.preset!r}{did_you_mean(options.preset, PRESETS)}")
            )
        wanted: dict[str, set[str] | None] = dict.fromkeys(PRESETS.get(options.preset, ()))
        for key in ("add", "show"):
            for text in getattr(options, key):
                try:
                    found = book.find(text, key)
                except ConfigError as error:
                    problems += error.problems
                    continue
                if key == "add":  # a rule's name alone: the one of ours, not its namesakes in the catalogs
                    for rule in [rule for rule in found if rule.group == found[0].group]:
                        _take(wanted, rule, book)
        for own in ("own",) if options.own else ():
            wanted[own] = None
        for own in options.windows:
            wanted[own] = None
        self.relaxed: list[Relaxation] = []
        for text in options.relax:
            try:
                self.relaxed.append(Relaxation(text, tuple(book.find(text, "relax"))))
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems, "filter")
        self._shown = {rule.id for text in options.show for rule in book.find(text, "show")}
        groups = {name: book.group(name) for name in wanted}
        in_force = [
            rule
            for name, only in wanted.items()
            for rule in groups[name].rules
            if only is None or rule.id in only
        ]
        self.rules: tuple[Rule, ...] = tuple(in_force)
        self._in_force = {rule.id for rule in in_force}
        self._relaxed = {rule.id for one in self.relaxed for rule in one.rules}
        shown = {rule.group for text in options.show for rule in book.find(text, "show")}
        asked = {**groups, **{name: book.group(name) for name in shown}}
        self._groups: list[Group] = sorted(asked.values(), key=lambda group: group.cost)
        self._inherited: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for name, smiles in options.parents:
            self._remember(name, smiles)

    @property
    def groups(self) -> list[str]:
        """Names of the groups, in the order in which they are asked."""
        return [group.name for group in self._groups]

    @property
    def cost(self) -> float:
        """Rough CPU seconds per molecule."""
        return 1e-4 + sum(group.cost for group in self._groups)

    @property
    def idle_relaxations(self) -> list[str]:
        """Relaxed names of which no rule is in force: they change nothing."""
        return [one.name for one in self.relaxed if not {r.id for r in one.rules} & self._in_force]

    def judge(self, mol: Chem.Mol) -> Verdict:
        """Everything that the molecule breaks, whatever else it breaks."""
        has = features(mol)
        verdict = Verdict()
        for group in self._groups:
            for hit in group.hits(mol, has):
                if hit.rule.id not in self._in_force:
                    if hit.rule.id in self._shown:
                        verdict.shown.append(hit)
                elif hit.rule.id in self._relaxed:
                    verdict.relaxed.append(hit)
                elif (parent := self._parent_of(group, mol, hit)) is not None:
                    verdict.inherited.append((hit, parent))
                else:
                    verdict.broken.append(hit)
        return verdict

    def matrix(self, mols: Sequence[Chem.Mol]) -> np.ndarray:
        """Molecules x :attr:`rules`: which are broken and not excused, ``bool [n, rules]``."""
        place = {rule.id: k for k, rule in enumerate(self.rules)}
        broken = np.zeros((len(mols), len(self.rules)), dtype=bool)
        for i, mol in enumerate(mols):
            for hit in self.judge(mol).broken:
                broken[i, place[hit.rule.id]] = True
        return broken

    def remarks(self) -> list[str]:
        """What differs from the preset, each in a sentence, for the report: additions, other bars, relaxations."""
        options = self.options
        said = [f"added: {name}" for name in options.add]
        said += [f"{name} {value:g}" for name, value in options.limits.items()]
        said += [f"elements allowed besides: {', '.join(options.elements)}"] if options.elements else []
        said += [f"own window: {rule.summary}" for rule in self.rules if rule.group in options.windows]
        said += [f"{len(options.own)} motifs of your own"] if options.own else []
        for one in self.relaxed:
            active = [rule.id for rule in one.rules if rule.id in self._in_force]
            what = ", ".join(active[:5]) + (f" and {len(active) - 5} more" if len(active) > 5 else "")
            known = f" ({what})" if active else " (not in force)"
            said.append(f"relaxed: {one.name}{known}")
        if options.parents:
            said.append(f"what {len(options.parents)} parents break is excused")
        if options.ring_rescue:
            said.append("a rare ring system passes if both ChEMBL and SureChEMBL know it")
        return said

    def _remember(self, name: str, smiles: str) -> None:
        mol = Chem.MolFromSmiles(smiles)
        has = features(mol)
        for group in self._groups:
            for hit in group.hits(mol, has):
                known = self._inherited.setdefault((hit.rule.id, hit.subject), [])
                known.append((group.count(mol, hit), name))

    def _parent_of(self, group: Group, mol: Chem.Mol, hit: Hit) -> str | None:
        """The first parent that breaks the same rule no less than this molecule does."""
        parents = self._inherited.get((hit.rule.id, hit.subject))
        if not parents:
            return None
        count = group.count(mol, hit)
        return next((name for worst, name in parents if count <= worst), None)


def _take(wanted: dict[str, set[str] | None], rule: Rule, book: Book) -> None:
    """Add one rule to the groups that are wanted: None stands for the whole group."""
    only = wanted.get(rule.group, set()) if rule.group in wanted else set()
    if only is None:
        return
    wanted[rule.group] = only = only | {rule.id}
    if len(only) == len(book.group(rule.group).rules):
        wanted[rule.group] = None
