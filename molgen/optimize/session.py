"""From a configuration to a running search and back: building, starting, resuming, delivering."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molgen.chem.molecule import Molecule
from molgen.core.config import dump
from molgen.core.schema import DataConfig, OptimizeConfig
from molgen.core.seeding import stream
from molgen.core.stage_schema import FINAL
from molgen.data.reader import read
from molgen.models.registry import load, locate
from molgen.optimize import control
from molgen.optimize.deliver import assemble
from molgen.optimize.diversity import build_quota
from molgen.optimize.drift import PriorDrift
from molgen.optimize.loop import Search
from molgen.optimize.protocol import Delivery, Proposal
from molgen.optimize.registry import build, strategy
from molgen.optimize.stages import Stage, Stages, build_reward
from molgen.optimize.watch import Watch
from molgen.run.files import short_names
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop
from molgen.run.manifest import collect, now
from molgen.run.resources import limit_torch_threads, pick_device
from molgen.run.tracker import Tracker
from molgen.scoring.objective import Objective, build_objective
from molgen.scoring.protocol import Scorer


def read_compounds(section: DataConfig | None, base_dir: Path) -> list[Molecule]:
    """The user's compounds of a data section, or none."""
    if section is None:
        return []
    table = read(
        base_dir / Path(section.path).expanduser(),
        smiles_column=section.smiles_column,
        id_column=section.id_column,
        policy=section.policy,
    )
    return table.molecules


def create_folder(
    config: OptimizeConfig,
    path: Path,
    base_dir: Path,
    objective: Objective,
    *,
    stages: Sequence[Objective] = (),
    overwrite: bool = False,
    more: Mapping[str, Any] | None = None,
    keep: Collection[str] = (),
    prepare: Callable[[Path], object] | None = None,
) -> RunFolder:
    """A new run folder whose manifest has the sha256 of every input file and of the model.

    ``stages``: the objectives before this one; ``more``: further keys of the manifest; ``keep`` and ``prepare``: as in
    :meth:`RunFolder.create`.
    """
    sections = {"seeds": config.seeds, "references": config.output.references}
    files = [name for judge in (objective, *stages) for name in judge.user_files]
    inputs = short_names(dict.fromkeys(files), taken=sections)
    for label, section in sections.items():
        if section is not None:
            inputs[label] = base_dir / Path(section.path).expanduser()
    manifest = collect(
        seed=config.seed,
        inputs=inputs,
        models={config.model: locate(config.model) / "weights.safetensors"},
        device=pick_device(config.device),
    )
    manifest |= {"base_dir": str(base_dir), "objective": objective.fingerprint}
    manifest |= {"stages": [stage.fingerprint for stage in stages]} if stages else {}
    return RunFolder.create(
        path, kind="optimize", config_text=dump(config), manifest=manifest | dict(more or {}), overwrite=overwrite,
        keep=keep, prepare=prepare,
    )  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """What a run is made of besides its model, each read once; a context that ends the objective's processes."""

    objective: Objective
    seeds: list[Molecule]
    references: list[Molecule]
    stages: list[Objective] = field(default_factory=list)  # of the stages before the objective

    def __enter__(self) -> Inputs:
        return self

    def __exit__(self, *_: object) -> None:
        for objective in (self.objective, *self.stages):
            objective.close()


def open_inputs(
    config: OptimizeConfig,
    base_dir: Path,
    handed_in: Mapping[str, Scorer] | None = None,
    objective: Objective | None = None,
) -> Inputs:
    """Build the objective (unless a check has built it) and read the compounds. Raises ConfigError, DataError."""
    objective = objective or build_objective(
        config.objective,
        base_dir=base_dir,
        policy=config.policy,
        workers=config.workers,
        handed_in=handed_in,
    )
    stages: list[Objective] = []
    try:
        for stage in config.stages:
            judge = stage.judged_by(config.objective)
            stages.append(
                build_objective(
                    judge,
                    base_dir=base_dir,
                    policy=config.policy,
                    workers=config.workers,
                    handed_in=handed_in,
                )
            )
        seeds = read_compounds(config.seeds, base_dir)
        references = read_compounds(config.output.references, base_dir)
        if not seeds and not references:  # what the objective compares with is then what the user knows
            references = [mol for c in objective.components for mol in getattr(c.scorer, "references", ())]
        return Inputs(objective, seeds, references, stages)
    except BaseException:
        for built in (objective, *stages):
            built.close()
        raise


def build_search(
    config: OptimizeConfig,
    folder: RunFolder,
    objective: Objective,
    tracker: Tracker,
    stop: Stop,
    stages: Sequence[Objective] = (),
) -> Search:
    """A search in its starting state; call ``restore()`` to go on from a checkpoint.

    ``stages``: the objectives of ``config.stages``, in their order.
    """
    record, params = strategy(config.optimizer.name, config.optimizer.params)
    limit_torch_threads()
    prior = load(config.model, device=pick_device(config.device))
    optimizer = build(record, prior=prior, params=params, seed=stream(config.seed, "optimizer"))
    drift = PriorDrift(
        prior, config.policy, config.seed, {part.use for part in config.objective.components},
        likelihood=hasattr(prior, "log_likelihood"),
    )  # fmt: skip
    plan = None
    if stages:
        names = zip(config.stages, stages, strict=True)
        before = [Stage(part.name, judge, part.until) for part, judge in names]
        plan, objective = Stages([*before, Stage(FINAL, objective)]), stages[0]
    watch = Watch(control.pairs_of(objective.describe()), drift)
    return Search(
        config, folder, optimizer, objective, tracker, stop, build_quota(config.diversity),
        watch=watch, reward=build_reward(objective), stages=plan,
        round=int(folder.manifest.get("round", {}).get("number", 1)),
    )  # fmt: skip


def seed_proposals(molecules: Sequence[Molecule]) -> list[Proposal]:
    """The user's compounds as proposals of the first step."""
    return [
        Proposal(i, molecule.smiles, "seed", (molecule.id,) if molecule.id else ())
        for i, molecule in enumerate(molecules)
    ]


def deliver(
    search: Search,
    seeds: Sequence[Molecule],
    references: Sequence[Molecule],
    notes: Sequence[str] = (),
    known: Sequence[Molecule] = (),
) -> Delivery:
    """Rank what was found and collect the story of the run; ``known`` is not delivered, like seeds and references."""
    config = search.config
    return assemble(
        config.name,
        search.memory,
        config.output,
        policy=config.policy,
        aggregate=search.objective.config.aggregate,
        components=search.objective.describe(),
        inputs=[*seeds, *references, *known],
        references=references or seeds,
        ask=lambda mols, known: search.objective.evidence(mols, known=known, explain=config.output.explain),
        history=list(search.folder.metrics.rows()),
        settings=config.model_dump(mode="json"),
        manifest={**search.folder.manifest, "finished": now()},  # its own time is of the last status
        before=[*search.watch.findings(search.memory).values(), f"The search ended because {search.reason}."],
        after=[*_verdict(search), *_stages(search), *notes],
        log=search.folder.log,
    )


def _stages(search: Search) -> list[str]:
    """The stages that were gone through, and whether the last one was reached."""
    if search.stages is None:
        return []
    began = [f"{name} from step {step + 1}" for name, step in search.stages.began]
    words = [f"Searched in stages: {', '.join(began)}."]
    if not search.stages.last:
        words.append(
            f"The run ended in the stage {search.stages.name!r}: this list is judged by that stage's objective, not "
            "yet by the one of the run."
        )
    return words


def _verdict(search: Search) -> list[str]:
    """How far the search got, in a sentence: the filters at the end, and a collapse if there was one."""
    last = search.memory.last
    sentences = []
    if last:
        share = sum(last) / len(last)
        sentences.append(f"Of the last {len(last)} proposals, {share:.0%} were valid and passed all filters.")
    if search.watch.alarmed:
        sentences.append("Variety collapsed towards the end: few proposals were new molecules; see log.txt.")
    return sentences
