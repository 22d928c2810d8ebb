"""From the configuration to an objective that can run, or to the list of everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rdkit

from molgen.core.errors import ConfigError, Problem, ScorerError
from molgen.core.schema import ComponentConfig, ObjectiveConfig, TransformConfig
from molgen.core.suggest import did_you_mean
from molgen.scoring.evaluate import Component
from molgen.scoring.protocol import Context, Scorer
from molgen.scoring.registry import find, unknown_name
from molgen.scoring.toxicity import toxicity_problems
from molgen.scoring.transforms import Transform, check_transform

#: Columns that results have already, so that no component can have their names.
RESERVED = frozenset(
    (
        *(
            "rank",
            "id",
            "smiles",
            "inchikey",
            "score",
            "total",
            "passed",
            "reason",
            "status",
            "flags",
            "scaffold",
            "cluster",
            "cluster_size",
            "front",
            "crowding",
        ),
        *("nearest_reference", "nearest_similarity", "undefined_stereo", "step", "origin", "parents", "nll"),
    )
)


def build_components(
    configs: Sequence[ComponentConfig | None], base_dir: Path, policy: str, handed_in: Mapping[str, Scorer]
) -> tuple[list[Component | None], list[Problem]]:
    """One component per configuration (None stays None) and all problems, keyed ``objective...``."""
    context = Context(base_dir, policy)
    components: list[Component | None] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for i, config in enumerate(configs):
        component = None
        if config is not None:
            key = f"objective.components[{i}]"
            try:
                component = _build(*watching(config, configs, key), context, handed_in, key)
            except ConfigError as error:
                problems += error.problems
            name = config.name or _default_name(config.use)
            if name in seen:
                other = f"objective.components[{seen[name]}]"
                problems.append(
                    Problem(f"{key}.name", f"{name!r} is already the name of {other}; give this one a name")
                )
            elif name in RESERVED or name.endswith(("_desirability", "_contribution")):
                problems.append(
                    Problem(f"{key}.name", f"{name!r} is a column of the results; choose another name")
                )
            seen.setdefault(name, i)
        components.append(component)
    return components, problems


def watching(
    config: ComponentConfig, configs: Sequence[ComponentConfig | None], key: str
) -> tuple[ComponentConfig, str]:
    """A control with the curve of what it watches, unless it has its own, and that component's name ("": the total).

    With another curve a gap would say nothing. Raises ConfigError where the name is none of the scores.
    """
    if config.role != "control":
        if config.watches is not None:
            problem = Problem(
                f"{key}.watches", "only for a component of role control; remove it or set the role"
            )
            raise ConfigError([problem], "objective")
        return config, ""
    scores = [other for other in configs if other is not None and other.role in ("score", "penalty")]
    names = [other.name or _default_name(other.use) for other in scores]
    if config.watches is not None and config.watches not in names:
        problem = Problem(
            f"{key}.watches",
            f"no component {config.watches!r} of role score{did_you_mean(config.watches, names)}",
        )
        raise ConfigError([problem], "objective")
    wanted = (config.watches == name if config.watches else config.use == other.use
              for other, name in zip(scores, names, strict=True))  # fmt: skip
    place = next((i for i, found in enumerate(wanted) if found), None)
    if place is None:
        return config, ""
    return config.model_copy(update={"transform": config.transform or scores[place].transform}), names[place]


def objective_fingerprint(config: ObjectiveConfig, components: Sequence[Component], policy: str) -> str:
    """sha256 of everything that determines the totals, for manifests: a changed one means other scores."""
    about = {
        "aggregate": config.aggregate,
        "policy": policy,
        "components": [
            [
                c.name,
                c.role,
                c.weight,
                c.transform.config.model_dump(),
                c.threshold,
                c.on_missing,
                c.fingerprint or c.use,
            ]
            for c in components
        ],
    }
    return _sha256(about)


def _build(
    config: ComponentConfig, watches: str, context: Context, handed_in: Mapping[str, Scorer], key: str
) -> Component:
    name = config.name or _default_name(config.use)
    problems = [] if config.transform is None else check_transform(config.transform, f"{key}.transform")
    scorer, default, fingerprint, summary, remote = None, TransformConfig.model_validate({}), None, "", False
    given = handed_in.get(name) or handed_in.get(config.use)
    try:
        if given is not None:
            scorer, fingerprint = given, getattr(given, "fingerprint", None)
            summary = (
                (getattr(given, "summary", "") or (type(given).__doc__ or "")).strip().partition("\n")[0]
            )
            default = getattr(given, "transform", None) or default
        elif _is_function(config.use):
            scorer, remote = _user_function(config, context, key), True
            fingerprint, summary = scorer.fingerprint, f"own function {config.use}"
        else:
            scorer, default, fingerprint, summary = _registered(config, context, key, handed_in)
            remote = getattr(scorer, "remote", True)
    except ConfigError as error:
        problems += error.problems
    if config.timeout is not None and not _is_function(config.use):
        problems.append(Problem(f"{key}.timeout", "only for own functions (file.py:function)"))
    if scorer is not None and not problems:
        curve = Transform(config.transform or default)
        # A scorer may say by itself that it is about harm, where the names would not.
        about = {**config.params, "concerns": getattr(scorer, "concerns", "")}
        problems += toxicity_problems(name, config.use, about, scorer.unit, curve, key)
    if problems:
        raise ConfigError(problems, "objective")
    assert scorer is not None
    return Component(
        name=name,
        use=config.use,
        role=config.role,
        weight=config.weight,
        scorer=scorer,
        transform=Transform(config.transform or default),
        threshold=config.threshold,
        on_missing=config.on_missing,
        fingerprint=fingerprint,
        remote=remote,
        summary=summary,
        watches=watches,
    )


def _registered(
    config: ComponentConfig, context: Context, key: str, handed_in: Mapping[str, Scorer]
) -> tuple[Scorer, TransformConfig, str, str]:
    record = find(config.use)
    if record is None:
        raise ConfigError([Problem(f"{key}.use", unknown_name(config.use, handed_in))], "objective")
    params, problems = record.check_params(config.params, f"{key}.params")
    if params is None or problems:
        raise ConfigError(problems, "objective")
    try:
        scorer = record.build(params, context)
    except ConfigError as error:
        placed = [Problem(".".join(filter(None, [key, "params", p.key])), p.message) for p in error.problems]
        raise ConfigError(placed, "objective") from error
    except (ScorerError, ImportError, OSError) as error:
        raise ConfigError([Problem(f"{key}.use", str(error))], "objective") from error
    about = {
        "scorer": record.name,
        "version": record.version,
        "params": params.model_dump(mode="json"),
        "files": sorted(getattr(scorer, "files", {}).values()),
        "own": getattr(scorer, "fingerprint", None),
        "rdkit": rdkit.__version__,
    }
    summary = getattr(scorer, "summary", None) or record.summary
    default = getattr(scorer, "transform", None) or record.default_transform()
    return scorer, default, _sha256(about), summary


def _user_function(config: ComponentConfig, context: Context, key: str) -> Any:
    from molgen.scoring.user_file import load_function
    from molgen.scoring.user_function import UserFunction

    file, _, function = config.use.rpartition(":")
    path = (context.base_dir / Path(file).expanduser()).resolve()
    load_function(path, function, config.params, key)  # refuses with the right keys
    return UserFunction(path, function, config.params, timeout=config.timeout, policy=context.policy)


def _is_function(use: str) -> bool:
    return use.rpartition(":")[0].endswith(".py")


def _default_name(use: str) -> str:
    return use.rpartition(":")[2] if _is_function(use) else use


def _sha256(about: Any) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
