"""Lead optimization by several strategies, compared by what each paid call has bought, read back from MLflow.

    python run.py recipe.yaml -o leads
    python run.py recipe.yaml -o leads --strategies genetic hybrid --set budget.molecules=500

Each strategy is a run of its own (leads/genetic ...); the same line goes on after an interruption, adds strategies,
and shows the comparison again: comparison.csv, and comparison.png where matplotlib is installed.

Exit codes are those of molgen: 0 done, 2 configuration, 3 data, 4 a strategy delivered fewer than asked, 75
interrupted and resumable (``slurm.sbatch`` puts the job back into the queue on 75), 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import molgen as mg
from molgen.core.errors import ConfigError, MolgenError
from molgen.run.folder import RunFolder
from molgen.run.mlflow_store import import_mlflow, tracking_uri

if TYPE_CHECKING:
    import pandas as pd

    from molgen.workflows.optimize import OptimizeResult

STRATEGIES = ("reinforce", "genetic", "hybrid")
CURVE = "by_calls/top10_score"


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume each strategy and compare; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("recipe", type=Path, help="the configuration (used when a run starts)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the runs")
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), metavar="NAME")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    asked = parser.parse_args(argv)
    try:
        results = {name: search(asked, name) for name in asked.strategies}
        table, curves = compare([asked.output / name for name in results])
    except MolgenError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("run.py: interrupted; the same line goes on", file=sys.stderr)
        return 130
    table.to_csv(asked.output / "comparison.csv", index=False)
    print(table.round(3).to_string(index=False))
    if importlib.util.find_spec("matplotlib") is not None:
        draw(curves, asked.output / "comparison.png")
    for name, result in results.items():
        alarms = [note for note in result.delivery.notes if "gamed" in note or "drifted" in note]
        print(
            f"{name}: {len(result.to_frame())} molecules; report: {result.files['html']}", *alarms, sep="\n  "
        )
    return 4 if any(result.shortfall for result in results.values()) else 0


def search(asked: argparse.Namespace, name: str) -> OptimizeResult:
    """Start the run of a strategy, or go on with it."""
    folder = asked.output / name
    if (folder / "manifest.json").is_file():
        found: Any = mg.resume(folder, quiet=asked.quiet, keep_partial=False)
        return found  # type: ignore[no-any-return]
    changes = [*asked.set, f"optimizer.name={name}", f"name={name}"]
    return mg.optimize(asked.recipe, folder, overrides=changes, quiet=asked.quiet, keep_partial=False)


def compare(folders: Sequence[Path]) -> tuple[pd.DataFrame, dict[str, list[tuple[int, float]]]]:
    """One row per run, and its curve (paid calls, mean of the best ten so far), from MLflow alone."""
    import pandas as pd

    rows, curves = [], {}
    for folder in folders:
        record: Mapping[str, str] = RunFolder.open(folder).manifest.get("mlflow") or {}
        if not record:
            raise ConfigError(
                f"{folder} is not in MLflow; leave tracking.mlflow on, or: molgen track {folder}"
            )
        client = import_mlflow().MlflowClient(tracking_uri(folder.absolute()))
        run = client.get_run(record["run_id"])
        points = {point.step: point.value for point in client.get_metric_history(run.info.run_id, CURVE)}
        curve = sorted(points.items())
        curves[folder.name] = curve
        last = run.data.metrics
        rows.append(
            {
                "strategy": run.data.params["optimizer.name"],
                "calls": int(last["calls"]),
                "best": last["best_score"],
                "best 10": last["top10_score"],
                "best 100": last["top100_score"],
                "area under best 10": area(curve),
                "like_lead": last.get("raw/like_lead"),
                "mlflow run": run.info.run_id,
            }
        )
    return pd.DataFrame(rows).sort_values("area under best 10", ascending=False), curves


def area(curve: Sequence[tuple[int, float]]) -> float:
    """Mean height of the curve over the calls, from the first one: early finds count more."""
    total, before, height = 0.0, 0, 0.0
    for calls, value in curve:
        total += (calls - before) * (height + value) / 2
        before, height = calls, value
    return total / before if before else float("nan")


def draw(curves: Mapping[str, Sequence[tuple[int, float]]], path: Path) -> None:
    """The curves of all strategies in one picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5))
    for name, curve in curves.items():
        axes.plot([calls for calls, _ in curve], [value for _, value in curve], label=name)
    axes.set(xlabel="molecules scored", ylabel="mean score of the best 10", ylim=(0, 1))
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
