"""The next round of a search: a run of its own that begins where another one stands, with what people said about it.

The first run stays as it is. The new one names it, judges the best of what it found again (at no cost) and goes on
with the strategy's own state. Everything that the round needs lies in its folder before it is a run, so that a kill
leaves a round, or none.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from molgen.chem.molecule import Molecule
from molgen.core import config as configs
from molgen.core.errors import DataError, RunError
from molgen.core.schema import OptimizeConfig
from molgen.core.stage_schema import FINAL
from molgen.data.reader import read
from molgen.optimize.memory import CARRIED, Entry
from molgen.optimize.protocol import CanRevise, Proposal
from molgen.optimize.session import build_search, create_folder, open_inputs
from molgen.run.files import sha256_file, write_atomic
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop
from molgen.run.ledger import Ledger
from molgen.run.tracker import NullTracker
from molgen.scoring.objective import Objective
from molgen.scoring.preference.verdicts import LIKE_COLUMN
from molgen.workflows.feedback import CANDIDATE, Feedback, read_feedback
from molgen.workflows.round_plan import SUFFIX, assays_of, csv_text, plan_round

#: Folder of a round with everything that feedback brought.
FOLDER = "feedback"
#: The best molecules of the round before that are judged again first, besides those that the feedback is about.
CARRY = 500
_KNOWN, _CARRIED = "known.csv", "carried.jsonl"


def number_of(folder: RunFolder) -> int:
    """Which round a run is; 1 for one without feedback."""
    return int(folder.manifest.get("round", {}).get("number", 1))


def next_round(
    parent: RunFolder,
    file: Path,
    *,
    out: Path | None = None,
    weight: float | None = None,
    overrides: Sequence[str] = (),
    quiet: bool = False,
) -> RunFolder:
    """The folder of the round after ``parent`` that learns from ``file``: made now, or the one that was made before.

    ``weight``: of the component ``preference``; default: half of all others together, a third of the mean. Raises
    DataError for the file, RunError for the folder, ConfigError for ``overrides``; nothing is left behind then.
    """
    if not file.is_file():
        raise DataError(
            f"{file}: no such file; give a table with a column {LIKE_COLUMN!r} or with measured values"
        )
    number = number_of(parent) + 1
    target = (out or parent.path.with_name(f"{SUFFIX.sub('', parent.name)}-round{number}")).absolute()
    digest = sha256_file(file)
    if (target / "manifest.json").is_file():
        made = RunFolder.open(target)
        told = made.manifest.get("round", {})
        if (told.get("parent_uid"), told.get("feedback_sha256")) == (parent.uid, digest):
            return made
        raise RunError(
            f"{target} is there already, with other feedback; go on with it: molgen resume {target}; give it the "
            f"feedback of a further round: molgen resume {target} --feedback {file}; or choose another folder with -o"
        )
    existed = target.exists()
    with parent.lock():
        try:
            return _make(parent, file, target, number, digest, weight, overrides, quiet)
        except BaseException:
            if not (target / "manifest.json").exists():
                shutil.rmtree(target / FOLDER, ignore_errors=True)
                if not existed and target.is_dir() and not any(target.iterdir()):
                    target.rmdir()
            raise


def _make(
    parent: RunFolder, file: Path, target: Path, number: int, digest: str, weight: float | None,
    overrides: Sequence[str], quiet: bool,
) -> RunFolder:  # fmt: skip
    before = configs.load(parent.config_path, OptimizeConfig).config
    before = before.model_copy(update={"stages": []})  # a curriculum leads to the objective once
    base_dir = Path(parent.manifest["base_dir"])
    entries = [Entry.from_row(row) for row in parent.ledger.rows()]
    names = {f"{CANDIDATE}{e.id}": str(e.smiles) for e in entries if e.smiles}
    assays = assays_of(before, base_dir)
    feedback = read_feedback(file, candidates=names, assays=list(assays.values()), policy=before.policy)
    place = target / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copyfile(file, place / f"given{''.join(file.suffixes)}")
    plan = plan_round(before, feedback, assays, place, base_dir, weight, overrides, number, quiet)
    # What only an earlier stage has judged lacks dear values: carrying it over would pay for them unasked.
    judged = [e for e in entries if e.stage in ("", FINAL)]
    carried = _carry(place, judged, feedback, before.policy)
    write_atomic(place / _KNOWN, csv_text(("smiles", "id"), [(m.smiles, m.id or "") for m in feedback.known]))
    budget = plan.config.budget.molecules
    words = [f"Round {number} of {parent.name}: {'; '.join(feedback.notes)}.", *plan.words]
    words.append(
        f"{carried} molecules of the round before were judged again at no cost; this round has a budget of its own, "
        f"{budget} molecules."
    )
    if not _same_strategy(before, plan.config):
        words.append(
            "The optimizer or the model was changed, so the strategy begins without what it was taught before; its "
            "scores it still has."
        )
    about = {
        "number": number, "parent": str(parent.path), "parent_uid": parent.uid,
        "parent_calls": parent.manifest.get("calls"), "feedback_sha256": digest, "words": words, "carried": carried,
    }  # fmt: skip

    def prepare(path: Path) -> None:
        _copy_scores(parent.path / "scores.jsonl", path / "scores.jsonl")
        _first_checkpoint(parent, before, plan.config, path, inputs.objective)

    with open_inputs(plan.config, base_dir) as inputs:
        folder = create_folder(
            plan.config,
            target,
            base_dir,
            inputs.objective,
            more={"round": about},
            keep=[FOLDER],
            prepare=prepare,
        )
        _keep_code(parent, folder)
    parent.quiet = folder.quiet = quiet
    parent.log(f"round {number} was started from here with {file.name}: {target}")
    for sentence in words:
        folder.log(sentence)
    return folder


def first_proposals(folder: RunFolder) -> list[Proposal]:
    """What a round begins with: the molecules carried over; none for a run that is no further round."""
    rows = Ledger(folder.path / FOLDER / _CARRIED, kind=CARRIED).rows()
    return [Proposal(row["id"], row["smiles"], CARRIED, (row["parent"],)) for row in rows]


def known_of(folder: RunFolder, policy: str) -> list[Molecule]:
    """What the feedback makes known, so that it is not delivered: disliked and measured molecules."""
    file = folder.path / FOLDER / _KNOWN
    if not file.is_file() or len(file.read_text(encoding="utf-8").splitlines()) < 2:
        return []
    return read(file, smiles_column="smiles", id_column="id", policy=policy).molecules


def _carry(place: Path, entries: Sequence[Entry], feedback: Feedback, policy: str) -> int:
    """Write what the round begins with: the best so far, and everything that the feedback is about."""
    first = [e for e in entries if e.smiles is not None and e.status in ("scored", "filtered", "failed")]
    named = {mol.smiles for mol, _ in feedback.verdicts}
    named |= {one.molecule.smiles for rows in feedback.measured.values() for one in rows}
    best = sorted((e for e in first if e.status == "scored"), key=lambda e: (-e.total, e.id))[:CARRY]
    chosen = {e.id: e for e in [*best, *(e for e in first if e.smiles in named or e.origin == "seed")]}
    start = max((e.id for e in entries), default=-1) + 1
    rows = [
        {"id": start + k, "smiles": e.smiles, "parent": f"{CANDIDATE}{e.id}"}
        for k, e in enumerate(sorted(chosen.values(), key=lambda e: e.id))
    ]
    Ledger(place / _CARRIED, kind=CARRIED).append_many(rows)
    return len(rows)


def _first_checkpoint(
    parent: RunFolder, before: OptimizeConfig, config: OptimizeConfig, path: Path, objective: Objective
) -> None:
    """Checkpoint 0 of the round: the strategy as the round before left it, without scores that no longer hold."""
    folder = RunFolder(path, {})
    folder.quiet = True
    search = build_search(config, folder, objective, NullTracker(), Stop())
    found = parent.latest_checkpoint()
    if found is not None and _same_strategy(before, config) and isinstance(search.optimizer, CanRevise):
        search.optimizer.load_state(found.state["optimizer"], found.tensors)
        search.optimizer.revise({})
    search.checkpoint()


def _same_strategy(before: OptimizeConfig, config: OptimizeConfig) -> bool:
    return (config.optimizer, config.model) == (before.optimizer, before.model)


def _copy_scores(source: Path, target: Path) -> None:
    """The values that were paid for; calls in flight when the round before was killed are no business of this one."""
    if not source.is_file():
        return
    with source.open(encoding="utf-8") as old, target.open("w", encoding="utf-8") as new:
        for line in old:
            if line.endswith("\n") and "start" not in json.loads(line):
                new.write(line)


def _keep_code(parent: RunFolder, folder: RunFolder) -> None:
    if (parent.path / "code").is_dir():
        shutil.copytree(parent.path / "code", folder.path / "code", dirs_exist_ok=True)
