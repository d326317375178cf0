"""pytest tests/verify/records/test_nothing_into_a_seal.py — no command adds to a sealed record.

One more file would break its seal. Each refuses before it computes anything, and so it does where
the place is a folder, or has none above it.
"""

import pytest
from typer.testing import CliRunner

from goldenseal.cli import app
from goldenseal.errors import UsageError
from goldenseal.records.check import check
from goldenseal.records.seal import seal

WRITING = [
    "report {record} -o {out}",
    "report {record} --pictures {out}",
    "audit {record} --html {out}",
    "bundle gpt -o {out}",
    "claims README.md --html {out}",
    "claims README.md --sarif {out}",
    "verify --only seals --sarif {out}",
    "verify --only seals --summary {out}",
    "init -o {out} -- true",
    "export {record} --ro-crate {out}",
    "export {record} --model-card {out}",
    "record --from tests/fixtures/runs/mlflow {out}",
    "record {out} -- true",
    "record gpt {out}",
    "study run records/track_cpu_small/2026-11-23_FeatureStudy/plan.toml {out} --waive verdict=x",
    "sweep plan sweeps/small_cpu.toml --folder {out}",
]


def refusal(line, **places):
    done = CliRunner().invoke(app, [word.format(**places) for word in line.split()])
    assert isinstance(done.exception, UsageError), done.output
    return str(done.exception)


@pytest.mark.parametrize("line", WRITING, ids=lambda line: line.replace("{record} ", "")[:24])
def test_it_is_refused_and_the_seal_holds(root, record, line, monkeypatch):
    seal(record)
    monkeypatch.chdir(root)
    out = record / ("x" if line.split()[0] in ("study", "sweep", "record") else "x.md")
    assert "is sealed" in refusal(line, record=record, out=out)
    assert check(record).holds
    assert not (root / "report.html").exists()  # where a page goes that is given no place


@pytest.mark.parametrize("line", [line for line in WRITING[:9] if "--pictures" not in line])
def test_a_place_that_is_none_is_refused_at_once(root, record, tmp_path, line, monkeypatch):
    monkeypatch.chdir(root)
    assert "is a folder: name a file" in refusal(line, record=record, out=tmp_path)
    assert "make it first" in refusal(line, record=record, out=tmp_path / "gone" / "x.md")
