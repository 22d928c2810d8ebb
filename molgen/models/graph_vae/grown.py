"""What growing starts from and what it ends with: scaffolds and finished trees."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from molgen.models.graph_vae.table import FragmentTable


@dataclass(frozen=True)
class Scaffold:
    """Fragments that every molecule starts from, in an order that grows a tree, and where more may be attached.

    ``allowed[i]`` maps atoms of fragment i to how many bonds they may still get; fragments are numbers of ``table``.
    """

    table: FragmentTable
    fragment: list[int]
    parent: list[int]
    entry: list[int]
    parent_site: list[int]
    allowed: list[dict[int, int]]


@dataclass
class Grown:
    """Finished trees and the log-likelihood (nats at temperature 1, given the latent vector) of how they were grown."""

    fragment: list[list[int]] = field(default_factory=list)
    parent: list[list[int]] = field(default_factory=list)
    entry: list[list[int]] = field(default_factory=list)
    parent_site: list[list[int]] = field(default_factory=list)
    log_likelihood: np.ndarray = field(default_factory=lambda: np.zeros(0))
