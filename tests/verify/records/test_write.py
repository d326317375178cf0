"""pytest tests/verify/records/test_write.py — one writer of records, and one reader of verdicts."""

import ast
import os
import stat

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.records.check import check
from goldenseal.records.record import read_record
from goldenseal.records.statement import VERDICT_PREDICATE, statement
from goldenseal.records.verdict import read_verdict
from goldenseal.records.write import facts_of, facts_of_run, write_facts, write_sealed
from goldenseal.reproduce.explain import explain
from tests.verify.conftest import write_log

WRITER = "verify/goldenseal/records/write.py"


def files_written(path):
    """The last part of each path that the file gives to `atomic_write`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "atomic_write":
            yield ast.unparse(node.args[0]).rpartition(" / ")[2].strip("'")


def test_one_file_writes_what_record_json_says_of_any_record(root):
    paths = sorted((root / "verify").rglob("*.py"))
    writers = [p for p in paths if {"record.json", "RECORD"} & set(files_written(p))]
    assert writers == [root / WRITER]
    schemas = [p for p in paths if '"schema": SCHEMA' in p.read_text(encoding="utf-8")]
    assert [p for p in schemas if "records.record" in p.read_text("utf-8")] == [root / WRITER]


def run_facts(folder, **more):
    (folder / "out").mkdir(parents=True)
    write_log(folder / "out" / "train.jsonl", knobs={"A": "1"}, numeric_class={"threads": 1})
    header = {"numeric_class": {"threads": 1}}
    return facts_of_run("A", 7, header, "out/train.jsonl", {"A": "1"}, ["out/w"], **more)


def test_a_run_is_told_by_its_settings_class_log_and_outputs(tmp_path):
    write_facts(tmp_path / "r", run_facts(tmp_path / "r", date="2026-01-02", results=None))
    assert read_record(tmp_path / "r").facts == {
        "schema": 1,
        "name": "A",
        "date": "2026-01-02",
        "status": "measured",
        "seeds": [7],
        "knobs": {"A": "1"},
        "numeric_class": {"threads": 1},
        "logs": {"7": "out/train.jsonl"},
        "outputs": ["out/w"],
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"knobs": {"A": 1}}, "`knobs` must be texts by knob"),
        ({"logs": {"7": "gone.jsonl"}}, "seed 7 is listed, but `logs` names no log of it"),
        ({"verdikt": "0"}, "unknown key 'verdikt'"),
        ({"status": "good"}, "status 'good'"),
    ],
)
def test_what_no_reader_would_take_is_not_written(tmp_path, change, words):
    facts = run_facts(tmp_path / "r") | change
    with pytest.raises(UsageError, match=r"record\.json") as caught:
        write_facts(tmp_path / "r", facts)
    assert words in str(caught.value)
    assert not (tmp_path / "r" / "record.json").exists()


def proposal(made):
    (made / "README.md").write_text("A plan.\n")
    return facts_of("A", "proposal", [7])


def test_a_whole_sealed_record_lies_there_for_everyone_to_read(tmp_path):
    sealed = write_sealed(tmp_path / "new" / "2026-01-02_A", proposal)
    assert check(sealed.folder).identity == sealed.identity
    assert sealed.folder == tmp_path / "new" / "2026-01-02_A"
    assert stat.S_IMODE(sealed.folder.stat().st_mode) == 0o755
    assert sorted(os.listdir(tmp_path)) == ["new"]


def test_a_record_that_cannot_be_made_leaves_nothing_not_even_a_folder(tmp_path):
    def broken(made):
        (made / "README.md").write_text("A plan.\n")
        return facts_of("A", "planned", [7])

    with pytest.raises(UsageError, match="status 'planned'"):
        write_sealed(tmp_path / "new" / "2026-01-02_A", broken)
    assert os.listdir(tmp_path) == []


# -- verdicts --------------------------------------------------------------------------------------

GATE = {"gate": "seals", "verdict": "pass", "findings": []}


def verdict(path, gates):
    predicate = {"gates": gates, "environment": {}, "verificationResult": "PASSED"}
    path.write_bytes(canonical.dumps(statement({"a.py": "0" * 128}, VERDICT_PREDICATE, predicate)))
    return path


def test_a_verdict_tells_its_gates_with_their_first_finding(tmp_path):
    other = {"gate": "claims", "verdict": "fail", "findings": ["one", "two"]}
    told = read_verdict(verdict(tmp_path / "v.json", [GATE, other]))
    assert told.gates == [("seals", "pass", ""), ("claims", "fail", "one")]
    assert (told.passed, list(told.covered)) == (True, ["a.py"])
    with pytest.raises(CannotCheckError, match="no verdict yet"):
        read_verdict(tmp_path / "none.json")


@pytest.mark.parametrize("gates", [None, 1, ["seals"], [{**GATE, "verdict": 1}], [{"gate": "a"}]])
def test_whoever_reads_a_verdict_without_gates_is_told_so(tmp_path, gates):
    good, bad = verdict(tmp_path / "a.json", [GATE]), verdict(tmp_path / "b.json", gates)
    with pytest.raises(UsageError, match=r"b\.json: `gates` must"):
        read_verdict(bad)
    with pytest.raises(UsageError, match=r"b\.json: `gates` must"):
        explain(tmp_path, str(good), str(bad))
