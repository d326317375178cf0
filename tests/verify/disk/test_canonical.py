"""pytest tests/verify/disk/test_canonical.py — canonical JSON, and JSON that strangers wrote."""

import enum
import json
import time

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.disk import canonical
from goldenseal.errors import UsageError

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
def test_canonical_json_reads_back_and_is_a_fixed_point(value):
    data = canonical.dumps(value)
    assert canonical.dumps(canonical.loads(data, "x")) == data


@given(json_values, st.sampled_from([lambda data: data, lambda data: data + b" ", json.loads]))
def test_bytes_are_canonical_when_they_are_what_is_written(value, change):
    data = change(canonical.dumps(value))
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()  # spaces, escapes, 1.0 and 1e-07: another form of it
    read = canonical.loads(data, "x")
    assert canonical.is_canonical(data, read) == (canonical.dumps(read) == data)


class Word(enum.StrEnum):
    ONE = "one"


class Number(enum.IntEnum):
    TWO = 2


odd_values = st.recursive(
    json_values
    | st.integers()
    | st.floats()
    | st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=4)
    | st.sampled_from([Word.ONE, Number.TWO, 2**53 - 1, 2**53, -(2**53), 10**15, -0.0, b"", {1}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(
            st.text("aé\ufffd\U0001f600\x7f", max_size=3)
            | st.sampled_from([1, 1.5, True, None, Word.ONE]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(odd_values)
def test_every_value_is_written_or_refused_as_the_reference_does(value):
    def outcome(dumps):
        try:
            return dumps(value)
        except Exception as error:
            return type(error), str(error)

    assert outcome(canonical.dumps) == outcome(rfc8785.dumps)


def test_the_encoding_is_that_of_rfc_8785():
    value = {"\u20ac": 1e21, "a": [56.0, 1e-7, True, None], "\r": '\u000f"\\/'}
    expected = '{"\\r":"\\u000f\\"\\\\/","a":[56,1e-7,true,null],"\u20ac":1e+21}'
    assert canonical.dumps(value) == expected.encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a":1,"a":2}', "'a' is given twice"),
        (b'[{"b":{"a":1,"\\u0061":2}}]', "'a' is given twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e999999]", "beyond the doubles"),
        (b"[" * 100 + b"]" * 100, "nested deeper"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested deeper"),
        (b"[" * 1_000_000, "nested deeper"),
        (b"9" * 5000, "a number of 5000 digits"),
        (b"1." + b"9" * 5000, "a number of 5002 digits"),
        (b"9" * 400, "beyond the doubles"),
        (b"\xff", "utf-8"),
        (b'"\\ud800"', "surrogates"),
        (b'{"\\uDFFF":1}', "surrogates"),
        (b'{"a":', "Expecting value"),
        (b"{} {}", "Extra data"),
        (b"", "Expecting value"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[" + b" " * canonical.MAX_BYTES + b"]", "are read"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_json_of_strangers_is_refused_in_one_line(text, words):
    with pytest.raises(UsageError) as caught:
        canonical.loads(text, "where.json")
    assert str(caught.value).startswith("where.json: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_brackets_inside_strings_are_no_nesting():
    text = json.dumps({"a": "[" * 500, "b": '\\"' + "{" * 500, "c": ["\\", "["]})
    assert canonical.loads(text.encode(), "x") == json.loads(text)


def test_a_whole_surrogate_pair_is_fine():
    assert canonical.loads(b'"\\ud83d\\ude00"', "x") == "\U0001f600"


@pytest.mark.parametrize(
    "text",
    [
        b"{" + b",".join(b'"%d":1' % i for i in range(100_000)) + b',"99999":1}',
        b'"' + b'\\"' * 1_000_000 + b"[" * 100,
        b'["' + b"\\" * 999_999 + b"[" * 100,
        b"[" * 65 + b'"a",' * 500_000,
    ],
    ids=["late duplicate", "quotes", "backslashes", "strings"],
)
def test_no_text_takes_more_than_linear_time(text):
    start = time.process_time()
    with pytest.raises(UsageError):
        canonical.loads(text, "x")
    assert time.process_time() - start < 5


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_a_value_or_one_error(data):
    try:
        told = canonical.dumps(canonical.loads(data, "x")).decode()
    except UsageError as error:
        told = str(error)
        assert told.startswith("x: ")
    assert "\n" not in told


def test_integers_beyond_the_doubles_are_the_double_they_stand_for():
    assert canonical.loads(b"9007199254740993", "x") == 9007199254740992.0
    assert canonical.loads(b"9007199254740991", "x") == 9007199254740991


def test_a_file_is_read_only_up_to_the_limit(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match=r"huge\.json is larger than"):
        canonical.read(path, "huge.json")
