"""pytest tests/verify/ladder/test_probe_names.py — a probe is named as its system is."""

import sys
from types import ModuleType

import pytest

from goldenseal.errors import UsageError
from goldenseal.ladder.probe import Probe, Script, load_probe


@pytest.mark.parametrize("name", [None, ""])
def test_a_probe_without_a_name_is_refused(monkeypatch, name):
    module = ModuleType("nameless")
    sides = (Script(side, "train.py", "build()", "main()") for side in ("baseline", "candidate"))
    module.PROBE = Probe(name, *sides, ())
    monkeypatch.setitem(sys.modules, "nameless", module)
    with pytest.raises(UsageError, match=r"'nameless:PROBE' is named (None|''): expected the name"):
        load_probe("nameless:PROBE")
