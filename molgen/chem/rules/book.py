"""The book of rules: every group by name, the presets, and what a name that a user writes stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache

from rdkit import Chem

from molgen.chem import motifs as shipped
from molgen.chem.bloom import BloomFilter
from molgen.chem.descriptors import DESCRIPTORS
from molgen.chem.rules import groups as g
from molgen.chem.rules.rule import Group, Rule
from molgen.chem.rules.windows import WINDOWS
from molgen.chem.sanity import (
    GRAPH_RULES,
    PLAIN_RULES,
    SHAPE_RULES,
    STEREO_RULES,
    Limits,
    graph_faults,
    plain_faults,
    shape_faults,
    stereo_faults,
)
from molgen.core.errors import ConfigError, Problem
from molgen.core.suggest import did_you_mean

#: Preset -> the groups in it.
PRESETS: dict[str, tuple[str, ...]] = {
    "default": ("graph", "shape", "rings", "tier 1", "PAINS", "Glaxo"),
    "strict": (
        *("graph", "plain elements", "shape", "stereo", "rings", "tier 1", "tier 2"),
        *("PAINS", "Glaxo", "SA", "drug-like"),
    ),
    "lead-like": (
        *("graph", "plain elements", "shape", "rings", "tier 1", "tier 2", "PAINS", "Glaxo", "lead-like"),
    ),
    "none": (),
}
#: Names that mean a group of another name: RDKit has these collections twice.
ALIASES = {"Dundee": "BRENK", "BMS": "NIH", "windows": "drug-like", "synthesizability": "SA"}
_CATALOGS = {
    "Glaxo": ("CHEMBL_Glaxo", 5e-5),
    "PAINS": ("PAINS", 5e-4),
    "BRENK": ("BRENK", 1.5e-4),
    "NIH": ("NIH", 4e-4),
    "ZINC": ("ZINC", 2e-4),
    "Inpharmatica": ("CHEMBL_Inpharmatica", 3e-4),
    "LINT": ("CHEMBL_LINT", 2e-4),
    "MLSMR": ("CHEMBL_MLSMR", 3e-4),
    "SureChEMBL": ("CHEMBL_SureChEMBL", 3e-4),
}


@dataclass(frozen=True)
class Options:
    """What a user chose, as plain data that a worker process can be handed.

    ``add`` and ``relax`` are names of groups or rules; ``show`` groups whose hits are told and reject nothing;
    ``limits`` other bars (fields of :class:`molgen.chem.sanity.Limits`), ``elements`` symbols allowed in any form;
    ``windows`` descriptor -> (lowest, highest); ``own`` motifs; ``parents`` (name, SMILES) whose faults are excused;
    ``known_rings`` Bloom filters: a ring system that all of them know passes, however rare in the shipped table.
    """

    preset: str = "default"
    add: tuple[str, ...] = ()
    relax: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    elements: tuple[str, ...] = ()
    windows: Mapping[str, g.Window] = field(default_factory=dict)
    own: tuple[shipped.Motif, ...] = ()
    parents: tuple[tuple[str, str], ...] = ()
    known_rings: Mapping[str, BloomFilter] = field(default_factory=dict)
    ring_rescue: bool = False


class Book:
    """All groups for one set of options, each made when first asked for."""

    def __init__(self, options: Options | None = None) -> None:
        options = options or Options()
        self.limits = limits_of(options.limits, options.elements)
        self._made: dict[str, Group] = {}
        self._makers = _makers(self.limits, options)

    @property
    def names(self) -> list[str]:
        """Every group."""
        return list(self._makers)

    def group(self, name: str) -> Group:
        """The group of exactly this name."""
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def find_group(self, text: str, key: str) -> str:
        """The group that a user means. Raises ConfigError with the nearest names."""
        named = {_fold(name): name for name in self._makers} | {_fold(a): b for a, b in ALIASES.items()}
        if _fold(text) not in named:
            raise ConfigError(
                [Problem(key, f"no group of rules {text!r}{did_you_mean(text, [*self._makers, *ALIASES])}")]
            )
        return named[_fold(text)]

    def find(self, text: str, key: str) -> list[Rule]:
        """The rules that a user means by the name of a group, of a rule, or by ``group: rule``.

        Case, blanks, ``-`` and ``_`` do not matter. A rule's name alone means that rule in every group that has it.
        Raises ConfigError with the nearest name.
        """
        folded = _fold(text)
        named = {_fold(name) for name in self._makers} | {_fold(a) for a in ALIASES}
        if folded in named:
            return list(self.group(self.find_group(text, key)).rules)
        rules = [rule for name in self._makers for rule in self.group(name).rules]
        found = [rule for rule in rules if folded in (_fold(rule.name), _fold(rule.id))]
        if not found:
            known = [*self._makers, *ALIASES, *dict.fromkeys(rule.name for rule in rules)]
            hint = did_you_mean(text, known, what="groups:")
            raise ConfigError([Problem(key, f"no rule {text!r}{hint} (molgen filter --rules lists all)")])
        return found


def limits_of(changed: Mapping[str, float], elements: Iterable[str]) -> Limits:
    """The bars with the user's changes. Raises ConfigError for a bar or an element that there is not."""
    known = [one.name for one in fields(Limits) if one.name != "elements"]
    problems = [
        Problem(f"limits.{name}", f"no such limit{did_you_mean(name, known)}")
        for name in changed
        if name not in known
    ]
    numbers = set(Limits().elements)
    for symbol in elements:
        number = _elements().get(symbol)
        if number is None:
            problems.append(Problem("elements", f"no element {symbol!r}; symbols such as B, P, Si, I"))
        else:
            numbers.add(number)
    if problems:
        raise ConfigError(problems, "filter")
    # a number of atoms or rings is a whole one; only the SA score is not
    bars = {name: value if name == "sa_score" else int(value) for name, value in changed.items()}
    return replace(Limits(), elements=frozenset(numbers), **bars)  # type: ignore[arg-type]


@cache
def _elements() -> dict[str, int]:
    table = Chem.GetPeriodicTable()
    return {table.GetElementSymbol(number): number for number in range(1, 119)}


def _makers(limits: Limits, options: Options) -> dict[str, Callable[[], Group]]:
    source = f"molgen, tables/motifs.yaml version {shipped.version()}"
    rescue = tuple(options.known_rings.values()) if options.ring_rescue else ()
    makers: dict[str, Callable[[], Group]] = {
        "graph": lambda: g.FaultGroup("graph", GRAPH_RULES, graph_faults, limits, severity="high", cost=2e-5),
        "shape": lambda: g.FaultGroup(
            "shape", SHAPE_RULES, shape_faults, limits, severity="medium", cost=3e-5
        ),
        "plain elements": lambda: g.FaultGroup(
            "plain elements", PLAIN_RULES, plain_faults, limits, severity="medium", cost=2.5e-5
        ),
        "tier 1": lambda: g.MotifGroup("tier 1", shipped.motifs(1), source),
        "tier 2": lambda: g.MotifGroup("tier 2", shipped.motifs(2), source),
        "rings": lambda: g.RingGroup(limits.ring_frequency, rescue),
        "SA": lambda: g.WindowGroup(
            "SA",
            {"sa_score": (None, limits.sa_score)},
            "Ertl and Schuffenhauer, J. Cheminf. 1 (2009) 8",
            severity="medium",
        ),
        "stereo": lambda: g.FaultGroup(
            "stereo", STEREO_RULES, stereo_faults, limits, severity="low", cost=2e-4
        ),
    }
    for name, (windows, cited, allowed) in WINDOWS.items():
        makers[name] = _window(name, windows, cited, allowed)
    for name, (catalog, cost) in _CATALOGS.items():
        makers[name] = _catalog(name, catalog, cost)
    for name, bloom in options.known_rings.items():
        makers[f"{name} rings"] = _known(name, bloom)
    if options.own:
        makers["own"] = lambda: g.MotifGroup("own", options.own, "your table of motifs")
    for key, window in options.windows.items():
        _check_window(key, window)
        makers[key] = _window(key, {key: window}, "your window", 0)
    return makers


def _window(name: str, windows: Mapping[str, g.Window], source: str, allowed: int) -> Callable[[], Group]:
    return lambda: g.WindowGroup(name, windows, source, allowed=allowed)


def _catalog(name: str, catalog: str, cost: float) -> Callable[[], Group]:
    return lambda: g.CatalogGroup(name, catalog, cost)


def _known(name: str, bloom: BloomFilter) -> Callable[[], Group]:
    return lambda: g.KnownRingGroup(f"{name} rings", f"ring system in {name}", name, bloom)


def _check_window(key: str, window: Sequence[float | None]) -> None:
    place = f"windows.{key}"
    if key not in DESCRIPTORS:
        raise ConfigError([Problem(place, f"no such descriptor{did_you_mean(key, DESCRIPTORS)}")], "filter")
    low, high = window
    if low is None and high is None:
        raise ConfigError(
            [Problem(place, "a window has at least one end: [low, high], null for open")], "filter"
        )
    if low is not None and high is not None and low > high:
        raise ConfigError([Problem(place, f"the lowest, {low:g}, is above the highest, {high:g}")], "filter")


def _fold(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())
