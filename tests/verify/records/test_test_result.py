"""pytest tests/verify/records/test_test_result.py

The verdict in the shape that in-toto has for results of tests, by in-toto's own library.
"""

import json

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from goldenseal.records.statement import TEST_PREDICATE
from goldenseal.records.verdict import PATH, TEST_RESULT, read_verdict
from goldenseal.result import Verdict

GATES = ["toy: loss and gradients", "theorems"]


def parsed(root):
    """(the Statement, its predicate) as in-toto's published layouts have them."""
    text = (root / TEST_RESULT).read_text()
    message = json_format.Parse(text, statement_pb2.Statement(), ignore_unknown_fields=False)
    Statement.copy_from_pb(message).validate()
    predicate = json.dumps(json.loads(text)["predicate"])
    result = json_format.Parse(predicate, test_result_pb2.TestResult())
    return message, result


@pytest.mark.parametrize(
    ("verdicts", "result", "lists"),
    [
        ([Verdict.PASS, Verdict.PASS], "PASSED", (GATES, [], [])),
        ([Verdict.PASS, Verdict.NOT_RUN], "WARNED", (GATES[:1], GATES[1:], [])),
        ([Verdict.FAIL, Verdict.PASS], "FAILED", (GATES[1:], [], GATES[:1])),
        ([Verdict.FAIL, Verdict.NOT_RUN], "FAILED", ([], GATES[1:], GATES[:1])),
    ],
)
def test_the_gates_are_listed_by_what_they_said(verified, verdicts, result, lists):
    verified.write_verdict(*verdicts)
    statement, told = parsed(verified.root)
    assert statement.predicate_type == TEST_PREDICATE
    assert told.result == result
    found = (list(told.passed_tests), list(told.warned_tests), list(told.failed_tests))
    assert found == lists
    assert told.configuration[0].uri == "urn:goldenseal:gates:1"


def test_its_subjects_are_those_of_the_verification_summary(verified):
    statement, told = parsed(verified.root)
    summary = json.loads((verified.root / ".goldenseal" / "verdict.json").read_text())
    assert {s.name: dict(s.digest) for s in statement.subject} == {
        s["name"]: s["digest"] for s in summary["subject"]
    }
    assert read_verdict(verified.root / PATH).predicate["verificationResult"] == told.result
