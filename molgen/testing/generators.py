"""The contract suite of generators and their capabilities, and a toy with an exact latent space."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from molgen.models.protocol import Samples


def check_generator(generator: Any, n: int = 64, capabilities: Collection[str] = ()) -> None:
    """Assert that a generator keeps the contract of :class:`molgen.models.protocol.Generator`.

    As many strings as asked, the same for the same seed, others for another, torch's global generator untouched,
    weights that survive ``state_dict``; a likelihood, points and scaffolds that are what they say, where it has them.
    ``capabilities`` are those of its family's record: each must be there.
    """
    import copy

    import torch

    from molgen.models.protocol import (
        PROMISES,
        CanBeAsked,
        CanConstrain,
        Generator,
        HasDecoder,
        HasEncoder,
        HasLikelihood,
    )

    assert isinstance(generator, Generator)
    for word in capabilities:
        assert isinstance(generator, PROMISES.get(word, object)), f"the family says {word!r}, but it cannot"
    state = torch.get_rng_state()
    first = generator.sample(n, seed=1)
    assert torch.equal(state, torch.get_rng_state()), "sampling touched torch's global generator"
    assert len(first.smiles) == n
    assert all(isinstance(text, str) for text in first.smiles)
    assert generator.sample(n, seed=1).smiles == first.smiles, "same seed, other strings"
    assert generator.sample(n, seed=2).smiles != first.smiles, "another seed, same strings"
    assert generator.sample(0, seed=1).smiles == []
    twin = copy.deepcopy(generator)
    twin.load_state_dict(generator.state_dict())
    assert twin.sample(n, seed=1).smiles == first.smiles, "state_dict does not hold everything"
    if isinstance(generator, HasLikelihood):
        assert first.log_likelihood is not None
        assert first.log_likelihood.shape == (n,)
        whole = [i for i, text in enumerate(first.smiles) if len(text) < 60]
        with torch.no_grad():
            again = generator.log_likelihood([first.smiles[i] for i in whole])
        assert again.shape == (len(whole),)
        assert bool((again[~torch.isnan(again)] <= 1e-3).all()), "a likelihood above 1"
    if isinstance(generator, HasEncoder):
        # what is not repaired may be no molecule, above all before a training
        repaired = {"corrected": True} if getattr(generator, "sampling_defaults", {}).get("corrected") else {}
        drawn = generator.sample(n, seed=1, **repaired).smiles  # type: ignore[arg-type]
        _check_points(generator, drawn, decodes=isinstance(generator, HasDecoder))
    if isinstance(generator, CanConstrain):
        _check_scaffolds(generator)
    if isinstance(generator, CanBeAsked):
        for name, (mean, _) in generator.askable.items():
            assert len(generator.sample(4, seed=1, conditions={name: mean}).smiles) == 4  # type: ignore[call-arg]
    assert torch.equal(state, torch.get_rng_state()), "using it touched torch's global generator"


def _check_points(generator: Any, smiles: Sequence[str], *, decodes: bool) -> None:
    import torch

    z = generator.encode([*smiles, "no molecule"])
    assert z.shape[0] == len(smiles) + 1
    assert z.ndim == 2
    assert bool(z[-1].isnan().all()), "a point of what is no molecule"
    assert generator.outside("no molecule"), "no reason for what has no point"
    known = ~z[:-1].isnan().any(1)
    for text, has in zip(smiles, known.tolist(), strict=True):
        assert has == (not generator.outside(text)), (
            f"{text}: a point and a reason for having none, or neither"
        )
    assert bool(known.any()), "it can encode nothing that it draws"
    backwards = generator.encode(smiles[::-1]).flip(0)
    assert torch.allclose(backwards[known], z[:-1][known], atol=1e-3), "the point depends on the list"
    assert generator.encode([]).shape == (0, z.shape[1])
    if decodes:
        points = z[:-1][known]
        decoded = generator.decode(points)
        assert len(decoded) == len(points)
        assert all(isinstance(text, str) for text in decoded)
        assert generator.decode(points) == decoded, "decoding is not the same every time"
        assert generator.decode(points[:0]) == []


def _check_scaffolds(generator: Any) -> None:
    from rdkit import Chem

    from molgen.core.errors import DataError

    ring = Chem.MolFromSmiles("c1ccccc1")
    substituted = Chem.MolFromSmarts("c-[!#1]")
    for scaffold, most in (("c1ccccc1", 6), ("[*:1]c1ccccc1", 1)):
        for text in generator.sample(16, seed=3, scaffold=scaffold).smiles:
            mol = Chem.MolFromSmiles(text)
            assert mol is not None, f"{text} is no molecule"
            places = mol.GetSubstructMatches(ring)
            assert places, f"{text} does not contain {scaffold}"
            fewest = min(
                sum(1 for match in mol.GetSubstructMatches(substituted) if match[0] in place)
                for place in places
            )
            assert fewest <= most, f"{text} is built on at places that {scaffold} does not mark"
    try:
        generator.scaffold("no scaffold")
    except DataError:
        return
    raise AssertionError("it takes a scaffold that is none")


class ToyLatent:
    """A generator whose latent space is exact: a point says how many C, N, O and S a chain has. A fake for tests."""

    family = "toy"
    elements = "CNOS"

    def sample(
        self, n: int, *, seed: int, temperature: float = 1.0, batch_size: int = 512, **options: Any
    ) -> Samples:
        """Chains at standard normal points."""
        import torch

        from molgen.models.protocol import Samples

        generator = torch.Generator().manual_seed(seed)
        z = temperature * torch.randn(n, len(self.elements), generator=generator)
        return Samples(self.decode(z), None, {"z": z})

    def encode(self, smiles: Sequence[str], batch_size: int = 512) -> torch.Tensor:
        """The counts, 2 to a standard deviation, ``[n, 4]``."""
        import torch

        rows = [
            [math.nan] * len(self.elements)
            if self.outside(text)
            else [(text.count(e) - 4) / 2 for e in self.elements]
            for text in smiles
        ]
        return torch.tensor(rows).reshape(len(rows), len(self.elements))

    def outside(self, smiles: str) -> str:
        """Chains of the four elements only."""
        return "" if set(smiles) <= set(self.elements) and smiles else "not a chain of C, N, O and S"

    def decode(self, z: torch.Tensor, *, batch_size: int = 512) -> list[str]:
        """Chains of the nearest counts, 0 to 12 of each element and at least one carbon."""
        counts = (4 + 2 * z).round().clamp(0, 12).int().tolist()
        return ["".join(e * c for e, c in zip(self.elements, row, strict=True)) or "C" for row in counts]

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Nothing is learned."""
        return {}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Nothing is learned."""
