"""Local Bayesian optimization in the latent space of any model that encodes and decodes.

A trust region around the best molecule: a Gaussian process is fitted to what is known near it, functions are drawn
from the process, and the points of the region where they are highest are decoded (TuRBO; Eriksson et al., NeurIPS
2019). What the process learns from is where the *decoded* molecule is encoded, not the point that it was decoded from:
the score belongs to the molecule (compare Maus et al., NeurIPS 2022). So seed compounds take part like all others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from molgen.core.errors import ConfigError
from molgen.core.seeding import stream, torch_generator
from molgen.models.latent.moves import critic, on_manifold, whitening
from molgen.models.protocol import HasDecoder, HasEncoder
from molgen.optimize.gaussian_process import GaussianProcess
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.registry import LatentParams

_SMALLEST, _LARGEST = (
    1 / 16,
    4.0,
)  # the trust region's half width is kept between these multiples of its first
_SUCCESSES, _FAILURES = 3, 4  # steps in a row after which it grows or shrinks
_MOVED = 20  # coordinates that a candidate changes, on average (at most all)


class LatentSearch:
    """The strategy ``latent``, behind ask/tell."""

    name = "latent"

    def __init__(self, prior: Any, params: LatentParams, seed: int) -> None:
        if not (isinstance(prior, HasEncoder) and isinstance(prior, HasDecoder)):
            raise ConfigError(
                f"optimizer 'latent' needs a model that encodes and decodes, {prior.family!r} does not; "
                "choose a graph_vae"
            )
        self.generator: Any = prior
        self.params, self.seed = params, seed
        if params.off_manifold:
            critic(prior)  # raises here, not in the middle of a run, if there is none
        self.space = whitening(prior)
        self.round = self.next_id = 0
        self.length = params.radius
        self.successes = self.failures = 0
        self.begin = 0  # the first molecule of the present region
        self.ids: list[int] = []
        self.smiles: list[str] = []
        self.points = torch.zeros(0, len(self.space.shift))  # whitened
        self.scores = torch.zeros(0, dtype=torch.float64)
        self._pending: dict[int, Proposal] = {}

    # -- ask -----------------------------------------------------------------------------------------

    def ask(self, n: int) -> list[Proposal]:
        """``n`` molecules: from the prior until there is enough to learn from, then from the trust region."""
        texts: list[str] = []
        parents: tuple[str, ...] = ()
        if len(self.ids) - self.begin >= self.params.start:
            best = self._best()
            parents = (str(self.ids[best]),)
            texts = self._decoded(self._promising(best, 3 * n), n)
        found = [(text, self.name, parents) for text in texts]
        if len(found) < n:
            drawn = self.generator.sample(n - len(found), seed=stream(self.seed, "prior", self.round))
            found += [(text, "prior", ()) for text in drawn.smiles]
        proposals = [Proposal(self.next_id + i, *row) for i, row in enumerate(found)]
        self._pending = {p.id: p for p in proposals}
        return proposals

    def _best(self) -> int:
        return self.begin + int(self.scores[self.begin :].argmax())

    def _promising(self, best: int, n: int) -> Tensor:
        """The ``n`` candidates ``[n, d]`` of the trust region that functions of the posterior like best."""
        generator = torch_generator(self.seed, "ask", self.round)
        center = self.points[best]
        near = (self.points - center).norm(dim=1).argsort(stable=True)[: self.params.points]
        x, y = self.points[near], self.scores[near]
        count, size = max(n, self.params.candidates), len(center)
        model = GaussianProcess(x, y) if float(y.std()) > 1e-6 else None
        weights = torch.ones(size) if model is None else model.length_scales.float()
        weights = (weights / weights.log().mean().exp()).clamp(0.25, 4)
        moved = torch.rand(count, size, generator=generator) < min(1.0, _MOVED / size)
        moved[torch.arange(count), torch.randint(size, (count,), generator=generator)] = True
        step = (2 * torch.rand(count, size, generator=generator) - 1) * self.length * weights
        candidates = self._believable(center + moved * step, n)
        if model is None:
            return candidates[:n]
        values = model.draw(candidates, n, generator)
        chosen: list[int] = []
        for row in values:  # each drawn function names its best candidate that is not taken
            if chosen:
                row[chosen] = -math.inf
            chosen.append(int(row.argmax()))
        return candidates[chosen]

    def _believable(self, candidates: Tensor, least: int) -> Tensor:
        """Those that the critic takes for points of molecules, with ``off_manifold``; all, if hardly any is one."""
        if not self.params.off_manifold:
            return candidates
        good = on_manifold(self.generator, self.space.back(candidates.to(self.space.shift))).cpu()
        return candidates[good] if int(good.sum()) >= least else candidates

    @torch.no_grad()
    def _decoded(self, whitened: Tensor, n: int) -> list[str]:
        """At most ``n`` distinct molecules at the points, none that is known already."""
        z = self.space.back(whitened.to(self.space.shift))
        known = {*self.smiles}
        return [text for text in dict.fromkeys(self.generator.decode(z)) if text not in known][:n]

    # -- tell ----------------------------------------------------------------------------------------

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Take the user's seed compounds: they are encoded and learned from like everything else."""
        self._pending |= {p.id: p for p in proposals}

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """Encode the molecules that have a score, remember them, and grow, shrink or move the trust region."""
        unknown = [r.id for r in results if r.id not in self._pending]
        if unknown:
            raise ValueError(f"tell() got ids that were not asked: {unknown[:5]}; pass each result back once")
        before = float(self.scores[self.begin :].max()) if len(self.ids) > self.begin else -math.inf
        searched = len(self.ids) - self.begin >= self.params.start  # also where it held nothing new any more
        usable = [r for r in sorted(results, key=lambda r: r.id) if r.smiles and not math.isnan(r.score)]
        outside = self._learn({str(r.smiles): r for r in usable})
        if searched:
            self._resize(float(self.scores[self.begin :].max()) > before + 1e-4 * abs(before))
        self.round += 1
        self.next_id = max([self.next_id, *(i + 1 for i in self._pending)])
        self._pending = {}
        return {
            "trust_region": self.length,
            "region_best": float(self.scores[self.begin :].max()) if len(self.ids) > self.begin else math.nan,
            "outside_the_model": float(outside),
        }

    def _learn(self, results: Mapping[str, Result]) -> int:
        """Remember new molecules; known ones get their latest score (a diversity memory may have lowered it)."""
        position = {text: k for k, text in enumerate(self.smiles)}
        for text in results.keys() & position.keys():
            self.scores[position[text]] = results[text].score
        new = [text for text in results if text not in position]
        if not new:
            return 0
        with torch.no_grad():
            points = self.space.to(self.generator.encode(new)).float().cpu()
        has = ~points.isnan().any(1)
        kept = [text for text, good in zip(new, has.tolist(), strict=True) if good]
        self.smiles += kept
        self.ids += [results[text].id for text in kept]
        self.points = torch.cat([self.points, points[has]])
        scores = torch.tensor([results[text].score for text in kept], dtype=torch.float64)
        self.scores = torch.cat([self.scores, scores])
        return len(new) - len(kept)

    def revise(self, scores: Mapping[str, float]) -> None:
        """Other scores of the same molecules; what has none any more is forgotten."""
        kept = [k for k, text in enumerate(self.smiles) if not math.isnan(scores.get(text, math.nan))]
        self.begin = sum(k < self.begin for k in kept)
        self.ids, self.smiles = [self.ids[k] for k in kept], [self.smiles[k] for k in kept]
        self.points = self.points[kept]
        self.scores = torch.tensor([scores[text] for text in self.smiles], dtype=torch.float64)

    def _resize(self, better: bool) -> None:
        self.successes, self.failures = (self.successes + 1, 0) if better else (0, self.failures + 1)
        if self.successes == _SUCCESSES:
            self.length, self.successes = min(2 * self.length, _LARGEST * self.params.radius), 0
        if self.failures == _FAILURES:
            self.length, self.failures = self.length / 2, 0
        if self.length < _SMALLEST * self.params.radius:  # nothing more to find here: begin elsewhere
            self.length, self.successes, self.failures = self.params.radius, 0, 0
            self.begin = len(self.ids)

    # -- keeping -------------------------------------------------------------------------------------

    def model(self) -> None:
        """Nothing was taught."""

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is known of every molecule, and the trust region; the process is fitted anew in each step."""
        names = ("round", "next_id", "length", "successes", "failures", "begin")
        values = {name: getattr(self, name) for name in names}
        values |= {"ids": list(self.ids), "smiles": list(self.smiles)}
        return values, {"points": self.points.clone(), "scores": self.scores.clone()}

    def load_state(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        for name, value in values.items():
            setattr(self, name, list(value) if isinstance(value, list) else value)
        self.points, self.scores = tensors["points"].clone(), tensors["scores"].clone()
