"""What the hazard screen names is never delivered, is counted by class, and is let through only aloud."""

from __future__ import annotations

import pytest

from molgen.chem.hazard import Screen
from molgen.core.schema import OutputConfig
from molgen.optimize.memory import Entry, Memory
from molgen.optimize.rank import pick

NAME = "nerve-agent type (phosphorus fluoride or cyanide)"
MEMORY = Memory(
    [
        Entry(i, 1, "reinforce", (), smiles, smiles, "scored", total, total)
        for i, (smiles, total) in enumerate([("CP(=O)(F)OCC", 0.99), ("c1ccccc1CCN", 0.9)])
    ]
)


@pytest.mark.parametrize(
    ("hazards", "delivered"),
    [({}, [1]), ({"allow": [NAME]}, [0, 1]), ({"screen": False}, [0, 1])],
)
def test_the_best_of_a_run_may_be_withheld(hazards: dict[str, object], delivered: list[int]) -> None:
    output = OutputConfig.model_validate({"hazards": hazards})
    screen = Screen(output.hazards.screen, output.hazards.allow)
    chosen, passed_over = pick(MEMORY, output, "default", [], screen)
    assert [entry.id for entry, _ in chosen] == delivered
    assert sum(passed_over.values()) == 2 - len(delivered)
    assert all("P(=O)" not in reason for reason in passed_over)
    (note,) = screen.notes()  # there is always something to say here
    assert "P(=O)" not in note


def test_without_a_screen_of_its_own_the_configuration_decides() -> None:
    chosen, passed_over = pick(MEMORY, OutputConfig(), "default", [])
    assert [entry.id for entry, _ in chosen] == [1]
    assert passed_over == {f"withheld by the hazard screen: {NAME}": 1}
