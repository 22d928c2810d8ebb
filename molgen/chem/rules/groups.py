"""The groups of rules: graph sanity, ring systems, motifs, catalogs, property windows, synthesizability."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rdkit import Chem

from molgen.chem.alerts import COLLECTIONS, alert_names, alerts
from molgen.chem.bloom import BloomFilter
from molgen.chem.descriptors import DESCRIPTORS
from molgen.chem.motifs import Motif, MotifTable
from molgen.chem.rings import flat, frequencies, table_info
from molgen.chem.rules.rule import Group, Hit, Rule
from molgen.chem.sanity import Fault, Limits
from molgen.chem.screen import Features

STUDY = "study of drugs, ChEMBL and ZINC, docs/filters.md"
#: (lowest, highest) of a descriptor, either may be open.
Window = tuple[float | None, float | None]


class FaultGroup(Group):
    """Rules of :mod:`molgen.chem.sanity`."""

    def __init__(
        self,
        name: str,
        rules: Mapping[str, str],
        faults: Callable[[Chem.Mol, Limits], Iterator[Fault]],
        limits: Limits,
        *,
        severity: str,
        cost: float,
    ) -> None:
        self.name = name
        self.cost = cost
        self._faults = faults
        self._limits = limits
        self._rules = {key: Rule(key, name, severity, STUDY, summary) for key, summary in rules.items()}
        self.rules = tuple(self._rules.values())

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """See :class:`Group`."""
        for fault in self._faults(mol, self._limits):
            kind = fault.words if fault.rule == "element" else ""
            yield Hit(self._rules[fault.rule], fault.words, fault.subject, fault.excess, kind)


class RingGroup(Group):
    """Every ring system is one that was seen: in the shipped table, or in both of two Bloom filters beside it.

    ``known``: Bloom filters of ring systems; a system that is rare in the table passes where all of them know it.
    """

    name = "rings"
    cost = 6e-4

    def __init__(self, least: int, known: Sequence[BloomFilter] = ()) -> None:
        info = table_info()
        self._least = least
        self._known = tuple(known)
        self._counted = int(info["molecules"])
        self._rule = Rule(
            "ring system",
            self.name,
            "medium",
            "counts of ring systems in ZINC250k, a ChEMBL sample and drugs, shipped",
            f"every ring system in at least {least} of {self._counted:,} public molecules"
            + (", or in both ChEMBL and SureChEMBL" if known else ""),
        )
        self.rules = (self._rule,)

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """See :class:`Group`."""
        for ring, count in frequencies(mol).items():
            if count < self._least and not self._is_known(ring):
                seen = f"in {count} of {self._counted:,} public molecules"
                words = f"ring system {ring} is {seen}" + (
                    " and not in both ChEMBL and SureChEMBL" if self._known else ""
                )
                yield Hit(self._rule, words, flat(ring), kind="rare ring system")

    def _is_known(self, ring: str) -> bool:
        return bool(self._known) and all(in_filter(ring, one) for one in self._known)


class KnownRingGroup(Group):
    """Every ring system is in a Bloom filter: seen at all, in ChEMBL or in patents."""

    cost = 7e-4

    def __init__(self, name: str, rule: str, place: str, bloom: BloomFilter) -> None:
        self.name = name
        self._place = place
        self._bloom = bloom
        self._rule = Rule(
            rule, name, "low", "Bloom filter of chembl-gen-check", f"every ring system seen in {place}"
        )
        self.rules = (self._rule,)

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """See :class:`Group`."""
        for ring in frequencies(mol):
            if not in_filter(ring, self._bloom):
                yield Hit(self._rule, f"ring system {ring} is not in {self._place}", flat(ring))


def in_filter(ring: str, bloom: BloomFilter) -> bool:
    """Whether a ring system is in the filter, as it stands or without its stereo."""
    return ring in bloom or flat(ring) in bloom


class MotifGroup(Group):
    """A table of motifs, of molgen or of the user."""

    def __init__(self, name: str, motifs: Sequence[Motif], source: str) -> None:
        self.name = name
        self.cost = 1.5e-6 * len(motifs)
        self._table = MotifTable(motifs)
        self._motifs = {motif.name: motif for motif in motifs}
        self._rules = {
            motif.name: Rule(motif.name, name, "high" if motif.tier == 1 else "medium", source, motif.why)
            for motif in motifs
        }
        self.rules = tuple(self._rules.values())

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """See :class:`Group`."""
        for motif in self._table.hits(mol, has):
            words = f"{motif.name} ({motif.why})" if motif.why else motif.name
            yield Hit(self._rules[motif.name], words, motif.name)

    def count(self, mol: Chem.Mol, hit: Hit) -> float:
        """How often the molecule has the motif."""
        return self._motifs[hit.rule.name].count(mol)


class CatalogGroup(Group):
    """One of RDKit's catalogs of alerts."""

    def __init__(self, name: str, catalog: str, cost: float) -> None:
        self.name = name
        self.cost = cost
        self._catalog = catalog
        about = COLLECTIONS[catalog]
        self._rules = {
            alert: Rule(alert, name, about.severity, about.source, about.summary)
            for alert in alert_names(catalog)
        }
        self.rules = tuple(self._rules.values())

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """See :class:`Group`."""
        for name in dict.fromkeys(alert.name for alert in alerts(mol, (self._catalog,), has=has)):
            yield Hit(self._rules[name], f"{self.name} alert {name}", name)


class WindowGroup(Group):
    """Descriptors inside of their windows; ``allowed`` of them may be outside (Lipinski: one)."""

    cost = 3e-4

    def __init__(
        self,
        name: str,
        windows: Mapping[str, Window],
        source: str,
        *,
        severity: str = "low",
        allowed: int = 0,
    ) -> None:
        self.name = name
        self._windows = dict(windows)
        self._allowed = allowed
        limits = ", ".join(_range(*item) for item in windows.items())
        excused = f"; {allowed} may be outside" if allowed else ""
        self._rule = Rule(name, name, severity, source, limits + excused)
        self.rules = (self._rule,)

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """See :class:`Group`."""
        found = []
        for key, (low, high) in self._windows.items():
            value = DESCRIPTORS[key](mol)
            outside = max(low - value if low is not None else 0.0, value - high if high is not None else 0.0)
            if outside > 0:
                side = f"above {high:g}" if high is not None and value > high else f"below {low:g}"
                label = label_of(key)
                words = f"{label} {_number(value)} is {side}" + (
                    "" if key == self.name else f" ({self.name})"
                )
                found.append(Hit(self._rule, words, key, outside, f"{label} {side}"))
        if len(found) > self._allowed:
            yield from found


_LABELS = {
    "mol_weight": "weight",
    "logp": "logP",
    "tpsa": "TPSA",
    "hbd": "H-bond donors",
    "hba": "H-bond acceptors",
    "sa_score": "SA score",
    "qed": "QED",
}


def label_of(descriptor: str) -> str:
    """How a descriptor is called in a sentence."""
    return _LABELS.get(descriptor, descriptor.replace("_", " "))


def _range(descriptor: str, window: Window) -> str:
    low, high = window
    key = label_of(descriptor)
    if low is None:
        return f"{key} at most {high:g}"
    return f"{key} at least {low:g}" if high is None else f"{key} {low:g} to {high:g}"


def _number(value: float) -> str:
    return f"{value:g}" if value == int(value) else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
