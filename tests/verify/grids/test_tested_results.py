"""pytest tests/verify/grids/test_tested_results.py — further results that are tested too."""

import pytest

from goldenseal.errors import CannotCheckError
from goldenseal.grids.report import results_of, tables
from goldenseal.records.kinds import Cell
from goldenseal.records.kinds.plan import read_plan
from tests.verify.grids.study.conftest import PLAN

LOSSES = {"off": (1.0, 1.1, 1.3), "on": (0.8, 0.95, 1.0), "strong": (1.4, 1.3, 1.9)}


def group_of(tmp_path, **changes):
    text = PLAN
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan(path).main


def cells(**extra):
    return {
        Cell(name, seed): {"steps": 2 + extra.get(name, 0) * seed, "loss": values[i]}
        for name, values in LOSSES.items()
        for i, seed in enumerate((3, 5, 8))
    }


def test_a_tested_result_has_the_test_of_a_primary_one_and_a_correction_of_its_own(tmp_path):
    first = results_of(group_of(tmp_path), cells(on=1))
    second = group_of(
        tmp_path,
        primary=('primary = "loss"', 'primary = "steps"'),
        secondary=('secondary = ["steps"]', 'secondary = ["loss"]\ntested = ["loss"]'),
    )
    also = results_of(second, cells(on=1))["also"]["loss"]
    assert [row.pop("direction") for row in also] == ["lower", "higher"]
    assert [row.pop("direction") for row in first["tests"]] == ["better", "worse"]
    assert also == first["tests"]
    assert "also" not in first


def test_a_margin_is_the_primary_result_s_alone(tmp_path):
    plan = {
        "secondary": ('secondary = ["steps"]', 'secondary = ["steps"]\ntested = ["steps"]'),
        "margin": ("alpha = 0.05", "alpha = 0.05\nmargin = 100.0"),
    }
    numbers = cells(strong=1)
    found = results_of(group_of(tmp_path, **plan), numbers)
    assert not any(row["counts"] for row in found["tests"])
    assert found["also"]["steps"][1]["mean"] == pytest.approx(16 / 3)
    text = tables(group_of(tmp_path, **plan), found)
    assert "Paired differences of `steps`, the same test" in text


def test_a_cell_without_a_tested_result_carries_no_claim(tmp_path):
    plan = {"secondary": ('secondary = ["steps"]', 'secondary = ["steps"]\ntested = ["steps"]')}
    numbers = cells()
    del numbers[Cell("on", 5)]["steps"]
    with pytest.raises(CannotCheckError, match="have no steps, such as on/5"):
        results_of(group_of(tmp_path, **plan), numbers)
