"""What a configuration may be given as."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: A configuration: a file, YAML text, or plain data.
Config = Path | str | Mapping[str, Any]


def source(config: Config) -> Config:
    """A one-line text is the name of a file."""
    return Path(config) if isinstance(config, str) and "\n" not in config else config
