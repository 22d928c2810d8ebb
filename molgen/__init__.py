"""molgen: from measured compounds to ranked, explained candidates; ``import molgen as mg`` gives the verbs.

The verbs live in :mod:`molgen.api` and are re-exported lazily, so that ``import molgen`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Look a verb up in :mod:`molgen.api` at its first use."""
    if not name.startswith("_"):
        # Not `from molgen import api`: that would ask this function for "api".
        api = import_module("molgen.api")
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module 'molgen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({"__version__", *import_module("molgen.api").__all__})
