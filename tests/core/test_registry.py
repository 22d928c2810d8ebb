"""Names are imported at use, mistyped ones get a suggestion, other people's broken ones are named."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from molgen.core import registry
from molgen.core.errors import ConfigError
from molgen.core.registry import Registry


def make(monkeypatch: pytest.MonkeyPatch, *plugins: EntryPoint) -> Registry:
    monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in plugins if p.group == group])
    return Registry(
        "gadget", {"ordered": "collections:OrderedDict", "gone": "no_such_module:x"}, "molgen.gadgets"
    )


def test_the_object_is_imported_at_use_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import OrderedDict

    gadgets = make(monkeypatch)
    assert gadgets.names() == ["ordered", "gone"]
    assert gadgets.get("ordered") is OrderedDict
    assert "gone" in gadgets
    with pytest.raises(ImportError):
        gadgets.get("gone")


def test_an_unknown_name_gets_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="unknown gadget 'orderd'; did you mean 'ordered'"):
        make(monkeypatch).get("orderd")


def test_plugins_are_found_and_cannot_shadow_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import Counter, OrderedDict

    gadgets = make(
        monkeypatch,
        EntryPoint("counter", "collections:Counter", "molgen.gadgets"),
        EntryPoint("ordered", "collections:Counter", "molgen.gadgets"),
        EntryPoint("other", "collections:Counter", "molgen.others"),
    )
    assert list(gadgets) == ["ordered", "gone", "counter"]
    assert gadgets.get("counter") is Counter
    assert gadgets.get("ordered") is OrderedDict
    assert gadgets.origin("ordered") == "molgen"


def test_a_broken_plugin_is_named_and_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    gadgets = make(monkeypatch, EntryPoint("broken", "no_such_module:x", "molgen.gadgets"))
    gadgets.get("ordered")
    with pytest.raises(ConfigError, match=r"'broken' comes from no_such_module:x, which cannot be imported"):
        gadgets.get("broken")
