"""What a generator is, and the capabilities beyond sampling that a family can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch

    from molgen.models.latent.prior import LatentPrior


@dataclass(frozen=True)
class Samples:
    """What a generator drew.

    ``smiles`` are the raw strings, invalid ones included. ``log_likelihood`` (float32 ``[n]``, nats of the raw
    string at temperature 1) is None for generators without a likelihood. ``info`` holds what the family adds.
    """

    smiles: list[str]
    log_likelihood: torch.Tensor | None = None
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """The torch-free record of a model family: what the command line and the contract tests need to know."""

    name: str
    summary: str
    builder: str  # "package.module:Class", imported at use
    params: type  # pydantic Section with the architecture
    capabilities: frozenset[str] = frozenset()  # of: likelihood, encode, decode, constrain, ...
    #: Of ``params``, what a training from a base may change, because no learned weight depends on it.
    objective_params: frozenset[str] = frozenset()
    #: Of these, what decides about weights that each training fits anew at its end -> how their names begin.
    refitted: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Generator(Protocol):
    """A model that draws molecules. ``sample`` leaves torch's global generator alone; same seed, same strings.

    Without options it draws from the whole distribution. A model may say in ``sampling_defaults`` (option -> value)
    what people are to sample it with unless they say otherwise.
    """

    family: str

    def sample(
        self, n: int, *, seed: int, temperature: float = 1.0, batch_size: int = 512, **options: Any
    ) -> Samples:
        """``n`` raw strings."""
        ...

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The weights by name."""
        ...

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> Any:
        """Take weights of :meth:`state_dict`."""
        ...


@runtime_checkable
class HasLikelihood(Protocol):
    """Can say how likely a string is; differentiable, ``Tensor[n]`` in nats at temperature 1."""

    def log_likelihood(self, smiles: Sequence[str], batch_size: int = 512) -> torch.Tensor:
        """Nats ``[n]``; NaN for strings that the model cannot write."""
        ...


@runtime_checkable
class HasLikelihoodBound(Protocol):
    """Can say how likely a molecule is at least, where the exact number is out of reach."""

    def likelihood_bound(self, smiles: Sequence[str], *, samples: int = 1, seed: int = 0) -> torch.Tensor:
        """Lower bound on ln p in nats ``[n]``, tighter with more ``samples``; NaN for what the model does not cover."""
        ...


@runtime_checkable
class HasEncoder(Protocol):
    """Maps molecules to points of a latent space; a molecule's point does not depend on what else is in the list."""

    def encode(self, smiles: Sequence[str], batch_size: int = 512) -> torch.Tensor:
        """Points ``[n, d]``, float32; a row of NaN for a molecule that the model does not cover."""
        ...

    def outside(self, smiles: str) -> str:
        """Why a molecule has no point, in words; empty where it has one."""
        ...


@runtime_checkable
class HasDecoder(Protocol):
    """Maps points of a latent space to raw strings.

    Where the generator draws points first, ``Samples.info["z"]`` of its :meth:`Generator.sample` holds them.
    """

    def decode(self, z: torch.Tensor, *, batch_size: int = 512) -> list[str]:
        """The likeliest string of each row of ``z`` ``[n, d]``; the same every time."""
        ...


@runtime_checkable
class HasBeam(Protocol):
    """Can list the likeliest molecules of a point."""

    def likeliest(self, z: torch.Tensor, k: int, *, batch_size: int = 512) -> list[list[tuple[str, float]]]:
        """At most ``k`` distinct strings of each row of ``z`` with their log-likelihoods (nats), likeliest first."""
        ...


@runtime_checkable
class HasPrior(Protocol):
    """Knows how likely a point of its latent space is."""

    prior: LatentPrior


@runtime_checkable
class HasProperties(Protocol):
    """Reads properties of molecules from points of its latent space."""

    #: Name -> (mean, standard deviation) of the training molecules, in the property's unit.
    properties: Mapping[str, tuple[float, float]]

    def predict(self, z: torch.Tensor) -> torch.Tensor:
        """``[n, P]`` in the order and units of ``properties``; differentiable in ``z`` ``[n, d]``."""
        ...


@runtime_checkable
class CanConstrain(Protocol):
    """Can grow molecules around a scaffold: its ``sample`` takes ``scaffold=``, a SMILES.

    Every string that it then draws contains the scaffold; with marks (``[*]``, ``[*:1]``) only those are built on.
    """

    def scaffold(self, smiles: str) -> Any:
        """The scaffold as the family holds it. Raises DataError where it cannot be one, with the reason."""
        ...


@runtime_checkable
class CanBeAsked(Protocol):
    """Can be asked for values: its ``sample`` takes ``conditions=``, name -> value; which names, its training said."""

    #: Name -> (mean, standard deviation) of the training molecules, in the condition's unit; empty: nothing.
    askable: Mapping[str, tuple[float, float]]


#: What a word of :attr:`Family.capabilities` promises; other words say what a training can do with the family.
PROMISES: Mapping[str, type] = {
    "likelihood": HasLikelihood,
    "encode": HasEncoder,
    "decode": HasDecoder,
    "beam": HasBeam,
    "prior": HasPrior,
    "properties": HasProperties,
    "constrain": CanConstrain,
    "conditions": CanBeAsked,
}
