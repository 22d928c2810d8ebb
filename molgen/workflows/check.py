"""The second look at a configuration, before any work: do the names, files, models and scorers in it exist and work?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from molgen.chem.molecule import Molecule
from molgen.chem.standardize import POLICIES
from molgen.core import config as configs
from molgen.core import yamltext
from molgen.core.errors import ConfigError, DataError, MolgenError, Problem
from molgen.core.schema import DataConfig, ObjectiveConfig, OptimizeConfig, TrainConfig
from molgen.core.suggest import closest, did_you_mean
from molgen.data.reader import read
from molgen.scoring.objective import build_objective
from molgen.scoring.registry import known_names, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from molgen.scoring.protocol import Scorer

#: What the scorers are tried on: common, small, and different enough to give different values.
TRIAL = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
}
KINDS: dict[str, type[BaseModel]] = {
    "optimize": OptimizeConfig,
    "train": TrainConfig,
    "objective": ObjectiveConfig,
}


@dataclass(frozen=True)
class CheckReport:
    """A configuration without problems: what it is, what was found out, and the scores of three molecules.

    ``trial``: one dict per molecule with ``molecule``, ``total``, each component's value and ``reason``.
    """

    source: str
    kind: str
    loaded: configs.Loaded[Any]
    notes: list[str] = field(default_factory=list)
    trial: list[dict[str, Any]] = field(default_factory=list)


def load_any(
    source: Path | str | Mapping[str, Any], overrides: Sequence[str] = ()
) -> tuple[str, configs.Loaded[Any]]:
    """First look: find out what kind of configuration it is and load it with that schema."""
    kind = _kind(source)
    return kind, configs.load(source, KINDS[kind], overrides)


def check(
    source: Path | str | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    handed_in: Mapping[str, Scorer] | None = None,
) -> CheckReport:
    """Both looks. Raises ConfigError with everything that is wrong, each with key path and line."""
    try:
        kind, loaded = load_any(source, overrides)
    except ConfigError as error:
        raise _with_unknown_scorers(error, source, handed_in or {}) from None
    return check_loaded(kind, loaded, handed_in=handed_in)


def _with_unknown_scorers(
    error: ConfigError, source: Path | str | Mapping[str, Any], more: Iterable[str]
) -> ConfigError:
    """Add the misspelled scorers of a configuration that the schema refused, so that one report names both."""
    data, lines = _parsed(source)
    prefix, holder = ("", data) if "components" in data else ("objective.", data.get("objective"))
    components = holder.get("components") if isinstance(holder, dict) else None
    found = []
    for i, component in enumerate(components if isinstance(components, list) else []):
        use = component.get("use") if isinstance(component, dict) else None
        if isinstance(use, str) and ":" not in use and use not in known_names(more):
            found.append(configs.locate(f"{prefix}components[{i}].use", unknown_name(use, more), lines))
    problems = sorted([*error.problems, *found], key=lambda p: p.line or 0)
    return ConfigError(problems, error.source)


def check_loaded(
    kind: str, loaded: configs.Loaded[Any], *, handed_in: Mapping[str, Scorer] | None = None
) -> CheckReport:
    """The second look at a configuration that passed the first."""
    look = _Look(loaded)
    trial: list[dict[str, Any]] = []
    config = loaded.config
    if kind == "optimize":
        _check_optimize(look, config)
        trial = _try_objective(look, config.objective, config.policy, "objective.", handed_in or {})
    elif kind == "train":
        _check_train(look, config)
    else:
        trial = _try_objective(look, config, "default", "", handed_in or {})
    if look.problems:
        raise ConfigError(sorted(look.problems, key=lambda p: p.line or 0), loaded.source)
    return CheckReport(loaded.source, kind, loaded, look.notes, trial)


class _Look:
    """Collects problems with the lines of one configuration."""

    def __init__(self, loaded: configs.Loaded[Any]) -> None:
        self.loaded = loaded
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def problem(self, key: str, message: str) -> None:
        self.problems.append(self.loaded.problem(key, message))

    def attempt(self, key: str, action: Callable[[], Any]) -> Any:
        """The result of ``action``, or None with what it complained about noted under ``key``."""
        try:
            return action()
        except ConfigError as error:
            for problem in error.problems:
                self.problem(problem.key or key, problem.message)
        except (MolgenError, OSError) as error:
            self.problem(key, str(error))
        return None

    def policy(self, key: str, name: str) -> None:
        if name not in POLICIES:
            self.problem(key, f"unknown standardization policy {name!r}{did_you_mean(name, POLICIES)}")

    def data(self, key: str, section: DataConfig | None, names: Iterable[str] = ()) -> None:
        """The file is there and its first rows hold molecules."""
        if section is None or section.path in names:
            return
        path = self.loaded.base_dir / Path(section.path).expanduser()
        if not path.is_file():
            near = _neighbor(path)
            self.problem(f"{key}.path", f"no such file: {path}{near}")
            return
        if section.policy not in POLICIES:
            self.policy(f"{key}.policy", section.policy)
            return
        try:
            table = read(
                path,
                smiles_column=section.smiles_column,
                id_column=section.id_column,
                policy=section.policy,
                limit=100,
            )
        except DataError as error:
            self.problem(key, str(error))
            return
        if not table.molecules:
            self.problem(f"{key}.path", f"no molecule in the first rows: {table.summary()}")
        self.notes.append(
            f"{key}: first rows of {table.summary()}; structures from column {table.smiles_column!r}"
        )


def _check_optimize(look: _Look, config: OptimizeConfig) -> None:
    from molgen.models.registry import family, locate
    from molgen.optimize.registry import strategy

    folder = look.attempt("model", lambda: locate(config.model))
    found = look.attempt("optimizer", lambda: strategy(config.optimizer.name, config.optimizer.params))
    if folder is not None:
        from molgen.learn.store import read_card

        card = look.attempt("model", lambda: read_card(folder))
        record = look.attempt("model", lambda: family(card["family"])) if card is not None else None
        if found is not None and record is not None and not found[0].needs <= record.capabilities:
            lacking = ", ".join(sorted(found[0].needs - record.capabilities))
            look.problem("model", f"{found[0].name} needs a model with {lacking}; {record.name} has none")
    _check_device(look, config.device)
    look.policy("policy", config.policy)
    look.data("seeds", config.seeds)
    look.data("output.references", config.output.references)
    if config.output.n > config.budget.molecules:
        look.problem(
            "output.n",
            f"{config.output.n} cannot be delivered from a budget of {config.budget.molecules} molecules",
        )


def _check_train(look: _Look, config: TrainConfig) -> None:
    from molgen.data import catalog
    from molgen.learn.store import read_card
    from molgen.models.registry import family, locate

    names = {entry.name for entry in catalog.list_entries()}
    for i, section in enumerate(config.data):
        look.data(f"data[{i}]", section, names)
    look.data("validation", config.validation, names)
    _check_device(look, config.device)
    if config.base is not None:
        base = config.base
        folder = look.attempt("base", lambda: locate(base))
        card = look.attempt("base", lambda: read_card(folder)) if folder is not None else None
        record = look.attempt("base", lambda: family(card["family"])) if card is not None else None
        if config.model.params:
            look.problem("model.params", "a fine-tuned model keeps the architecture of its base; remove this")
    else:
        record = look.attempt("model.family", lambda: family(config.model.family))
        if record is not None:
            try:
                configs.load(config.model.params, record.params)
            except ConfigError as error:
                for problem in error.problems:
                    look.problem(f"model.params.{problem.key}", problem.message)
    if config.unlikelihood is not None and record is not None and "unlikelihood" not in record.capabilities:
        look.problem("unlikelihood", f"{record.name} draws nothing that is invalid; remove this section")


def _check_device(look: _Look, device: str) -> None:
    if device != "auto":  # always possible, and asking would import torch
        from molgen.run.resources import pick_device

        look.attempt("device", lambda: pick_device(device))


def _try_objective(
    look: _Look, config: ObjectiveConfig, policy: str, prefix: str, handed_in: Mapping[str, Scorer]
) -> list[dict[str, Any]]:
    """Build every scorer and score three molecules; what cannot give a single value is a problem."""
    if policy not in POLICIES:
        return []
    try:
        objective = build_objective(config, base_dir=look.loaded.base_dir, policy=policy, handed_in=handed_in)
    except ConfigError as error:
        for problem in error.problems:
            look.problem(prefix + problem.key.removeprefix("objective."), problem.message)
        return []
    molecules = [Molecule.from_smiles(smiles, policy) for smiles in TRIAL.values()]
    with objective:
        try:
            table = objective(molecules, everything=True)
        except MolgenError as error:
            look.problem(f"{prefix}components", str(error))
            return []
    for i, name in enumerate(objective.names):
        errors = table.errors.get(name, {})
        if len(errors) == len(molecules):
            look.problem(
                f"{prefix}components[{i}]", f"{name} failed on all three test molecules: {errors[0]}"
            )
    look.notes += table.warnings
    return [
        {
            "molecule": name,
            "total": float(table.total[k]),
            **{component: float(values[k]) for component, values in table.raw.items()},
            "reason": table.reasons[k],
        }
        for k, name in enumerate(TRIAL)
    ]


def _kind(source: Path | str | Mapping[str, Any]) -> str:
    """Which kind of configuration it is, by its ``kind:`` or by what it has."""
    data, _ = _parsed(source)
    told = data.get("kind")
    if isinstance(told, str) and told in KINDS:
        return told
    if "components" in data:
        return "objective"
    return "train" if "data" in data and "objective" not in data else "optimize"


def _parsed(source: Path | str | Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """Raw data and lines; nothing where it cannot be read, which configs.load explains."""
    if isinstance(source, (Path, str)):
        try:
            text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        except (OSError, UnicodeDecodeError):
            return {}, {}
        parsed = yamltext.parse(text)
        return (parsed.data, parsed.lines) if isinstance(parsed.data, dict) else ({}, {})
    return source, {}


def _neighbor(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; there is no folder {folder}"
    match = closest(path.name, sorted(os.listdir(folder))[:500])
    return f"; did you mean {match!r}?" if match is not None else ""
