"""From hit to lead: a table of measured compounds in, ranked new analogs with their evidence out.

    python run.py measured.csv --target pIC50 -o lead

curates the table, trains an activity model and says what it is worth, teaches a prior the series, searches, and
delivers. The same line goes on after an interruption and shows the result of a run that is done.

Exit codes: 0 done; 2 configuration; 3 data; 4 fewer delivered than asked; 5 the activity model is useless, nothing
was searched (``--even-if-useless`` goes on); 75 interrupted and resumable; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

import molgen as mg
from molgen import recipes
from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, MolgenError
from molgen.core.schema import OptimizeConfig
from molgen.run.files import sha256_file, write_atomic

if TYPE_CHECKING:
    from molgen.workflows.optimize import OptimizeResult

USELESS = 5
#: Gentle, and in one spelling each: random spellings of some dozens of compounds ruin the prior's grammar.
TEACHING = (
    "randomize=false",
    "trainer.epochs=20",
    "trainer.batch_size=16",
    "trainer.learning_rate=0.004",
    "trainer.patience=20",
    "trainer.sample_size=0",
)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    made.add_argument("file", type=Path, help="measured compounds: CSV, TSV, SDF, XLSX ...")
    made.add_argument("-t", "--target", required=True, help="column of the activity; higher must be better")
    made.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of everything")
    made.add_argument("-n", type=int, default=200, help="analogs asked for (%(default)s)")
    made.add_argument("--budget", type=int, default=4000, help="molecules scored at most (%(default)s)")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--prior", default="druglike", help="what is taught the series (%(default)s)")
    made.add_argument("--unit", help="of a target that is a concentration and does not say it: nM, uM ...")
    made.add_argument("--smiles-column")
    made.add_argument("--id-column")
    made.add_argument(
        "--even-if-useless", action="store_true", help="search with a model that is no better than chance"
    )
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the search: output.select=clusters",
    )
    made.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Everything; returns the exit code."""
    asked = parser().parse_args(argv)
    try:
        remember(asked)
        card, words = activity_model(asked)
        print("\n".join(words))
        if not card["verdict"]["useful"] and not asked.even_if_useless:
            print(
                f"run.py: the activity model is useless, so a ranking by it would be too: nothing was searched. "
                f"{asked.output / 'activity' / 'card.md'} says why; more or better measurements help, "
                "--even-if-useless goes on all the same, and says so on every row.",
                file=sys.stderr,
            )
            return USELESS
        result = search(asked, card)
    except MolgenError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("run.py: interrupted; the same line goes on", file=sys.stderr)
        return 130
    tell(result, card)
    return 4 if result.shortfall else 0


def remember(asked: argparse.Namespace) -> None:
    """Write down what was asked; a folder that answers another question is refused."""
    if not asked.file.is_file():
        raise DataError(f"{asked.file}: no such file")
    if asked.n > asked.budget:
        raise ConfigError(f"{asked.n} analogs cannot be delivered from a budget of {asked.budget} molecules")
    configs.load(
        recipes.get("lead").values, OptimizeConfig, asked.set
    )  # a mistake is told before minutes of work
    question = {
        "file": str(asked.file.absolute()),
        "sha256": sha256_file(asked.file),
        **{k: getattr(asked, k) for k in ("target", "n", "budget", "seed", "prior", "unit", "set")},
        **{k: getattr(asked, k) for k in ("smiles_column", "id_column")},
    }
    place = asked.output / "asked.json"
    if not place.exists():
        asked.output.mkdir(parents=True, exist_ok=True)
        write_atomic(place, json.dumps(question, indent=2) + "\n")
        return
    before = json.loads(place.read_text(encoding="utf-8"))
    if other := [key for key in question if before.get(key) != question[key]]:
        told = ", ".join(f"{key} {before.get(key)!r}, now {question[key]!r}" for key in other)
        raise ConfigError(f"{asked.output} was started with another question ({told}); choose another folder")


def activity_model(asked: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Train it, unless it is there; its card, and the card in sentences."""
    folder = asked.output / "activity"
    if not folder.exists():
        mg.qsar_train(
            asked.file, asked.target, folder, unit=asked.unit, smiles_column=asked.smiles_column,
            id_column=asked.id_column, seed=asked.seed, quiet=asked.quiet,
        )  # fmt: skip
    return mg.qsar_show(folder)


def search(asked: argparse.Namespace, card: Mapping[str, Any]) -> OptimizeResult:
    """Teach the prior the series, write the configuration, search; each of it goes on where it was."""
    folder = asked.output / "search"
    if (folder / "manifest.json").is_file():
        found: Any = mg.resume(folder, quiet=asked.quiet, keep_partial=False)
        return found  # type: ignore[no-any-return]
    prior = asked.output / "prior"
    if not (prior / "model").exists():
        series = asked.output / "activity" / "training.csv"
        changes = [*TEACHING, f"seed={asked.seed}", "tracking.mlflow=false"]
        mg.finetune(asked.prior, series.absolute(), prior, overrides=changes, quiet=asked.quiet)
    recipe = asked.output / "lead.yaml"
    write_atomic(recipe, yaml.safe_dump(configuration(asked, card), sort_keys=False))
    return mg.optimize(recipe, folder, overrides=asked.set, quiet=asked.quiet, keep_partial=False)


def configuration(asked: argparse.Namespace, card: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe ``lead`` with the names of these files and the curves of this series."""
    values = recipes.get("lead").values
    here = asked.output.absolute()
    series = str(here / "activity" / "training.csv")
    columns = {"smiles_column": asked.smiles_column, "id_column": asked.id_column}
    low, high = window(here / "activity" / "training.csv")
    half = float(card["intervals"]["half_width"] or 0.0)
    target = re.sub(r"\W+", "_", str(card["target"]["name"])).strip("_") or "activity"
    parts = {part.get("name", part["use"]): part for part in values["objective"]["components"]}
    for name, less in (("activity", 0.0), ("activity_safe", half)):
        part = parts[name]
        part["name"] = name.replace("activity", target)
        part["params"]["model"] = str(here / "activity")
        part["transform"] |= {"low": round(low - less, 2), "high": round(high - less, 2)}
    parts["similarity_to_mine"]["params"]["file"] = series
    # All rows of the table: also those that were set aside (conflicts) have been made and are not new.
    parts["novelty"]["params"] |= {"file": str(asked.file.absolute()), **columns}
    return values | {
        "seed": asked.seed,
        "model": str(here / "prior" / "model"),
        "budget": {"molecules": asked.budget},
        "output": values["output"] | {"n": asked.n, "pool": 3 * asked.n, "references": {"path": series}},
    }


def window(training: Path) -> tuple[float, float]:
    """From the lower quarter to the best tenth of what was measured exactly: predictions spread less than that."""
    import pandas as pd

    table = pd.read_csv(training)
    low, high = np.quantile(table.loc[table["side"] == 0, "value"], (0.25, 0.9))
    return float(low), float(max(high, low + 0.1))


def tell(result: OptimizeResult, card: Mapping[str, Any]) -> None:
    """What came of it, the shortfall first."""
    delivery, frame = result.delivery, result.to_frame()
    if result.shortfall:
        lost = "; ".join(f"{count} {reason}" for reason, count in delivery.losses.items())
        print(f"SHORTFALL: {len(frame)} of {delivery.requested} delivered; lost: {lost}")
        print(
            "A larger --budget, or fewer or milder filters (--set, docs/filters.md), in a new folder, give more."
        )
    if len(frame):
        name = next(c["name"] for c in delivery.components if c["use"] == "qsar")
        known = card["training_set"]
        print(
            f"predicted {name}: mean {frame[name].mean():.2f} of {len(frame)} delivered "
            f"(measured compounds: mean {known['mean']:.2f}, best {known['high']:.2f}); "
            f"{(frame[f'{name}_in_domain'] == 'yes').sum()} in the domain"
        )
        columns = ["rank", name, f"{name}_low", f"{name}_high", "sa_score", f"{name}_nearest", "smiles"]
        print(frame.head(10).reindex(columns=columns).round(2).to_string(index=False))
    print(f"{len(frame)} analogs; report: {result.files['html']}")


if __name__ == "__main__":
    sys.exit(main())
