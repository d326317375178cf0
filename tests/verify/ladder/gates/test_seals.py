"""pytest tests/verify/ladder/gates/test_seals.py

The gate names every record that is not in order.
"""

import shutil

from goldenseal.records.gate import check_seals
from goldenseal.records.seal import seal
from goldenseal.result import Verdict


def test_sealed_and_intact_records_pass_with_their_number(record, tmp_path):
    seal(record)
    result = check_seals(tmp_path)
    assert (result.gate, result.verdict) == ("seals", Verdict.PASS)
    assert result.summary == "1 records, 6 files"


def test_a_record_that_nobody_sealed_fails(record, tmp_path):
    result = check_seals(tmp_path)
    assert result.verdict is Verdict.FAIL
    assert result.findings == ("records/toy/2026-01-02_Toy: not sealed: there is no SHA512SUMS",)


def test_every_broken_record_is_named_and_the_others_are_still_checked(record, tmp_path):
    seal(record)
    for name in ("2026-01-03_B", "2026-01-04_C"):
        shutil.copytree(record, record.parent / name)
        (record.parent / name / "README.md").write_text("changed")
    findings = check_seals(tmp_path).findings
    assert [finding.split(" changed: sealed ")[0] for finding in findings] == [
        "records/toy/2026-01-03_B: README.md",
        "records/toy/2026-01-04_C: README.md",
    ]


def test_a_linked_record_is_a_finding_and_not_passed_over(record, tmp_path):
    seal(record)
    (record.parent / "2026-01-05_Link").symlink_to(record)
    (record.parent / "2026-01-06_Nowhere").symlink_to(tmp_path / "nowhere")
    findings = check_seals(tmp_path).findings
    assert ["_Link is not a folder" in findings[0], "_Nowhere is not a folder" in findings[1]] == [
        True,
        True,
    ]
    assert len(findings) == 2


def test_a_repository_without_records_fails(tmp_path):
    assert check_seals(tmp_path).findings == ("records/ holds no record",)


def test_the_committed_records_pass(root):
    result = check_seals(root)
    assert result.findings == ()
