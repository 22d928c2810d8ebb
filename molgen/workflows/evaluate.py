"""Evaluating a list of molecules from any tool: reading it raw, the suites in turn, and what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import yaml

from molgen.chem.molecule import parse_all
from molgen.core.errors import ConfigError, DataError, ModelError
from molgen.core.schema import TrackingConfig
from molgen.core.suggest import did_you_mean
from molgen.data import catalog
from molgen.data.reader import raw_rows
from molgen.metrics.distribution import read_sample
from molgen.metrics.evaluation import Evaluation
from molgen.metrics.fcd import ChemNet
from molgen.metrics.intervals import size_warnings
from molgen.models.protocol import HasLikelihood
from molgen.report.evaluation import write_evaluation
from molgen.run.files import sha256_file
from molgen.run.folder import RunFolder
from molgen.run.manifest import collect
from molgen.run.resources import limit_torch_threads
from molgen.run.tracker import open_tracker
from molgen.workflows import evaluate_inputs as inputs
from molgen.workflows.evaluate_audit import audit
from molgen.workflows.evaluate_context import Context, RememberingChemNet, Stages
from molgen.workflows.evaluate_suites import general_suite, guacamol_suite, likelihood_suite, moses_suite
from molgen.workflows.model import Model

SUITES = ("moses", "guacamol", "general", "audit")
NAMED = ("moses", "druglike")
DEFAULT_N = 30_000
LogLikelihood = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Likelihood:
    """A model's name and its function: raw strings -> nats at temperature 1 ``[n]``."""

    name: str
    function: LogLikelihood


def likelihood_of(model: Model) -> Likelihood:
    """The likelihood of a loaded model. Raises ModelError for a family that has none."""
    generator = model.generator
    if not isinstance(generator, HasLikelihood):
        raise ModelError(f"{model.name}: a {generator.family} model has no likelihood; leave --model out")

    def function(smiles: Sequence[str]) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(generator.log_likelihood(list(smiles)).cpu().double().numpy())

    return Likelihood(model.name, function)


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
    likelihood: Likelihood | None = None,
    track: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
) -> Evaluation:
    """Evaluate a file or a list of raw strings; with ``out`` write a run folder with page, CSV and JSON.

    Args:
        reference: ``moses``, ``druglike``, a data set, a file or ``none``; None is druglike if it is here.
        training: likewise; None is that of the named reference, else the reference itself.
        n: use the first n strings (default 30,000, as MOSES does).

    Raises:
        ConfigError: an unknown suite or set. DataError: no molecule, or data that are not here, with the cure.
    """
    chosen = _suites(suites)
    limit_torch_threads()
    with Stages(quiet) as say:
        raw, name, cut = _raw(molecules, n or DEFAULT_N, smiles_column)
        folder = None
        reference, missing = _default_reference(reference)
        training = training or reference
        files: dict[str, Path | str] = {}
        if isinstance(molecules, (str, Path)) and str(molecules) != "-":
            files["molecules"] = molecules
        paths = {
            role: inputs.resolve(spec, role, say)
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
                overwrite=overwrite,
            )
        say("reading the molecules", 0, len(raw))
        sample, parsed = read_sample(raw), parse_all(raw)
        result = Evaluation(name, len(raw), len(sample.smiles), len(set(sample.smiles)), list(chosen))
        result.reference, result.training, result.settings = reference, training, settings
        result.warnings += [text for text in (cut, missing) if text]
        context = Context(result, raw, sample, parsed, say, seed, workers, official=reference == "moses")
        _prepare(context, paths, chosen)
        _run(context, paths, chosen, likelihood)
    result.seconds = {**say.seconds, "all": round(sum(say.seconds.values()), 1)}
    result.warnings += size_warnings(result.n_valid, [metric.name for metric in result.metrics])
    if folder is not None:
        _write(folder, result, track, quiet)
    return result


def _suites(names: Sequence[str]) -> list[str]:
    wanted = [part.strip() for name in names for part in name.split(",")]
    for name in wanted:
        if name not in (*SUITES, "all"):
            raise ConfigError(f"unknown suite {name!r}{did_you_mean(name, [*SUITES, 'all'])}", "--suite")
    return list(SUITES) if "all" in wanted else [name for name in SUITES if name in wanted]


def _raw(
    molecules: str | Path | Sequence[str], n: int, smiles_column: str | None
) -> tuple[list[str], str, str]:
    """The first ``n`` raw strings, what the list is called, and a note if there were more."""
    if isinstance(molecules, (str, Path)):
        raw, name = read_raw(molecules, n + 1, smiles_column), Path(molecules).name
    else:
        raw, name = list(molecules), f"list of {len(molecules):,}"
    if not raw:
        raise DataError(f"{name}: no molecules to evaluate")
    more = f"only the first {n:,} strings were used (-n)" if len(raw) > n else ""
    return raw[:n], name, more


def read_raw(path: str | Path, most: int | None = None, smiles_column: str | None = None) -> list[str]:
    """The structure column as written. Blank lines between rows of a text file are empty strings: invalid samples."""
    raw: list[str] = []
    before = 0
    blanks = not str(path).lower().endswith((".sdf", ".sdf.gz", ".parquet", ".xlsx"))
    for line, text, _, others in islice(raw_rows(path, smiles_column=smiles_column), most):
        if before and blanks and not others:
            raw += [""] * (line - before - 1)
        before = line
        raw.append(text)
    return raw if most is None else raw[:most]


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


def _run(
    context: Context, paths: dict[str, Path], chosen: Sequence[str], likelihood: Likelihood | None
) -> None:
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
    if likelihood is not None:
        likelihood_suite(context, likelihood.name, likelihood.function)
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
