"""How molecules can be made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molgen.workflows.routes import RoutesResult


def routes(
    file: str | Path,
    *,
    blocks: str | Path | None = None,
    without: Sequence[str] = (),
    aizynthcli: str | None = None,
    config: str | Path | None = None,
    seconds: float = 120.0,
    top: int = 50,
    hazards: bool = True,
    quiet: bool = False,
) -> RoutesResult:
    """Ways to the first ``top`` molecules of a file: from your ``blocks`` in two known reactions, or by AiZynthFinder.

    ``without``: names of reactions that you do not run. ``aizynthcli``: path of its program in an environment of its
    own, called without a shell, with its ``config`` and ``seconds`` per molecule; what fails there is a reason in the
    column ``aizynth_why``. Raises ConfigError, DataError.
    """
    from molgen.workflows.routes import routes as find

    return find(
        file,
        blocks=blocks,
        without=without,
        aizynthcli=aizynthcli,
        config=config,
        seconds=seconds,
        top=top,
        hazards=hazards,
        quiet=quiet,
    )
