"""pytest tests/verify/reproduce/test_explain.py — every planted cause of a difference is named."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.compare.difference import ulps
from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from goldenseal.records.check import resolve
from goldenseal.records.seal import seal
from goldenseal.reproduce.explain import explain
from tests.verify.conftest import write_log

KNOBS = {"SEED": "7", "DEPTH": "4"}
CLASS = {"threads": 1, "torch": "2.13.0", "build": "a" * 128}


@pytest.fixture
def runs(tmp_path):
    """runs(**header): two logs, the second with another header or length."""

    def runs(steps=3, **header):
        a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
        write_log(a, knobs=KNOBS, numeric_class=CLASS)
        write_log(b, steps=steps, **{"knobs": KNOBS, "numeric_class": CLASS, **header})
        return str(a), str(b)

    return runs


def differences(root, pair):
    return explain(root, *pair).differences


def test_two_equal_runs_differ_in_nothing(tmp_path, runs):
    found = explain(tmp_path, *runs())
    assert (found.differences, found.exit_code) == ({}, 0)
    assert found.equal == ["knobs", "numeric class", "seeds", "log"]


def test_another_seed_is_named(tmp_path, runs):
    found = differences(tmp_path, runs(seed=8, knobs={**KNOBS, "SEED": "8"}))
    assert found == {"knobs": ["SEED is 8, in A 7"], "seeds": ['is ["8"], in A ["7"]']}


def test_one_changed_default_is_named(tmp_path, runs):
    found = differences(tmp_path, runs(knobs={**KNOBS, "DEPTH": "5"}))
    assert found == {"knobs": ["DEPTH is 5, in A 4"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threads": 2}, "threads is 2, in A 1"),
        ({"torch": "2.14.0"}, "torch is 2.14.0, in A 2.13.0"),
        ({"build": "b" * 128}, f"build is {'b' * 16}…, in A {'a' * 16}…"),
    ],
)
def test_another_thread_count_or_build_is_named(tmp_path, runs, change, words):
    found = differences(tmp_path, runs(numeric_class={**CLASS, **change}))
    assert found == {"numeric class": [words]}


def test_a_longer_run_is_named(tmp_path, runs):
    found = differences(tmp_path, runs(steps=4))
    assert found["log"][0].startswith("end: ")  # where the shorter one ended


def test_an_edited_log_line_is_named_by_its_number(tmp_path, runs):
    a, b = runs()
    path = Path(b)
    path.write_text(path.read_text().replace((0.5).hex(), (0.25).hex()))
    with pytest.raises(ContradictedError, match=r"b\.jsonl:3: the chain breaks here"):
        explain(tmp_path, a, b)


def test_a_record_its_log_and_its_seal_are_the_same_run(record):
    seal(record)
    root = record.parents[2]
    for name in ("train.jsonl", "seal.json"):
        found = explain(root, str(record), str(record / name))
        assert set(found.differences) <= {"files"}, found


def test_the_beginning_of_a_digest_finds_records_and_their_files(toy, record, monkeypatch):
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    folder.parent.mkdir(parents=True)
    record.rename(folder)
    identity = seal(folder).identity
    assert resolve(toy.root, identity[:6])[1] == identity
    sums = dict(
        reversed(line.split("  ")) for line in (folder / "SHA512SUMS").read_text().split("\n")[:-1]
    )
    found = explain(toy.root, identity[:8], sums["train.jsonl"][:8])
    assert (found.a, found.equal) == ("record 2026-01-02_Toy", ["seeds", "log"])
    with pytest.raises(UsageError, match="nothing here has a digest beginning with"):
        explain(toy.root, "0000", identity)
    with pytest.raises(CannotCheckError, match="nothing in common"):
        explain(toy.root, sums["train.jsonl"][:8], sums["README.md"][:8])
    monkeypatch.setattr("goldenseal.reproduce.explain.read_run_log", None)
    readme = sums["README.md"][:8]  # no log is read to find what is none: one may be of days
    assert explain(toy.root, readme, readme).equal == ["files"]


@pytest.mark.parametrize("text", ["nowhere", "12", "ABCDEF", ""])
def test_what_is_neither_path_nor_digest_is_one_line(tmp_path, text):
    with pytest.raises(UsageError, match="neither a path here nor"):
        explain(tmp_path, text, text)


def test_a_json_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(canonical.dumps({"a": 1}))
    with pytest.raises(UsageError, match="neither a run log"):
        explain(tmp_path, str(path), str(path))


def test_the_command_prints_one_line_a_difference_and_ends_with_one(root, runs):
    pair = runs(knobs={**KNOBS, "DEPTH": "5"})
    command = [sys.executable, "-m", "goldenseal", "explain", *pair]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert shown.returncode == 1, shown.stderr
    assert "knobs: DEPTH is 5, in A 4" in shown.stdout.splitlines()
    shown = subprocess.run(
        [*command, "--json"], cwd=root, capture_output=True, text=True, check=False
    )
    assert json.loads(shown.stdout)["differences"] == {"knobs": ["DEPTH is 5, in A 4"]}


# -- distances -----------------------------------------------------------------------------------


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 50))
def test_n_steps_of_nextafter_are_n_ulp(x, n):
    y = math.nextafter(x, math.inf, steps=n) if sys.version_info >= (3, 12) else x
    for _ in range(n if sys.version_info < (3, 12) else 0):
        y = math.nextafter(y, math.inf)
    if math.isfinite(y) and "float64" in ulps(x, y):
        assert ulps(x, y) == f", {n} ulp of float64"


def test_values_that_are_float32_are_measured_in_its_ulp():
    assert ulps(1.0, 1.0 + 2.0**-23) == ", 1 ulp of float32"
    assert ulps(1.0, 1.0 + 2.0**-52) == ", 1 ulp of float64"
    assert ulps(-(2.0**-149), 2.0**-149) == ", 2 ulp of float32"
    assert ulps(1.0, math.inf) == ""
