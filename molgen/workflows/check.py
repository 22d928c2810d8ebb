"""The second look at a configuration, before any work: do the names, files, models and scorers in it exist and work?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from molgen.chem.molecule import Molecule
from molgen.chem.standardize import POLICIES
from molgen.core import config as configs
from molgen.core.errors import ConfigError, MolgenError
from molgen.core.schema import ObjectiveConfig, OptimizeConfig, TrainConfig, TrainingData
from molgen.optimize.control import offers
from molgen.scoring.objective import Objective, build_objective
from molgen.workflows.check_stages import check_stages
from molgen.workflows.look import Look
from molgen.workflows.raw_config import parsed, with_unknown_scorers

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
    ``objective``: what they were scored with, open if the caller asked to keep it.
    """

    source: str
    kind: str
    loaded: configs.Loaded[Any]
    notes: list[str] = field(default_factory=list)
    trial: list[dict[str, Any]] = field(default_factory=list)
    objective: Objective | None = None


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
    keep_objective: bool = False,
) -> CheckReport:
    """Both looks. Raises ConfigError with everything that is wrong, each with key path and line.

    ``keep_objective``: the caller goes on with the objective of the report, and closes it.
    """
    try:
        kind, loaded = load_any(source, overrides)
    except ConfigError as error:
        raise with_unknown_scorers(error, source, handed_in or {}) from None
    return check_loaded(kind, loaded, handed_in=handed_in, keep_objective=keep_objective)


def check_for(
    wanted: str, source: Path | str | Mapping[str, Any], overrides: Sequence[str] = ()
) -> CheckReport:
    """Check for the verb ``wanted`` (optimize, train); the report's objective is left open for it.

    Raises ConfigError also for a configuration of another verb.
    """
    report = check(source, overrides, keep_objective=wanted == "optimize")
    if report.kind != wanted:
        verb = {"optimize": "molgen optimize", "train": "molgen train", "objective": "molgen score"}[
            report.kind
        ]
        if report.objective is not None:
            report.objective.close()
        raise ConfigError(f"is a configuration for `{verb}`, not for `molgen {wanted}`", report.source)
    return report


def check_loaded(
    kind: str,
    loaded: configs.Loaded[Any],
    *,
    handed_in: Mapping[str, Scorer] | None = None,
    keep_objective: bool = False,
) -> CheckReport:
    """The second look at a configuration that passed the first; see :func:`check`."""
    look = Look(loaded)
    config = loaded.config
    objective, trial = None, []
    try:
        if kind == "train":
            _check_train(look, config)
        elif kind == "optimize":
            _check_optimize(look, config)
            objective = _build(look, config.objective, config.policy, "objective.", handed_in, config.workers)
            trial = _try_objective(look, objective, config.policy, "objective.")

            def try_stage(judge: ObjectiveConfig, prefix: str) -> None:
                built = _build(look, judge, config.policy, prefix, handed_in)
                _try_objective(look, built, config.policy, prefix)
                if built is not None:
                    built.close()

            check_stages(look, config, try_stage)
        else:
            objective = _build(look, config, "default", "", handed_in)
            trial = _try_objective(look, objective, "default", "")
        if look.problems:
            raise ConfigError(sorted(look.problems, key=lambda p: p.line or 0), loaded.source)
    except BaseException:
        keep_objective = False
        raise
    finally:
        if objective is not None and not keep_objective:
            objective.close()
    return CheckReport(loaded.source, kind, loaded, look.notes, trial, objective if keep_objective else None)


def _check_optimize(look: Look, config: OptimizeConfig) -> None:
    from molgen.chem.hazard import check_allowed
    from molgen.models.registry import family, locate
    from molgen.optimize.registry import left_out, strategy

    folder = look.attempt("model", lambda: locate(config.model))
    found = look.attempt("optimizer", lambda: strategy(config.optimizer.name, config.optimizer.params))
    if folder is not None:
        from molgen.learn.store import read_card

        card = look.attempt("model", lambda: read_card(folder))
        record = look.attempt("model", lambda: family(card["family"])) if card is not None else None
        if found is not None and record is not None and not found[0].needs <= record.capabilities:
            lacking = ", ".join(sorted(found[0].needs - record.capabilities))
            look.problem("model", f"{found[0].name} needs a model with {lacking}; {record.name} has none")
        elif found is not None and record is not None:
            look.notes += filter(None, [left_out(found[0], found[1], config.model, record.capabilities)])
    if found is not None:
        _check_batch(look, config, getattr(found[1], "paid", None))
    _check_device(look, config.device)
    look.policy("policy", config.policy)
    look.data("seeds", config.seeds)
    look.data("output.references", config.output.references)
    look.attempt("output.hazards.allow", lambda: check_allowed(config.output.hazards.allow))
    if config.output.n > config.budget.molecules:
        look.problem(
            "output.n",
            f"{config.output.n} cannot be delivered from a budget of {config.budget.molecules} molecules",
        )


def _check_batch(look: Look, config: OptimizeConfig, paid: int | None) -> None:
    """Say where a strategy asks for fewer molecules a step than the user may expect."""
    given = {*look.loaded.lines, *look.loaded.overridden}
    for key in ("batch_size", "workers"):
        value = getattr(config, key)
        if paid is not None and key in given and value > paid:
            look.notes.append(
                f"{key} is {value}, but {config.optimizer.name} pays for {paid} molecules a step at most; "
                "optimizer.params.paid changes that"
            )


def _check_train(look: Look, config: TrainConfig) -> None:
    from molgen.data import catalog
    from molgen.learn.store import read_card
    from molgen.models.registry import family, locate
    from molgen.workflows.materials import checked_params
    from molgen.workflows.train_data import refuse_labels

    names = {entry.name for entry in catalog.list_entries()}
    for i, section in enumerate(config.data):
        look.data(f"data[{i}]", section, names)
        _check_labels(look, f"data[{i}]", section)
    look.data("validation", config.validation, names)
    _check_device(look, config.device)
    if config.base is not None:
        base = config.base
        folder = look.attempt("base", lambda: locate(base))
        card = look.attempt("base", lambda: read_card(folder)) if folder is not None else None
        record = look.attempt("base", lambda: family(card["family"])) if card is not None else None
    else:
        record = look.attempt("model.family", lambda: family(config.model.family))
    if record is not None:
        try:
            checked_params(config)
        except ConfigError as error:
            for problem in error.problems:
                look.problem(problem.key, problem.message)
        refuse = record.name
        look.attempt("data", lambda: refuse_labels(config, refuse))
    if config.unlikelihood is not None and record is not None and "unlikelihood" not in record.capabilities:
        look.problem("unlikelihood", f"{record.name} draws nothing that is invalid; remove this section")


def _check_labels(look: Look, key: str, section: TrainingData) -> None:
    from molgen.data.reader import open_source
    from molgen.workflows.train_data import check_column

    path = look.loaded.base_dir / Path(section.path).expanduser()
    if not section.labels or not path.is_file():
        return
    columns = look.attempt(key, lambda: open_source(path).columns)
    if columns is None:
        return
    for k, name in enumerate(section.labels):
        look.attempt(f"{key}.labels[{k}]", partial(check_column, section, path, name, columns))


def _check_device(look: Look, device: str) -> None:
    if device != "auto":  # always possible, and asking would import torch
        from molgen.run.resources import pick_device

        look.attempt("device", lambda: pick_device(device))


def _build(
    look: Look,
    config: ObjectiveConfig,
    policy: str,
    prefix: str,
    handed_in: Mapping[str, Scorer] | None,
    workers: int = 1,
) -> Objective | None:
    """Build every scorer; None, and the problems noted, if one cannot be built."""
    if policy not in POLICIES:
        return None
    try:
        return build_objective(
            config, base_dir=look.loaded.base_dir, policy=policy, workers=workers, handed_in=handed_in
        )
    except ConfigError as error:
        for problem in error.problems:
            look.problem(prefix + problem.key.removeprefix("objective."), problem.message)
        return None


def _try_objective(look: Look, objective: Objective | None, policy: str, prefix: str) -> list[dict[str, Any]]:
    """Score three molecules; what cannot give a single value is a problem."""
    if objective is None:
        return []
    molecules = [Molecule.from_smiles(smiles, policy) for smiles in TRIAL.values()]
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
    look.notes += [*objective.warnings, *table.warnings, *offers(objective.describe())]
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
    data, _ = parsed(source)
    told = data.get("kind")
    if isinstance(told, str) and told in KINDS:
        return told
    if "components" in data:
        return "objective"
    return "train" if "data" in data and "objective" not in data else "optimize"
