"""Scores from somebody else's program or service: batches, time limits, repetition, and failures that stay words.

The two ways to ask are :mod:`molgen.scoring.external_command` and :mod:`molgen.scoring.external_http`. A call that
fails is repeated after a pause; a batch that keeps failing is cut in halves, so that one bad molecule costs only its
own value; what fails alone has no value, and why is in words. Many failures in a row end the run: the program is
broken, and nothing that comes after can be trusted.
"""

from __future__ import annotations

import hashlib
import json
import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from molgen.chem.molecule import Molecule
from molgen.core.errors import Interrupted, ScorerError
from molgen.scoring.external_answer import Answer, CallFailed
from molgen.scoring.external_cache import KeptAnswers
from molgen.scoring.external_params import ExternalParams
from molgen.scoring.protocol import Scored, StopCheck, scored

_POLL = 0.2  # seconds between looks at the stop flag
_LONGEST_WAIT = 60.0
#: Parameters that say how to ask, not what the answer is.
_HOW = frozenset(
    {
        "batch_size",
        "parallel",
        "time_limit",
        "retries",
        "wait",
        "give_up_after",
        "cost",
        "cache",
        "unit",
        "token_env",
    }
)


class Asker(Protocol):
    """One way to ask: gives an answer per SMILES or raises :class:`CallFailed`; called from several threads."""

    def __call__(self, smiles: Sequence[str]) -> list[Answer]:
        """Ask once about a batch."""
        ...

    def cancel(self) -> None:
        """Drop the calls in flight, now."""
        ...


class External:
    """A scorer that asks an :class:`Asker`; see the module.

    It runs in this process whatever the number of scoring workers (``remote`` is False): its calls run elsewhere
    anyway, ``parallel`` of them at a time. ``files``: path -> sha256 of what the values depend on and a run copies;
    ``hashes``: sha256 of what is too large for that.
    """

    remote = False

    def __init__(
        self,
        name: str,
        params: ExternalParams,
        make: Callable[[], Asker],
        files: Mapping[str, str],
        base_dir: Path,
        summary: str,
        hashes: Sequence[str] = (),
    ) -> None:
        self.name, self.unit, self.cost, self.summary = name, params.unit, params.cost, summary
        self.chunk = params.batch_size * params.parallel
        self.files = dict(files)
        about = [name, sorted([*files.values(), *hashes]), params.model_dump(mode="json", exclude=set(_HOW))]
        self.fingerprint = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
        self._params, self._make, self._base_dir, self._hashes = params, make, base_dir, tuple(hashes)
        self._ask = make()
        self._stop: StopCheck | None = None
        self._failures = 0
        self._extras: dict[str, Mapping[str, Any]] = {}
        path = None if params.cache is None else base_dir / Path(params.cache).expanduser()
        self._kept = KeptAnswers(path, self.fingerprint)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; see :class:`molgen.scoring.protocol.Scored`."""
        return scored(len(mols), self.stream(mols, None))

    def heed(self, stop: StopCheck | None) -> None:
        """Whom to ask, while a call is in flight, whether to stop."""
        self._stop = stop

    def stream(
        self, mols: Sequence[Molecule], mark: Callable[[list[int]], None] | None
    ) -> Iterator[tuple[int, float, str, str]]:
        """Yield (position, value, error, note) as answers come; ``mark`` hears which are asked next."""
        todo: list[int] = []
        for position, mol in enumerate(mols):
            known = self._kept.get(mol.smiles)
            if known is None:
                todo.append(position)
            else:
                self._remember(mol.smiles, known)
                yield position, known.value, known.error, ""
        size = self._params.batch_size
        pending = deque(todo[first : first + size] for first in range(0, len(todo), size))
        answers: queue.Queue[tuple[list[int], list[Answer] | CallFailed]] = queue.Queue()
        cancelled = threading.Event()
        running = 0
        try:
            while pending or running:
                while pending and running < self._params.parallel:
                    batch = pending.popleft()
                    if mark is not None:
                        mark(batch)
                    smiles = [mols[position].smiles for position in batch]
                    threading.Thread(
                        target=self._call, args=(batch, smiles, answers, cancelled), daemon=True
                    ).start()
                    running += 1
                try:
                    batch, outcome = answers.get(timeout=_POLL)
                except queue.Empty:
                    if self._stop is not None and (name := self._stop()):
                        raise Interrupted(name) from None
                    continue
                running -= 1
                if isinstance(outcome, CallFailed):
                    self._count_failure(outcome)
                    if len(batch) > 1:
                        half = len(batch) // 2
                        pending.extendleft([batch[half:], batch[:half]])
                    else:
                        yield batch[0], math.nan, str(outcome), ""
                    continue
                self._failures = 0
                self._kept.add({mols[p].smiles: answer for p, answer in zip(batch, outcome, strict=True)})
                for position, answer in zip(batch, outcome, strict=True):
                    self._remember(mols[position].smiles, answer)
                    yield position, answer.value, answer.error, ""
        finally:
            if running:  # interrupted, or nobody listens any more
                cancelled.set()
                self._ask.cancel()
                self._ask = self._make()

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[Any]]:
        """The further columns that were asked for; molecules of an earlier process are asked about again."""
        if not self._params.evidence:
            return {}
        unknown = [mol for mol in dict.fromkeys(mols) if mol.smiles not in self._extras]
        for _ in self.stream(unknown, None):
            pass
        rows = [self._extras.get(mol.smiles, {}) for mol in mols]
        return {column: [row.get(column) for row in rows] for column in self._params.evidence}

    def close(self) -> None:
        """Drop calls in flight."""
        self._ask.cancel()

    def __reduce__(self) -> tuple[Any, ...]:
        given = (self.name, self._params, self._make, self.files, self._base_dir, self.summary, self._hashes)
        return External, given

    def _call(
        self,
        batch: list[int],
        smiles: list[str],
        answers: queue.Queue[tuple[list[int], list[Answer] | CallFailed]],
        cancelled: threading.Event,
    ) -> None:
        """One batch, repeated as often as allowed; runs in a thread of its own and always puts an outcome."""
        outcome: list[Answer] | CallFailed
        ask, wait = self._ask, self._params.wait
        for attempt in range(self._params.retries + 1):
            try:
                outcome = ask(smiles)
                break
            except CallFailed as error:
                outcome = error
            except (
                Exception
            ) as error:  # a fault of ours must not leave the run waiting for this thread for ever
                outcome = CallFailed(f"{type(error).__name__}: {error}", again=False)
            if not outcome.again or attempt == self._params.retries:
                break
            if cancelled.wait(min(_LONGEST_WAIT, max(wait * 2**attempt, outcome.wait))):
                break
        answers.put((batch, outcome))

    def _remember(self, smiles: str, answer: Answer) -> None:
        if self._params.evidence:
            self._extras[smiles] = answer.extras

    def _count_failure(self, failure: CallFailed) -> None:
        self._failures += 1
        if self._failures >= self._params.give_up_after:
            self._failures = 0
            raise ScorerError(
                f"scorer {self.name!r} failed {self._params.give_up_after} times in a row, the last time: {failure}; "
                "values so far are kept: repair it, then `molgen resume` the run (params.give_up_after allows more)"
            )
