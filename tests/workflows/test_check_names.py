"""Mistakes that the schema sees and mistakes that only a look-up sees stand in one report."""

import pytest

from molgen.core.errors import ConfigError
from molgen.workflows.check import check

TEXT = """kind: optimize
batchsize: 64
objective:
  components:
    - use: qed
    - {use: mol_wieght, role: filter}
"""


def test_a_wrong_key_does_not_hide_a_wrong_scorer():
    with pytest.raises(ConfigError) as caught:
        check(TEXT)
    assert str(caught.value) == (
        "configuration: 2 problems, nothing was run\n"
        "  line 2   batchsize: no such key; did you mean 'batch_size'?\n"
        "  line 6   objective.components[1].use: unknown scorer 'mol_wieght'; did you mean 'mol_weight'?"
    )
