"""Seed tables in other shapes: HTML, seeds beside each other, seeds in words, extremes."""

import pytest

from goldenseal.audit.model import Outcome
from tests.verify.audit.conftest import kinds

CELLS = [("1337", "1.14597", "15,862,650"), ("42", "1.14656", "15,917,304")]
THIRD = ("7", "1.14492", "15,944,907")
ROWS = [*CELLS, THIRD]


def html(rows):
    lines = ["<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows]
    head = "<tr><th>Seed</th><th><b>val_bpb</b></th><th>Artifact</th></tr>"
    return "\n".join(["<table>", head, *lines, "</table>"])


def without_end_tags(rows):
    return "<table><tr><th>Seed<th>val_bpb<th>Artifact\n" + "\n".join(
        "<tr>" + "".join(f"<td>{c}" for c in row) for row in rows
    )


def markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def beside(rows):
    header = ["Metric", *(row[0] for row in rows)]
    body = [["val_bpb", *(r[1] for r in rows)], ["Artifact", *(r[2] for r in rows)]]
    return markdown(header, body)


def in_words(rows):
    return markdown(["Run", "val_bpb", "Artifact"], [(f"seed {s}", b, a) for s, b, a in rows])


def spaced(rows):
    header = ["Random seed", "val_bpb", "Artifact"]
    return markdown(header, [(s, f"_{b}_", a.replace(",", " ")) for s, b, a in rows])


SHAPES = [html, lambda rows: without_end_tags(rows) + "</table>", beside, in_words, spaced]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_of_any_shape_is_read(golf, shape):
    golf.readme = f"# A record (mean val_bpb 1.1458)\n\n{shape(ROWS)}\n"
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert sum("of seed" in line and "README" in line for line in verdict.confirmed) >= 6


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_cell_is_found_in_any_shape(golf, shape):
    swapped = [("1337", "1.14656", "15,862,650"), ("42", "1.14597", "15,917,304"), THIRD]
    golf.readme = f"# A record (mean val_bpb 1.1458)\n\n{shape(swapped)}\n"
    assert kinds(golf.audit()) == {"seed-swapped"}


def test_whole_numbers_that_are_no_seeds_of_these_logs_are_none(golf):
    golf.readme += "\n" + markdown(["Metric", "64", "128"], [["val_bpb", "1.1399", "1.1401"]])
    golf.readme += "\n\n" + markdown(["Run", "val_bpb"], [["1", "1.1399"], ["2", "1.1401"]])
    assert golf.audit().outcome is Outcome.CONSISTENT


@pytest.mark.parametrize(
    ("label", "value", "found"),
    [
        ("Max", "15,944,907", set()),
        ("Max", "15,917,304", {"readme-mean"}),
        ("Min", "15,862,650", set()),
        ("Mean", "15,908,287", set()),
        ("Mean", "15,908,827", {"readme-mean"}),
    ],
)
def test_extremes_and_means_of_bytes(golf, label, value, found):
    rows = [*ROWS, (label, "", value)]
    golf.readme = "# A record (mean val_bpb 1.1458)\n\n"
    golf.readme += markdown(["Seed", "val_bpb", "Artifact"], rows) + "\n"
    assert kinds(golf.audit()) == found


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("| Training (~7,385 steps @ 81ms) | 600s |", set()),
        ("| Training (~7,385 steps @ 71ms) | 600s |", {"readme-steps"}),
        ("| Training | 600.0s |", set()),
        ("| Training | 582.3s |", {"readme-train"}),
    ],
)
def test_a_table_of_phases(golf, row, found):
    golf.readme += f"\n## Timing\n\n| Phase | Time |\n|---|---|\n{row}\n"
    assert kinds(golf.audit()) == found


def test_a_power_of_ten_with_raised_digits(golf):
    line = "One-sample t-test against 1.1593: t = -28.05, p = 6.3 × 10⁻⁴ (one-sided)."
    golf.readme += f"\n{line}\n"
    assert golf.audit().outcome is Outcome.CONSISTENT
    golf.readme = golf.readme.replace("6.3 ×", "9.3 ×")
    assert "test" in kinds(golf.audit())
