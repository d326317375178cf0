"""pytest tests/verify/report — the page on a record, its curves, and the page in a real browser."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from goldenseal.errors import UsageError
from goldenseal.records.seal import seal
from goldenseal.report.curves import draw, is_telling, pictures, series, thinned
from goldenseal.report.page import flat, record_page
from goldenseal.runlog import RunLog

README = """# Toy

<script>alert(1)</script> ![x](https://example.org/x.png) [y](javascript:alert(1))

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.fixture
def measured(record):
    """A sealed record with a longer log and more in it."""
    log = RunLog(record / "train.jsonl", {"seed": "7", "numeric_class": {"cpu": "x"}})
    for step in range(1, 13):
        facts = {"step": step, "loss": (8.0 / step).hex(), "lr": {"a": 0.5 / step, "b": 1.0 / step}}
        log.write("step", facts, clock={"train_ms": step * step})
    log.end({"steps": 12})
    facts = json.loads((record / "record.json").read_text())
    facts |= {"knobs": {f"KNOB_{i}": str(i) for i in (2, 10, 1)}, "results": {"loss": 0.5}}
    (record / "record.json").write_text(json.dumps(facts))
    (record / "README.md").write_text(README)
    seal(record)
    return record


@pytest.fixture
def page(measured):
    return record_page(measured.parents[2], measured)


def test_the_page_shows_identity_verdict_knobs_results_and_files(page, measured):
    assert "intact: 6 files are as they were sealed" in page
    for words in ("KNOB_10", "measured", "Numeric class", "SHA-512", "notes/one.txt"):
        assert (words in page) == (words != "Numeric class"), words
    assert seal(measured).identity in page


def test_the_page_loads_nothing_and_runs_nothing_of_the_record(page):
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"src\s*=|href\s*=\s*[\"']?javascript", page)
    assert "default-src 'none'" in page


def test_the_same_record_gives_the_same_bytes(page, measured):
    code = (
        "import sys; from pathlib import Path; from goldenseal.report.page import record_page\n"
        "p = Path(sys.argv[1]); sys.stdout.write(record_page(p.parents[2], p))"
    )
    again = subprocess.run(
        [sys.executable, "-c", code, str(measured)], capture_output=True, text=True, check=True
    ).stdout
    assert again == page


def test_a_broken_record_says_so_on_top(measured):
    (measured / "notes" / "one.txt").write_text("two\n")
    page = record_page(measured.parents[2], measured)
    assert "BROKEN: 1 findings" in page
    assert "notes/one.txt changed: sealed" in page


def test_an_unsealed_folder_is_not_called_intact(record):
    page = record_page(record.parents[2], record)
    assert "not sealed" in page
    assert "intact" not in page


def test_two_records_are_compared(measured):
    page = record_page(measured.parents[2], measured, str(measured / "train.jsonl"))
    assert "Difference to run" in page


def test_a_folder_that_is_no_record_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"record\.json is missing"):
        record_page(tmp_path, tmp_path)


def test_a_p_has_two_digits_and_lists_have_six():
    facts = {"a": {"p": 0.0123456789, "p_holm": 1e-9, "ppl": 0.0123456789, "list": [1 / 3, 2]}}
    assert flat(facts) == [
        ("a.list", "0.333333, 2"),
        ("a.p", "0.012"),
        ("a.p_holm", "< 0.001"),
        ("a.ppl", "0.0123456789"),
    ]


# -- curves --------------------------------------------------------------------------------------


def lines(**values):
    count = len(next(iter(values.values())))
    return [
        {"kind": "step", "step": i + 1, **{k: v[i] for k, v in values.items()}}
        for i in range(count)
    ]


def test_every_telling_number_becomes_a_curve_and_groups_share_a_picture():
    log = lines(
        loss=[(4.0).hex(), (2.5).hex(), (2.0).hex()],
        lr=[{"a": 1, "b": 3}, {"a": 2, "b": 2}, {"a": 2, "b": 1}],
        tokens=[8, 16, 24],
        same=[1, 1, 1],
        text=["x", "y", "z"],
        bad=["nan", "inf", "nan"],
    )
    assert set(pictures({"seed 1": log})) == {"step: loss", "step: lr"}
    assert set(series(log)) == {("step", "loss"), ("step", "lr.a"), ("step", "lr.b")}


def test_several_runs_share_a_picture_with_a_legend():
    logs = {f"seed {n}": lines(loss=[4.0, 2.5, 2.0 / n]) for n in (1, 2)}
    (svg,) = pictures(logs).values()
    assert "seed 1" in svg
    assert "seed 2" in svg


@pytest.mark.parametrize(
    "key",
    ["elapsed", "time", "wall_time", "step_ms", "tokens_per_second", "train_time_s", "throughput",
     "timestamp", "eta", "clock"],
)  # fmt: skip
def test_a_clock_is_no_curve(key):
    log = lines(**{"loss": [4.0, 2.5, 2.0], key: [1.0, 2.25, 3.5]})
    log = [{**line, "clock": {"train_ms": line["step"] ** 2, "joules": 3.0}} for line in log]
    assert set(pictures({"seed 1": log})) == {"step: loss"}


@pytest.mark.parametrize("key", ["lr", "tttloss", "momentum", "grad_norm", "timestep_embedding"])
def test_other_numbers_are_still_curves(key):
    assert set(pictures({"seed 1": lines(**{key: [1.0, 2.25, 3.5]})})) == {f"step: {key}"}


def entries(svg):
    """The words of a picture."""
    return [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


def test_curves_that_are_alike_are_one_with_one_name():
    rates = {f"group{n}": [0.1, 0.2, 0.1] for n in range(15)}
    log = lines(lr=[{name: rate[i] for name, rate in rates.items()} for i in range(3)])
    (svg,) = pictures({f"{c}/{s}": log for c in "abcde" for s in (1, 2, 3)}).values()
    assert not [text for text in entries(svg) if "group" in text or "/" in text]
    (svg,) = pictures(
        {c: lines(lr=[{"x": i * i, "y": 5 - i * i} for i in (1, 2, 3)]) for c in "abcde"}
    ).values()
    assert [text for text in entries(svg) if text in ("x", "y")] == ["x", "y"]


def test_curves_that_some_runs_share_are_named_after_those():
    logs = {name: lines(loss=[4.0, 2.5, end]) for name, end in [("a", 1), ("b", 1), ("c", 2)]}
    (svg,) = pictures(logs).values()
    assert [text for text in entries(svg) if text[0] in "abc"] == ["a, b", "c"]


def test_more_curves_than_a_legend_can_tell_apart_are_summed_up():
    rates = [{f"group{n}": (i + 1) ** 2 / (n + 1) for n in range(15)} for i in range(3)]
    (svg,) = pictures({"seed 1": lines(lr=rates)}).values()
    words = entries(svg)
    assert not [text for text in words if text.startswith("group")]
    assert {"15 curves", "their median"} <= set(words)
    few = [{f"group{n}": (i + 1) ** 2 / (n + 1) for n in range(10)} for i in range(3)]
    (svg,) = pictures({"seed 1": lines(lr=few)}).values()
    assert len([text for text in entries(svg) if text.startswith("group")]) == 10


def test_a_multiple_of_the_step_tells_nothing():
    assert not is_telling([(1, 3.0), (2, 6.0), (4, 12.0)])
    assert not is_telling([(1, 3.0)])
    assert is_telling([(1, 3.0), (2, 5.0)])
    assert is_telling([(0, 3.0), (300, 2.0)])


def test_a_long_curve_is_thinned_and_keeps_its_end():
    points = [(i, float(i * i)) for i in range(100_001)]
    few = thinned(points)
    assert len(few) <= 2001
    assert (few[0], few[-1]) == (points[0], points[-1])


def test_a_picture_is_well_formed_has_a_name_and_follows_the_text_colour():
    from goldenseal.report.curves import Curve

    svg = draw('a "<b>"', [Curve("x", "x", [(1, 1.0), (2, 5.0)])])
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'a "<b>" over steps'
    assert "currentColor" in svg
    assert "#0f1e2d" not in svg


# -- in a browser --------------------------------------------------------------------------------


def test_a_browser_loads_it_in_silence_sorts_its_tables_and_shows_its_plots(open_page, page):
    tab, said = open_page(page)
    assert said == []
    assert tab.locator("svg[role=img]").count() == 2
    assert all(
        box["width"] > 100
        for box in (svg.bounding_box() for svg in tab.locator("svg[role=img]").all())
    )
    tab.locator("summary", has_text="Knobs").click()
    table = tab.get_by_role("region", name="Knobs")
    values = lambda: table.locator("tbody td:nth-child(2)").all_text_contents()  # noqa: E731
    table.get_by_role("button", name="value").click()
    assert values() == ["1", "2", "10"]
    table.get_by_role("button", name="value").press("Enter")
    assert values() == ["10", "2", "1"]
    assert said == []


def test_the_keyboard_reaches_every_table_and_section(open_page, page):
    tab, _ = open_page(page)
    reached = set()
    for _ in range(30):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.tagName"))
    assert {"BUTTON", "SUMMARY"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_both_colour_schemes_can_be_read(open_page, page, scheme):
    tab, said = open_page(page, color_scheme=scheme, viewport={"width": 360, "height": 700})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    style = "getComputedStyle(document.body)"
    ink, paper = (
        sum(map(int, re.findall(r"\d+", tab.evaluate(f"{style}.{name}"))[:3]))
        for name in ("color", "backgroundColor")
    )
    assert (ink < paper) == (scheme == "light")
    assert abs(ink - paper) > 500
    assert said == []
