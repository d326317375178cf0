"""pytest tests/verify/records/test_statement.py

In-toto Statements, and what only looks like one.
"""

import hashlib
import json

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from goldenseal.errors import UsageError
from goldenseal.records.seal import seal
from goldenseal.records.statement import (
    SEAL_PREDICATE,
    STATEMENT_TYPE,
    parse,
    read_statement,
    statement,
)

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


def test_a_statement_may_give_the_sha256_of_each_subject_beside_its_sha512():
    digests, short = {"b": "1" * 128, "a": "2" * 128}, {"a": "3" * 64, "b": "4" * 64}
    document = statement(digests, SEAL_PREDICATE, {}, short)
    assert parse(document, SEAL_PREDICATE, "here") == (digests, {}, short)
    assert parse(statement(digests, SEAL_PREDICATE, {}), SEAL_PREDICATE, "here").sha256 == {}


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
        {"subject": [{"name": "x", "digest": SUBJECT["digest"] | {"sha256": "0" * 63}}]},
        {"subject": [{"name": "x", "digest": SUBJECT["digest"] | {"sha256": None}}]},
        {"subject": [SUBJECT, {"name": "y", "digest": SUBJECT["digest"] | {"sha256": "0" * 64}}]},
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


def parse_as_in_toto(text):
    """The Statement by in-toto's own library, from its published protobuf layout."""
    message = json_format.Parse(text, statement_pb2.Statement(), ignore_unknown_fields=False)
    parsed = Statement.copy_from_pb(message)
    parsed.validate()
    return parsed.pb


def test_an_independent_parser_of_the_published_layout_reads_the_same_from_a_seal(record):
    seal(record)
    parsed = parse_as_in_toto((record / "seal.json").read_text())
    digests, predicate = read_statement(record / "seal.json", SEAL_PREDICATE)
    assert parsed.type == STATEMENT_TYPE
    assert parsed.predicate_type == SEAL_PREDICATE
    assert {s.name: s.digest["sha512"] for s in parsed.subject} == digests
    for subject in parsed.subject:
        data = (record / subject.name).read_bytes()
        assert dict(subject.digest) == {
            "sha512": hashlib.sha512(data).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    assert json_format.MessageToDict(parsed.predicate) == predicate


def test_every_sealed_record_and_fixture_is_in_the_published_layout(root):
    paths = [*root.glob("records/*/*/seal.json"), *root.glob("tests/fixtures/sealed/*/seal.json")]
    assert len(paths) >= 2
    for path in paths:
        parsed = parse_as_in_toto(path.read_text())
        assert {s.name for s in parsed.subject} == set(read_statement(path, SEAL_PREDICATE)[0])


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "x"}]},
        {"subject": [SUBJECT | {"sha512": "0" * 128}]},
        {"predicate": []},
        {"signature": "x"},
    ],
)
def test_the_independent_parser_is_not_content_with_anything(change):
    parse_as_in_toto(json.dumps(GOOD | {"predicate": {"x": 1}}))
    with pytest.raises((json_format.ParseError, ValueError)):
        parse_as_in_toto(json.dumps(GOOD | {"predicate": {"x": 1}} | change))
