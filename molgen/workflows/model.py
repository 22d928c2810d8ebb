"""A loaded generator for people: ``mg.load("druglike").sample(100)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molgen.learn import store
from molgen.models import registry
from molgen.models.protocol import Generator
from molgen.run.resources import limit_torch_threads, pick_device
from molgen.workflows.sample import SampleResult
from molgen.workflows.sample import sample as draw


@dataclass(frozen=True)
class Model:
    """A trained generator with its card. ``generator`` is the network itself (:mod:`molgen.models.protocol`)."""

    name: str
    path: Path
    device: str
    generator: Generator = field(repr=False)
    card: dict[str, Any] = field(repr=False)

    def sample(self, n: int = 100, **options: Any) -> SampleResult:
        """``n`` distinct valid molecules as a table; the options are those of :func:`molgen.api.sample`."""
        return draw(self.generator, n, **options)


def load(name: str | Path, device: str = "auto") -> Model:
    """A shipped prior by name, or the user's own model folder. Raises ModelError, ConfigError for the device."""
    path = registry.locate(name)
    device = pick_device(device)
    limit_torch_threads()
    return Model(str(name), path, device, registry.load(path, device=device), store.read_card(path))


def cards() -> list[tuple[str, Path, dict[str, Any]]]:
    """(name, folder, card) of each shipped prior."""
    return [(name, path, store.read_card(path)) for name, path in registry.shipped().items()]


def verify(name: str | Path, say: Callable[[str], object]) -> list[str]:
    """Compare every file with its sha256 in the card and load the model; what is wrong, in words."""
    path = registry.locate(name)
    card = store.read_card(path)
    problems = store.verify_files(path, card)
    if not problems:
        registry.load(path)
        say(f"{name}: {len(card.get('files', {}))} files are as the card says, and the model loads")
    return problems
