"""The state of an optimizer goes through named tensors and comes back, beside that of another."""

import torch

from molgen.learn.slots import put_back, tensors_of


def taught(steps: int, rate: float = 0.1) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(3)
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters(), lr=rate)
    for _ in range(steps):
        step(layer, optimizer)
    return layer, optimizer


def step(layer: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    layer(torch.ones(1, 2)).square().sum().backward()
    optimizer.step()


def test_an_optimizer_goes_on_as_if_it_had_not_been_stored() -> None:
    layer, optimizer = taught(3)
    other, _ = taught(3)
    again = torch.optim.Adam(other.parameters(), lr=0.02)
    live = tensors_of(optimizer, "optimizer/a") | tensors_of(taught(1)[1], "optimizer/ab")
    tensors = {key: value.clone() for key, value in live.items()}  # as a file would hold them
    assert "optimizer/a/1/exp_avg" in tensors
    put_back(again, tensors, "optimizer/a")
    assert again.param_groups[0]["lr"] == 0.02, "the settings stay its own"
    again.param_groups[0]["lr"] = 0.1
    step(layer, optimizer)
    step(other, again)
    assert torch.equal(layer.weight, other.weight)


def test_of_an_optimizer_that_has_done_nothing_there_is_nothing() -> None:
    layer, optimizer = taught(0)
    assert tensors_of(optimizer, "optimizer") == {}
    put_back(optimizer, {"agent/weight": layer.weight.detach()}, "optimizer")
    step(layer, optimizer)
