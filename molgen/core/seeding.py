"""One seed, split into named streams: parts of a run draw independently, and adding one part changes no other.

A stream is a hash of (seed, shard, names), so it needs no state, no order and no bookkeeping: ``stream(7, "sample",
step)`` is the same number on every machine and in every version. Nothing here touches a global generator.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


def stream(seed: int, *names: str | int, shard: int = 0) -> int:
    """The seed of the stream called ``names``: 63 bits, reproducible everywhere.

    ``shard`` is the number of the job in an array; shards of one seed are independent of each other.
    """
    label = json.dumps(["molgen-stream-1", int(seed), int(shard), *names])
    return int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "big") >> 1


def python_random(seed: int, *names: str | int, shard: int = 0) -> random.Random:
    """A generator of the standard library for the stream."""
    return random.Random(stream(seed, *names, shard=shard))


def numpy_generator(seed: int, *names: str | int, shard: int = 0) -> np.random.Generator:
    """A NumPy generator for the stream."""
    import numpy as np

    return np.random.default_rng(stream(seed, *names, shard=shard))


def torch_generator(seed: int, *names: str | int, shard: int = 0, device: str = "cpu") -> torch.Generator:
    """A torch generator for the stream; torch's global one is left alone."""
    import torch

    return torch.Generator(device=device).manual_seed(stream(seed, *names, shard=shard))
