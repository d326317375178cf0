"""pytest tests/verify/grids/test_grant.py

Each row is its product; the printed one stands beside it.
"""

import textwrap
from fractions import Fraction

import pytest

from goldenseal.errors import UsageError
from goldenseal.grids.grant import as_markdown, decimal, read_grant, same_as_printed
from goldenseal.records.kinds.plan import read_plan
from tests.verify.grids.study.conftest import PLAN

COSTS = """
schema = 1
unit = "hours"
[[rows]]
label = "Off"
configurations = ["off"]
hours = "4"
published = "12"
[[rows]]
label = "On"
configurations = ["on", "strong"]
hours = "0.1"
[[rows]]
label = "Grid"
factors = [["points", "4"], ["seeds", "3"], ["hours", "4"]]
published = "12.0"
note = "The product is 48."
[[rows]]
label = "Buffer"
share = "0.1"
of = ["Off", "Grid"]
[published]
total = "24.0"
source = "a leaflet"
"""


@pytest.fixture
def grant(tmp_path):
    """Reads the table, edited."""
    (tmp_path / "plan.toml").write_text(textwrap.dedent(PLAN))
    plan = read_plan(tmp_path / "plan.toml")

    def read(old="", new=""):
        assert old in COSTS
        (tmp_path / "costs.toml").write_text(COSTS.replace(old, new, 1))
        return read_grant(tmp_path / "costs.toml", plan), plan

    return read


def test_rows_are_exact_products_and_the_total_their_sum(grant):
    found, _ = grant()
    assert [row.hours for row in found.rows] == [12, Fraction(3, 5), 48, 6]
    assert found.total == Fraction(333, 5)
    assert found.printed_sum == 24


def test_a_printed_row_is_judged_by_the_places_that_were_printed(grant):
    found, _ = grant()
    assert [row.agrees for row in found.rows] == [True, None, False, None]
    assert same_as_printed(Fraction(1, 6), "0.17")
    assert not same_as_printed(Fraction(1, 6), "0.18")


def test_the_page_names_the_difference_and_both_sums(grant):
    text = as_markdown(*grant())
    assert "| Grid | 4 points × 3 seeds × 4 hours | 48 | 12.0 | differs |" in text
    assert "| Buffer | 0.1 × (12 + 48) | 6 | – | not there |" in text
    assert "add up to 24, which is the published total of 24.0" in text
    assert "The computed total is 66.6: 42.6 more than that." in text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('["on", "strong"]', '["on"]', "'strong' of the plan is in 0 rows"),
        ('["on", "strong"]', '["on", "strong", "off"]', "'off' of the plan is in 2 rows"),
        ('["on", "strong"]', '["on", "weak"]', "'weak' is no configuration"),
        ('note = "The product is 48."', "", "row 'Grid' is 48, published as 12.0: say why"),
        ('of = ["Off", "Grid"]', 'of = ["Total"]', "'Total' is no row above it"),
        ('share = "0.1"', 'share = "1/10"', "no number in plain digits"),
        ('share = "0.1"', 'share = "-1"', "no number in plain digits"),
        ('hours = "0.1"', "hours = 0.1", "`hours` must be a str"),
        ('hours = "0.1"', 'hours = "0.1"\nshare = "1"', "expected one of"),
        ('label = "On"', 'label = "Off"', "is there twice"),
        ('["points", "4"]', '["points", "four"]', "points: 'four' is no number"),
        ('["points", "4"]', '"points"', "must be pairs"),
        ('total = "24.0"', 'total = "about 24"', "no number in plain digits"),
        ("schema = 1", "schema = 3", "only schema 1"),
    ],
)
def test_a_table_that_does_not_add_up_is_refused_in_one_line(grant, old, new, words):
    with pytest.raises(UsageError) as caught:
        grant(old, new)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(48), "48"),
        (Fraction(17, 100), "0.17"),
        (Fraction(1, 3), "0.33"),
        (Fraction(100), "100"),
    ],
)
def test_numbers_are_written_without_needless_zeros(value, text):
    assert decimal(value) == text
