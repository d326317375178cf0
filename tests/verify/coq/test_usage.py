"""A constant counts as used when code reads it by its name, wherever that came from."""

import pytest

from goldenseal.coq.literals import python_files
from goldenseal.coq.usage import unused_constants

HOME = "code/constants.py"


@pytest.fixture
def unused(tmp_path):
    """Findings about STD and RATE, which code/constants.py declares, in files of that package."""

    def run(home="STD, RATE = 0.02, 0.1\n", **files):
        (tmp_path / "code" / "deep").mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / "__init__.py").write_text("")
        (tmp_path / "code" / "deep" / "__init__.py").write_text("")
        (tmp_path / HOME).write_text(home)
        for name, text in files.items():
            (tmp_path / "code" / f"{name.replace('__', '/')}.py").write_text(text)
        homes = {HOME: frozenset({"STD", "RATE"})}
        found = unused_constants(python_files(tmp_path, ["code"], homes), homes)
        return [each.split()[1] for each in found]

    return run


READ = "from code.constants import RATE\nf(RATE)\n"


@pytest.mark.parametrize(
    "text",
    [
        "from code.constants import STD\nf(STD)",
        "from code.constants import STD as s\nf(std=s)",
        "from code import constants\nf(constants.STD)",
        "from code import constants as c\nf(c.STD)",
        "import code.constants\nf(code.constants.STD)",
        "import code.constants as c\ndef f(x=c.STD): pass",
        "import code\nf(code.constants.STD)",
        "from .constants import STD\nf(STD)",
        "from . import constants\nf(constants.STD)",
        "from code.constants import *\nf(STD)",
        "from code.constants import STD\nOURS = STD\nf(OURS)",
        "from code.constants import STD, RATE\nA, B = STD, RATE\nf(A)",
        "def f():\n    from code.constants import STD\n    return STD",
        "from code.constants import STD\nclass A:\n    std = STD",
        "from code.constants import STD\nf = lambda x: [x * STD for x in y]",
        "from code.constants import STD\n@f(STD)\ndef g(STD): pass",
        "from code.constants import STD\ndef g(x=STD): pass",
        "from code.constants import STD\nprint(f'{STD}')",
    ],
)
def test_a_name_that_is_read_is_used(unused, text):
    assert unused(a=text, b=READ) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 0.02",
        "from code.constants import STD",
        "from code.constants import STD\n__all__ = ['STD']",
        "from code.constants import STD as OURS\nSTD = 1\nf(STD)",
        "from code.constants import STD\nSTD = 0.5\nf(STD)",
        "from code.constants import STD\nOURS = STD",
        "from code.constants import STD\nOURS = STD\nMINE = OURS",
        "from code.constants import STD\ndef f(STD): return STD",
        "from code.constants import STD\ndef f():\n    STD = 1\n    return STD",
        "from code.constants import STD\nf = [STD for STD in y]",
        "from other import STD\nf(STD)",
        "from code import constants\nf(constants.STD_)",
        "f('STD')",
        "# STD\nSTD = 3\nf(STD)",
    ],
)
def test_a_name_that_is_not_read_is_not(unused, text):
    assert unused(a=text, b=READ) == ["STD"]


def test_re_exports_are_followed_in_any_order_of_files(unused):
    chain = {
        "z": "from code.constants import STD as FIRST\n",
        "b": "from code.z import FIRST\nSECOND = FIRST\n",
        "deep__a": "from ..b import SECOND\n",
        "c": READ,
    }
    assert unused(**chain) == ["STD"]
    assert unused(**chain, d="from code.deep.a import SECOND\nprint(SECOND)\n") == []


def test_a_constants_module_is_no_user_of_its_own(unused):
    assert unused(home="STD, RATE = 0.02, 0.1\nprint(STD, RATE)\n") == ["RATE", "STD"]


@pytest.mark.parametrize(
    ("reading", "dead"),
    [
        ("settings.std", False),
        ("settings['STD']", False),
        ("settings.get('STD', 1)", False),
        ("settings.std_", True),
        ("{'STD': '0.5'}", True),
        ("settings.std = 3", True),
    ],
)
def test_a_default_counts_when_its_knob_is_read(unused, reading, dead):
    knobs = 'from code.constants import STD\nK = (Knob("STD", float, STD, "spread"),)\n'
    assert unused(a=knobs, b=READ, c=reading) == (["STD"] if dead else [])
    named = knobs.replace('STD, "spread"', 'effect="spread", default=STD')
    assert unused(a=named, b=READ, c=reading) == (["STD"] if dead else [])


def test_the_finding_names_file_constant_and_knob(tmp_path):
    (tmp_path / "c.py").write_text("OLD = 0.1\nGONE = 0.3\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("from c import OLD\nKnob('OLD_LR', float, OLD, '')\n")
    homes = {"c.py": frozenset({"OLD", "GONE"})}
    ask = "; import it where it is used, or remove it"
    assert unused_constants(python_files(tmp_path, ["code"], homes), homes) == [
        f"c.py: GONE is read by no code of tool.goldenseal.scan{ask}",
        f"c.py: OLD is only the default of OLD_LR, a knob that no code reads{ask}",
    ]
