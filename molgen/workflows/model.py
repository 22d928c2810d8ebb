"""A loaded generator for people: ``mg.load("druglike").sample(100)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.learn import store
from molgen.models import registry
from molgen.models.protocol import Generator
from molgen.run.resources import limit_torch_threads, pick_device
from molgen.workflows.sample import SampleResult
from molgen.workflows.sample import sample as draw

if TYPE_CHECKING:
    from molgen.workflows.latent import Decoded, Encoded
    from molgen.workflows.steer import Steered
    from molgen.workflows.walk import Neighbors, Walk


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

    def encode(self, molecules: str | Path | Sequence[str], **options: Any) -> Encoded:
        """Points of a file or a list of SMILES: ``.z`` ``[n, d]``, and the reason where there is none.

        Options and what it raises: :func:`molgen.workflows.latent.encode`.
        """
        from molgen.workflows import latent

        return latent.encode(self.generator, molecules, **options)

    def decode(self, points: Any, **options: Any) -> Decoded:
        """Molecules at points ``[n, d]`` (array, tensor, :meth:`encode`'s result or a file of it).

        Options and what it raises: :func:`molgen.workflows.latent.decode`.
        """
        from molgen.workflows import latent

        return latent.decode(self.generator, points, **options)

    def neighbors(self, smiles: str, **options: Any) -> Neighbors:
        """Distinct molecules at a ``radius`` around one; see :func:`molgen.workflows.walk.neighbors`."""
        from molgen.workflows import walk

        return walk.neighbors(self.generator, smiles, **options)

    def interpolate(self, first: str, last: str, *, steps: int = 9) -> Walk:
        """Molecules on the line between two; see :func:`molgen.workflows.walk.interpolate`."""
        from molgen.workflows import walk

        return walk.interpolate(self.generator, first, last, steps=steps)

    def steer(self, name: str, **options: Any) -> Steered:
        """Follow the head of property ``name`` uphill, and how far its claims are from the real scorer.

        Options (``towards``, ``start``, ``scorer`` ...) and what it raises: :func:`molgen.workflows.steer.steer`.
        """
        from molgen.workflows import steer

        return steer.steer(self.generator, name, **options)


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
