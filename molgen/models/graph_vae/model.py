"""The graph VAE as a generator: building, training steps, encoding, decoding, sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from molgen.models.graph_vae import GraphVaeParams, likelihood
from molgen.models.graph_vae.beam import Ranked, likeliest
from molgen.models.graph_vae.decoder import Decoder
from molgen.models.graph_vae.embedding import fragment_embedding, site_embedding
from molgen.models.graph_vae.encoder import Encoder
from molgen.models.graph_vae.forest import Batch, Forest, from_trees, vocabulary
from molgen.models.graph_vae.grown import Grown, Scaffold
from molgen.models.graph_vae.growth import grow
from molgen.models.graph_vae.objective import Nats, log_likelihood, objective
from molgen.models.graph_vae.posterior import RecentPosteriors, assess, posterior
from molgen.models.graph_vae.properties import Labels, labels_of, measured_scales, scales_of
from molgen.models.graph_vae.property_head import assess_labels, property_head, property_loss, widen
from molgen.models.graph_vae.table import FragmentTable
from molgen.models.graph_vae.trees import cached_trees, cut_all
from molgen.models.graph_vae.writer import SmilesWriter
from molgen.models.latent.factory import make_prior
from molgen.models.protocol import Samples


class GraphVae(nn.Module):
    """A variational autoencoder over fragment trees; every string that it writes is a valid molecule.

    ``encode`` gives points of the latent space, ``decode`` molecules; ``sample`` draws points from the learned prior
    and molecules from them. How it works and what its numbers mean: docs/graph_vae.md.
    """

    family = "graph_vae"
    seen: Tensor
    blocked: Tensor

    def __init__(
        self,
        params: GraphVaeParams,
        table: FragmentTable,
        limits: tuple[int, int],
        properties: Mapping[str, Any],
        measured: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.params, self.table, self.limits = params, table, limits
        self.properties = {name: (float(mean), float(spread)) for name, (mean, spread) in properties.items()}
        self.measured = tuple(measured)
        count, rows = len(table), min(len(table), params.learned_fragments)
        sites = int(table.start[min(count, params.learned_sites)])
        self.fragments = fragment_embedding(rows, params.width, params.row_dropout)
        self.sites = site_embedding(sites, params.site_width, params.row_dropout)
        self.encoder = Encoder(params.width, params.site_width, params.encoder_layers, params.latent)
        self.decoder = Decoder(
            params.latent, params.width, params.layers, params.heads, params.site_width, params.common, count
        )
        self.property_head = property_head(params.latent, len(self.properties))
        self.prior = make_prior(params.prior, params.latent)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))  # training steps, for the warm-up
        self.register_buffer("blocked", self.decoder.never_attached(table), persistent=False)
        self.recent = RecentPosteriors()
        self.writer = SmilesWriter(table)

    # -- building and storing ------------------------------------------------------------------------

    @classmethod
    def build(
        cls, params: GraphVaeParams, smiles: Sequence[str], *, seed: int = 0, labels: Labels | None = None
    ) -> GraphVae:
        """An untrained model whose vocabulary is the fragments of ``smiles``; the weights follow from ``seed``.

        ``labels``: measured columns that its property head is to learn, one value per molecule, NaN where unknown.
        """
        table, limits = vocabulary(cached_trees(smiles, workers=2), params.min_count)
        scales = {**scales_of(smiles, seed), **measured_scales(labels or {}, params.property_weight)}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(params, table, limits, scales, tuple(labels or ()))

    @classmethod
    def from_assets(cls, params: GraphVaeParams, assets: Mapping[str, Any]) -> GraphVae:
        """A model of the stored architecture, before its weights are loaded; needs no RDKit."""
        scales = assets["scales"]
        fragments, atoms = scales["limits"]
        table = FragmentTable.from_json(assets["fragments"])
        return cls(params, table, (fragments, atoms), scales["properties"], scales.get("measured", ()))

    def assets(self) -> dict[str, Any]:
        """The vocabulary, and the means and deviations of the properties."""
        return {
            "fragments": self.table.to_json(),
            "scales": {
                "limits": list(self.limits),
                "properties": {k: list(v) for k, v in self.properties.items()},
                "measured": list(self.measured),
            },
        }

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.seen.device

    # -- training -----------------------------------------------------------------------------------

    def training_set(
        self,
        smiles: Sequence[str],
        *,
        randomize: bool = False,
        labels: Labels | None = None,
    ) -> Forest:
        """The molecules as fragment trees; ``labels``: columns as in :meth:`build`.

        ``randomize`` is for families that read strings; here ``random_order`` of the parameters does that work.
        """
        known = self.params.property_molecules if self.params.property_weight else 0
        values = labels_of(smiles, self.properties, known, labels or {})
        trees = cached_trees(smiles, workers=2)
        return Forest(trees, self.table, random_share=self.params.random_order, labels=values)

    def learn_labels(self, labels: Labels, *, seed: int = 0) -> None:
        """Widen the property head by measured columns that it does not know yet, to fine-tune. Raises DataError."""
        scales = measured_scales(labels, self.params.property_weight)
        new = {name: scale for name, scale in scales.items() if name not in self.properties}
        if new:
            widen(self.property_head, len(new), seed)
            self.properties |= new
            self.measured += tuple(new)

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """One AdamW for everything."""
        parameters = [p for name, p in self.named_parameters() if not name.startswith("prior.")]
        return {
            "model": torch.optim.AdamW(
                parameters, lr=learning_rate, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True
            )
        }

    def vectors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Vectors of the distinct fragments and sites of a batch."""
        return self.fragments(batch.unique, batch.unique_features), self.sites(
            batch.site, batch.site_features
        )

    def bound(self, batch: Batch, noise: Tensor | None = None) -> tuple[Nats, Tensor, Tensor, Tensor]:
        """Nats of every molecule's choices, and mean, log-variance and sample of its posterior ``[B, latent]``."""
        fragments, sites = self.vectors(batch)
        mean, log_variance = self.encoder(batch, fragments, sites)
        noise = torch.randn_like(mean) if noise is None else noise
        z = mean + (0.5 * log_variance).exp() * noise
        return log_likelihood(self.decoder, batch, z, fragments, sites, self.blocked), mean, log_variance, z

    def training_step(self, batch: Batch) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """Negative evidence lower bound per molecule, the divergence at its present weight; and the property loss."""
        weight = self.params.kl_weight
        if self.training:
            self.seen += 1
            weight *= min(1.0, int(self.seen) / max(1, self.params.kl_warmup))
        nats, mean, log_variance, _ = self.bound(batch)
        if self.training:
            self.recent.add(mean, log_variance)
        loss, metrics = objective(nats, mean, log_variance, weight, self.params.free_bits)
        if self.params.property_weight and batch.labels.shape[1]:
            taught = property_loss(self.property_head(mean), batch.labels)
            loss = loss + self.params.property_weight * taught
            metrics["property_loss"] = float(taught.detach())
        yield "model", loss, metrics

    def validation_metrics(self, data: Forest, most: int = 512) -> dict[str, float]:
        """Nats and health of the latent space on held-out molecules, and how many are rebuilt exactly (greedy)."""
        return {**assess(self, data, most), **assess_labels(self, data)}

    def finish(
        self, data: Forest, *, seed: int = 0, advance: Callable[[float], None] = lambda share: None
    ) -> dict[str, float]:
        """Fit the prior to the posteriors of at most 400,000 training molecules; called after the training."""
        rows = np.random.default_rng(seed).permutation(len(data))[:400_000]
        mean, log_variance = posterior(self, data, rows)
        minutes = self.params.prior_minutes
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            return self.prior.fit(mean, log_variance, seed=seed, minutes=minutes, advance=advance)

    # -- use ------------------------------------------------------------------------------------------

    def sample(
        self,
        n: int,
        *,
        seed: int,
        temperature: float = 1.0,
        batch_size: int = 512,
        greedy: bool = False,
        beam: int | None = None,
        scaffold: str | None = None,
    ) -> Samples:
        """Draw ``n`` SMILES, all valid; same seed, batch size and machine, same strings.

        ``greedy``: the likeliest choices at each point; ``beam``: its likeliest molecule that such a beam finds.
        ``scaffold`` is a SMILES that every molecule contains; with ``[*]`` or ``[*:1]`` only those places are built on.
        ``info["nats"]`` is the log-likelihood of each molecule's choices given its latent vector, at temperature 1.
        """
        if n < 0 or temperature <= 0:
            raise ValueError(f"n must be >= 0 and temperature > 0, got n={n}, temperature={temperature}")
        start = None if scaffold is None else self.scaffold(scaffold)
        generator = torch.Generator(device=self.device).manual_seed(seed)
        smiles: list[str] = []
        nats: list[np.ndarray] = []
        points: list[Tensor] = []
        while len(smiles) < n:
            z = self.recent.stand_in(self.prior, min(batch_size, n - len(smiles)), generator)
            points.append(z)
            if beam is not None:
                best = [found[0] for found in self.likeliest(z, beam, batch_size=batch_size, scaffold=start)]
                smiles += [text for text, _ in best]
                nats.append(np.array([value for _, value in best]))
                continue
            grown = grow(
                self, z, generator=None if greedy else generator, temperature=temperature, scaffold=start
            )
            smiles += self.write(grown, start)
            nats.append(grown.log_likelihood)
        info = {"nats": np.concatenate(nats), "z": torch.cat(points)} if nats else {}
        return Samples(smiles, None, info)

    def write(self, grown: Grown, scaffold: Scaffold | None = None) -> list[str]:
        """SMILES of grown trees."""
        writer = self.writer if scaffold is None else SmilesWriter(scaffold.table)
        fields = (grown.fragment, grown.parent, grown.entry, grown.parent_site)
        return [writer.write(*tree) for tree in zip(*fields, strict=True)]

    def scaffold(self, smiles: str) -> Scaffold:
        """A scaffold to build on. Raises DataError where it cannot be one, with the reason."""
        from molgen.models.graph_vae.scaffold import read_scaffold

        return read_scaffold(smiles, self.table, self.limits)

    @torch.no_grad()
    def encode(self, smiles: Sequence[str], batch_size: int = 512) -> Tensor:
        """Posterior means ``[n, latent]``; NaN for what the codec does not cover. Fragments may be unseen ones."""
        _, forest = from_trees(cut_all(smiles), self.table)
        index = torch.from_numpy(forest.index.astype(np.int64)).to(self.device)
        result = torch.full((len(smiles), self.params.latent), float("nan"), device=self.device)
        if len(forest):
            mean, _ = posterior(self, forest, np.arange(len(forest)), batch_size)
            result[index] = mean
        return result

    def outside(self, smiles: str) -> str:
        """Why a molecule has no point, in words; empty where it has one."""
        return next(iter(cut_all([smiles]).outside()), "")

    def covered(self, smiles: Sequence[str]) -> tuple[Forest, Tensor]:
        """The molecules over fragments of the vocabulary, in canonical order, and their numbers in ``smiles``."""
        forest = Forest(cut_all(smiles), self.table)
        return forest, torch.from_numpy(forest.index.astype(np.int64)).to(self.device)

    def decode(
        self,
        z: Tensor,
        *,
        greedy: bool = True,
        temperature: float = 1.0,
        seed: int = 0,
        batch_size: int = 512,
    ) -> list[str]:
        """One valid SMILES per row of ``z`` ``[n, latent]``: the likeliest choices, or drawn ones (not ``greedy``)."""
        generator = None if greedy else torch.Generator(device=self.device).manual_seed(seed)
        parts = z.to(self.device).split(batch_size) if len(z) else ()
        return [
            text
            for part in parts
            for text in self.write(grow(self, part, generator=generator, temperature=temperature))
        ]

    def likeliest(
        self, z: Tensor, k: int, *, batch_size: int = 512, scaffold: Scaffold | None = None
    ) -> list[Ranked]:
        """The ``k`` likeliest distinct molecules of each row of ``z``; see :mod:`molgen.models.graph_vae.beam`."""
        parts = z.to(self.device).split(max(1, batch_size // k)) if len(z) else ()
        return [found for part in parts for found in likeliest(self, part, k, scaffold)]

    def predict(self, z: Tensor) -> Tensor:
        """What the property head reads from points ``[n, latent]``; differentiable.

        ``[n, P]`` in the order and units of ``properties``.
        """
        center, scale = torch.tensor(list(self.properties.values()), device=self.device).reshape(-1, 2).T
        result: Tensor = self.property_head(z) * scale + center
        return result

    def likelihood_bound(self, smiles: Sequence[str], *, samples: int = 1, seed: int = 0) -> Tensor:
        """Lower bound on ln p in nats ``[n]``; the more ``samples``, the tighter."""
        return likelihood.likelihood_bound(self, smiles, samples=samples, seed=seed)
