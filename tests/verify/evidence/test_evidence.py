"""pytest tests/verify/evidence/test_evidence.py

Runs that other tools logged, sealed as evidence. The folders among the fixtures were written by
wandb 0.31.0, mlflow-skinny 3.17.2, tensorboard 2.21.0, lightning 2.6.6 and transformers 5.23.0, the
last two by tests/fixtures/make_runs.py.
"""

import contextlib
import io
import json
import shutil
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from goldenseal.claims import command
from goldenseal.cli import app
from goldenseal.disk import events, wire
from goldenseal.errors import UsageError
from goldenseal.evidence import wandb_offline
from goldenseal.evidence.collect import record_from
from goldenseal.records import check_seal
from goldenseal.records.check import check
from goldenseal.records.record import read_record

NAMES = ("wandb", "mlflow", "tensorboard", "lightning", "trainer")
FIRST = "01bb550dd40046058b5ebb366351e79f"


@pytest.fixture
def runs(root):
    """The folders that the tools left."""
    return root / "tests" / "fixtures" / "runs"


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def values(folder, name, **other):
    """{step: value} of a metric."""
    wanted = {"name": name, **other}
    found = [line for line in lines(folder) if wanted.items() <= line.items()]
    return {line.get("step"): line["value"] for line in found}


@pytest.mark.parametrize("name", NAMES)
def test_what_was_logged_is_sealed_with_the_folder_as_it_was_found(runs, tmp_path, name):
    done = record_from(runs / name, tmp_path / "record")
    report = check(tmp_path / "record")
    assert (report.reasons(), report.identity) == ([], done.identity)
    assert check_seal.findings(str(tmp_path / "record"))[0] == []
    for path in (runs / name).rglob("*"):
        if path.is_file():
            copy = tmp_path / "record" / "original" / path.relative_to(runs / name)
            assert copy.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "metric", "other", "expected"),
    [
        ("wandb", "loss", {}, {step: 1 / (step + 1) for step in range(5)}),
        ("wandb", "eval/acc", {}, {step: step / 10 for step in range(5)}),
        ("wandb", "nested.a", {}, {step: step for step in range(5)}),
        ("wandb", "nan", {}, {6: "nan"}),
        ("wandb", "inf", {}, {6: "inf"}),
        ("wandb", "text", {}, {}),
        ("wandb", "best", {}, {None: 0.25}),  # run.summary["best"], and nowhere else
        ("mlflow", "eval/acc", {"run": FIRST}, {step: step / 10 for step in range(4)}),
        ("mlflow", "loss", {"run": FIRST, "occurrence": 1}, {3: 0.25}),
        ("mlflow", "loss", {"run": FIRST, "occurrence": 2}, {3: 0.125}),
        ("mlflow", "nan", {"run": FIRST}, {1: "nan"}),
        ("tensorboard", "loss", {}, {0: 1, 1: 0.5, 2: 0.3333333432674408, 3: 0.25}),
        ("tensorboard", "eval/acc", {}, {0: 0, 1: 0.10000000149011612, 2: 0.20000000298023224}),
        ("tensorboard", "hist", {}, {}),
        ("lightning", "train_loss_step", {"step": 9}, {9: 0.14862291514873505}),
        ("lightning", "val_acc", {}, {3: 0.5, 7: 0.625, 11: 0.75}),
        ("lightning", "lr", {"step": 1}, {1: 0.10000000149011612}),
        ("lightning", "test_loss", {}, {12: 0.06360451877117157}),
        ("trainer", "loss", {"step": 2}, {2: 0.8011898994445801}),
        ("trainer", "eval_accuracy", {}, {5: 0.6875, 10: 1, 15: 1}),
        ("trainer", "eval_loss", {"step": 15}, {15: 0.35762184858322144}),
        # of the best checkpoint, which is that of step 10
        ("trainer", "eval_results/eval_loss", {}, {None: 0.39125269651412964}),
        ("trainer", "all_results/eval_accuracy", {}, {None: 1}),
    ],
)
def test_values_have_their_name_and_step(runs, tmp_path, name, metric, other, expected):
    record_from(runs / name, tmp_path / "record")
    assert values(tmp_path / "record", metric, **other) == expected


@pytest.mark.parametrize(
    ("name", "seeds", "ended", "settings"),
    [
        ("wandb", [7], True, {"lr": 0.1, "seed": 7, "layers": [1, 2]}),
        ("mlflow", [1, 2], True, {"lr": "0.1", "seed": "1"}),
        ("tensorboard", [], False, None),
        (
            "lightning",
            [7],
            False,
            {"lr": "0.1", "seed": "7", "name": "toy"},
        ),  # no tuple
        ("trainer", [], False, None),
    ],
)
def test_what_is_not_known_is_said_to_be_not_known(runs, tmp_path, name, seeds, ended, settings):
    record_from(runs / name, tmp_path / "record")
    record = read_record(tmp_path / "record")
    told = record.facts["evidence"]
    assert record.kind.name == "evidence"
    assert record.facts["seeds"] == seeds
    assert told["runs"][0].get("settings") == settings
    assert ("whether it ended" in told["unknown"]) is not ended
    assert ("the seed" in told["unknown"]) is not bool(seeds)
    assert "the code that ran" in told["unknown"]
    assert not {"system", "source", "data", "numeric_class", "results"} & set(record.facts)
    text = (tmp_path / "record" / "README.md").read_text()
    assert all(f"- {each}\n" in text for each in told["unknown"])


def test_the_same_folder_gives_the_same_record(runs, tmp_path):
    one = record_from(runs / "mlflow", tmp_path / "a" / "record")
    two = record_from(runs / "mlflow", tmp_path / "b" / "record")
    assert one.identity == two.identity


def test_claims_bind_to_a_metric_by_name_and_step(runs, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.goldenseal]\n")
    monkeypatch.chdir(tmp_path)
    record_from(runs / "mlflow", tmp_path / "records" / "theirs" / "2026-01-02_Toy")
    page = tmp_path / "README.md"
    line = f'{{ run = "{FIRST}", name = "eval/acc", step = 3 }}'
    page.write_text(
        "<!-- claims\n"
        'acc = { record = "theirs/2026-01-02_Toy", file = "metrics.jsonl", '
        f'line = {line}, pointer = "/value" }}\n-->\n\nIt reached 0.3<!--=acc-->.\n'
    )
    assert command.claims([page], fix=False).exit_code == 0
    page.write_text(page.read_text().replace("0.3<", "0.4<"))
    assert command.claims([page], fix=False).exit_code == 1


def test_a_folder_of_several_tools_names_the_tool_of_each_run(runs, tmp_path):
    shutil.copytree(runs / "lightning", tmp_path / "both")
    shutil.copytree(runs / "tensorboard" / "run1", tmp_path / "both", dirs_exist_ok=True)
    record_from(tmp_path / "both", tmp_path / "record")
    assert {line["run"] for line in lines(tmp_path / "record")} == {
        "Lightning/version_0",
        "TensorBoard/.",
    }


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("wandb", "offline-run-20261128_001919-toyrun01"),
        ("mlflow", f"490983194310413691/{FIRST}"),
        ("tensorboard", "run1"),
        ("lightning", "version_0"),
    ],
)
def test_the_folder_of_one_run_will_do(runs, tmp_path, name, inner):
    record_from(runs / name / inner, tmp_path / "record")
    assert all("run" not in line for line in lines(tmp_path / "record"))
    assert len(lines(tmp_path / "record")) >= 6


def test_of_a_trainer_that_was_killed_the_last_checkpoint_tells(runs, tmp_path):
    shutil.copytree(runs / "trainer", tmp_path / "there")
    (tmp_path / "there" / "trainer_state.json").unlink()
    record_from(tmp_path / "there", tmp_path / "of_15")
    assert list(values(tmp_path / "of_15", "loss")) == [2, 4, 6, 8, 10, 12, 14]
    (tmp_path / "there" / "checkpoint-15" / "trainer_state.json").unlink()
    record_from(tmp_path / "there", tmp_path / "of_10")
    assert list(values(tmp_path / "of_10", "loss")) == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.csv", "step,loss,text\n1,0.5,a\n2,nan,\n3,,b\n4,-inf,\n"),
        (
            "trainer_state.json",
            '{"log_history": [{"step": 1, "loss": 0.5}, {"step": 2, "loss": NaN},'
            ' {"step": 4, "loss": -Infinity, "text": "a"}]}',
        ),
    ],
)
def test_what_is_not_finite_has_its_word_and_text_is_no_value(tmp_path, name, text):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / name).write_text(text)
    record_from(tmp_path / "there", tmp_path / "record")
    assert values(tmp_path / "record", "loss") == {1: 0.5, 2: "nan", 4: "-inf"}
    assert values(tmp_path / "record", "text") == {}


def test_of_a_wandb_run_without_its_log_the_summary_tells(runs, tmp_path):
    shutil.copytree(runs / "wandb", tmp_path / "there")
    (run,) = (tmp_path / "there").iterdir()
    (run / "files" / "wandb-summary.json").write_text('{"_step": 4, "loss": 0.2, "best": {"a": 1}}')
    record_from(tmp_path / "there", tmp_path / "both")
    assert values(tmp_path / "both", "loss") == {step: 1 / (step + 1) for step in range(5)}
    next(run.glob("*.wandb")).unlink()
    record_from(tmp_path / "there", tmp_path / "record")
    assert values(tmp_path / "record", "loss") == {None: 0.2}
    assert values(tmp_path / "record", "best.a") == {None: 1}


def test_a_metric_of_a_data_set_keeps_its_step_which_mlflow_itself_reads_as_0(tmp_path):
    """findings/mlflow_dataset_step.sh; and a line of long ago has no step, nor have we one."""
    run = tmp_path / "there" / "0" / "abc"
    (run / "metrics").mkdir(parents=True)
    (run / "meta.yaml").write_text("run_id: abc\nstatus: 3\nstart_time: 0\n")
    (run / "metrics" / "ours").write_text("1795825394948 0.5 7 d 123\n")
    (run / "metrics" / "old").write_text("1795825394948 0.25\n")
    (run / "metrics" / "bad").write_text("1795825394948 0.5 7 d\n")
    record_from(tmp_path / "there", tmp_path / "record")
    assert values(tmp_path / "record", "ours") == {7: 0.5}
    assert values(tmp_path / "record", "old") == {None: 0.25}
    (told,) = read_record(tmp_path / "record").facts["evidence"]["runs"]
    assert (told["state"], told["started"]) == ("finished", "1970-01-01T00:00:00Z")
    assert told["problems"] == ["0/abc/metrics/bad: line 1 is no `milliseconds value step`"]


def test_links_are_left_out_and_said_and_pickles_are_only_bytes(runs, tmp_path):
    shutil.copytree(runs / "trainer", tmp_path / "there")
    (tmp_path / "there" / "latest").symlink_to("/etc")
    (tmp_path / "there" / "training_args.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    record_from(tmp_path / "there", tmp_path / "record")
    told = read_record(tmp_path / "record").facts["evidence"]
    assert told["left_out"] == ["'latest': a link; a record holds its files itself"]
    assert (tmp_path / "record" / "original" / "training_args.bin").is_file()
    assert "'latest'" in (tmp_path / "record" / "README.md").read_text()


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_file_that_was_cut_short_keeps_what_came_before_and_says_so(runs, tmp_path, name):
    shutil.copytree(runs / name, tmp_path / "there")
    path = one_file_of(tmp_path / "there")
    path.write_bytes(path.read_bytes()[:-30])
    record_from(tmp_path / "there", tmp_path / "record")
    (run,) = read_record(tmp_path / "record").facts["evidence"]["runs"]
    assert "cut short" in run["problems"][0]
    assert run["values"] >= 6
    assert "state" not in run


def one_file_of(folder):
    return next(p for p in sorted(folder.rglob("*")) if p.suffix == ".wandb" or "tfev" in p.name)


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_flipped_bit_ends_the_reading_and_is_said(runs, tmp_path, name):
    shutil.copytree(runs / name, tmp_path / "there")
    path = one_file_of(tmp_path / "there")
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 1
    path.write_bytes(bytes(data))
    record_from(tmp_path / "there", tmp_path / "record")
    (run,) = read_record(tmp_path / "record").facts["evidence"]["runs"]
    assert any(words in run["problems"][0] for words in ("damaged", "cut short", "larger"))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=300))
def test_no_bytes_make_a_reader_of_binary_files_fail_in_another_way(data):
    for read in (
        lambda: list(wandb_offline.records(io.BytesIO(b":W&B\xe1\xbe\x00" + data))),
        lambda: list(events.records(io.BytesIO(data))),
        lambda: list(wire.fields(data)),
        lambda: list(events.scalars_of(data, 1)),
        lambda: wandb_offline._take(wandb_offline.Run("x"), {}, data),
    ):
        with contextlib.suppress(UsageError):
            read()


def leveldb(payloads):
    """A log of blocks of 32 KiB, written from LevelDB's description of it, with W&B's header."""
    out = bytearray(b":W&B\xe1\xbe\x00")
    for payload in payloads:
        rest, begun = payload, False
        while True:
            room = 32768 - len(out) % 32768
            if room < 7:
                out += bytes(room)
                continue
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = {(False, False): 1, (False, True): 2, (True, True): 3, (True, False): 4}[
                begun, bool(rest)
            ]
            crc = zlib.crc32(bytes([kind]) + piece)
            out += struct.pack("<IHB", crc, len(piece), kind) + piece
            begun = True
            if not rest:
                break
    return bytes(out)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.sampled_from([0, 1, 100, 32753, 32754, 32760, 70_000]), max_size=8))
def test_records_over_several_blocks_come_back_whole(sizes):
    payloads = [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    assert list(wandb_offline.records(io.BytesIO(leveldb(payloads)))) == payloads


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("metrics.csv", b"", "names no column `step`"),
        ("metrics.csv", b"step,loss\n1\n", "line 2 has 1 columns"),
        ("metrics.csv", b"step,a,a\n1,2,3\n", "a column twice"),
        ("metrics.csv", b"\xff", "codec can't decode"),
        ("trainer_state.json", b"{}", "no `log_history`"),
        ("trainer_state.json", b"[" * 1000, "nested deeper"),
        ("trainer_state.json", b'{"log_history":[1]}', "no `log_history`"),
        ("run-x.wandb", b"", "does not begin with"),
        ("run-x.wandb", b":W&B\0\0\0" + bytes(10), "damaged"),
        ("events.out.tfevents.1", bytes(40), "damaged"),
        ("notes.txt", b"loss 0.5", "no run logged by any of"),
    ],
)
def test_a_folder_without_a_number_is_refused_in_a_line_and_nothing_is_left(
    tmp_path, name, data, words
):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        record_from(tmp_path / "there", tmp_path / "record")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_places_that_will_not_do(runs, tmp_path, record):
    from goldenseal.records.seal import seal

    seal(record)
    (tmp_path / "taken").mkdir()
    shutil.copytree(runs / "lightning", tmp_path / "there")
    for folder, words in (
        (tmp_path / "taken", "exists"),
        (record / "evidence", "which is sealed"),
        (tmp_path / "there" / "record", "lies in"),
    ):
        with pytest.raises(UsageError, match=words):
            record_from(tmp_path / "there", folder)
    with pytest.raises(UsageError, match="is not a folder"):
        record_from(tmp_path / "nowhere", tmp_path / "record")


def test_the_command_says_what_was_found_and_what_is_not_known(runs, tmp_path):
    out = tmp_path / "record"
    done = CliRunner().invoke(app, ["record", "--from", str(runs / "wandb"), str(out)])
    assert done.exit_code == 0, done.output
    assert "18 values of 1 runs, by W&B: metrics.jsonl" in done.output
    assert "not known: the code that ran" in done.output
    done = CliRunner().invoke(app, ["record", "--from", str(runs / "wandb"), "gpt", "x"])
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize("lost", ["tools", "unknown", "metrics", "runs", "left_out"])
def test_evidence_that_does_not_say_what_is_unknown_is_none(runs, tmp_path, lost):
    record_from(runs / "trainer", tmp_path / "record")
    path = tmp_path / "record" / "record.json"
    facts = json.loads(path.read_text())
    del facts["evidence"][lost]
    path.write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=r"record\.json"):
        read_record(tmp_path / "record")
