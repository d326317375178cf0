"""pytest tests/verify/grids/study/test_one_engine.py

A study and a sweep of one plan are the same.
"""

import json
import subprocess
import sys

import pytest

from goldenseal.errors import UsageError
from goldenseal.grids.collect import collect
from goldenseal.grids.prepare import planned, prepare
from goldenseal.grids.report import write_report
from goldenseal.grids.state import STUDY
from goldenseal.grids.study import begin, run_study
from goldenseal.launch.gate import UNCHECKED
from goldenseal.records.check import check
from goldenseal.records.kinds.plan import read_any, read_plan, read_sweep
from goldenseal.records.record import read_record
from goldenseal.records.seal import seal
from tests.verify.grids.study.conftest import PLAN

SWEEP_HAS = """
[resources]
gpus = 0
nodes = 1
cpus = 1
minutes = 5
[power]
effect = -0.1
deviation = 0.05
"""
SMALL = PLAN.replace("[3, 5, 8]", "[3, 5]").replace(
    '[configurations.strong]\nTOY_FEATURE = "2"\n', ""
)


def test_the_same_logs_the_same_spreads_and_the_same_tests(toy):
    toy.plan.write_text(SMALL)
    run_study(toy.root, begin(toy.root, toy.plan, toy.folder), 2)
    study = write_report(toy.root, toy.folder)
    seal(toy.folder)

    file, folder = toy.root / "same.toml", toy.root / "sweep"
    file.write_text(SMALL + SWEEP_HAS)
    for path in prepare(toy.root, planned(toy.root, file), folder, UNCHECKED):
        subprocess.run([sys.executable, "-m", "goldenseal.grids.cell", str(path)], check=True)
    into = toy.root / "records" / "toy" / "2026-01-02_Sweep"
    sweep = collect(toy.root, folder, into).results["main"]

    assert sweep == {key: study[key] for key in sweep}
    assert sweep["tests"][0]["direction"] == "better"
    first, second = read_record(toy.folder), read_record(into)
    for one, other in zip(first.cells(), second.cells(), strict=True):
        assert (one.cell, one.results, one.knobs) == (other.cell, other.results, other.knobs)
        assert (toy.folder / one.log).read_bytes() == (into / other.log).read_bytes()
    assert [check(folder).reasons() for folder in (toy.folder, into)] == [[], []]
    tables = [(folder / "README.md").read_text() for folder in (toy.folder, into)]
    row = next(line for line in tables[0].splitlines() if line.startswith("| on | -0."))
    assert row in tables[1]


def test_each_command_says_whose_file_it_was_given(toy):
    file = toy.root / "same.toml"
    file.write_text(SMALL + SWEEP_HAS)
    with pytest.raises(UsageError, match="unknown key 'resources'"):
        read_plan(file)
    with pytest.raises(UsageError, match="lacks `resources`"):
        read_sweep(toy.plan)
    assert read_any(file).main.resources["minutes"] == 5
    assert read_any(toy.plan).main.resources == {}


def test_a_study_may_name_the_exact_test_and_a_margin(toy):
    seeds = json.dumps(list(range(1, 8)))
    toy.plan.write_text(
        SMALL.replace("[3, 5]", seeds)
        .replace("paired-t", "sign-flip")
        .replace("alpha = 0.05", "alpha = 0.05\nmargin = 0.5")
    )
    run_study(toy.root, begin(toy.root, toy.plan, toy.folder), 2)
    (row,) = write_report(toy.root, toy.folder)["tests"]
    assert (row["p"], row["t"]) == (2 / 2**7, None)
    assert row["counts"] is False  # a tenth lower, where half is asked for
    assert STUDY.state in {path.name for path in toy.folder.iterdir()}
