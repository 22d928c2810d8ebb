"""The second look at a curriculum and at a Pareto reward: can every stage be judged, does each end, is budget left?"""

from __future__ import annotations

from collections.abc import Callable

from molgen.core.objective_schema import ObjectiveConfig
from molgen.core.schema import OptimizeConfig
from molgen.core.stage_schema import FINAL, StageConfig
from molgen.core.suggest import did_you_mean
from molgen.workflows.look import Look


def check_stages(
    look: Look, config: OptimizeConfig, try_objective: Callable[[ObjectiveConfig, str], object]
) -> None:
    """Note what is wrong; ``try_objective`` builds and tries the objective of a stage, given the prefix of its keys."""
    check_reward(look, config.objective, "objective")
    if config.objective.reward == "pareto" and config.output.ranking == "score":
        look.notes.append(
            "objective.reward is pareto and output.ranking is score: the search spreads along the front, the list is "
            "ordered by the weighted mean; output.ranking: pareto orders it by the front too"
        )
    seen: dict[str, int] = {}
    for i, stage in enumerate(config.stages):
        key = f"stages[{i}]"
        if stage.name == FINAL:
            look.problem(
                f"{key}.name", f"{FINAL!r} is the name of the last stage, that of the run's objective"
            )
        elif stage.name in seen:
            look.problem(f"{key}.name", f"{stage.name!r} is already the name of stages[{seen[stage.name]}]")
        seen.setdefault(stage.name, i)
        if stage.until.empty:
            look.problem(f"{key}.until", "nothing ends this stage; give molecules, steps, target or patience")
        if stage.objective is not None:
            for other, given in (("only", stage.only is not None), ("weights", bool(stage.weights))):
                if given:
                    look.problem(
                        f"{key}.{other}", "changes the run's objective, but this stage has one of its own"
                    )
            check_reward(look, stage.objective, f"{key}.objective")
            try_objective(stage.objective, f"{key}.objective.")
        elif _check_part(look, stage, config.objective, key):
            check_reward(look, stage.judged_by(config.objective), f"{key}.only")
    _check_budget(look, config)


def check_reward(look: Look, objective: ObjectiveConfig, key: str) -> None:
    """A Pareto reward needs something to weigh against something."""
    counted = sum(part.role in ("score", "penalty") for part in objective.components)
    if objective.reward == "pareto" and counted < 2:
        place = key if key.endswith(".only") else f"{key}.reward"
        look.problem(
            place, f"pareto needs two components of role score or penalty, there is {counted or 'none'}"
        )


def _check_part(look: Look, stage: StageConfig, final: ObjectiveConfig, key: str) -> bool:
    """The names that a stage takes of the run's objective; whether they are all right."""
    names = [
        name
        for name, part in zip(final.names, final.components, strict=True)
        if part.role in ("score", "penalty")
    ]
    before = len(look.problems)
    for k, name in enumerate(stage.only or []):
        if name not in names:
            look.problem(
                f"{key}.only[{k}]",
                f"{name!r} is no score or penalty of the objective{did_you_mean(name, names)}",
            )
    if stage.only is not None and not stage.only:
        look.problem(f"{key}.only", f"names nothing; the objective has {', '.join(names)}")
    for name, weight in stage.weights.items():
        if name not in names:
            look.problem(
                f"{key}.weights.{name}", f"no such component in the objective{did_you_mean(name, names)}"
            )
        elif weight <= 0:
            look.problem(
                f"{key}.weights.{name}", "must be above 0; what is not to count is left out of `only`"
            )
    return len(look.problems) == before


def _check_budget(look: Look, config: OptimizeConfig) -> None:
    """Something must be left for the last stage, which decides what is delivered."""
    for limit, budget in (("molecules", config.budget.molecules), ("steps", config.budget.steps)):
        used = [getattr(stage.until, limit) or 0 for stage in config.stages]
        if budget is not None and used and sum(used) >= budget:
            look.problem(
                f"stages[{len(used) - 1}].until.{limit}",
                f"the stages may use {sum(used)} {limit} of a budget of {budget}: nothing is left for the objective",
            )
