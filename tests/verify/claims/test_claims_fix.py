"""pytest tests/verify/claims/test_claims_fix.py — numbers are rewritten, and nothing else."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenseal.claims.document import parse
from goldenseal.claims.evidence import Library
from goldenseal.claims.fix import fixed
from goldenseal.claims.judge import judge

SEEDS = "seeds = [1, 2, 3]"


@pytest.fixture
def definitions(three):
    return (
        f"m = {{ {three}, {SEEDS}, stat = 'mean' }}\n"
        f"v = {{ {three}, seeds = [2] }}\n"
        f"k = {{ {three}, {SEEDS}, stat = 'mean', times = 1000 }}\n"
        "d = { stat = 'margin', from = ['m', 'v'] }"
    )


def test_wrong_numbers_are_rewritten_at_their_digits(repository, definitions):
    text = "mean **9.9**<!--=m-->, one 1.2<!--=v-->, thousand 9,999.0<!--=k-->: 7.00<!--=d-->"
    report = repository.judge(text, definitions, fix=True)
    assert repository.text() == (
        "mean **1.4**<!--=m-->, one 1.2<!--=v-->, thousand 1,416.7<!--=k-->: 0.20<!--=d-->"
    )
    assert not report.findings
    assert report.rewritten == ["doc.md"]


def test_a_margin_follows_the_numbers_as_they_are_printed_then(repository, definitions):
    repository.judge("2.0<!--=m--> less 1.25<!--=v--> is 0.75<!--=d--><!-- x -->; 1<!--=k-->",
                     definitions, fix=True)  # fmt: skip
    assert repository.text().startswith("1.4<!--=m--> less 1.25<!--=v--> is 0.15<!--=d-->")


def test_a_document_that_holds_is_not_written(repository, definitions):
    text = "1.4<!--=m--> 1.25<!--=v--> 1417<!--=k--> 0.15<!--=d-->"
    before = repository.judge(text, definitions)
    assert not before.findings
    stamp = (repository.root / "doc.md").stat().st_mtime_ns
    report = repository.judge(text, definitions, fix=False)
    assert report.rewritten == []
    document = repository.root / "doc.md"
    stamp = document.stat().st_ino
    from goldenseal.claims.judgement import judge_documents

    assert judge_documents(repository.root, [document], fix=True).rewritten == []
    assert document.stat().st_ino == stamp


def test_what_needs_a_decision_stays(repository, three):
    old = repository.make("one", {1: 1.25})
    repository.make("again", {1: 1.5}, corrects=old)
    text = "1.20<!--=v-->, below 1.1<!--=b-->, 7<!--=w-->"
    report = repository.judge(
        text,
        f"v = {{ record = '{old}', pointer = '/val_bpb', seeds = [1] }}\n"
        f"b = {{ {three}, seeds = [2], is = '<' }}\n"
        "w = { record = 'toy/again', pointer = '/nowhere', seeds = [1] }",
        fix=True,
    )
    assert repository.text() == text
    assert [finding.kind for finding in report.findings] == [
        "superseded",
        "relation",
        "no-evidence",
    ]


def test_line_ends_and_everything_else_stay_byte_for_byte(repository, definitions):
    source = (
        "# Results\r\n\r\nmean 9.9<!--=m-->\r\n`9.9<!--=m-->` 1.25<!--=v--> 1<!--=k-->"
        f"\r\n9<!--=d-->\r\n\r\n<!-- claims\r\n{definitions}\r\n-->\r\n"
    )
    path = repository.root / "doc.md"
    path.write_bytes(source.encode())
    from goldenseal.claims.judgement import judge_documents

    judge_documents(repository.root, [path], fix=True)
    assert path.read_bytes() == (
        source.replace("mean 9.9", "mean 1.4").replace(" 1<!--=k", " 1417<!--=k")
        .replace("9<!--=d", "0<!--=d").encode()
    )  # fmt: skip


NUMERALS = st.from_regex(r"[-+]?(0|[1-9]\d{0,4})(\.\d{1,6})?", fullmatch=True)
FILLER = st.text(alphabet="ab ,.*`|\n#()-", max_size=12)


@given(st.lists(st.tuples(FILLER, NUMERALS, st.sampled_from("mvkd")), min_size=1, max_size=6))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=150,
)
def test_fixing_makes_green_and_fixing_again_changes_nothing(repository, definitions, parts):
    """Also amid odd Markdown; the base numbers of the margin are always there."""
    library = repository.__dict__.setdefault("library", Library(repository.root))
    body = "".join(f"{before} {number}<!--={name}-->" for before, number, name in parts)
    head = "1.0<!--=m--> 1.0<!--=v--> 1.0<!--=k--> 1<!--=d-->"
    source = f"{head}\n\n{body}\n\n<!-- claims\n{definitions}\n-->\n"
    document = parse("doc.md", source)
    once = fixed(document, library)
    assert fixed(parse("doc.md", once), library) == once
    wrong = {"rounding", "sign-lost", "unit-lost", "stale", "misplaced", "hard-coded", "margin"}
    _, findings = judge(parse("doc.md", once), library)
    assert not [finding for finding in findings if finding.kind in wrong]
    numeral = re.compile(r"[-+−]?[\d.,]+(?=[*]*<!--=)")
    assert numeral.sub("", once) == numeral.sub("", source)
