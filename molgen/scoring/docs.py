"""Writes the table of scorers in docs/scoring.md from the registry: ``python -m molgen.scoring.docs FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from molgen.scoring.registry import SCORERS, ScorerRecord
from molgen.scoring.transforms import Transform

_BEGIN, _END = "<!-- table:", "<!-- end of table -->"


def table() -> str:
    """The Markdown table of all built-in scorers and the parameters of those that have some."""
    lines = ["| use | what it is | unit | default curve | example of `params` |", "|---|---|---|---|---|"]
    for record in SCORERS.values():
        curve = Transform(record.default_transform()).describe()
        example = f"`{json.dumps(dict(record.example))}`".replace("|", "\\|") if record.example else ""
        lines.append(f"| `{record.name}` | {record.summary} | {record.unit} | {curve} | {example} |")
    lines += ["", "Parameters:", "", "| use | parameter | default | meaning |", "|---|---|---|---|"]
    for record in SCORERS.values():
        lines += _parameters(record)
    return "\n".join(lines)


def _parameters(record: ScorerRecord) -> list[str]:
    lines = []
    for name, field in record.params.model_fields.items():
        default = (
            "required" if field.is_required() else json.dumps(field.get_default(call_default_factory=True))
        )
        lines.append(f"| `{record.name}` | `{name}` | {default} | {field.description} |")
    return lines


def update(text: str) -> str:
    """The page with the table of this version between its two marks."""
    before, mark, rest = text.partition(_BEGIN)
    first, _, rest = rest.partition("\n")
    _, end, after = rest.partition(_END)
    assert mark
    assert end
    return f"{before}{mark}{first}\n\n{table()}\n\n{end}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")
