"""The exception tree of molgen, and the exit code that each branch means on the command line.

MolgenError
|-- ConfigError(ValueError)      2  the user's configuration or command line
|-- DataError(ValueError)        3  the user's input files
|   `-- MoleculeError            3  one structure; never ends a batch, see chem.molecule.parse_all
|-- ModelError(ValueError)       3  a model folder is missing, damaged or does not fit
|-- ScorerError(RuntimeError)    1  a scorer that cannot be used at all (one bad molecule is no error)
|-- RunError(RuntimeError)       1  run folder: locked, damaged, unwritable
|   `-- RunLockedError           1
|-- ShortfallError(RuntimeError) 4  fewer molecules delivered than asked
|-- MissingDependencyError       2  an optional package is needed; the message is the line that installs it
`-- Interrupted                 75  stopped by a signal, resumable (130 for Ctrl-C)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class MolgenError(Exception):
    """Base of everything molgen raises on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a configuration: where (key path and line, as far as known), what, and the cure."""

    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line is not None else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where:<9}{key}{self.message}" if where else f"{key}{self.message}"


class ConfigError(MolgenError, ValueError):
    """All problems of one configuration, reported together, before any work is done."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem] | str, source: str = "configuration") -> None:
        self.problems = [Problem("", problems)] if isinstance(problems, str) else list(problems)
        self.source = source
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{source}: {count}, nothing was run\n{lines}")


class DataError(MolgenError, ValueError):
    """An input file that cannot be used; the message names the file, the line and the cure."""

    exit_code = 3


class MoleculeError(DataError):
    """One structure that cannot be used: a reason code (``why``), the words for it, and the text it came from."""

    def __init__(self, why: str, detail: str, text: str = "") -> None:
        self.why = why
        self.detail = detail
        self.text = text
        super().__init__(f"{why}: {detail}" + (f" (in {text!r})" if text else ""))


class ModelError(MolgenError, ValueError):
    """A model folder that is missing, damaged, of another format, or unable to do what was asked."""

    exit_code = 3


class ScorerError(MolgenError, RuntimeError):
    """A scorer that broke its contract or cannot run at all; the message names the scorer and the cure."""


class RunError(MolgenError, RuntimeError):
    """A run folder that cannot be created, read or written."""


class RunLockedError(RunError):
    """Another live process holds the run; the message names its host and pid."""


class ShortfallError(MolgenError, RuntimeError):
    """The work ended well but delivered fewer molecules than asked; what exists was written."""

    exit_code = 4


class MissingDependencyError(MolgenError, ImportError):
    """An optional package is needed for what was asked."""

    exit_code = 2

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}; install it with: pip install 'molgen-toolkit[{extra}]'"
        )


class Interrupted(MolgenError):
    """Stopped by a signal after saving; ``exit_code`` is 75 (resumable) or 130 (Ctrl-C)."""

    def __init__(self, signal_name: str, resume_hint: str = "") -> None:
        self.signal_name = signal_name
        self.exit_code = 130 if signal_name == "SIGINT" else 75
        hint = f"; continue with: {resume_hint}" if resume_hint else ""
        super().__init__(f"stopped by {signal_name}, everything so far is saved{hint}")
