"""pytest tests/verify/grids/sweep/test_sweep_page.py — the page on the record of a sweep."""

import pytest

from goldenseal.grids.collect import collect
from goldenseal.records.record import read_record
from goldenseal.report.study import study_tables
from tests.verify.grids.sweep.toy_sweep import CELLS, finish


@pytest.fixture
def sweep_record(toy, tmp_path):
    """The record of a toy sweep in which one cell was never run."""
    folders = toy.prepare()
    for folder in folders[:-1]:
        finish(folder)
    return collect(toy.root, toy.folder, tmp_path / "2026-01-02_Toy").folder


def test_the_page_of_a_sweep_lists_every_planned_cell(sweep_record):
    tables = {table.title: table for table in study_tables(read_record(sweep_record))}
    rows = tables["Runs"].rows
    assert len(rows) == CELLS
    assert [row[2] for row in rows].count("missing") == 1
    assert rows[-1][-1] == "not run"
    assert not tables["Mean and sample standard deviation"].rows  # incomplete: no results
