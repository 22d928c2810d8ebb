"""The latent GAN as a generator: a graph VAE whose points come from a GAN, and the training of that GAN."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from molgen.core.errors import ConfigError, DataError, ModelError
from molgen.core.seeding import torch_generator
from molgen.core.suggest import did_you_mean
from molgen.models.adversarial.game import Game, Rules
from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.models.graph_vae.properties import Labels
from molgen.models.latent.gan import GanPrior
from molgen.models.latent_gan import LatentGanParams
from molgen.models.latent_gan.beginning import decoder, scales_of, take_over
from molgen.models.latent_gan.data import Posteriors, PosteriorSet, encoded
from molgen.models.latent_gan.measure import held_out_metrics, reality
from molgen.models.protocol import Samples


class LatentGan(nn.Module):
    """Points from a generative adversarial network, molecules from the decoder of a graph VAE: all of them valid.

    The stored model holds both, without the prior that the VAE came with. Everything but the draws is the VAE's.
    """

    family = "latent_gan"

    def __init__(
        self,
        params: LatentGanParams,
        vae: GraphVae,
        origin: Mapping[str, Any],
        scales: Mapping[str, Sequence[float]],
    ) -> None:
        super().__init__()
        self.params, self.origin = params, dict(origin)
        self.scales = {name: (float(mean), float(spread)) for name, (mean, spread) in scales.items()}
        self.vae = vae
        self.vae.prior = GanPrior(
            vae.params.latent,
            params.noise,
            params.width,
            params.depth,
            params.critic_width,
            params.critic_depth,
            params.pac,
            len(self.scales),
        )
        self.vae.requires_grad_(False).eval()
        self.game: Game | None = None
        self._crowd: tuple[Tensor, Tensor | None] | None = None

    # -- building and storing ------------------------------------------------------------------------

    @classmethod
    def build(
        cls, params: LatentGanParams, smiles: Sequence[str], *, seed: int = 0, labels: Labels | None = None
    ) -> LatentGan:
        """An untrained GAN on the decoder that ``params`` names. ``smiles`` are not looked at: the VAE knows its own.

        ``labels``: measured columns; each must be one of ``params.conditions``.
        """
        vae, origin = decoder(params.decoder)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = cls(params, vae, origin, scales_of(params.conditions, vae, labels or {}))
        if params.begin_with is not None:
            take_over(model.prior, model.scales, params.begin_with)
        return model

    @classmethod
    def from_assets(cls, params: LatentGanParams, assets: Mapping[str, Any]) -> LatentGan:
        """A model of the stored architecture, before its weights are loaded."""
        origin = assets["decoder"]
        vae = GraphVae.from_assets(GraphVaeParams(**origin["params"]), assets)
        return cls(params, vae, origin, assets["conditions"])

    def assets(self) -> dict[str, Any]:
        """Those of the VAE, which VAE it is, and the scales of the conditions."""
        conditions = {name: list(scale) for name, scale in self.scales.items()}
        return {**self.vae.assets(), "decoder": self.origin, "conditions": conditions}

    def train(self, mode: bool = True) -> LatentGan:
        """The VAE never learns here."""
        super().train(mode)
        self.vae.eval()
        return self

    @property
    def prior(self) -> GanPrior:
        """Generator and critic."""
        prior: GanPrior = self.vae.prior  # type: ignore[assignment]
        return prior

    # -- training ------------------------------------------------------------------------------------

    def training_set(
        self, smiles: Sequence[str], *, randomize: bool = False, labels: Labels | None = None
    ) -> PosteriorSet:
        """Posteriors of the molecules, of a random part if there are more than ``molecules`` of the parameters.

        The first one of a model that is to be trained also gives center and covariance of what it begins with.
        """
        lacking = [
            name for name in self.scales if name not in self.vae.properties and name not in (labels or {})
        ]
        if lacking:
            raise DataError(
                f"this model is asked for {', '.join(lacking)}: name the column with data.labels, so that it can learn "
                "which molecules have it"
            )
        most = self.params.molecules
        rows = np.arange(len(smiles))
        if len(rows) > most:
            rows = np.sort(np.random.default_rng(0).permutation(len(rows))[:most])
        arrays, unknown, too_long = encoded(self.vae, [smiles[i] for i in rows.tolist()])
        conditions = self._conditions(arrays["mean"], rows[arrays["index"]], labels or {})
        data = PosteriorSet(
            arrays["mean"], arrays["log_variance"], conditions, self.params.pac, unknown, too_long
        )
        if self.training and self._crowd is None and len(data):
            self._meet(data)
        return data

    def _conditions(self, mean: np.ndarray, rows: np.ndarray, labels: Labels) -> np.ndarray:
        """Z-scored ``[n, c]``: from columns, else what the VAE's head reads; 0, the mean, where nothing is known."""
        columns = []
        for name, (center, spread) in self.scales.items():
            if name in labels:
                values = np.asarray(labels[name], np.float64)[rows]
            else:
                z = torch.from_numpy(mean.astype(np.float32)).to(self.vae.device)
                with torch.no_grad():
                    column = list(self.vae.properties).index(name)
                    values = self.vae.predict(z)[:, column].double().cpu().numpy()
            columns.append(np.nan_to_num((values - center) / spread))
        return np.stack(columns, 1) if columns else np.zeros((len(mean), 0))

    def _meet(self, data: PosteriorSet) -> None:
        generator = torch_generator(0, "latent gan", device=self.vae.device.type)
        rows = np.random.default_rng(0).permutation(data.molecules)[:100_000]
        known = data.batch(rows).to(self.vae.device)
        conditions = known.conditions if self.scales else None
        with torch.no_grad():
            if not bool(self.prior.fitted):
                self.prior.begin(known.mean, known.log_variance, generator, conditions)
            turn = torch.arange(4096, device=self.vae.device) % len(rows)
            some = Posteriors(known.mean[turn], known.log_variance[turn], known.conditions[turn])
            x = self.prior.to_white(some.drawn(generator))
            if conditions is not None:
                self.prior.renew(conditions)
            self._crowd = x, some.conditions if self.scales else None

    def learn_labels(self, labels: Labels, *, seed: int = 0) -> None:
        """Fine-tuning on columns: they must be conditions already. Raises DataError."""
        new = [name for name in labels if name not in self.scales]
        if new:
            raise DataError(
                f"{', '.join(new)}: a latent GAN is asked for what model.params.conditions named in its first training "
                f"({', '.join(self.scales) or 'nothing'}); leave the labels out, or train it with that condition"
            )

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """One for the critic, one for the generator; begins the game."""
        if self._crowd is None:
            raise ModelError("a latent GAN must see its training set before its optimizers are made")
        params = self.params
        rules = Rules(params.loss, params.gamma, params.generator_rate, params.average, params.mode_seeking)
        self.game = Game(self.prior.generator, self.prior.critic, rules, *self._crowd)
        self.game.guard.tell = lambda text: self.on_alarm(text)
        return self.game.optimizers(learning_rate, weight_decay)

    #: Where the alarms of the guard go; a workflow sets its log.
    on_alarm: Callable[[str], None] = print

    @property
    def given_up(self) -> bool:
        """Whether the training has collapsed more often than it may."""
        return self.game is not None and self.game.guard.given_up

    def training_step(self, batch: Posteriors) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """A turn of the critic and one of the generator; when not training, the energy distance to the data."""
        conditions = batch.conditions if self.scales else None
        if self.training and self.game is not None:
            yield from self.game.turns(self.prior.to_white(batch.drawn()), conditions)
        else:
            yield "generator", reality(self.prior, batch), {}

    def validation_metrics(self, data: PosteriorSet) -> dict[str, float]:
        """Precision, recall, coverage and uniqueness against held-out molecules, and how often the alarm was raised."""
        alarms = {} if self.game is None else self.game.guard.metrics()
        counted: dict[str, float] = {
            name: alarms[name] for name in ("collapse_alarms", "rollbacks") if name in alarms
        }
        return {**held_out_metrics(self.prior, data), **counted}

    def finish(
        self, data: PosteriorSet, *, seed: int = 0, advance: Callable[[float], None] = lambda share: None
    ) -> dict[str, float]:
        """Set what the critic counts as off the manifold, and let go of all that only the training needs."""
        generator = torch_generator(seed, "critic", device=self.vae.device.type)
        rows = np.random.default_rng(seed).permutation(data.molecules)[:4096]
        known = data.batch(rows).to(self.vae.device)
        self.prior.settle(self.prior.to_white(known.drawn(generator)))
        alarms = 0.0 if self.game is None else float(self.game.guard.record.alarms)
        self.game = None
        self.requires_grad_(False)
        advance(1.0)
        return {**held_out_metrics(self.prior, data), "collapse_alarms": alarms}

    # -- use -----------------------------------------------------------------------------------------

    def sample(
        self, n: int, *, seed: int, conditions: Mapping[str, float] | None = None, **options: Any
    ) -> Samples:
        """``n`` SMILES, all valid; options as of the graph VAE. ``conditions``: name -> value that is asked for.

        What is not asked for is that of random training molecules. Raises ConfigError for an unknown name.
        """
        with self.prior.wishing(self._wish(conditions or {})):
            return self.vae.sample(n, seed=seed, **options)

    def _wish(self, conditions: Mapping[str, float]) -> Tensor | None:
        for name, value in conditions.items():
            if not self.scales:
                raise ConfigError(
                    f"this model was trained without conditions and cannot be asked for {name!r}; train one with "
                    f"model.params.conditions: [{name}]",
                    "conditions",
                )
            if name not in self.scales:
                known = ", ".join(self.scales)
                raise ConfigError(
                    f"this model cannot be asked for {name!r} (only for {known}){did_you_mean(name, self.scales)}",
                    "conditions",
                )
            if not math.isfinite(value):
                raise ConfigError(f"{name} must be a number, got {value}", "conditions")
        if not conditions:
            return None
        wish = [
            (conditions[name] - center) / spread if name in conditions else float("nan")
            for name, (center, spread) in self.scales.items()
        ]
        return torch.tensor(wish, device=self.vae.device)

    @property
    def askable(self) -> Mapping[str, tuple[float, float]]:
        """What draws can be asked for, with mean and standard deviation of the training molecules."""
        return self.scales

    def encode(self, smiles: Sequence[str], batch_size: int = 512) -> Tensor:
        """Posterior means of the VAE ``[n, d]``; NaN for what it does not cover."""
        return self.vae.encode(smiles, batch_size)

    def outside(self, smiles: str) -> str:
        """Why a molecule has no point, in words; empty where it has one."""
        return self.vae.outside(smiles)

    def decode(self, z: Tensor, **options: Any) -> list[str]:
        """One valid SMILES per row; options as of the graph VAE."""
        return self.vae.decode(z, **options)

    def likeliest(self, z: Tensor, k: int, **options: Any) -> Any:
        """The ``k`` likeliest molecules of each point."""
        return self.vae.likeliest(z, k, **options)

    def scaffold(self, smiles: str) -> Any:
        """A scaffold to build on. Raises DataError where it cannot be one."""
        return self.vae.scaffold(smiles)

    @property
    def properties(self) -> Mapping[str, tuple[float, float]]:
        """What the VAE's property head reads."""
        return self.vae.properties

    @property
    def measured(self) -> tuple[str, ...]:
        """Those of them that were taught from columns."""
        return self.vae.measured

    def predict(self, z: Tensor) -> Tensor:
        """What the head says of points ``[n, d]``; differentiable."""
        return self.vae.predict(z)
