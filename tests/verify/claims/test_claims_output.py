"""pytest tests/verify/claims/test_claims_output.py — why, SARIF, a page, coverage."""

import json
import re

import pytest
from typer.testing import CliRunner

from goldenseal.claims.page import page_of
from goldenseal.claims.sarif import to_sarif
from goldenseal.claims.why import why
from goldenseal.cli import app
from goldenseal.errors import UsageError

SEEDS = "seeds = [1, 2, 3]"
TEXT = (
    "# Results\n\nFirst of all, 7. The mean is {mean}<!--=m--> bits, the sd "
    "0.520<!--=s-->; <b>seed</b> 2<!-- exempt: a seed --> is known."
)


@pytest.fixture
def definitions(three):
    return (
        f"m = {{ {three}, {SEEDS}, stat = 'mean', unit = 'bits' }}\n"
        f"s = {{ {three}, {SEEDS}, stat = 'sd', ddof = 1 }}\n"
    )


def steps(repository, text, definitions, name):
    (made,) = why(repository.judge(text, definitions), name)
    return made


# -- findings -------------------------------------------------------------------------------------


def test_a_finding_has_its_sentence_the_right_number_and_what_to_type(repository, definitions):
    report = repository.judge(TEXT.format(mean="1.426"), definitions)
    unbound, wrong = report.findings
    assert unbound.sentence == "First of all, 7."
    assert wrong.sentence == "The mean is 1.426 bits, the sd 0.520; seed 2 is known."
    assert (wrong.right, wrong.command) == ("1.417", "goldenseal claims doc.md --fix")
    assert report.to_json()["documents"][0]["findings"][1]["right"] == "1.417"


def test_what_fix_would_not_rewrite_is_not_said_to_be(repository, definitions):
    report = repository.judge("The median is 1.417<!--=m--> bits.", definitions)
    (wrong,) = [finding for finding in report.findings if finding.claim == "m"]
    assert (wrong.kind, wrong.right, wrong.command) == ("mislabelled", "", "")


def test_coverage_counts_what_is_bound_exempt_and_red(repository, definitions):
    report = repository.judge(TEXT.format(mean="1.417"), definitions)
    assert report.coverage.to_json() == {"bound": 2, "exempt": 1, "red": 1, "share": 0.5}
    report = repository.judge(TEXT.format(mean="1.426").replace(" 7", ""), definitions)
    assert report.coverage.to_json() == {"bound": 1, "exempt": 1, "red": 1, "share": 0.3333}
    assert repository.judge("Nothing.").coverage.share == 1.0


# -- why ------------------------------------------------------------------------------------------


def test_why_tells_the_evidence_and_each_step(repository, definitions):
    text = TEXT.format(mean="1.417")
    made = steps(repository, text, definitions, "s")
    assert [each["seeds"] for each in made.evidence] == ["1", "2", "3"]
    first = made.evidence[0]
    assert first["record"] == "records/toy/three"
    assert (first["place"], first["stored"]) == ("1.jsonl[kind=end]#/val_bpb", f"{(1.0).hex()!r}")
    assert len(first["sha512"]) == len(first["identity"]) == 16
    assert made.steps == [
        "mean of 1, 1.25, 2: 1.41667",
        "squared distances 0.173611, 0.0277778, 0.340278: sum 0.541667",
        "divided by n - ddof = 3 - 1: 0.270833",
        "its root: 0.520416",
        "at the printed digits, 0.520416 is 0.520",
    ]
    assert made.to_json()["holds"]
    assert made.lines()[-1] == "  so        it holds"


@pytest.mark.parametrize(
    ("stat", "printed", "step"),
    [
        ("stat = 'mean', SEEDS", "1.417", "divided by 3: 1.41667"),
        ("stat = 'max', SEEDS", "the best of three is 2.00", "max of 1, 1.25, 2: 2"),
        ("seeds = [2], times = 100", "125", "times 100: 125"),
        ("seeds = [2], is = '<'", "< 1.3", "1.25 < 1.3"),
    ],
)
def test_why_of_other_statistics(repository, three, stat, printed, step):
    body = f"v = {{ {three}, {stat.replace('SEEDS', SEEDS)} }}"
    made = steps(repository, f"{printed}<!--=v-->", body, "v")
    assert step in made.steps


def test_why_of_a_comparison_and_of_a_margin(repository):
    repository.make("a", {1: 1.0, 2: 1.25, 3: 2.0})
    repository.make("b", {1: 0.5, 2: 1.0, 3: 1.25}, knobs={"WIDTH": "9"})
    side = f"record = 'toy/a', pointer = '/val_bpb', {SEEDS}"
    other = "against = { record = 'toy/b' }, varied = ['WIDTH']"
    definitions = (
        f"d = {{ {side}, stat = 'paired difference', {other} }}\n"
        f"p = {{ {side}, stat = 'p', test = 'paired', tail = 'two-sided', {other} }}\n"
        f"x = {{ {side}, stat = 'mean' }}\n"
        f"y = {{ {side.replace('/a', '/b')}, stat = 'mean' }}\n"
        "m = { stat = 'margin', from = ['x', 'y'], varied = ['WIDTH'] }\n"
    )
    text = (
        "Paired difference 0.500<!--=d-->, p = 0.07<!--=p-->.\n\nMeans 1.417<!--=x--> and "
        "0.917<!--=y-->: 0.500<!--=m--> apart."
    )
    report = repository.judge(text, definitions)
    assert report.findings == []
    (difference,), (p,), (margin,) = (why(report, name) for name in "dpm")
    assert "by seed 1, 2, 3: 0.5, 0.25, 0.75, mean 0.5" in difference.steps
    assert "paired test: t = 3.4641, df = 2" in p.steps
    assert margin.steps[2] == "1.417 - 0.917 = 0.5"
    assert len(margin.evidence) == 6


def test_why_of_a_claim_that_does_not_hold_or_is_none(repository, definitions):
    report = repository.judge(TEXT.format(mean="1.426"), definitions)
    (made,) = why(report, "m")
    assert made.findings[0].startswith("hard-coded: 1.426 is printed")
    assert made.lines()[-1] == "  so        it does not hold"
    with pytest.raises(UsageError, match="no claim is called 'n'; there are: m, s"):
        why(report, "n")
    (lost,) = why(repository.judge("4<!--=v-->", "v = { pointer = '/x' }"), "v")
    assert lost.findings[0].startswith("no-evidence")


# -- SARIF ----------------------------------------------------------------------------------------


def test_sarif_names_place_and_fix(repository, definitions):
    report = repository.judge(TEXT.format(mean="1.426"), definitions)
    (run,) = to_sarif(report)["runs"]
    unbound, wrong = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["hard-coded", "unbound"]
    assert "fixes" not in unbound
    region = wrong["locations"][0]["physicalLocation"]["region"]
    line = (repository.root / "doc.md").read_text().splitlines()[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "1.426"
    (change,) = wrong["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "1.417"}
    clean = repository.judge("Nothing.")
    assert to_sarif(clean)["runs"][0]["results"] == []


# -- the page --------------------------------------------------------------------------------------


def marks(page):
    prose = page[page.index('<div class="prose">') :]
    return re.findall(r'<mark class="(\w+)" title="([^"]*)">([^<]*)</mark>', prose)


def test_the_page_shows_the_prose_with_its_marks(repository, definitions):
    found = marks(page_of(repository.judge(TEXT.format(mean="1.426"), definitions)))
    assert [(kind, number) for kind, _, number in found] == [
        ("red", "7"),
        ("red", "1.426"),
        ("bound", "0.520"),
        ("exempt", "2"),
    ]
    assert found[1][1].startswith("hard-coded: 1.426 is printed")
    assert found[2][1].startswith("s: sd 0.520416, from records/toy/three/1.jsonl")
    assert found[3][1] == "exempt: a seed"


def test_the_page_escapes_what_a_document_holds(repository):
    page = page_of(repository.judge("<script>alert(1)</script> \ue010\ue020\ue010 **1 < 2**"))
    prose = page[page.index('<div class="prose">') :]
    assert "<script>" not in prose
    assert "<strong>1 &lt; 2</strong>" in prose
    assert not set(prose) & {"\ue010", "\ue011", "\ue020"}


# -- the command ----------------------------------------------------------------------------------


def test_the_command_writes_all_of_them(repository, definitions, monkeypatch):
    repository.judge(TEXT.format(mean="1.426"), definitions)
    monkeypatch.chdir(repository.root)
    run = CliRunner().invoke(app, ["claims", "doc.md", "--sarif", "s.json", "--html", "p.html"])
    assert run.exit_code == 1
    assert "“The mean is 1.426 bits, the sd 0.520; seed 2 is known.”" in run.stdout
    assert "1.417 is right: goldenseal claims doc.md --fix" in run.stdout
    assert "coverage 25.0%: 1 bound that hold, 1 exempt, 2 red" in run.stdout
    assert json.loads((repository.root / "s.json").read_text())["version"] == "2.1.0"
    assert "1.426</mark>" in (repository.root / "p.html").read_text()
    shown = CliRunner().invoke(app, ["claims", "doc.md", "--why", "s", "--json"])
    assert (shown.exit_code, json.loads(shown.stdout)[0]["holds"]) == (0, True)
    wrong = CliRunner().invoke(app, ["claims", "doc.md", "--why", "m"])
    assert wrong.exit_code == 1
