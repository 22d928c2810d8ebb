"""The state of a torch optimizer (moments, counters) as tensors by name, for safetensors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor


def tensors_of(optimizer: Any, prefix: str) -> dict[str, Tensor]:
    """``prefix/INDEX/SLOT`` -> tensor, INDEX being the number of the parameter."""
    state = optimizer.state_dict()["state"]
    return {
        f"{prefix}/{index}/{slot}": value for index, slots in state.items() for slot, value in slots.items()
    }


def put_back(optimizer: Any, tensors: Mapping[str, Tensor], prefix: str) -> None:
    """Inverse of :func:`tensors_of`; other tensors are left alone, the settings of the optimizer stay its own."""
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"{prefix}/"):
            index, slot = key.removeprefix(f"{prefix}/").split("/")
            slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
