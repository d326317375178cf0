"""A small repository with one system, and its gates as they are judged and kept."""

import sys
from unittest import mock

from goldenseal.config import systems
from goldenseal.kept.evidence import Evidence
from goldenseal.ladder.recordings import warm_up
from goldenseal.ladder.systems import judge_systems
from tests.packaging import foreign

warm_up()  # torch sets variables of its own as it is loaded, which a command looks at before
FAST = ("knobs", "initial state")  # gates that take a second


def repository(top, *edits):
    """The stranger's repository after (file, old, new), with data that its probe reads."""
    foreign.write(top)
    (top / "constraints.txt").write_text("torch\n")
    (top / "data").mkdir(exist_ok=True)
    (top / "data" / "seed.txt").write_text("7")
    (top / "mine" / "native.bin").write_bytes(b"read by native code")
    (top / "mine" / "helper.py").write_text("STEPS = 2\n")
    edit(top, "mine/probe.py", "import torch\n", "import torch\nfrom mine.helper import STEPS\n")
    edit(top, "mine/probe.py", '"STEPS": "2"', '"STEPS": str(STEPS)')
    edit(top, "mine/probe.py", '"7"', '(HERE.parent / "data" / "seed.txt").read_text()')
    # Not in the order of their names: smoke.log is the same whether they are recomputed or kept.
    figures = 'smoke=lambda: [("width", "3", "3"), ("depth", "1", "1")],'
    edit(top, "mine/probe.py", "    draw=draw,\n", f"    draw=draw,\n    {figures}\n")
    for each in edits:
        edit(top, *each)
    return top


def edit(top, file, old, new):
    """Put `new` for `old`, which must be there."""
    text = (top / file).read_text()
    assert old in text
    (top / file).write_text(text.replace(old, new))


def evidence(top, **options):
    """What is kept there; files may be as new as they are in a test."""
    return Evidence(top, rest_ns=options.pop("rest_ns", 0), **options)


def judge(top, only=FAST, kept=None):
    """The gates of the system there, by name."""
    # The package of another test's repository must not be met first.
    path = [place for place in sys.path if not (f"{place}/mine") == str(top / "mine")]
    with mock.patch.object(sys, "path", [str(top), *path]):
        results = judge_systems(systems(top), only, 1, kept or evidence(top))
    return {result.gate.removeprefix("mine: "): result for result in results}


def entry(top, **options):
    """The entry that stands, if any."""
    return evidence(top, **options).find("mine by mine.probe:PROBE")
