"""pytest tests/train_gpt_style/dual_stream/test_dual_published.py — published figures as claims.

`published.toml` holds the figures and what was said of them; the general checks of `goldenseal
claims`, which know nothing of this system, judge them.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from goldenseal.claims.sourced.table import judged, read
from train_gpt_style.dual_stream.constants import BAND_HIGH, BAND_LOW
from train_gpt_style.geometry.sphere import uniform_dimension

TABLE = read(Path(__file__).with_name("published.toml"))
RIGHT = [claim for claim in TABLE.claims if not claim.incident]


def test_each_contradiction_in_numbers_is_found_and_what_is_consistent_holds():
    """The one that is not: "push away" against the sign of a formula, which are no numbers."""
    assert {claim.incident for claim in TABLE.claims if judged(claim)} == {1, 2, 3, 4, 5, 6, 8}
    assert all(judged(claim) for claim in TABLE.claims if claim.incident)
    assert [claim.says for claim in RIGHT if judged(claim)] == []


@pytest.mark.parametrize("claim", [c for c in RIGHT if c.printed], ids=lambda claim: claim.says)
def test_what_is_consistent_is_red_with_another_last_digit(claim):
    last = str((int(claim.printed[-1]) + 2) % 10)
    wrong = replace(claim, printed=claim.printed[:-1] + last)
    assert [fault.kind for fault in judged(wrong)][:1] in (
        ["margin"], ["ratio"], ["sum"], ["count"]
    )  # fmt: skip


def test_the_bands_and_dimensions_of_the_table_are_those_of_the_code():
    bands = {(c.low, c.high) for c in TABLE.claims if "band" in c.says}
    assert bands == {(f"{BAND_LOW:.2f}"[1:], f"{BAND_HIGH:.2f}"[1:])}
    uniform = TABLE.sources["uniform_run4"].centre
    assert round(uniform_dimension(0.1149)) == uniform


def test_the_marks_are_those_of_a_wider_band():
    for row in TABLE.tables["run4"].rows:
        assert (row["mark"] == "in") == (0.18 <= float(row["CV"]) <= 0.25)
    cells = TABLE.sources["cv_run4"].cells["4"]
    assert list(cells) == [row["CV"] for row in TABLE.tables["run4"].rows]
