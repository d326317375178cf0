"""pytest tests/verify/records/test_kinds.py

A kind says what a record holds; a check loads little.
"""

import hashlib
import json
import shutil
import subprocess
import sys

import pytest

from goldenseal.records.check import check
from goldenseal.records.kinds import Cell, kind_of
from goldenseal.records.record import read_record
from goldenseal.report.page import record_page
from goldenseal.report.study import listed, study_tables

SEALED = "tests/fixtures/sealed"
STUDY = "records/track_cpu_small/2026-11-23_FeatureStudy"
SINGLE = "records/track_cpu_small/2026-11-23_SmallGPT"
GRIDS = {  # sealed by version 0.2: (kind, cells that are listed, finished ones)
    f"{SEALED}/sweep-v0.2": ("sweep", 13, 13, "98d376f393686ddb"),
    f"{SEALED}/incomplete-v0.2": ("sweep", 13, 12, "b64d5913e78917a5"),
    f"{SEALED}/plan-v0.2": ("plan", 0, 0, "31a3c092693b2ea5"),
    STUDY: ("study", 15, 15, "45d57cd39d10e79c"),
}
# What plans, launches and tests runs; what re-runs them; what they need.
HEAVY = ("analysis", "attempts", "cell", "collect", "cost", "executor", "gather", "grant",
         "launch_gate", "lock", "paired", "plot", "power", "prepare", "report", "resolve", "slurm",
         "state", "study", "watch")  # fmt: skip
OTHERS = ("make_record", "probe", "reproduce", "rerun", "suite")
PACKAGES = ("matplotlib", "numpy", "scipy", "submitit", "torch")


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_of_the_format_before_is_intact_and_tells_its_cells(root, name):
    kind, cells, finished, identity = GRIDS[name]
    report = check(root / name)
    assert (report.holds, report.reasons()) == (True, [])
    assert report.identity == hashlib.sha512((root / name / "SHA512SUMS").read_bytes()).hexdigest()
    assert report.identity.startswith(identity)
    record = read_record(root / name)
    assert record.kind.name == kind
    assert (len(listed(record)), sum(c.finished for c in listed(record))) == (cells, finished)


@pytest.mark.parametrize("name", [n for n, facts in GRIDS.items() if facts[0] != "plan"])
def test_a_grid_of_the_format_before_has_its_page_and_its_tests(root, name):
    record = read_record(root / name)
    complete = GRIDS[name][1] == GRIDS[name][2]
    tests = [t for t in study_tables(record) if "paired by seed" in t.title]
    assert [bool(table.rows) for table in tests].count(True) >= 1
    assert all(table.rows for table in tests) == complete
    assert "<svg" in record_page(root, root / name)


def test_a_run_of_a_sealed_sweep_is_found_with_its_knobs(root):
    record = read_record(root / SEALED / "sweep-v0.2")
    run = record.kind.find(record, "grid_2/34")
    assert run.cell == Cell("grid_2", 34)
    assert run.environment["TOY_FEATURE"] == "3"
    assert run.environment["SEED"] == "34"
    assert (record.folder / run.log).is_file()


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"status": "measured", "cells": "x", "plan": "y"}, "sweep"),
        ({"status": "measured", "runs": [], "plan": "y"}, "study"),
        ({"status": "proposal", "plan": "y"}, "plan"),
        ({"status": "proposal"}, "proposal"),
        ({"status": "baseline"}, "baseline"),
        ({"status": "measured", "logs": {}}, "run"),
        ({"status": "superseded"}, "run"),
        ({}, "run"),
    ],
)
def test_every_record_has_one_kind(facts, name):
    assert kind_of(facts).name == name


def test_a_sweep_without_its_plan_is_no_complete_grid(root, tmp_path):
    folder = shutil.copytree(root / SEALED / "sweep-v0.2", tmp_path / "2026-01-02_Sweep")
    (folder / "sweep.toml").unlink()
    assert any("names no plan that is here" in reason for reason in check(folder).reasons())


def test_cells_in_another_order_than_the_plans_are_seen(root, tmp_path):
    folder = shutil.copytree(root / SEALED / "sweep-v0.2", tmp_path / "2026-01-02_Sweep")
    lines = (folder / "cells.jsonl").read_text().splitlines(keepends=True)
    (folder / "cells.jsonl").write_text("".join(reversed(lines)))
    assert "cells: they are not in the order of the plan" in check(folder).reasons()


def loaded(*command):
    """The modules that the command line has imported at its end."""
    program = (
        "import json, sys\nfrom goldenseal.cli import main\ntry:\n    main()\n"
        "except SystemExit as ended:\n    print(ended.code)\nprint(json.dumps([*sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True
    )
    *_, code, modules = done.stdout.splitlines()
    assert code in ("0", "None")
    return set(json.loads(modules))


@pytest.mark.parametrize("name", [SINGLE, STUDY, f"{SEALED}/sweep-v0.2", f"{SEALED}/plan-v0.2"])
def test_a_check_loads_nothing_that_plans_launches_or_tests(root, name):
    modules = loaded("check", str(root / name))
    heavy = {f"goldenseal.grids.{each}" for each in HEAVY} | {f"verify.{each}" for each in OTHERS}
    assert modules & (heavy | set(PACKAGES)) == set()
    reads_plans = {n for n in modules if n.startswith("goldenseal.records.kinds.plan")}
    assert bool(reads_plans) == (name != SINGLE)
