"""pytest tests/verify/test_record.py — record.json, the run log, canonical JSON, statements."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.conftest import RECORD, write_log
from verify import canonical
from verify.check import resolve
from verify.errors import ContradictedError, UsageError
from verify.record import read_record
from verify.runlog import deterministic_digest, read_run_log
from verify.seal import seal
from verify.statement import SEAL_PREDICATE, read_statement

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@given(json_values)
def test_canonical_json_reads_back_and_is_a_fixed_point(value):
    data = canonical.dumps(value)
    assert canonical.dumps(canonical.loads(data, "x")) == data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a":1,"a":2}', "'a' is given twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[Infinity]", "Infinity"),
        (b"[1e999999]", "beyond the doubles"),
        (b"[" * 100 + b"]" * 100, "nested deeper"),
        (b"9" * 5000, "a number of 5000 digits"),
        (b"\xff", "utf-8"),
        (b'{"a":', "Expecting value"),
        (b"", "Expecting value"),
    ],
)
def test_json_of_strangers_is_refused_in_one_line(text, words):
    with pytest.raises(UsageError) as caught:
        canonical.loads(text, "where.json")
    assert str(caught.value).startswith("where.json: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "great"}, "expected one of"),
        ({"schema": 2}, "only schema 1 is known"),
        ({"seeds": "7"}, "`seeds` must be a list"),
        ({"seeds": [7, 8]}, "seed 8 is listed, but `logs` names no log of it"),
        ({"seeds": [7, 7]}, "listed twice"),
        ({"seeds": []}, "a measured record lists its seeds"),
        ({"logs": {"7": "absent.jsonl"}}, "seed 7 is listed"),
        ({"status": "proposal"}, "a proposal record holds no `results`"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"name": None}, "`name` must be a str"),
    ],
)
def test_a_record_that_claims_too_much_is_refused(record, change, words):
    facts = RECORD | {"logs": {"7": "train.jsonl"}, "results": {}} | change
    (record / "record.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=r"record\.json") as caught:
        read_record(record)
    assert words in str(caught.value)


def test_a_log_of_another_seed_does_not_stand_for_the_one_listed(record):
    write_log(record / "train.jsonl", seed=8)
    with pytest.raises(UsageError, match="its header says seed '8'"):
        seal(record)


def test_a_log_reads_back_and_its_digest_ignores_the_clock(tmp_path):
    from verify.runlog import RunLog

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
    "document",
    [
        [],
        {"_type": "x"},
        {"_type": "https://in-toto.io/Statement/v1", "predicateType": "y"},
        {"_type": "https://in-toto.io/Statement/v1", "predicateType": SEAL_PREDICATE},
        {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": SEAL_PREDICATE,
            "predicate": {},
            "subject": [{"name": "../x", "digest": {"sha512": "0" * 128}}],
        },
        {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": SEAL_PREDICATE,
            "predicate": {},
            "subject": [{"name": "x", "digest": {"sha256": "0" * 64}}],
        },
    ],
)
def test_what_is_no_statement_is_refused(tmp_path, document):
    path = tmp_path / "seal.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=r"seal\.json"):
        read_statement(path, SEAL_PREDICATE)


def test_a_prefix_names_a_record_or_says_which_there_are(record, tmp_path):
    identity = seal(record).identity
    assert resolve(tmp_path, identity[:6])[1] == identity
    for prefix, words in (
        ("", "expected lower-case hex"),
        ("XYZ", "expected lower-case hex"),
        ("0" * 20, identity[:12]),
    ):
        with pytest.raises(UsageError, match=words):
            resolve(tmp_path, prefix)
