"""pytest tests/verify/ladder/gates/test_citation.py — the gate says what the validator says."""

import pytest

from goldenseal.ladder.gates import citation
from goldenseal.ladder.gates.citation import check_citation
from goldenseal.result import Verdict

GOOD = """cff-version: 1.2.0
message: "Cite it."
title: "Toy"
date-released: 2026-11-23
authors:
  - name: "Ada"
"""
INVALID = {
    "nothing": ("", "Unable to identify the schema version."),
    "no version": (GOOD.replace("cff-version", "version"), "'cff-version' seems to be missing."),
    "an unknown version": (GOOD.replace("1.2.0", "9.9.9"), "Unrecognized value for key"),
    "a date that is none": (
        GOOD.replace("2026-11-23", '"yesterday"'),
        "'yesterday' is not a 'date' (at ['date-released'])",
    ),
    "a title that is none": (GOOD.replace('"Toy"', "[7]"), "[7] is not of type 'string'"),
    "a key of no schema": (
        GOOD.replace("title", "titel"),
        "Additional properties are not allowed ('titel' was unexpected)",
    ),
    "a key that is lacking": (GOOD.replace('title: "Toy"\n', ""), "'title' is a required property"),
    "an older schema": (
        GOOD.replace("1.2.0", "1.0.3"),
        "Schema validation failed: Cannot find required key 'version'",
    ),
    "a list that does not end": (
        GOOD + "keywords: [\n",
        "expected the node content, but found '<stream end>' (line 8, column 1)",
    ),
    "a tab": (GOOD + "\tx: 1\n", "found character '\\t' that cannot start any token"),
    "a value in a value": (GOOD + "x: a: b\n", "mapping values are not allowed here (line 7,"),
    "a key twice": (GOOD + GOOD, 'found duplicate key "cff-version"'),
    "no text": ("\udcff", "'utf-8' codec can't decode byte 0xff in position 0"),
}


@pytest.fixture
def root(tmp_path):
    """A repository with a citation file, and cffconvert."""
    if not citation.OWN_ENVIRONMENT.exists():
        pytest.skip("cffconvert is not installed")
    (tmp_path / "CITATION.cff").write_text(GOOD)
    return tmp_path


def test_a_valid_file_passes(root):
    result = check_citation(root)
    assert (result.verdict, result.summary) == (Verdict.PASS, "CITATION.cff is valid")


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_file_fails_with_the_validators_own_sentence(root, name):
    text, words = INVALID[name]
    (root / "CITATION.cff").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = check_citation(root)
    assert (result.verdict, result.summary) == (Verdict.FAIL, "CITATION.cff is not valid")
    (finding,) = result.findings
    assert finding.startswith("CITATION.cff: ")
    assert words in finding
    assert "\n" not in finding
    assert "ValueError" not in finding


def test_a_file_that_is_missing_fails_and_is_not_called_valid(root):
    (root / "CITATION.cff").unlink()
    result = check_citation(root)
    assert (result.verdict, result.summary) == (Verdict.FAIL, "there is no CITATION.cff")
    assert result.findings == ("CITATION.cff is missing",)


def test_without_the_tool_nothing_is_judged(root, monkeypatch):
    monkeypatch.setattr(citation, "OWN_ENVIRONMENT", root / "nowhere")
    monkeypatch.setenv("PATH", str(root))
    result = check_citation(root)
    assert result.verdict is Verdict.NOT_RUN
    assert result.findings == ("cffconvert is not installed: `pipx install cffconvert`",)


CRASHES = {
    "import": ("echo \"ImportError: no 'yaml'\" >&2; exit 1", "ImportError: no 'yaml'"),
    "attribute": ("echo \"AttributeError: 'int'\" >&2; exit 1", "AttributeError: 'int'"),
    "silent": ("exit 7", "exit code 7"),
    "killed": ("kill -9 $$", "exit code -9"),
    "noise": ("echo oops >&2; exit 2", "exit code 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", CRASHES)
def test_a_tool_that_crashes_has_judged_nothing(root, monkeypatch, name):
    script, words = CRASHES[name]
    tool = root / "cffconvert"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setattr(citation, "OWN_ENVIRONMENT", tool)
    result = check_citation(root)
    assert (result.verdict, result.summary) == (Verdict.NOT_RUN, "could not run")
    assert result.findings[0].startswith("cffconvert failed, and judged nothing (")
    assert words in result.findings[0]


@pytest.mark.parametrize("content", ["#!/nowhere/at/all\n", "no program", None])
def test_a_tool_that_does_not_start_has_judged_nothing(root, monkeypatch, content):
    tool = root / "cffconvert"
    if content is None:
        tool.mkdir()
    else:
        tool.write_text(content)
        tool.chmod(0o755)
    monkeypatch.setattr(citation, "OWN_ENVIRONMENT", tool)
    result = check_citation(root)
    assert result.verdict is Verdict.NOT_RUN
    assert result.findings[0].startswith("cffconvert does not start (")


def test_a_long_sentence_is_cut(root):
    (root / "CITATION.cff").write_text(GOOD.replace('"Toy"', f'["{"x" * 5000}"]'))
    assert len(check_citation(root).findings[0]) < 350
