"""pytest tests/verify/report/test_cite.py — a record is cited by its identity."""

import subprocess

import pytest
import yaml

from goldenseal.errors import ContradictedError, UsageError
from goldenseal.ladder.gates.citation import OWN_ENVIRONMENT
from goldenseal.records.seal import seal
from goldenseal.report.cite import cite

AUTHORS = """
cff-version: 1.2.0
license: MIT
authors:
  - given-names: Ada
    family-names: "King: Lovelace"
    orcid: https://orcid.org/0000-0000-0000-0000
  - name: A & B {Ltd} 100%
"""


@pytest.fixture
def sealed(record, monkeypatch):
    """A sealed record in a repository that says who made it; where one stands."""
    top = record.parents[2]
    (top / ".git").mkdir()
    (top / "CITATION.cff").write_text(AUTHORS)
    monkeypatch.chdir(top)
    return record, seal(record).identity


def test_the_file_says_identity_date_authors_and_licence(sealed):
    folder, identity = sealed
    told = yaml.safe_load(cite(str(folder)).cff())
    assert told["identifiers"][0]["value"] == f"sha512:{identity}"
    assert str(told["date-released"]) == "2026-01-02"
    assert told["title"] == "Toy (measured record)"
    assert told["license"] == "MIT"
    assert told["authors"] == [
        {"given-names": "Ada", "family-names": "King: Lovelace"},
        {"name": "A & B {Ltd} 100%"},
    ]
    assert cite(identity[:8]).cff() == cite(str(folder)).cff()


@pytest.mark.skipif(not OWN_ENVIRONMENT.exists(), reason="cffconvert is not installed")
def test_cffconvert_finds_it_valid(sealed, tmp_path):
    (tmp_path / "made.cff").write_text(cite(str(sealed[0])).cff())
    tool = (str(OWN_ENVIRONMENT), "--validate", "-i", str(tmp_path / "made.cff"))
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_bibtex_escapes_what_tex_would_read(sealed):
    entry = cite(str(sealed[0])).bibtex()
    who = r"author = {King: Lovelace, Ada and {A \& B \textbraceleft{}Ltd\textbraceright{} 100\%}}"
    assert who in entry
    assert f"SHA-512 identity {sealed[1]}" in entry
    assert entry.count("{") == entry.count("}")


@pytest.mark.parametrize("name", ["{a}}", "A {B", "} {", "{{{}", "\\} \\{"])
def test_braces_are_balanced_as_bibtex_counts_them(sealed, name):
    entry = cite(str(sealed[0]), [name]).bibtex()
    assert entry.count("{") == entry.count("}")


def test_authors_of_the_command_line_come_first(sealed):
    told = yaml.safe_load(
        cite(str(sealed[0]), ["Grace Brewster Hopper", "{US Navy}", "Plato"]).cff()
    )
    assert told["authors"] == [
        {"given-names": "Grace Brewster", "family-names": "Hopper"},
        {"name": "US Navy"},
        {"name": "Plato"},
    ]


def test_nothing_is_invented(sealed):
    folder, _ = sealed
    (folder.parents[2] / "CITATION.cff").unlink()
    with pytest.raises(UsageError, match="who made 2026-01-02_Toy is not known"):
        cite(str(folder))
    assert "license" not in cite(str(folder), ["A B"]).cff()


@pytest.mark.parametrize(
    "text", ["authors: [", "- 1", "authors: 3", "authors: [3, {given-names: A}]"]
)
def test_a_citation_file_of_another_form_is_no_author(sealed, text):
    folder, _ = sealed
    (folder.parents[2] / "CITATION.cff").write_text(text)
    with pytest.raises(UsageError):
        cite(str(folder))


def test_only_what_is_sealed_and_intact_is_cited(sealed, record):
    (record / "README.md").write_text("changed")
    with pytest.raises(ContradictedError, match="changed"):
        cite(str(record))
    (record / "SHA512SUMS").unlink()
    with pytest.raises(UsageError, match="not sealed"):
        cite(str(record))
