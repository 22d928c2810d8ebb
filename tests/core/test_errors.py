"""The exception tree: each branch has the exit code that its docstring promises."""

from __future__ import annotations

import re

import pytest

from molgen.core import errors


def test_exit_codes_are_those_of_the_tree_in_the_docstring() -> None:
    told = dict(re.findall(r"-- (\w+)(?:\(\w+\))? +(\d+)", errors.__doc__ or ""))
    assert len(told) >= 9
    for name, code in told.items():
        error = getattr(errors, name)
        found = errors.Interrupted("SIGTERM").exit_code if name == "Interrupted" else error.exit_code
        assert found == int(code), name


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 75), ("SIGUSR1", 75)])
def test_interruptions_tell_how_to_go_on(signal: str, code: int) -> None:
    error = errors.Interrupted(signal, "molgen resume runs/a")
    assert error.exit_code == code
    assert str(error).endswith("continue with: molgen resume runs/a")


def test_the_users_mistakes_are_value_errors() -> None:
    for error in (errors.ConfigError, errors.DataError, errors.ModelError):
        assert issubclass(error, ValueError)
