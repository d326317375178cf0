"""pytest tests/verify/evidence/test_mlflow_database.py

tests/fixtures/mlflow_database.sql is what mlflow-skinny 3.17.2 wrote into mlflow.db, of two runs.
"""

import contextlib
import json
import shutil
import sqlite3
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from goldenseal.evidence import mlflow_database
from goldenseal.evidence.collect import record_from
from goldenseal.records.check import check
from goldenseal.records.record import read_record
from tests.patience import patience


@pytest.fixture
def change(root, tmp_path):
    """Makes a folder with the database, changed by SQL."""

    def make(sql="", name="mlflow.db"):
        folder = tmp_path / "there"
        folder.mkdir(exist_ok=True)
        with contextlib.closing(sqlite3.connect(folder / name)) as database:
            database.executescript((root / "tests/fixtures/mlflow_database.sql").read_text() + sql)
        return folder

    return make


def sealed(folder, tmp_path):
    record_from(folder, tmp_path / "record")
    assert check(tmp_path / "record").holds
    lines = (tmp_path / "record" / "metrics.jsonl").read_text().splitlines()
    return read_record(tmp_path / "record").facts, [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", mlflow_database.NAMES)
def test_runs_metrics_and_settings_are_those_of_the_database(change, tmp_path, name):
    facts, lines = sealed(change(name=name), tmp_path)
    told = facts["evidence"]["runs"]
    assert facts["seeds"] == [7, 8]
    assert [run["settings"] for run in told] == [
        {"lr": "0.1", "seed": "7"},
        {"lr": "0.1", "seed": "8"},
    ]
    assert [(run["state"], run["last_step"], run["values"]) for run in told] == [
        ("finished", 3, 11)
    ] * 2
    first = [line for line in lines if line["run"] == told[0]["run"]]
    losses = [line for line in first if line["name"] == "loss"]
    assert [(x["step"], x["value"]) for x in losses] == [
        (0, 1 / 7), (1, 1 / 8), (2, 1 / 9), (3, 1 / 10), (3, 0.5),
    ]  # fmt: skip
    assert [x.get("occurrence") for x in losses] == [None, None, None, 1, 2]


def test_a_value_that_is_no_number_is_not_the_0_that_stands_for_it(change, tmp_path):
    """findings/mlflow_database_nan.sh"""
    _, lines = sealed(change(), tmp_path)
    assert {x["name"]: x["value"] for x in lines if x["name"] in ("nan", "inf")} == {
        "nan": "nan",
        "inf": "-inf",
    }


def test_a_database_beside_a_file_store(change, root, tmp_path):
    folder = change()
    shutil.copytree(root / "tests" / "fixtures" / "runs" / "mlflow", folder / "mlruns")
    facts, _ = sealed(folder, tmp_path)
    assert len(facts["evidence"]["runs"]) == 4


def test_what_is_only_in_the_write_ahead_log_is_said_not_to_be_read(change, tmp_path):
    folder = change()
    (folder / "mlflow.db-wal").write_bytes(b"more")
    facts, _ = sealed(folder, tmp_path)
    assert "only in mlflow.db-wal was not read" in facts["evidence"]["runs"][0]["problems"][0]


def test_one_that_was_written_under_a_write_ahead_log_is_read(change, tmp_path):
    facts, _ = sealed(change("PRAGMA journal_mode = WAL;"), tmp_path)
    assert len(facts["evidence"]["runs"]) == 2


VIEW = "ALTER TABLE metrics RENAME TO m; CREATE VIEW metrics AS SELECT * FROM m;"
ENDLESS = (
    "ALTER TABLE runs RENAME TO r; CREATE VIEW runs AS WITH RECURSIVE "
    "c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS run_uuid, 1 AS status FROM c;"
)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (VIEW, "no table metrics"),
        (ENDLESS, "no table runs"),
        ("DROP TABLE params;", "no table params"),
        ("DELETE FROM metrics; DELETE FROM params; DELETE FROM runs;", "it holds no run"),
        ("UPDATE metrics SET value = 'many' WHERE key = 'loss';", "that is no number"),
        ("UPDATE metrics SET step = 'last' WHERE key = 'loss';", "that is no number"),
        ("ALTER TABLE metrics RENAME COLUMN step TO at;", "no such column: step"),
        ("UPDATE params SET value = zeroblob(2000000);", "too big"),
    ],
)
def test_a_database_that_is_not_mlflows_is_refused_in_a_line(change, tmp_path, sql, words):
    folder = change(sql)
    began = time.monotonic()
    with pytest.raises(UsageError) as caught:
        record_from(folder, tmp_path / "record")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < patience(20)
    assert not (tmp_path / "record").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.floats(0, 1), mask=st.integers(1, 255), cut=st.floats(0.1, 1))
def test_no_damage_is_more_than_a_problem_of_a_run(change, tmp_path, at, mask, cut):
    folder = tmp_path / "there"
    if not (folder / "mlflow.db").exists():
        change()
    data = bytearray((folder / "mlflow.db").read_bytes())
    data = data[: int(len(data) * cut)]
    data[int(at * (len(data) - 1))] ^= mask
    (tmp_path / "damaged").mkdir(exist_ok=True)
    (tmp_path / "damaged" / "mlflow.db").write_bytes(data)
    runs = mlflow_database.read(tmp_path / "damaged", "mlflow.db")
    assert all("\n" not in problem for run in runs for problem in run.problems)
    assert runs
