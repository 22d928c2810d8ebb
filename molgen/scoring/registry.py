"""The scorers that a configuration can name: one torch-free, RDKit-free record each, built only when used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ConfigDict

from molgen.core.errors import ConfigError, Problem
from molgen.core.schema import Section
from molgen.core.suggest import did_you_mean
from molgen.scoring import external_params as e
from molgen.scoring import list_params as lists
from molgen.scoring import params as p
from molgen.scoring.filter_params import FilterPresetParams
from molgen.scoring.protocol import Context, Scorer
from molgen.scoring.qsar.params import QsarParams
from molgen.scoring.record import ScorerRecord
from molgen.scoring.records_3d import RECORDS_3D

__all__ = ["ENTRY_POINT_GROUP", "SCORERS", "ScorerRecord", "find", "known_names", "unknown_name"]

#: Other packages register a ScorerRecord, or a callable that takes the parameters and returns a Scorer, here.
ENTRY_POINT_GROUP = "molgen.scorers"


def _property(name: str, unit: str, cost: float, summary: str, **transform: Any) -> ScorerRecord:
    builder = "molgen.scoring.properties:build"
    return ScorerRecord(name, summary, unit, cost, builder, transform=transform or None)


def _falling(low: float, high: float) -> dict[str, Any]:
    return {"type": "reverse_sigmoid", "low": low, "high": high}


def _window(low: float, high: float) -> dict[str, Any]:
    return {"type": "double_sigmoid", "low": low, "high": high}


_RECORDS = [
    _property("qed", "", 4e-4, "drug-likeness, quantitative estimate (Bickerton 2012), 0..1"),
    _property(
        "sa_score", "", 2e-4, "synthetic accessibility (Ertl 2009): 1 easy .. 10 hard", **_falling(3, 5)
    ),
    _property("mol_weight", "g/mol", 1e-5, "average molecular weight", **_window(200, 500)),
    _property("logp", "", 1e-4, "octanol/water partition, Crippen estimate", **_window(0, 5)),
    _property(
        "molar_refractivity", "cm3/mol", 1e-4, "molar refractivity, Crippen estimate", **_window(40, 130)
    ),
    _property("tpsa", "A^2", 2e-5, "topological polar surface area (Ertl 2000)", **_window(20, 140)),
    _property("hbd", "", 2e-5, "hydrogen bond donors", **_falling(4, 7)),
    _property("hba", "", 4e-5, "hydrogen bond acceptors", **_falling(9, 12)),
    _property("rotatable_bonds", "", 2e-5, "rotatable bonds (strict definition)", **_falling(9, 12)),
    _property("rings", "", 2e-6, "rings (smallest set)", **_window(0.5, 5.5)),
    _property("aromatic_rings", "", 5e-6, "aromatic rings", **_falling(3, 4)),
    _property("heavy_atoms", "", 2e-6, "heavy atoms", **_window(14, 38)),
    _property("heteroatoms", "", 2e-6, "atoms other than carbon and hydrogen", **_window(1.5, 12.5)),
    _property("fraction_csp3", "", 5e-6, "share of carbons that are sp3", type="sigmoid", low=0.1, high=0.4),
    _property("formal_charge", "e", 2e-6, "net formal charge", type="gaussian", target=0, width=1),
    _property("stereo_centers", "", 5e-5, "tetrahedral stereo centers, defined or not", **_falling(2, 5)),
    _property(
        "undefined_stereo_centers", "", 5e-5, "stereo centers without a defined side", **_falling(0, 3)
    ),
    _property("undefined_double_bonds", "", 2e-4, "double bonds that could be E or Z", **_falling(0, 3)),
    _property("longest_chain", "", 8e-5, "longest unbranched row of acyclic CH2 and CH3", **_falling(4, 8)),
    _property("largest_ring", "", 2e-6, "size of the largest ring", **_falling(6, 9)),
    _property("spiro_atoms", "", 1e-5, "spiro atoms", **_falling(1, 2)),
    _property("bridgehead_atoms", "", 1e-5, "bridgehead atoms", **_falling(2, 5)),
    ScorerRecord(
        "similarity",
        "Tanimoto similarity of Morgan fingerprints to reference molecules, 0..1",
        "",
        1e-4,
        "molgen.scoring.similarity:build",
        params=p.SimilarityParams,
        example={"references": ["CC(=O)Oc1ccccc1C(=O)O"], "radius": 2},
    ),
    ScorerRecord(
        "matching_substructure",
        "1 if the molecule has all (or any) of the SMARTS patterns, else 0",
        "",
        1e-5,
        "molgen.scoring.filters:build_matching",
        params=p.MatchParams,
        example={"smarts": ["c1ccccc1"], "require": "all"},
    ),
    ScorerRecord(
        "forbidden_substructure",
        "number of the given SMARTS patterns that the molecule has; none is wanted",
        "patterns",
        4e-5,
        "molgen.scoring.filters:build_forbidden",
        transform={"type": "step", "high": 0},
        params=p.AlertListParams,
        example={"smarts": ["[N+](=O)[O-]"]},
    ),
    ScorerRecord(
        "custom_alerts",
        "number of your own structural alerts that the molecule has, each with a name; none is wanted",
        "alerts",
        4e-5,
        "molgen.scoring.filters:build_forbidden",
        transform={"type": "step", "high": 0},
        params=p.AlertListParams,
        example={"smarts": {"aldehyde": "[CX3H1](=O)[#6]", "peroxide": "OO"}},
    ),
    ScorerRecord(
        "substructure_count",
        "how often the SMARTS patterns occur (distinct sets of atoms)",
        "matches",
        3e-5,
        "molgen.scoring.filters:build_count",
        transform=_falling(2, 4),
        params=p.CountParams,
        example={"smarts": ["[F,Cl,Br,I]"]},
    ),
    ScorerRecord(
        "alerts",
        "number of alerts from published collections (PAINS, BRENK ...) in the molecule; none is wanted",
        "alerts",
        1e-3,
        "molgen.scoring.filters:build_alerts",
        transform={"type": "step", "high": 0},
        params=p.CatalogParams,
        example={"catalogs": ["PAINS", "BRENK"]},
    ),
    ScorerRecord(
        "novelty",
        "how well a list of yours knows the molecule: 0 exact .. 2 same skeleton, 3 near, 4 core, 5 clear",
        "level",
        1.5e-3,
        "molgen.scoring.novelty.scorer:build",
        transform={"type": "step", "low": 5},
        params=lists.NoveltyParams,
        example={"references": {"my-17": "CC(=O)Oc1ccccc1C(=O)O"}, "cores": ["c1ccc2ncncc2c1"]},
    ),
    ScorerRecord(
        "filter_preset",
        "rules of the filter stage that the molecule breaks, named in words (docs/filters.md); none is wanted",
        "rules",
        2e-3,
        "molgen.scoring.filter_preset:build",
        transform={"type": "step", "high": 0},
        params=FilterPresetParams,
        example={"preset": "default", "relax": ["nitroarene"]},
    ),
    ScorerRecord(
        "building_blocks",
        "share of the molecule that your building blocks bring in, in at most two known reactions; 1: all of it",
        "",
        3e-2,
        "molgen.scoring.synthesizability.scorer:build",
        params=lists.BlocksParams,
        example={"references": ["NCc1ccccc1", "OC(=O)c1ccncc1"], "max_steps": 2},
    ),
    ScorerRecord(
        "ring_frequency",
        "occurrences, in known compounds, of the rarest ring system of the molecule",
        "molecules",
        1e-4,
        "molgen.scoring.filters:build_ring_frequency",
        transform={"type": "step", "low": 1},  # molgen.chem.rings.KNOWN; chem is not imported here
    ),
    ScorerRecord(
        "qsar",
        "activity predicted by a model that `molgen qsar train` made from your measurements",
        "",
        3e-3,
        "molgen.scoring.qsar.scorer:build",
        transform={"type": "sigmoid", "low": 6, "high": 8},
        params=QsarParams,
        example={"model": "model/"},
    ),
    ScorerRecord(
        "preference",
        "chance that you like it, learned from molecules that you liked and disliked; 0.5: like none of them",
        "",
        2e-4,
        "molgen.scoring.preference.scorer:build",
        params=lists.PreferenceParams,
        example={"likes": ["CC(=O)Oc1ccccc1C(=O)O"], "dislikes": ["CCCCCCCCCC"]},
    ),
    *RECORDS_3D,
    ScorerRecord(
        "command",
        "value that a program of yours gives: structures in, CSV or JSON out, no shell",
        "",
        0.1,
        "molgen.scoring.external_command:build",
        params=e.CommandParams,
        example={"command": ["python", "dock.py", "--fast"], "column": "affinity", "batch_size": 50},
    ),
    ScorerRecord(
        "http",
        "value that a service gives: structures as JSON by POST; on this machine, or on a host that you name",
        "",
        0.1,
        "molgen.scoring.external_http:build",
        params=e.HttpParams,
        example={"url": "http://localhost:8080/score", "column": "affinity"},
    ),
]

#: Every built-in scorer by name, in the order in which they are listed.
SCORERS: Mapping[str, ScorerRecord] = {record.name: record for record in _RECORDS}


def known_names(more: Iterable[str] = ()) -> list[str]:
    """Names that ``use`` accepts: built-in, from installed packages, and ``more``."""
    return sorted({*SCORERS, *_plugins(), *more})


def find(name: str) -> ScorerRecord | None:
    """The record of a built-in scorer or of an installed package's, None for an unknown name."""
    if name in SCORERS:
        return SCORERS[name]
    entry = _plugins().get(name)
    return None if entry is None else _plugin_record(entry)


def unknown_name(name: str, more: Iterable[str] = ()) -> str:
    """The message for a name that nobody knows, with the nearest ones."""
    return f"unknown scorer {name!r}{did_you_mean(name, known_names(more))}"


def _plugins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}


def _plugin_record(entry: EntryPoint) -> ScorerRecord:
    try:
        loaded = entry.load()
    except ImportError as error:
        raise ConfigError(
            f"scorer {entry.name!r} of an installed package cannot be imported: {error}"
        ) from error
    if isinstance(loaded, ScorerRecord):
        return loaded
    return _CallableRecord(
        name=entry.name,
        summary=(loaded.__doc__ or "").strip().partition("\n")[0],
        unit=str(getattr(loaded, "unit", "")),
        cost=float(getattr(loaded, "cost", 1e-3)),
        builder=entry.value,
        factory=loaded,
        transform=getattr(loaded, "transform", None),
    )


@dataclass(frozen=True)
class _CallableRecord(ScorerRecord):
    """A plug-in registered as a plain class or function: its signature is checked by calling it."""

    factory: Callable[..., Scorer] | None = None

    def check_params(self, given: Mapping[str, Any], key: str) -> tuple[Section | None, list[Problem]]:
        from molgen.scoring.signature import check_call

        assert self.factory is not None
        problems = check_call(self.factory, given, key)
        return (None if problems else _FreeParams(**given)), problems

    def build(self, params: Section, context: Context) -> Scorer:
        assert self.factory is not None
        return self.factory(**params.model_dump())


class _FreeParams(Section):
    """Parameters that the plug-in's own signature describes."""

    model_config = ConfigDict(extra="allow", frozen=True)
