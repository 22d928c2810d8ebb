"""De novo design as a job: start a run, or go on with it, and print the ten best.

    python run.py recipe.yaml runs/denovo

The same line starts the run, goes on after an interruption, and shows the result of a run that is done. Exit codes
are those of molgen: 0 done, 2 configuration, 3 data, 4 fewer delivered than asked, 75 interrupted and resumable
(``slurm.sbatch`` puts the job back into the queue on 75), 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import molgen as mg
from molgen.core.errors import MolgenError


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path, help="the configuration (used when the run starts)")
    parser.add_argument("run", type=Path, help="the run folder")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the recipe: budget.molecules=500",
    )
    arguments = parser.parse_args(argv)
    try:
        if (arguments.run / "manifest.json").is_file():
            result = mg.resume(arguments.run, keep_partial=False)
        else:
            result = mg.optimize(arguments.recipe, arguments.run, overrides=arguments.set, keep_partial=False)
    except MolgenError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return error.exit_code
    frame = result.to_frame().head(10)
    values = [name for name in frame.columns if f"{name}_desirability" in frame.columns]
    print(frame.reindex(columns=["rank", "score", *values, "smiles"]).to_string(index=False))
    print(f"{len(result.delivery.candidates)} candidates; report: {result.files['html']}")
    return 4 if result.shortfall else 0


if __name__ == "__main__":
    sys.exit(main())
