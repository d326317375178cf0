"""pytest tests/verify/grids/study/test_proposal.py — what is generated is what its sources say."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from goldenseal.errors import ContradictedError, UsageError
from goldenseal.grids.proposal import write_proposal
from goldenseal.ladder.gates.citation import OWN_ENVIRONMENT
from goldenseal.records.check import problems_inside
from tests.verify.conftest import forget_toy
from tests.verify.grids.study.conftest import PLAN
from tests.verify.grids.test_grant import COSTS

ROOT = Path(__file__).parents[4]
PROPOSALS = [path.parent for path in sorted((ROOT / "records").glob("*/*/costs.toml"))]
README = "# P\n\n<!-- plan -->\n<!-- /plan -->\n\n<!-- knobs feature -->\n<!-- /knobs -->\nEnd.\n"
FIGURES = 'smoke=lambda: [("one", "1", "1"), ("two", "2", VALUE)],'


@pytest.fixture
def proposal(toy):
    """A proposal of the toy system, not yet generated; `figure` sets what the smoke test finds."""
    toy.folder = toy.root / "records" / "toy" / "2026-01-02_Proposal"
    toy.folder.mkdir(parents=True)
    (toy.folder / "plan.toml").write_text(textwrap.dedent(PLAN))
    (toy.folder / "costs.toml").write_text(COSTS)
    (toy.folder / "README.md").write_text(README)
    probe = toy.root / "toysystem" / "probe.py"
    plain = probe.read_text()

    def figure(value):
        lines = FIGURES.replace("VALUE", repr(value))
        before = "    baseline_knobs=("
        probe.write_text(plain.replace(before, f"    {lines}\n{before}"))
        forget_toy()

    toy.figure = figure
    toy.figure("2")
    return toy


def test_all_parts_are_written_once(proposal):
    assert write_proposal(proposal.root, proposal.folder, only_check=True) == [
        "README.md",
        "compute_grant.md",
        "record.json",
        "smoke.log",
    ]
    assert not (proposal.folder / "smoke.log").exists()
    assert len(write_proposal(proposal.root, proposal.folder)) == 4
    assert write_proposal(proposal.root, proposal.folder) == []
    assert "one = 1" in (proposal.folder / "smoke.log").read_text()
    text = (proposal.folder / "README.md").read_text()
    assert "| feature | `TOY_FEATURE` (master) | `0` | an integer, at least 0, at most 9 |" in text
    assert text.endswith("<!-- /knobs -->\nEnd.\n")
    assert problems_inside(proposal.folder, {p.name for p in proposal.folder.iterdir()}) == []


def test_a_proposal_claims_nothing(proposal):
    write_proposal(proposal.root, proposal.folder)
    facts = json.loads((proposal.folder / "record.json").read_text())
    assert (facts["status"], facts["seeds"]) == ("proposal", [3, 5, 8])
    assert "results" not in facts


def test_a_part_that_drifted_is_named(proposal):
    write_proposal(proposal.root, proposal.folder)
    costs = proposal.folder / "costs.toml"
    costs.write_text(costs.read_text().replace('hours = "0.1"', 'hours = "0.2"'))
    assert write_proposal(proposal.root, proposal.folder, True) == ["compute_grant.md"]


def test_a_sealed_proposal_is_not_rewritten(proposal):
    write_proposal(proposal.root, proposal.folder)
    (proposal.folder / "SHA512SUMS").write_text("")
    (proposal.folder / "smoke.log").write_text("better\n")
    with pytest.raises(UsageError, match="a changed proposal is a new record"):
        write_proposal(proposal.root, proposal.folder)


def test_a_figure_that_is_not_the_published_one_stops_it(proposal):
    proposal.figure("3")
    with pytest.raises(ContradictedError, match="two: published 2, computed 3"):
        write_proposal(proposal.root, proposal.folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("knobs feature", "knobs colour", "'colour' is no feature of the system"),
        ("<!-- knobs feature -->", "", "expected `<!-- knobs FEATURE"),
        ("<!-- /knobs -->", "", "each once"),
        ("<!-- /plan -->", "", "each once"),
    ],
)
def test_a_readme_without_its_markers_is_refused(proposal, old, new, words):
    (proposal.folder / "README.md").write_text(README.replace(old, new))
    with pytest.raises(UsageError) as caught:
        write_proposal(proposal.root, proposal.folder)
    assert words in str(caught.value)


def test_there_is_a_proposal():
    assert PROPOSALS


@pytest.mark.parametrize("folder", PROPOSALS, ids=lambda path: path.name)
def test_a_proposal_of_this_repository_has_not_drifted_until_it_is_sealed(folder):
    if not (folder / "SHA512SUMS").exists():
        done = subprocess.run(
            [sys.executable, "-m", "goldenseal", "study", "proposal", str(folder), "--check"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    names = {p.name for p in folder.iterdir()}
    assert problems_inside(folder, names) == []
    assert "submission.json" not in names
    facts = json.loads((folder / "record.json").read_text())
    assert facts["status"] == "proposal"


@pytest.mark.skipif(not OWN_ENVIRONMENT.exists(), reason="cffconvert: run `make setup`")
@pytest.mark.parametrize("folder", PROPOSALS, ids=lambda path: path.name)
def test_its_citation_is_valid(folder):
    command = [str(OWN_ENVIRONMENT), "--validate", "-i", str(folder / "CITATION.cff")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
