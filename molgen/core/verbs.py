"""Lets a package share its name with a verb: ``molgen.optimize`` is the package, ``mg.optimize(...)`` the verb.

Importing a subpackage binds its name in ``molgen`` and would hide the function of that name in :mod:`molgen.api`.
So such a package is made callable, and the call goes to the function.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Verb(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        package, _, verb = self.__name__.rpartition(".")
        return getattr(import_module(f"{package}.api"), verb)(*args, **options)


def callable_package(name: str) -> None:
    """Call it in the package's ``__init__`` with ``__name__``."""
    sys.modules[name].__class__ = _Verb
