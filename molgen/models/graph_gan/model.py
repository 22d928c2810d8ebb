"""The graph GAN as a generator: building, training steps, sampling raw or corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from molgen.learn.stability import gradient_norm
from molgen.models.adversarial.average import averaged, follow, keep_at
from molgen.models.graph_gan import GraphGanParams, points, watch
from molgen.models.graph_gan.critic import Critic
from molgen.models.graph_gan.decoding import corrected, sizes_to_draw, within_valence, write
from molgen.models.graph_gan.encoder import Encoder
from molgen.models.graph_gan.generator import Chosen, Generator, Logits
from molgen.models.graph_gan.graphs import AtomTypes, Batch, GraphSet, common_types, one_hot, read
from molgen.models.graph_gan.objective import adversarial_steps, critic_step, rebuild, warm_step
from molgen.models.graph_gan.rarity import Visits
from molgen.models.graph_gan.reward import RewardNetwork
from molgen.models.protocol import Samples

_PROPERTY_MOLECULES = 20_000
#: From this share of the warm start on the critic learns too: a new critic's word is noise, and would undo some of it.
HEAD_START = 0.9


class GraphGan(nn.Module):
    """A one-shot generator of small molecules and its critic.

    Noise and a size become all atoms and bonds at once; nothing is drawn step by step. How it is taught, and what its
    numbers mean: docs/gan.md.
    """

    family = "graph_gan"
    seen: Tensor
    valences: Tensor

    def __init__(
        self,
        params: GraphGanParams,
        types: AtomTypes,
        sizes: Sequence[float],
        scale: tuple[float, float] | None = None,
    ) -> None:
        """``sizes``: share of the training molecules with 1, 2, ... atoms; ``scale``: mean and spread of the reward."""
        super().__init__()
        self.params, self.types, self.sizes, self.scale = params, types, list(sizes), scale
        shape = (params.max_atoms, len(types))
        self.generator = Generator(params.noise, params.width, params.blocks, *shape)
        self.encoder = Encoder(*shape, params.width, params.noise)
        self.critic = Critic(*shape, params.critic_width, params.critic_layers, params.pac)
        self.reward = (
            RewardNetwork(*shape, params.critic_width, params.critic_layers) if params.reward else None
        )
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("valences", torch.tensor(types.valence, dtype=torch.float32), persistent=False)
        self.parts: Any = nn.ModuleDict()  # what only a training needs; a stored model is without
        self._optimizers: dict[str, torch.optim.Optimizer] = {}

    # -- building and storing ------------------------------------------------------------------------

    @classmethod
    def build(cls, params: GraphGanParams, smiles: Sequence[str], *, seed: int = 0) -> GraphGan:
        """An untrained model for the atom types and sizes of ``smiles``; the weights follow from ``seed``."""
        found = read(smiles, params.max_atoms)
        types = common_types(found)
        counts = np.bincount(found.graphs.sizes, minlength=params.max_atoms + 1)[1:]
        scale = None
        if params.reward:
            values = _property(params.reward, smiles, found.rows)
            scale = (float(np.nanmean(values)), float(np.nanstd(values)) or 1.0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = cls(params, types, (counts / counts.sum()).tolist(), scale)
            model.prepare()
            return model

    @classmethod
    def from_assets(cls, params: GraphGanParams, assets: Mapping[str, Any]) -> GraphGan:
        """A model of the stored architecture, before its weights are loaded; needs no RDKit."""
        told = assets["graphs"]
        scale = told.get("reward_scale")
        return cls(
            params, AtomTypes.from_json(told["types"]), told["sizes"], None if scale is None else tuple(scale)
        )

    def assets(self) -> dict[str, Any]:
        """Atom types with their valences, the sizes of the training molecules, and the scale of the reward."""
        told = {"types": self.types.to_json(), "sizes": self.sizes}
        return {"graphs": told | ({} if self.scale is None else {"reward_scale": list(self.scale)})}

    @property
    def sampling_defaults(self) -> dict[str, bool]:
        """What people sample it with unless they say otherwise: valences are kept; ``sample`` itself measures."""
        return {"corrected": True}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.seen.device

    # -- training -----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Add what a training needs beside the networks that are stored, unless it is there."""
        if len(self.parts):
            return
        self.parts["average"] = averaged(self.generator)
        self.parts["visits"] = Visits()
        self.parts["guard"] = watch.guard(self.parts["average"], self.critic)
        self.parts.to(self.device)

    def training_set(self, smiles: Sequence[str], *, randomize: bool = False) -> GraphSet:
        """The molecules as dense graphs; ``randomize`` is for families that read strings."""
        labels = None
        found = read(smiles, self.params.max_atoms)
        if self.scale is not None:
            values = _property(self.params.reward, smiles, found.rows)
            labels = ((values - self.scale[0]) / self.scale[1]).astype(np.float32)[:, None]
        return GraphSet(found, self.types, labels)

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """Generator with its encoder, critic, and the reward network where there is one.

        After the warm start the generator learns at ``adversarial_rate`` of the schedule's rate; after an alarm all of
        them at the guard's part of it.
        """
        self.prepare()
        networks: dict[str, list[nn.Module]] = {
            "generator": [self.generator, self.encoder],
            "critic": [self.critic],
        }
        if self.reward is not None:
            networks["reward"] = [self.reward]
        for name, modules in networks.items():
            weights = [p for module in modules for p in module.parameters()]
            betas = (0.0, 0.99) if name == "critic" else (0.5, 0.98)
            self._optimizers[name] = optimizer = torch.optim.AdamW(
                weights, lr=learning_rate, betas=betas, weight_decay=weight_decay, fused=True
            )
            optimizer.register_step_pre_hook(partial(self._slow_down, name))
        return dict(self._optimizers)

    def _slow_down(self, name: str, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        factor = self.parts["guard"].rate
        if name == "generator" and not self.warm:
            factor *= self.params.adversarial_rate
        for group in optimizer.param_groups:
            group["lr"] *= factor

    @property
    def warm(self) -> bool:
        """Whether it is still in the warm start, where the critic has no say."""
        return 0 < self.params.warm_steps >= int(self.seen)

    def noise(self, n: int) -> tuple[Tensor, Tensor]:
        """Noise ``[n, Z]`` and sizes ``[n]`` of new molecules, from torch's generator; for training."""
        z = torch.randn(n, self.params.noise, device=self.device)
        shares = torch.tensor(self.sizes, device=self.device)
        return z, 1 + torch.multinomial(shares, n, replacement=True)

    def training_step(self, batch: Batch) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """A step of the warm start, or of the critic and then of the generator; in evaluation the rebuilding."""
        params = self.params
        if not self.training:
            yield self._held_out(batch)
            return
        self.seen += 1
        step = int(self.seen)
        if self.parts["guard"].given_up:
            return  # the weights of the last healthy look are in place: there they stay
        if self.warm:
            rising = min(1.0, step / max(1, params.warm_steps // 4))
            yield warm_step(self, batch, 1.0, params.kl_weight * rising)
            if step > HEAD_START * params.warm_steps:
                yield critic_step(self, batch)
            if self.reward is not None:  # begun with the game it is still guessing when that is over
                yield self.reward.step(batch, one_hot(batch, len(self.types)))
        else:
            norms: dict[str, float] = {}
            for name, loss, metrics in adversarial_steps(self, batch):
                yield name, loss, metrics | (self.parts["guard"].metrics() if name == "generator" else {})
                norms[name] = gradient_norm(self._optimizers[name])
            if step % params.look_every == 0:
                watch.look(self, step, batch, norms)
        follow(self.parts["average"], self.generator, keep_at(step, params.ema))

    def _held_out(self, batch: Batch) -> tuple[str, Tensor, dict[str, float]]:
        if not (self.params.warm_steps or self.params.rebuild_weight):
            return "generator", self.seen.new_zeros((), dtype=torch.float32), {}
        mean, log_variance = self.encoder(*one_hot(batch, len(self.types)))
        nats, kl = rebuild(self, batch, self.drawing(mean, batch.sizes), mean, log_variance)
        return "generator", nats + self.params.kl_weight * kl, {}

    def validation_metrics(self, data: GraphSet, most: int = 512) -> dict[str, float]:
        """How healthy it is, and how many of its raw draws keep every valence."""
        rows = np.random.default_rng(0).permutation(len(data))[:most]  # files are often sorted by size
        batch = data.batch(rows).to(self.device)
        return watch.assess(self, batch)

    def finish(
        self, data: GraphSet, *, seed: int = 0, advance: Callable[[float], None] = lambda share: None
    ) -> dict[str, float]:
        """Keep the averaged generator, and forget what only a training needs."""
        if "average" not in self.parts:
            return {}
        told: dict[str, float] = self.parts["guard"].metrics()
        self.generator.load_state_dict(self.parts["average"].state_dict())
        self.parts = nn.ModuleDict()
        advance(1.0)
        return told

    # -- use ------------------------------------------------------------------------------------------

    def drawing(self, z: Tensor, sizes: Tensor) -> Logits:
        """Logits of the generator that draws, the averaged one while there is one."""
        network: Generator = self.parts["average"] if len(self.parts) else self.generator
        return network(z, sizes)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        *,
        seed: int,
        temperature: float = 1.0,
        batch_size: int = 512,
        corrected: bool = False,
    ) -> Samples:
        """Draw ``n`` SMILES; same seed, batch size and machine, same strings.

        As it is made, a graph may break a valence: then its string is none that can be parsed. ``corrected``: such
        graphs are decoded again under the valences, so that every string is valid; the others stay as they are.
        ``temperature`` scales the noise: below 1 nearer to the middle, less diverse. ``info["corrected"]`` says which
        strings were corrected, ``info["z"]`` holds the points: noise and size.
        """
        if n < 0 or temperature <= 0:
            raise ValueError(f"n must be >= 0 and temperature > 0, got n={n}, temperature={temperature}")
        generator = torch.Generator(device=self.device).manual_seed(seed)
        smiles: list[str] = []
        marks, drawn = [], []
        while len(smiles) < n:
            count = min(batch_size, n - len(smiles))
            z = temperature * torch.randn(count, self.params.noise, device=self.device, generator=generator)
            sizes = sizes_to_draw(self.sizes, count, generator, self.device)
            chosen, changed = self.decode_graphs(z, sizes, corrected=corrected)
            smiles += write(chosen, self.generator.layout, self.types)
            marks.append(changed)
            drawn.append(points.joined(self, z, sizes))
        info = {"z": torch.cat(drawn), "corrected": torch.cat(marks).cpu().numpy()} if drawn else {}
        return Samples(smiles, None, info)

    def encode(self, smiles: Sequence[str], batch_size: int = 512) -> Tensor:
        """Points ``[n, noise + 1]``: where the encoder of the warm start sees a molecule, and its size; else NaN."""
        return points.encode(self, smiles, batch_size)

    def outside(self, smiles: str) -> str:
        """Why a molecule has no point, in words; empty where it has one."""
        return points.outside(self, smiles)

    def decode(self, z: Tensor, *, batch_size: int = 512) -> list[str]:
        """The likeliest molecule of each point ``[n, noise + 1]``, valences kept: every string is valid."""
        return points.decode(self, z, batch_size)

    def decode_graphs(self, z: Tensor, sizes: Tensor, *, corrected: bool) -> tuple[Chosen, Tensor]:
        """Hard graphs of noise ``[B, Z]`` and sizes ``[B]``, and which of them were corrected ``[B]``."""
        layout = self.generator.layout
        logits = self.drawing(z, sizes)
        chosen = self.generator.choose(logits)
        broken = ~within_valence(chosen, layout, self.types)
        if not corrected or not bool(broken.any()):
            return chosen, torch.zeros_like(broken)
        return repaired(self, logits, chosen, broken), broken


def repaired(model: GraphGan, logits: Logits, chosen: Chosen, broken: Tensor) -> Chosen:
    """``chosen`` with the ``broken`` graphs decoded again under the valences."""
    layout = model.generator.layout
    better = corrected(logits.rows(broken), layout, model.types)
    fields = {name: getattr(chosen, name).clone() for name in ("atoms", "parents", "bonds")}
    for name, tensor in fields.items():
        tensor[broken] = getattr(better, name)
    return Chosen(**fields, sizes=chosen.sizes)


def _property(name: str, smiles: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """A computed property of a part of the molecules, one value per string, NaN for the others."""
    from molgen.models.graph_vae.properties import PROPERTIES, compute

    part = np.sort(np.random.default_rng(0).permutation(rows)[:_PROPERTY_MOLECULES])
    values = np.full(len(smiles), np.nan)
    values[part] = compute([smiles[i] for i in part])[:, PROPERTIES.index(name)]
    return values
