"""What feedback makes of a run's configuration: activity models that learned, and a component for the likes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molgen.core import config as configs
from molgen.core.errors import ConfigError
from molgen.core.schema import ComponentConfig, OptimizeConfig
from molgen.data.reader import read
from molgen.run.files import write_atomic
from molgen.scoring.preference.verdicts import LIKE_COLUMN, parse_verdict
from molgen.scoring.qsar.model import load as load_qsar
from molgen.workflows.feedback import Assay, Feedback
from molgen.workflows.retrain import retrain

PREFERENCE = "preference"
VERDICTS = "preference.csv"
#: What the name of a further round ends with.
SUFFIX = re.compile(r"-round(\d+)$")


@dataclass(frozen=True)
class Plan:
    """A round before it is one: its configuration, the feedback, and sentences about both."""

    config: OptimizeConfig
    feedback: Feedback
    words: list[str]


def assays_of(config: OptimizeConfig, base_dir: Path) -> dict[Path, Assay]:
    """The activity models that steer the run, by their folder; controls stay as they are, or they would be none."""
    found: dict[Path, Assay] = {}
    for part in config.objective.components:
        if part.use != "qsar" or part.role == "control":
            continue
        path = (base_dir / Path(str(part.params["model"])).expanduser()).resolve()
        name = part.name or part.use
        if path in found:
            old = found[path]
            found[path] = Assay(old.label, old.model, (*old.columns, name))
            continue
        model = load_qsar(path)
        found[path] = Assay(
            name, model, tuple(dict.fromkeys((model.name, str(model.card["target"]["column"]), name)))
        )
    return found


def plan_round(
    before: OptimizeConfig, feedback: Feedback, assays: Mapping[Path, Assay], place: Path, base_dir: Path,
    weight: float | None, overrides: Sequence[str], number: int, quiet: bool,
) -> Plan:  # fmt: skip
    """The configuration of the round, its models trained and its verdicts written."""
    data = before.model_dump(mode="json")
    parts: list[dict[str, Any]] = data["objective"]["components"]
    words: list[str] = []
    for path, assay in assays.items():
        if assay.label not in feedback.measured:
            continue
        rows = feedback.measured[assay.label]
        trained = retrain(assay.model, rows, place / "models" / assay.label, seed=before.seed, quiet=quiet)
        for part in parts:
            mine = (base_dir / Path(str(part["params"].get("model", ""))).expanduser()).resolve()
            if part["use"] == "qsar" and part["role"] != "control" and mine == path:
                part["params"]["model"] = str(trained.folder)
        words.append(f"{assay.label} learned {len(rows)} new measurements: {trained.words()[0]}")
    if feedback.verdicts:
        told = _add_preference(before, parts, feedback, place, base_dir, weight)
    elif weight is not None:
        raise ConfigError("no verdicts were given, so there is no preference to weigh", "preference weight")
    data |= {"name": f"{SUFFIX.sub('', before.name)}-round{number}", "seed": before.seed + 1}
    if "stages" in data:  # they are over
        data["stages"] = type(data["stages"])()
    config = configs.load(data, OptimizeConfig, overrides).config
    if feedback.verdicts:
        words.append(_preference_in_words(config, told))
    return Plan(config, feedback, words)


def _add_preference(
    before: OptimizeConfig, parts: list[dict[str, Any]], feedback: Feedback, place: Path, base_dir: Path,
    weight: float | None,
) -> list[bool]:  # fmt: skip
    """Write the verdicts, old and new, and make them a component; the verdicts."""
    old = next((part for part in parts if part["use"] == PREFERENCE), None)
    told = _earlier(old, base_dir, before.policy) | {mol.smiles: liked for mol, liked in feedback.verdicts}
    ids = {mol.smiles: mol.id or "" for mol, _ in feedback.verdicts}
    rows = [(smiles, ids.get(smiles, ""), "yes" if liked else "no") for smiles, liked in told.items()]
    write_atomic(place / VERDICTS, csv_text(("smiles", "id", LIKE_COLUMN), rows))
    params = {"file": str(place / VERDICTS)}
    others = sum(part["weight"] for part in parts if part["role"] == "score" and part is not old) or 1.0
    if old is None:
        old = ComponentConfig(use=PREFERENCE).model_dump(mode="json") | {"weight": others / 2}  # type: ignore[call-arg]
        parts.append(old)
    old |= {"params": params, **({"weight": weight} if weight is not None else {})}
    return list(told.values())


def _preference_in_words(config: OptimizeConfig, told: Sequence[bool]) -> str:
    """What the component weighs in the round as it is, changes of the command line included."""
    parts = config.objective.components
    part = next((part for part in parts if part.use == PREFERENCE), None)
    if part is None:
        return f"The verdicts count nowhere: the changes of the configuration left no component {PREFERENCE}."
    share = part.weight / sum(other.weight for other in parts if other.role == "score" or other is part)
    role = f"weight {part.weight:g}, {share:.0%} of the mean" if part.role == "score" else f"role {part.role}"
    return (
        f"The component {part.name or PREFERENCE} ({role}) says how likely you are to like a molecule, "
        f"from {sum(told)} likes and {len(told) - sum(told)} dislikes."
    )


def _earlier(part: Mapping[str, Any] | None, base_dir: Path, policy: str) -> dict[str, bool]:
    """Verdicts of the rounds before."""
    if part is None:
        return {}
    given = part["params"]
    found = {s: liked for key, liked in (("likes", True), ("dislikes", False)) for s in given.get(key, ())}
    if given.get("file"):
        table = read(base_dir / Path(given["file"]).expanduser(), policy=policy)
        verdicts = ((mol.smiles, parse_verdict(mol.data.get(LIKE_COLUMN))) for mol in table.molecules)
        found |= {smiles: liked for smiles, liked in verdicts if liked is not None}
    return found


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A small table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue()
