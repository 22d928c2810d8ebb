"""The filter stage as a component of an objective: how many rules of a preset a molecule breaks, named in words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.bloom import BloomFilter
from molgen.chem.motifs import Motif, read_motifs
from molgen.chem.rules.book import Options
from molgen.chem.rules.ruleset import RuleSet
from molgen.core.errors import ConfigError, DataError, Problem
from molgen.data import catalog
from molgen.data.reader import read
from molgen.scoring.filter_params import FilterPresetParams
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.chem.rules.rule import Verdict

#: Bloom filters of ring systems: name in rules and reasons -> data set.
RING_FILTERS = {"ChEMBL": "chembl-ring-systems", "SureChEMBL": "surechembl-ring-systems"}


def options_of(
    params: FilterPresetParams, base_dir: Path, policy: str = "default"
) -> tuple[Options, dict[str, str]]:
    """The options of the rules, read from the files that ``params`` names, and the SHA-256 of each file.

    Raises:
        ConfigError: a table of motifs, a file of parents or a ring filter that cannot be used, with the key.
    """
    files: dict[str, str] = {}
    problems: list[Problem] = []
    own: tuple[Motif, ...] = ()
    if params.own is not None:
        path = (base_dir / Path(params.own).expanduser()).resolve()
        try:
            own = tuple(read_motifs(path))
            files[str(path)] = _sha256(path)
        except ConfigError as error:
            problems += [Problem("own", f"{path}: {problem}") for problem in error.problems]
    parents: tuple[tuple[str, str], ...] = ()
    if params.allow_inherited_from is not None:
        path = (base_dir / Path(params.allow_inherited_from).expanduser()).resolve()
        try:
            table = read(path, policy=policy)
            parents = tuple((mol.id or mol.smiles, mol.smiles) for mol in table.molecules)
            files[str(path)] = _sha256(path)
            if not parents:
                problems.append(Problem("allow_inherited_from", f"{path}: no usable molecule in it"))
        except (DataError, OSError) as error:
            problems.append(Problem("allow_inherited_from", str(error)))
    known: dict[str, BloomFilter] = {}
    for name in _ring_filters(params):
        try:
            path = catalog.locate(RING_FILTERS[name])
            known[name] = BloomFilter.read(path)
            files[str(path)] = catalog.get_entry(RING_FILTERS[name]).sha256
        except DataError as error:
            problems.append(Problem("rescue_rings" if params.rescue_rings else f"{name} rings", str(error)))
    if problems:
        raise ConfigError(problems, "filter")
    options = Options(
        preset=params.preset,
        add=tuple(params.add),
        relax=tuple(params.relax),
        show=tuple(params.show),
        limits=dict(params.limits),
        elements=tuple(params.elements),
        windows=dict(params.windows),
        own=own,
        parents=parents,
        known_rings=known,
        ring_rescue=params.rescue_rings,
    )
    return options, files


def _ring_filters(params: FilterPresetParams) -> list[str]:
    """The Bloom filters that the parameters need."""
    named = {name.lower().replace("_", " ") for name in (*params.add, *params.relax, *params.show)}
    return [name for name in RING_FILTERS if params.rescue_rings or f"{name.lower()} rings" in named]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class FilterPreset:
    """Number of rules that a molecule breaks, relaxed and inherited ones left out; the notes name them in words."""

    unit = "rules"

    def __init__(self, name: str, options: Options, files: Mapping[str, str]) -> None:
        self.name = name
        self.options = options
        self.files = dict(files)
        self.rules = RuleSet(options)
        self.cost = self.rules.cost
        self.summary = "; ".join([f"rules of the preset {options.preset} broken", *self.rules.remarks()])
        self.evidence_words = {
            "inherited": "rules broken no worse than by a parent, and excused",
            "relaxed": "rules broken, and relaxed by name",
            "shown": "hits of rules that only inform",
        }

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Judge a list."""
        values = np.zeros(len(mols))
        notes: dict[int, str] = {}
        for i, mol in enumerate(mols):
            verdict = self.rules.judge(mol.mol)
            values[i] = len({hit.rule.id for hit in verdict.broken})
            words = said(verdict)
            if words:
                notes[i] = words
        return Scored(values, notes=notes)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[str | None]]:
        """What was excused in each molecule: ``inherited``, ``relaxed``, ``shown``, as far as they were asked for."""
        columns: dict[str, list[str | None]] = {}
        options = self.options
        asked = {"inherited": options.parents, "relaxed": options.relax, "shown": options.show}
        wanted = [name for name, given in asked.items() if given]
        verdicts = [excused(self.rules.judge(mol.mol)) for mol in mols] if wanted else []
        for name in wanted:
            columns[name] = [verdict[name] or None for verdict in verdicts]
        return columns

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.options, self.files)


def excused(verdict: Verdict) -> dict[str, str]:
    """What was excused or only told, in words: ``inherited``, ``relaxed``, ``shown``; "" where there is none."""
    return {
        "inherited": "; ".join(f"{hit.words} (as {parent})" for hit, parent in verdict.inherited),
        "relaxed": "; ".join(hit.words for hit in verdict.relaxed),
        "shown": "; ".join(hit.words for hit in verdict.shown),
    }


def said(verdict: Verdict) -> str:
    """A verdict in words: what is broken, then what was excused and why; "" for a clean molecule."""
    parts = [verdict.why] if verdict.broken else []
    parts += [f"{kind}: {words}" for kind, words in excused(verdict).items() if words]
    return "; ".join(parts)


def build(name: str, params: FilterPresetParams, context: Context) -> FilterPreset:
    """See :class:`FilterPreset`. Raises ConfigError with all that is wrong."""
    options, files = options_of(params, context.base_dir, context.policy)
    assert name in SCORERS
    return FilterPreset(name, options, files)
