"""pytest tests/verify/test_runlog.py — an edit of a log is found at its line."""

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.errors import ContradictedError, UsageError
from goldenseal.runlog import RunLog, deterministic_digest, read_run_log, run_log_lines
from tests.verify.conftest import write_log


def test_a_log_reads_back_and_its_digest_ignores_the_clock(tmp_path):
    digests = []
    for clock in ({"ms": 1}, {"ms": 2}):
        log = RunLog(tmp_path / "a.jsonl", {"seed": "1"})
        log.write("step", {"step": 1, "loss": (0.5).hex()}, clock=clock)
        log.end({}, clock=clock)
        lines = read_run_log(tmp_path / "a.jsonl")
        assert [line["kind"] for line in lines] == ["header", "step", "end"]
        assert lines[1]["clock"] == clock
        digests.append(deterministic_digest(lines))
    assert digests[0] == digests[1]


@given(line=st.integers(0, 4), cut=st.integers(1, 60))
def test_any_edit_of_a_log_names_the_first_line_that_was_touched(tmp_path_factory, line, cut):
    path = tmp_path_factory.mktemp("log") / "train.jsonl"
    write_log(path)
    lines = path.read_bytes().split(b"\n")
    text = lines[line]
    place = cut % (len(text) - 140)
    lines[line] = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises((ContradictedError, UsageError), match=rf"train.jsonl:{line + 1}"):
        read_run_log(path)


def test_a_log_that_was_cut_short_is_recognised(tmp_path):
    path = tmp_path / "train.jsonl"
    write_log(path)
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:-2]) + b"\n")
    with pytest.raises(ContradictedError, match="cut short"):
        read_run_log(path)
    assert len(read_run_log(path, complete=False)) == 4


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda lines: [*lines, b'{"kind":"step"}'], ":6: the log goes on after its `end` line"),
        (lambda lines: [*lines[:4], lines[4][:40]], ":5: Unterminated string"),
        (lambda lines: lines[1:], ":1: the chain breaks here"),
        (lambda lines: [lines[0], *lines[2:]], ":2: the chain breaks here"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], ":2: the chain breaks here"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], ":2: the chain breaks here"),
        (lambda lines: [lines[0].replace(b",", b", "), *lines[1:]], ":1: the chain breaks here"),
        (lambda lines: [lines[0], b"[]", *lines[1:]], ":2: not a JSON object with a `kind`"),
        (lambda lines: [b'{"kind":1}', *lines[1:]], ":1: not a JSON object with a `kind`"),
        (lambda lines: [b'{"kind":"header"}', *lines[1:]], ":1: the chain breaks here"),
        (lambda lines: [b'{"chain":7,"kind":"header"}'], ":1: the chain breaks here"),
        (lambda lines: [b'{"chain":["x"],"kind":"header"}'], ":1: the chain breaks here"),
        (lambda lines: [b'{"kind":"\\ud800"}'], ":1: "),
        (lambda lines: [b""], ":1: "),
        (lambda lines: [b"x" * 2_000_000], ":1: a line of more than"),
    ],
)
def test_a_log_that_was_tampered_with_is_refused_at_its_line(tmp_path, edit, words):
    path = tmp_path / "train.jsonl"
    write_log(path)
    lines = edit(path.read_bytes().splitlines())
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.raises((ContradictedError, UsageError)) as caught:
        read_run_log(path)
    assert str(caught.value).startswith(f"train.jsonl{words}")
    assert "\n" not in str(caught.value)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_log_cut_at_any_byte_is_recognised_and_its_whole_lines_can_be_read(
    tmp_path_factory, place
):
    path = tmp_path_factory.mktemp("log") / "train.jsonl"
    write_log(path)
    data = path.read_bytes()
    kept = data[: place % len(data)]
    path.write_bytes(kept)
    with pytest.raises(ContradictedError, match=r"cut short|is empty"):
        read_run_log(path)
    if b"\n" in kept:
        assert len(read_run_log(path, complete=False)) == kept.count(b"\n")


def test_an_empty_log_has_no_header(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"")
    for complete in (True, False):
        with pytest.raises(ContradictedError, match="no header"):
            read_run_log(path, complete)


def test_a_chain_of_other_lines_than_a_header_first_is_refused(tmp_path, monkeypatch):
    log = RunLog.__new__(RunLog)
    log._file, log._chain = open(tmp_path / "train.jsonl", "wb", buffering=0), bytes(64)
    log.write("step", {"step": 1})
    log.end({})
    with pytest.raises(ContradictedError, match="the first line is not a header"):
        read_run_log(tmp_path / "train.jsonl")


def test_a_log_that_is_a_pipe_or_a_link_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link"):
        with pytest.raises(UsageError, match=r"not a regular file|cannot be read"):
            read_run_log(tmp_path / name)


def test_lines_are_given_out_before_the_whole_log_is_read(tmp_path):
    path = tmp_path / "train.jsonl"
    write_log(path)
    path.write_bytes(path.read_bytes() + b"nonsense\n")
    lines = run_log_lines(path)
    assert [next(lines)["kind"] for _ in range(5)] == ["header", "step", "step", "step", "end"]
    with pytest.raises(ContradictedError, match="goes on after"):
        next(lines)


def test_floats_as_hex_come_back_to_the_last_bit(tmp_path):
    log = RunLog(tmp_path / "train.jsonl", {})
    log.write("step", {"loss": (0.1 + 0.2).hex()})
    log.end({})
    assert float.fromhex(read_run_log(tmp_path / "train.jsonl")[1]["loss"]) == 0.1 + 0.2


def test_every_line_has_reached_the_file_when_it_is_written(tmp_path):
    log = RunLog(tmp_path / "train.jsonl", {"seed": "1"})
    log.write("step", {"step": 1})
    assert [
        json.loads(line)["kind"] for line in (tmp_path / "train.jsonl").read_text().splitlines()
    ] == [
        "header",
        "step",
    ]
    log.end({})


def test_a_line_costs_a_small_fraction_of_a_millisecond(tmp_path):
    log = RunLog(tmp_path / "train.jsonl", {"seed": "1"})
    facts = {"step": 1, "loss": (0.1).hex(), "lr": {g: (0.1).hex() for g in "abcd"}, "tokens": 9}
    times = []
    for _ in range(200):
        start = time.process_time()
        log.write("step", facts, clock={"train_ms": 1.5})
        times.append(time.process_time() - start)
    log.end({})
    assert sorted(times)[len(times) // 2] < 0.5e-3


def test_a_log_is_cut_back_and_continued_with_a_chain_that_holds(tmp_path):
    path = tmp_path / "log.jsonl"
    log = RunLog(path, {"seed": "1"})
    log.write("step", {"step": 1})
    size = log.sync()
    log.write("step", {"step": 2})
    whole = path.read_bytes()
    log.end({})
    path.write_bytes(whole + b'{"half a li')
    log = RunLog.resume(path, size)
    assert path.stat().st_size == size
    log.write("step", {"step": 2})
    assert path.read_bytes() == whole
    log.end({})
    assert [line.get("step") for line in read_run_log(path)] == [None, 1, 2, None]


@pytest.mark.parametrize("wrong", ["shorter", "within a line", "edited"])
def test_a_log_that_is_not_what_was_kept_is_not_continued(tmp_path, wrong):
    path = tmp_path / "log.jsonl"
    log = RunLog(path, {"seed": "1"})
    log.write("step", {"step": 1})
    size = log.sync()
    before = path.read_bytes()
    log.end({})
    if wrong == "edited":
        before = before.replace(b'"step":1', b'"step":2')
    path.write_bytes(before)
    size += {"shorter": 1, "within a line": -1, "edited": 0}[wrong]
    with pytest.raises(ContradictedError, match=r"log\.jsonl"):
        RunLog.resume(path, size)
    assert path.read_bytes() == before
