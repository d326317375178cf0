"""pytest tests/verify/test_statement.py — in-toto Statements, and what only looks like one."""

import json

import pytest

from verify.errors import UsageError
from verify.statement import SEAL_PREDICATE, STATEMENT_TYPE, read_statement, statement

SUBJECT = {"name": "x", "digest": {"sha512": "0" * 128}}
GOOD = {
    "_type": STATEMENT_TYPE,
    "predicateType": SEAL_PREDICATE,
    "predicate": {},
    "subject": [SUBJECT],
}


def test_a_statement_reads_back(tmp_path):
    path = tmp_path / "seal.json"
    digests = {"b/c": "1" * 128, "a": "f" * 128}
    path.write_text(json.dumps(statement(digests, SEAL_PREDICATE, {"x": 1})))
    assert read_statement(path, SEAL_PREDICATE) == (digests, {"x": 1})


def test_subjects_are_sorted_and_carry_only_what_in_toto_defines():
    document = statement({"b": "1" * 128, "a": "2" * 128}, SEAL_PREDICATE, {})
    assert list(document) == ["_type", "subject", "predicateType", "predicate"]
    assert [subject["name"] for subject in document["subject"]] == ["a", "b"]
    assert all(set(subject) == {"name", "digest"} for subject in document["subject"])


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "https://slsa.dev/provenance/v0.2"},
        {"predicate": []},
        {"subject": {}},
        {"subject": [None]},
        {"subject": ["x"]},
        {"subject": [{"name": "x"}]},
        {"subject": [{"name": 1, "digest": SUBJECT["digest"]}]},
        {"subject": [{"name": "x", "digest": []}]},
        {"subject": [{"name": "x", "digest": {"sha512": 0}}]},
        {"subject": [{"name": "x", "digest": {"sha512": "F" * 128}}]},
        {"subject": [SUBJECT, SUBJECT]},
        {"subject": [SUBJECT | {"name": "/x"}]},
    ],
)
def test_what_only_looks_like_a_statement_is_refused(tmp_path, change):
    path = tmp_path / "seal.json"
    path.write_text(json.dumps(GOOD))
    assert read_statement(path, SEAL_PREDICATE)[0] == {"x": "0" * 128}
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(UsageError, match=r"seal\.json") as caught:
        read_statement(path, SEAL_PREDICATE)
    assert "\n" not in str(caught.value)


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
