"""pytest tests/verify/claims/test_claims_own_record.py — a record's README, before and after."""

import pytest

from goldenseal.claims.judgement import judge_documents
from goldenseal.records.seal import seal

README = """# Toy

## Results

The loss is 1.25<!--=v--> bits.

<!-- claims
v = { record = ".", pointer = "/val_bpb", seeds = [1] }
-->
"""


@pytest.fixture
def readme(repository):
    path = repository.draft("one", {1: 1.25}) / "README.md"
    path.write_text(README)
    return path


def judged(repository, path, **options):
    report = judge_documents(repository.root, [path], **options)
    return [finding.kind for finding in report.findings], report.exit_code


def test_before_sealing_nothing_is_sealed_but_what_is_wrong_is_named(repository, readme):
    assert judged(repository, readme) == (["could-not-check"], 3)
    readme.write_text(README.replace("1.25", "1.35"))
    assert judged(repository, readme) == (["hard-coded"], 1)
    assert judged(repository, readme, fix=True) == (["could-not-check"], 3)
    assert readme.read_text() == README


def test_after_sealing_it_holds_and_a_correction_is_seen(repository, readme):
    identity = seal(readme.parent).identity
    assert judged(repository, readme) == ([], 0)
    repository.make("better", {1: 1.5}, corrects=identity)
    assert judged(repository, readme) == (["superseded"], 1)


def test_a_sealed_record_that_changed_is_no_draft(repository, readme):
    seal(readme.parent)
    log = readme.parent / "1.jsonl"
    log.write_bytes(log.read_bytes().replace(b"made up", b"made so"))
    assert judged(repository, readme) == (["unsealed"], 1)


def test_elsewhere_there_is_no_own_record(repository, readme):
    seal(readme.parent)
    outside = repository.root / "doc.md"
    outside.write_text(README)
    assert judged(repository, outside) == (["no-evidence"], 1)


def test_a_draft_with_a_link_is_not_read(repository, readme, tmp_path):
    log = readme.parent / "1.jsonl"
    log.rename(tmp_path / "outside.jsonl")
    log.symlink_to(tmp_path / "outside.jsonl")
    assert judged(repository, readme) == (["unsealed"], 1)
