"""pytest tests/verify/grids/test_plan.py

A plan says everything, once, or is refused in one line.
"""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from goldenseal.grids.resolve import resolve
from goldenseal.knobs import Knob, read_settings
from goldenseal.records.kinds import Cell
from goldenseal.records.kinds.plan import read_plan
from tests.verify.grids.study.conftest import PLAN

KNOBS = (
    Knob("SEED", int, 1, "seed"),
    Knob("TOY_FACTOR", float, 1.0, "factor", 0.0),
    Knob("TOY_FEATURE", int, 0, "strength", 0, 9),
)


@pytest.fixture
def plan(tmp_path):
    """Writes the plan, edited, and returns its path."""

    def write(old="", new=""):
        assert old in PLAN
        path = tmp_path / "plan.toml"
        path.write_text(textwrap.dedent(PLAN).replace(old, new, 1))
        return path

    return write


def test_cells_come_seed_by_seed_so_that_an_early_end_leaves_whole_pairs(plan):
    cells = list(read_plan(plan()).cells())
    assert len(cells) == 9
    assert [str(cell) for cell in cells[:4]] == ["off/3", "on/3", "strong/3", "off/5"]


def test_very_many_seeds_cost_no_more_than_their_own_knob(plan, monkeypatch):
    """Each is held against the range of SEED; all else that is set is the same."""
    read = []
    monkeypatch.setattr(
        "goldenseal.grids.resolve.read_settings",
        lambda given, declared: read.append(given) or read_settings(given, declared),
    )
    every = ", ".join(map(str, range(2000)))
    resolved = resolve(read_plan(plan("[3, 5, 8]", f"[{every}]")), KNOBS)
    assert set(resolved) == {"off", "on", "strong"}
    assert len(read) == 3
    low = (Knob("SEED", int, 1, "seed", 0, 1998), *KNOBS[1:])
    with pytest.raises(UsageError, match="off: SEED=1999 is out of range"):
        resolve(read_plan(plan("[3, 5, 8]", f"[{every}]")), low)


def test_a_cell_sets_common_knobs_its_own_and_the_seed(plan):
    found = read_plan(plan()).knobs(Cell("on", 5))
    assert found == {"TOY_FACTOR": "0.5", "TOY_FEATURE": "1", "SEED": "5"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema = 1", "schema = 2", "only schema 1 is known"),
        ("schema = 1", "schema = true", "`schema` must be a int"),
        ('question = "Does the feature lower the loss?"', "", "lacks `question`"),
        ('"Does the feature lower the loss?"', '" "', "`question` is empty"),
        ('system = "toy"', 'system = "toy"\ncolour = "red"', "unknown key 'colour'"),
        ("[3, 5, 8]", "[3, 5, 3]", "a seed is listed twice"),
        ("[3, 5, 8]", "[3]", "a paired test needs 2 or more"),
        ("[3, 5, 8]", "[3, -5]", "none negative"),
        ("[3, 5, 8]", '[3, "5"]', "a list of integers"),
        ("[3, 5, 8]", "[3, true]", "a list of integers"),
        ('baseline = "off"', 'baseline = "none"', "the baseline 'none' is no configuration"),
        ('TOY_FEATURE = "2"', 'TOY_FEATURE = "1"', "strong sets exactly what on sets"),
        ('TOY_FEATURE = "2"', "TOY_FEATURE = 2", 'must be a text: TOY_FEATURE = "2"'),
        ('TOY_FEATURE = "2"', 'SEED = "2"', "SEED is set by `seeds`"),
        ("[configurations.strong]", '[configurations."../up"]', "cannot name a folder"),
        ("[configurations.strong]", "[configurations.con]", "cannot name a folder"),
        ('test = "paired-t"', 'test = "by eye"', "`test` is 'by eye'"),
        ('correction = "holm"', 'correction = "none"', "`correction` is 'none'"),
        ('better = "lower"', 'better = "nicer"', "`better` is 'nicer'"),
        ("alpha = 0.05", "alpha = 5.0", "expected one between 0 and 1"),
        ("alpha = 0.05", "alpha = nan", "expected one between 0 and 1"),
        ('secondary = ["steps"]', 'secondary = ["loss"]', "a result is named twice"),
        ('secondary = ["steps"]', "secondary = [1]", "a list of names"),
        ("alpha = 0.05", 'alpha = 0.05\ntested = ["loss"]', "'loss', which is not in `secondary`"),
        ("alpha = 0.05", 'alpha = 0.05\ntested = ["steps", "steps"]', "names a result twice"),
        ("[stopping]", "[stop]", "lacks `stopping`"),
        ("schema = 1", "schema = ", "plan.toml: "),
        ("alpha = 0.05", "alpha = 0.05\nrange = [0.0, inf]", "holds inf, which is no number of"),
    ],
)
def test_a_plan_that_does_not_hold_is_refused_in_one_line(plan, old, new, words):
    with pytest.raises(UsageError) as caught:
        read_plan(plan(old, new))
    assert words in str(caught.value)
    assert str(caught.value).startswith("plan.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("TOY_FACTOR", "TOY_COLOUR", "TOY_COLOUR is no knob of toy"),
        ('TOY_FEATURE = "2"', 'TOY_FEATURE = "99"', "TOY_FEATURE=99 is out of range"),
        ('TOY_FEATURE = "2"', 'TOY_FEATURE = "0"', "off/3 and strong/3 are the same run"),
        ('TOY_FEATURE = "2"', 'TOY_FEATURE = "01"', "on/3 and strong/3 are the same run"),
    ],
)
def test_a_plan_is_held_against_the_declared_knobs(plan, old, new, words):
    with pytest.raises(UsageError) as caught:
        resolve(read_plan(plan(old, new)), KNOBS)
    assert words in str(caught.value)


def test_the_digest_is_of_what_is_said_not_of_how(plan):
    first = read_plan(plan()).digest
    assert read_plan(plan("[common]", "# so\n\n[common]")).digest == first
    assert read_plan(plan("alpha = 0.05", "alpha = 0.01")).digest != first


@given(st.text(max_size=60))
def test_any_text_is_a_plan_or_refused_in_one_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(UsageError) as caught:
        read_plan(path)
    assert "\n" not in str(caught.value)
