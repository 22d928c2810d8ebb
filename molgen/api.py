"""The verbs of molgen as typed functions: the command line, the pipelines and the notebooks call only these.

Everything heavy is imported inside the functions, so that ``import molgen`` and ``molgen --help`` cost nothing.
All raise subclasses of :class:`molgen.core.errors.MolgenError`; what a message says, the user can act on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from molgen.benchmark.result import BenchmarkResult
    from molgen.chem.molecule import Molecule
    from molgen.core.schema import ObjectiveConfig
    from molgen.data.catalog import Entry
    from molgen.data.dataset import Prepared
    from molgen.data.reader import Table
    from molgen.diagnose import Report
    from molgen.metrics.evaluation import Evaluation
    from molgen.models.protocol import Family
    from molgen.workflows.check import CheckReport
    from molgen.workflows.model import Model
    from molgen.workflows.optimize import OptimizeResult
    from molgen.workflows.runs import Runs
    from molgen.workflows.sample import SampleResult
    from molgen.workflows.score import ScoreResult
    from molgen.workflows.train import TrainResult

__all__ = [
    "benchmark",
    "check",
    "data_fetch",
    "data_import",
    "data_list",
    "data_prepare",
    "demo",
    "doctor",
    "evaluate",
    "finetune",
    "load",
    "models_families",
    "models_list",
    "models_show",
    "models_verify",
    "new",
    "optimize",
    "read",
    "recipes_list",
    "resume",
    "runs",
    "sample",
    "score",
    "scorers_list",
    "track",
    "train",
]

#: A configuration: a file, YAML text, or plain data.
Config = Path | str | Mapping[str, Any]


def recipes_list() -> dict[str, str]:
    """The starter configurations: name -> what it is for."""
    from molgen import recipes as starters

    return {name: starters.get(name).summary for name in starters.names()}


def scorers_list() -> dict[str, str]:
    """The scorers that ``use:`` accepts: name -> what it gives, with its unit."""
    from molgen.scoring.registry import find, known_names

    found = {}
    for name in known_names():
        record = find(name)
        assert record is not None
        found[name] = record.summary + (f" [{record.unit}]" if record.unit else "")
    return found


def new(recipe: str = "denovo", level: Literal["short", "full"] = "full") -> str:
    """A commented starter configuration as YAML text; ``full`` also lists every setting with its default."""
    from molgen import recipes as starters

    return starters.get(recipe).write(level)


def check(config: Config, overrides: Sequence[str] = ()) -> CheckReport:
    """Find every mistake of a configuration before any work, and try its scorers on three molecules.

    ``overrides``: ``"budget.molecules=200"`` and the like. Raises ConfigError with all problems, each with line and
    key path.
    """
    from molgen.workflows.check import check as look

    return look(_source(config), overrides)


def doctor(folder: Path | str | None = None) -> Report:
    """What this installation can do on this machine, and the line that cures each problem."""
    from molgen.diagnose import examine

    return examine(Path(folder) if folder is not None else None)


def read(
    path: Path | str, *, smiles_column: str | None = None, policy: str = "default", **options: Any
) -> Table:
    """Molecules of a CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX file; see :func:`molgen.data.reader.read`."""
    from molgen.data.reader import read as read_file

    return read_file(path, smiles_column=smiles_column, policy=policy, **options)


def load(name_or_path: str | Path, device: str = "auto") -> Model:
    """A trained generator: a shipped prior (``"druglike"``) or a model folder. ``.sample(n)`` draws molecules."""
    from molgen.workflows.model import load as load_model

    return load_model(name_or_path, device)


def sample(
    model: str | Path | Model,
    n: int,
    *,
    seed: int = 1,
    temperature: float | None = None,
    min_p: float | None = None,
    batch_size: int = 512,
    device: str = "auto",
    shard: tuple[int, int] = (0, 1),
    raw: bool = False,
    policy: str = "default",
    scaffold: str | None = None,
    greedy: bool = False,
    quiet: bool = False,
) -> SampleResult:
    """Draw ``n`` distinct, valid, standardized molecules; with ``raw`` the first ``n`` strings as drawn.

    ``shard=(i, k)`` makes this job i (from 0) of k, each with draws of its own. The result has ``smiles``, ``nll``
    (nats) and the funnel of what was lost. Language models do not draw a token less probable than ``min_p`` times the
    most probable one; 0 draws from the whole distribution. The model
    has defaults of its own for this and for the ``temperature``. Graph VAEs take a
    ``scaffold`` (SMILES; ``[*:1]`` marks where it is built on) and ``greedy``, the likeliest molecule of each point.
    """
    from molgen.workflows.model import load as load_model

    loaded = load_model(model, device) if isinstance(model, (str, Path)) else model
    return loaded.sample(
        n,
        seed=seed,
        temperature=temperature,
        min_p=min_p,
        batch_size=batch_size,
        shard=shard,
        raw=raw,
        policy=policy,
        scaffold=scaffold,
        greedy=greedy,
        quiet=quiet,
    )


def score(
    molecules: str | Path | Sequence[str | Molecule],
    objective: Config | ObjectiveConfig,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str | None = None,
    workers: int = 1,
    everything: bool = True,
    quiet: bool = False,
) -> ScoreResult:
    """Score a file (a path, "-" for standard input) or a list of SMILES with an objective.

    ``objective``: an objective file, a run configuration, or a run folder. ``policy``: default, that of the
    configuration. ``everything``: also values that the loop skips because a filter has already rejected the
    molecule; totals are the same. Raises ConfigError, DataError, ScorerError.
    """
    from molgen.workflows.score import score as score_molecules

    return score_molecules(
        molecules,
        objective,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        workers=workers,
        everything=everything,
        quiet=quiet,
    )


def evaluate(
    molecules: str | Path | Sequence[str],
    out: Path | str | None = None,
    *,
    suites: Sequence[str] = ("all",),
    model: str | Path | None = None,
    **options: Any,
) -> Evaluation:
    """What a list from any generator is worth: suites of ``moses, guacamol, general, audit``, verdicts first.

    ``molecules``: a file, or the raw strings. ``out``: folder for page, CSV and JSON. ``model``: also the nats per
    molecule that this model needs. The other options (``reference``, ``training``, ``n``, ``seed``, ``workers``,
    ``track`` ...) are those of :func:`molgen.workflows.evaluate.evaluate`. Raises ConfigError, DataError.
    """
    from molgen.workflows import evaluate as evaluations

    likelihood = None if model is None else evaluations.likelihood_of(load(model))
    path = None if out is None else Path(out)
    return evaluations.evaluate(molecules, path, suites=suites, likelihood=likelihood, **options)


def optimize(
    config: Config,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
    keep_partial: bool = True,
) -> OptimizeResult:
    """Search for molecules that score well; everything is kept in the run folder ``out`` (default: runs/NAME).

    The configuration is checked completely first. ``keep_partial``: an interruption returns what there is (the run
    can be resumed all the same); otherwise it raises Interrupted. Raises ConfigError before anything is written.
    """
    from molgen.run.progress import say
    from molgen.workflows.check import check_for
    from molgen.workflows.optimize import start

    report = check_for("optimize", _source(config), overrides)
    folder = Path(out) if out is not None else Path("runs") / report.loaded.config.name
    if not quiet:
        say(f"run folder: {folder}; after an interruption go on with: molgen resume {folder}")
    return start(
        report.loaded,
        folder,
        overwrite=overwrite,
        quiet=quiet,
        keep_partial=keep_partial,
        objective=report.objective,
    )


def resume(
    run: Path | str, *, quiet: bool = False, keep_partial: bool = True
) -> OptimizeResult | TrainResult:
    """Go on with an interrupted or killed search or training; the result is that of an undisturbed run.

    Raises RunError if there is no run, ConfigError if an input is not the same any more.
    """
    from molgen.core.errors import RunError
    from molgen.run.folder import RunFolder
    from molgen.workflows import optimize as searches
    from molgen.workflows import train as trainings

    folder = RunFolder.open(Path(run))
    if folder.kind == "train":
        return trainings.resume(folder, quiet=quiet)
    if folder.kind == "optimize":
        return searches.resume(folder, quiet=quiet, keep_partial=keep_partial)
    raise RunError(f"{run} is a run of kind {folder.kind!r}, which cannot be resumed")


def train(
    config: Config,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train a generator; the model is in ``out``/model (default: runs/NAME). The same call goes on after a stop."""
    from molgen.workflows.check import check_for
    from molgen.workflows.train import start

    loaded = check_for("train", _source(config), overrides).loaded
    folder = Path(out) if out is not None else Path("runs") / loaded.config.name
    return start(loaded, folder, overwrite=overwrite, quiet=quiet)


def finetune(
    prior: str | Path,
    file: str | Path,
    out: Path | str,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Teach a model the user's compounds, with the settings of the recipe ``finetune``, into ``out``/model."""
    from molgen import recipes as starters

    values = starters.get("finetune").values
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in Path(out).name) or "model"
    values |= {"name": name, "base": str(prior), "data": [{"path": str(file)}]}
    return train(values, out, overrides=overrides, overwrite=overwrite, quiet=quiet)


def demo(
    out: Path | str = "demo-run",
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> OptimizeResult:
    """The main job on the recipe ``denovo``: new molecules that fit a property profile, in some minutes."""
    from molgen import recipes as starters

    values = starters.get("denovo").values | {"name": "demo"}
    return optimize(values, out, overrides=overrides, overwrite=overwrite, quiet=quiet, keep_partial=False)


def benchmark(
    suite: Literal["guacamol", "pmo"],
    out: Path | str,
    *,
    version: Literal["1.1.14", "0.3.6"] = "1.1.14",
    inverted_deco_hop: bool = False,
    **options: Any,
) -> BenchmarkResult:
    """Run the goal-directed tasks of a suite; ``options``: see :func:`molgen.workflows.benchmark.benchmark`."""
    from molgen.benchmark.oracle import Suite
    from molgen.workflows.benchmark import benchmark as run

    return run(Suite(suite, version, inverted_deco_hop), Path(out), **options)


def runs(root: Path | str = ".") -> Runs:
    """The runs below a folder, newest first."""
    from molgen.workflows.runs import find_runs

    return find_runs(Path(root))


def track(run: Path | str, uri: str | None = None) -> dict[str, Any]:
    """Mirror a run folder into MLflow afterwards; a second time adds nothing. Returns what was added, and where."""
    from molgen.run.folder import RunFolder
    from molgen.run.mlflow_tracker import replay

    return replay(RunFolder.open(Path(run)), uri)


def data_list() -> list[Entry]:
    """The public data sets of the catalog and the user's imported ones."""
    from molgen.data.catalog import list_entries

    return list_entries()


def data_fetch(
    name: str,
    *,
    dest: Path | str | None = None,
    source: Path | str | None = None,
    progress: Callable[[str], Any] | None = None,
) -> Path:
    """Bring a data set of the catalog here: the only function that uses the network. ``source``: a file instead."""
    from molgen.data.fetch import fetch

    return fetch(name, dest=dest, source=source, progress=progress)


def data_prepare(
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    policy: str = "default",
    smiles_column: str | None = None,
    workers: int = 1,
    overwrite: bool = False,
    quiet: bool = False,
) -> Prepared:
    """Standardize and deduplicate files of any size into one ``.smi.gz``, with a report and the rejected rows."""
    from molgen.data.dataset import prepare
    from molgen.run.progress import Progress

    with Progress(None, "rows", "preparing", quiet=quiet) as bar:
        return prepare(
            inputs,
            out,
            policy,
            smiles_column=smiles_column,
            workers=workers,
            overwrite=overwrite,
            progress=bar.advance,
        )


def data_import(name: str, file: str | Path, **options: Any) -> Table:
    """Keep a checked copy of the user's file under a name that configurations can use."""
    from molgen.data.catalog import import_data

    return import_data(name, file, **options)


def models_list() -> list[dict[str, Any]]:
    """The shipped models: their cards, with ``name`` and ``path``."""
    from molgen.workflows.model import cards

    return [{**card, "name": name, "path": str(path)} for name, path, card in cards()]


def models_families() -> dict[str, Family]:
    """The model families that can be trained, by name."""
    from molgen.models.registry import families

    return families()


def models_show(name: str | Path) -> dict[str, Any]:
    """The card of a model: data, license, training, metrics, checksums."""
    from molgen.learn.store import read_card
    from molgen.models.registry import locate

    path = locate(name)
    return {"path": str(path), **read_card(path)}


def models_verify(name: str | Path, say: Callable[[str], object] = print) -> list[str]:
    """Whether every byte of a model is as its card says and it loads; the problems, none for an intact model."""
    from molgen.workflows.model import verify

    return verify(name, say)


def _source(config: Config) -> Config:
    """A one-line text is the name of a file."""
    return Path(config) if isinstance(config, str) and "\n" not in config else config
