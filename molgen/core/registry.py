"""A registry of names that imports what is behind a name only when it is used; other packages add to it.

Built-in entries are ``"package.module:attribute"`` texts. Other packages add theirs through an entry-point group::

    [project.entry-points."molgen.models"]
    my_model = "my_package.my_model:FAMILY"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean


def load_object(target: str) -> Any:
    """The object behind ``"package.module:attribute"``."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


class Registry:
    """Names of one kind of thing (``kind`` is the word for it in messages)."""

    def __init__(self, kind: str, builtin: Mapping[str, str], group: str) -> None:
        self.kind = kind
        self.group = group
        self._builtin = dict(builtin)

    def names(self) -> list[str]:
        """All names: ours in the order of registration, then those of other packages, sorted."""
        return [*self._builtin, *sorted(self._plugins())]

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self._plugins()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def get(self, name: str) -> Any:
        """The object behind ``name``; ConfigError with the likely name, or with what broke in a plug-in."""
        if name in self._builtin:
            return load_object(self._builtin[name])
        plugins = self._plugins()
        if name not in plugins:
            raise ConfigError(f"unknown {self.kind} {name!r}{did_you_mean(name, self.names())}")
        try:
            return plugins[name].load()
        except (
            Exception
        ) as error:  # whatever somebody else's module raises on import, the user must learn whose
            raise ConfigError(
                f"{self.kind} {name!r} comes from {self.origin(name)}, which cannot be imported: "
                f"{type(error).__name__}: {error}; repair or uninstall that package"
            ) from error

    def origin(self, name: str) -> str:
        """The package a name comes from, with its version."""
        plugin = self._plugins().get(name)
        if plugin is None or name in self._builtin:
            return "molgen"
        return f"{plugin.dist.name} {plugin.dist.version}" if plugin.dist is not None else plugin.value

    def _plugins(self) -> dict[str, EntryPoint]:
        # A name of ours stays ours: a plug-in must not silently change what an old configuration means.
        return {p.name: p for p in entry_points(group=self.group) if p.name not in self._builtin}
