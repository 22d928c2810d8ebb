"""Answers of external scorers that are kept between runs: one JSON line each, appended, never rewritten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from molgen.core.errors import ScorerError
from molgen.scoring.external_answer import Answer


class KeptAnswers:
    """Values by SMILES of one scorer (``fingerprint``); several scorers and processes may share the file.

    Only values are kept: what failed may work the next time. Without a path it keeps nothing, a run's own journal
    does that.
    """

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint
        self._known: dict[str, Answer] = {}
        if path is not None and path.exists():
            self._load(path)

    def get(self, smiles: str) -> Answer | None:
        """The kept answer, or None."""
        return self._known.get(smiles)

    def add(self, answers: Mapping[str, Answer]) -> None:
        """Append the answers that have a value."""
        if self.path is None:
            return
        lines = []
        for smiles, answer in answers.items():
            if not answer.error:
                self._known[smiles] = answer
                row = {"s": self.fingerprint, "m": smiles, "v": answer.value, "x": dict(answer.extras)}
                lines.append(json.dumps(row, ensure_ascii=False, allow_nan=False))
        if lines:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open(
                    "ab", buffering=0
                ) as file:  # one write: lines of two processes do not mix
                    # The line break before them ends a line that a kill may have torn.
                    file.write(("\n" + "\n".join(lines) + "\n").encode())
            except OSError as error:
                raise ScorerError(
                    f"cannot write {self.path}: {error}; free some space, or leave out params.cache"
                ) from error

    def _load(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise ScorerError(f"cannot read {path}: {error}") from error
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                row = json.loads(line)
                if row["s"] == self.fingerprint:
                    self._known[row["m"]] = Answer(float(row["v"]), "", row.get("x", {}))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                if b'{"s": "'.startswith(line[:7]):  # torn by a kill: it is paid for again
                    continue
                raise ScorerError(
                    f"{path}: line {number} is no kept value ({error}); is it another file? Delete the line, or "
                    "choose another file as params.cache"
                ) from error
