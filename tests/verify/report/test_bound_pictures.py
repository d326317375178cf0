"""pytest tests/verify/report/test_bound_pictures.py — what a record's own command drew."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from goldenseal.claims.judgement import judge_documents
from goldenseal.cli import app
from goldenseal.errors import UsageError
from goldenseal.report.bound import Origin, last_of
from goldenseal.report.pictures import write_pictures

pytest.importorskip("matplotlib")
RECORD = "records/track_cpu_small/2026-11-23_SmallGPT"
CURVE = "validation-val_bpb.svg"


@pytest.fixture(scope="module")
def drawn(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "pictures"
    write_pictures(request.config.rootpath / RECORD, out)
    return out


def judged(root, tmp_path, svg):
    """What is found in a page that shows the picture, in a repository that holds the record."""
    shutil.copytree(root / RECORD, tmp_path / RECORD)
    (tmp_path / "pyproject.toml").write_text("[tool.goldenseal]\n")
    (tmp_path / CURVE).write_text(svg)
    (tmp_path / "page.md").write_text(f"# A page\n\n![the curve]({CURVE})\n")
    return judge_documents(tmp_path, [tmp_path / "page.md"], False)


def test_the_last_value_of_a_curve_is_bound_where_it_is_drawn(root, tmp_path, drawn):
    svg = (drawn / CURVE).read_text()
    assert ">2.6627<" in svg
    report = judged(root, tmp_path, svg)
    assert report.findings == []
    ((_, verdicts, _),) = report.documents
    facts = [verdict.to_json() for verdict in verdicts]
    assert [(f["printed"], f["holds"]) for f in facts] == [("2.6627", True)]


def test_a_picture_of_another_number_is_a_finding_with_the_right_one(root, tmp_path, drawn):
    svg = (drawn / CURVE).read_text().replace(">2.6627<", ">2.5627<")
    (finding,) = judged(root, tmp_path, svg).findings
    assert (finding.kind, finding.document, finding.right) == ("hard-coded", CURVE, "2.6627")


def test_every_picture_is_judged_alone_too(root, drawn):
    pictures = sorted(drawn.iterdir())
    assert [p.name for p in pictures] == [
        "step-loss.svg", "step-lr.svg", CURVE, "validation-val_loss.svg",
    ]  # fmt: skip
    report = judge_documents(root, pictures, False)
    assert report.findings == []
    counts = {document.name: len(verdicts) for document, verdicts, _ in report.documents}
    assert counts["step-loss.svg"] == 1
    assert counts["step-lr.svg"] <= 3


def test_the_same_record_gives_the_same_bytes(root, tmp_path, drawn):
    write_pictures(root / RECORD, tmp_path)
    for path in drawn.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_the_command_says_what_it_drew(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    out = ["-o", str(tmp_path / "r.html"), "--pictures", str(tmp_path / "p")]
    done = CliRunner().invoke(app, ["report", RECORD, *out, "--json"])
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.output)["pictures"]) == 4
    assert "claim:" not in (tmp_path / "r.html").read_text()  # a page has no claims to judge


def test_only_what_is_sealed_and_outside_of_what_is_sealed(root, tmp_path, record):
    with pytest.raises(UsageError, match="only what is sealed can be bound"):
        write_pictures(record, tmp_path)
    with pytest.raises(UsageError, match="which is sealed"):
        write_pictures(root / RECORD, root / RECORD / "pictures")


ORIGIN = Origin("0123456789abcdef", "logs/a-b>.jsonl")


@pytest.mark.parametrize(
    ("lines", "key", "bound"),
    [
        ([{"kind": "step", "step": 1, "loss": 0.5}], "loss", True),
        ([{"kind": "step", "step": 1, "lr": {"a b": 0.5}}], "lr.a b", True),
        ([{"kind": "step", "step": 1, "a.b": 0.5}], "a.b", False),  # the key itself has a dot
        ([{"kind": "step", "step": 1, "loss": 0.5}] * 2, "loss", False),  # which of the two?
        ([], "loss", False),
    ],
)
def test_only_a_value_of_one_line_is_bound(lines, key, bound):
    last = last_of(ORIGIN, "seed 1", lines, "step", key, 0.5)
    assert (last is not None) is bound
    if last:
        assert "--" not in last.definition
        assert ">" not in last.definition
        assert last.printed == "0.5"
