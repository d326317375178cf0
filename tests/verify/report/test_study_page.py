"""pytest tests/verify/report/test_study_page.py — the page on many runs, and on claims."""

import json
import shutil

import pytest

from goldenseal.errors import UsageError
from goldenseal.grids.plot import draw as draw_study
from goldenseal.records.kinds.plan import read_plan
from goldenseal.records.record import read_record
from goldenseal.report.claims import claims_on
from goldenseal.report.command import page_on
from goldenseal.report.curves import Curve, draw
from goldenseal.report.page import record_page
from goldenseal.report.study import comparisons, deviation, study_pictures, study_tables
from goldenseal.report.study import planned_tests as computed

STUDY = "records/track_cpu_small/2026-11-23_FeatureStudy"
SINGLE = "records/track_cpu_small/2026-11-23_SmallGPT"


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the sealed study, to be spoiled."""
    return shutil.copytree(root / STUDY, tmp_path / "2026-11-23_FeatureStudy")


def edit(folder, change):
    facts = json.loads((folder / "record.json").read_text())
    change(facts)
    (folder / "record.json").write_text(json.dumps(facts))


def test_the_page_of_a_study_shows_its_runs_and_its_test_computed_again(root):
    tables = {table.title: table.rows for table in study_tables(read_record(root / STUDY))}
    tests = tables["roundtrip_val_bpb against baseline, paired by seed"]
    sealed = json.loads((root / STUDY / "results.json").read_text())["tests"]
    assert [row[0] for row in tests] == ["phinta", "jepa", "ut", "all"]
    assert [row[4] for row in tests] == ["0.98", "0.12", "0.61", "0.0037"]
    assert [float(row[5]) for row in tests] == pytest.approx(
        [test["p_holm"] for test in sealed], rel=0.05
    )
    assert [row[6] for row in tests] == ["no", "no", "no", "yes"]
    assert len(tables["Runs"]) == 15
    page = record_page(root, root / STUDY)
    assert page.count("<svg") == 5  # the plan's plot; loss, learning rates, val_loss and val_bpb
    assert "jepa/1597" not in page.split("<h2>In its")[0].replace("runs/jepa/1597", "")


def test_an_incomplete_grid_shows_what_is_missing_and_no_test(copy):
    edit(copy, lambda facts: facts["runs"].pop())
    tables = {table.title: table.rows for table in study_tables(read_record(copy))}
    assert tables["roundtrip_val_bpb against baseline, paired by seed"] == []
    assert next(row for row in tables["Runs"] if row[2] == "no run")[:2] == ("all", "4181")
    assert study_pictures(read_record(copy)) == []


def test_a_record_of_one_run_has_no_such_tables(root):
    assert study_tables(read_record(root / SINGLE)) == []
    assert study_pictures(read_record(root / SINGLE)) == []


def test_claims_are_listed_with_the_record_that_they_rest_on(root):
    rows = claims_on(root, root / SINGLE).rows
    mine = [row for row in rows if row[0].startswith("README.md:")]
    assert any(row[1:5] == ("300", "value", "300", "record.json#/knobs/ITERATIONS") for row in mine)
    assert {row[-1] for row in rows} == {"yes"}


def test_a_record_outside_a_repository_has_no_claims(copy):
    assert not claims_on(copy.parent, copy).rows


def test_seeds_of_a_configuration_share_a_colour_and_one_place_in_the_legend():
    points = [(1, 1.0), (2, 5.0)]
    curves = [Curve(f"{c}/{s}", "x", points, c) for c in ("a", "b") for s in (1, 2)]
    svg = draw("x", curves)
    assert svg.count(">a<") == svg.count(">b<") == 1
    assert "a/1" not in svg


def test_equal_gains_are_said_to_allow_no_test_and_have_no_bar(root):
    plan = read_plan(root / STUDY / "plan.toml").main
    base = {1597: 0.34, 2584: 0.57, 4181: 0.66}
    found = {
        cell: {plan.analysis["primary"]: base[cell.seed] + (cell.configuration == "all") / 100}
        for cell in plan.cells()
    }
    tests = computed(plan, found)
    row = comparisons("", plan, tests).rows[-1]
    assert row[0] == "all"
    assert row[2:] == ("0", *["not defined"] * 3, "no spread: cannot test")
    assert b"svg" in draw_study(plan, found, tests)


def test_a_deviation_that_is_rounding_is_shown_as_0():
    assert deviation({"mean": 0.3, "sd": 5.6e-17}) == "0"
    assert deviation({"mean": 0.3, "sd": 5.6e-7}) == "5.6e-07"


# -- in a browser --------------------------------------------------------------------------------


def test_a_browser_shows_the_study_in_silence_and_sorts_its_runs(open_page, root):
    tab, said = open_page(record_page(root, root / STUDY), viewport={"width": 360, "height": 700})
    tab.locator("summary", has_text="Runs").click()
    table = tab.get_by_role("region", name="Runs")
    table.get_by_role("button", name="roundtrip_val_bpb").click()
    values = table.locator("tbody td:nth-child(4)").all_text_contents()
    assert [float(value) for value in values] == sorted(float(value) for value in values)
    assert tab.locator("svg[role=img]").count() == 5
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert said == []


def test_a_folder_of_strangers_records_gets_the_page_of_its_audit(open_page, tmp_path):
    folder = tmp_path / "theirs" / "2026-01-01_Run"
    folder.mkdir(parents=True)
    (folder / "submission.json").write_text('{"val_bpb": 1.5, "name": "<script>alert(1)</script>"}')
    (folder / "train.log").write_text("seed:1\nfinal_int8_zlib_roundtrip val_loss:2 val_bpb:1.25\n")
    tab, said = open_page(page_on(folder.parent))
    assert tab.locator("h1").text_content() == "Audit of 1 records"
    assert "mismatch" in tab.locator("table").first.text_content()
    assert said == []


def test_only_our_records_are_compared(tmp_path):
    with pytest.raises(UsageError, match=r"compares records with a record\.json"):
        page_on(tmp_path, "other")
