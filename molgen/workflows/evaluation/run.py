"""An evaluation from the list to the page: reading it raw, the suites in turn, and what is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml

from molgen.chem.molecule import parse_all
from molgen.core.errors import ConfigError, Interrupted, RunError
from molgen.core.schema import TrackingConfig
from molgen.core.suggest import did_you_mean
from molgen.data import catalog
from molgen.metrics.distribution import read_sample
from molgen.metrics.evaluation import Evaluation
from molgen.metrics.fcd import ChemNet
from molgen.metrics.intervals import size_warnings
from molgen.report.evaluation import write_evaluation
from molgen.run.files import sha256_file
from molgen.run.folder import RunFolder
from molgen.run.interrupt import CallsDropped, stop_signals
from molgen.run.manifest import collect
from molgen.run.resources import limit_torch_threads
from molgen.run.tracker import open_tracker
from molgen.workflows.evaluation import inputs
from molgen.workflows.evaluation.audit import audit
from molgen.workflows.evaluation.context import Context, RememberingChemNet, Stages
from molgen.workflows.evaluation.reading import read_list
from molgen.workflows.evaluation.subject import Subject, model_suite
from molgen.workflows.evaluation.suites import general_suite, guacamol_suite, moses_suite

SUITES = ("moses", "guacamol", "general", "audit")
NAMED = ("moses", "druglike")
DEFAULT_N = 30_000


def evaluate(
    molecules: str | Path | Sequence[str],
    out: Path | None = None,
    *,
    reference: str | None = None,
    training: str | None = None,
    suites: Sequence[str] = ("all",),
    n: int | None = None,
    seed: int = 1,
    workers: int = 1,
    smiles_column: str | None = None,
    subject: Subject | None = None,
    track: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
) -> Evaluation:
    """Evaluate a file or a list of raw strings; with ``out`` write a run folder with page, CSV and JSON.

    Args:
        reference: ``moses``, ``druglike``, a data set, a file or ``none``; None is druglike if it is here.
        training: likewise; None is that of the named reference, else the reference itself.
        n: use the first n strings (default 30,000, as MOSES does).
        subject: a model to look into, from :func:`molgen.workflows.evaluation.subject.subject_of`.

    Raises:
        ConfigError: an unknown suite or set. DataError: no molecule, or data that are not here, with the cure.
        Interrupted: after a signal; what was prepared of reference and training set is kept, the same call goes on.
    """
    chosen = _suites(suites)
    limit_torch_threads()
    with _stoppable(), Stages(quiet) as say:
        raw, name, cut = read_list(molecules, n or DEFAULT_N, smiles_column)
        folder = None
        reference, missing = _default_reference(reference)
        training = training or reference
        files: dict[str, Path | str] = {}
        if isinstance(molecules, (str, Path)) and str(molecules) != "-":
            files["molecules"] = molecules
        paths = {
            role: inputs.resolve(spec, role, workers, say)
            for role, spec in (("reference", reference), ("training", training))
            if spec not in (None, "none")
        }
        settings = {
            "reference": reference or "none",
            "training": training or "none",
            "suites": chosen,
            "n": n or DEFAULT_N,
            "seed": seed,
        }
        if out is not None:
            folder = RunFolder.create(
                out,
                kind="evaluate",
                config_text=yaml.safe_dump(
                    {"kind": "evaluate", "molecules": name, **settings}, sort_keys=False
                ),
                manifest=collect(seed, {**files, **paths}),
                overwrite=overwrite or _was_cut(out),
            )
        say("reading the molecules", 0, len(raw))
        sample, parsed = read_sample(raw), parse_all(raw)
        result = Evaluation(name, len(raw), len(sample.smiles), len(set(sample.smiles)), list(chosen))
        result.reference, result.training, result.settings = reference, training, settings
        result.warnings += [text for text in (cut, missing) if text]
        context = Context(result, raw, sample, parsed, say, seed, workers, official=reference == "moses")
        _prepare(context, paths, chosen)
        _run(context, paths, chosen, subject)
    result.seconds = {**say.seconds, "all": round(sum(say.seconds.values()), 1)}
    result.warnings += size_warnings(result.n_valid, [metric.name for metric in result.metrics])
    if folder is not None:
        _write(folder, result, track, quiet)
    return result


@contextmanager
def _stoppable() -> Iterator[None]:
    """A stop signal ends the block at once: what was prepared is on disk, the rest is computed again."""
    with stop_signals() as stop:
        try:
            with stop.droppable():
                yield
        except CallsDropped as dropped:
            raise Interrupted(str(dropped), "the same command") from None


def _was_cut(out: Path) -> bool:
    """Whether the folder holds nothing but an evaluation that was interrupted."""
    try:
        folder = RunFolder.open(out)
    except RunError:
        return False
    return folder.manifest.get("kind") == "evaluate" and folder.status != "done"


def _suites(names: Sequence[str]) -> list[str]:
    wanted = [part.strip() for name in names for part in name.split(",")]
    for name in wanted:
        if name not in (*SUITES, "all"):
            raise ConfigError(f"unknown suite {name!r}{did_you_mean(name, [*SUITES, 'all'])}", "--suite")
    return list(SUITES) if "all" in wanted else [name for name in SUITES if name in wanted]


def _default_reference(reference: str | None) -> tuple[str | None, str]:
    if reference == "none":
        return None, ""
    if reference is not None:
        return reference, ""
    if all(map(catalog.is_fetched, ("zinc250k", "chembl-sample"))):
        return "druglike", ""
    return None, (
        "nothing to compare with: the data of the reference druglike are not here; get them with: "
        "molgen data fetch zinc250k chembl-sample (or give --reference FILE)"
    )


def _prepare(context: Context, paths: dict[str, Path], chosen: Sequence[str]) -> None:
    result, say = context.result, context.say
    result.inputs = {role: sha256_file(path) for role, path in paths.items()}
    if catalog.is_fetched("chemnet"):
        context.chemnet = RememberingChemNet(ChemNet.load(catalog.locate("chemnet")))  # type: ignore[assignment]
    elif any(suite != "audit" for suite in chosen):
        result.warnings.append(
            "FCD, KCD and all that rests on ChemNet are left out; get its weights with: molgen data fetch chemnet"
        )
    if "reference" in paths:
        context.profile = inputs.profile(
            str(result.reference),
            paths["reference"],
            result.inputs["reference"],
            context.chemnet if {"moses", "guacamol", "general"} & set(chosen) else None,
            context.seed,
            say,
        )
    if "training" in paths:
        context.training = inputs.training(
            str(result.training), paths["training"], result.inputs["training"], context.workers, say
        )


def _run(context: Context, paths: dict[str, Path], chosen: Sequence[str], subject: Subject | None) -> None:
    result = context.result
    if "moses" in chosen:
        references = {}
        if context.official:
            references = inputs.moses_statistics(context.say)
        elif "reference" in paths:
            statistics = inputs.own_statistics(
                paths["reference"], result.inputs["reference"], context.chemnet, context.say
            )
            references = {"reference": statistics}
        moses_suite(context, references)
    if "guacamol" in chosen:
        guacamol_suite(context, result.inputs.get("reference", ""))
    if "general" in chosen:
        general_suite(context)
    if subject is not None:
        model_suite(context, subject)
    audit(context, full="audit" in chosen)


def _write(folder: RunFolder, result: Evaluation, track: bool, quiet: bool) -> None:
    folder.quiet = quiet
    with folder.lock():
        folder.update_manifest(status="running")
        tracker = open_tracker(
            TrackingConfig(mlflow=track, experiment="molgen", log_structures=False), folder
        )
        tracker.start(folder, result.settings)
        write_evaluation(folder.results, result)
        values = {
            f"{metric.suite}.{metric.name}": metric.value
            for metric in result.metrics
            if metric.value is not None and np.isfinite(metric.value)
        }
        folder.log_metrics(values, 0)
        tracker.log_metrics(values, 0)
        for verdict in result.verdicts:
            folder.log(f"verdict: {verdict.words}")
        folder.update_manifest(status="done", verdicts=[verdict.code for verdict in result.verdicts])
        tracker.finish("done")
