"""``import molgen as mg``: the verbs are there, lazily, and stay there."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import molgen as mg
from molgen import api
from molgen.core.errors import ConfigError


def test_every_verb_is_exported_documented_and_typed() -> None:
    assert api.__all__ == sorted(api.__all__)
    own = {
        name for name, value in vars(api).items() if inspect.isfunction(value) and not name.startswith("_")
    }
    assert own == set(api.__all__)
    for name in api.__all__:
        function = getattr(api, name)
        assert (function.__doc__ or "").strip(), name
        assert inspect.signature(function).return_annotation is not inspect.Signature.empty, name
        assert name in dir(mg)


def test_the_verb_optimize_is_not_hidden_by_the_package_of_that_name() -> None:
    """Importing molgen.optimize binds the package in molgen; ``mg.optimize(...)`` must work all the same."""
    import molgen.optimize.protocol  # noqa: F401

    for _ in range(2):
        with pytest.raises(ConfigError, match="no such file"):
            mg.optimize("no-such-file.yaml")  # type: ignore[operator]


def test_no_verb_has_the_name_of_a_package_that_would_hide_it() -> None:
    from molgen.core.verbs import _Verb

    root = Path(mg.__file__).parent
    for path in root.iterdir():
        name = path.stem if path.suffix == ".py" else path.name
        if name in api.__all__:
            package = __import__(f"molgen.{name}", fromlist=["x"])
            assert isinstance(package, _Verb), (
                f"molgen.{name} hides the verb; call callable_package in its __init__"
            )


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'optimise'"):
        mg.optimise  # noqa: B018
    assert not hasattr(mg, "__wrapped__")


def test_a_run_folder_stands_for_the_model_in_it(tmp_path: Path) -> None:
    """``molgen finetune ... -o mine`` and then ``molgen sample mine``."""
    from molgen.models.registry import locate

    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "model" / "card.json").write_text("{}")
    assert locate(tmp_path / "run") == tmp_path / "run" / "model"
    assert locate(tmp_path / "run" / "model") == tmp_path / "run" / "model"


def test_lists_tell_what_there_is() -> None:
    assert set(mg.recipes_list()) >= {"denovo", "seeded", "train", "finetune"}
    assert "qed" in mg.scorers_list()
    assert any(entry.name == "zinc250k" for entry in mg.data_list())
    assert "autoregressive" in mg.models_families()
