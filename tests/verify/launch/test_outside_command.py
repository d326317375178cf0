"""pytest tests/verify/launch/test_outside_command.py — any command, in any repository."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.launch.collect import Asked, folded
from goldenseal.launch.command import assigned
from goldenseal.launch.outside_command import new_folder, record_command
from goldenseal.records.check import check
from goldenseal.reproduce import explain, rerun
from tests.verify.conftest import seal_blindly

TRAIN = """
    import json, os, pathlib, sys
    from parts import model
    rate = float(os.environ.get("RATE", "0.5"))
    os.environ.get("WANDB_API_KEY"), os.environ.get("NEVER_SET"), os.environ.copy()
    loss = model.loss(pathlib.Path("data/tokens.txt").read_text(), rate)
    print("loss", loss)
    print("careful", file=sys.stderr)
    pathlib.Path("out").mkdir(exist_ok=True)
    pathlib.Path("out/metrics.json").write_text(json.dumps({"loss": loss, "argv": sys.argv[1:]}))
    sys.exit(0)
"""
FILES = {
    "train.py": TRAIN,
    "parts/__init__.py": "",
    "parts/model.py": "def loss(text, rate):\n    return rate * sum(map(int, text.split()))\n",
    "parts/unused.py": "",
    "data/tokens.txt": "1 2 3",
    "out/old.txt": "of another day",
}


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A repository that has never heard of Goldenseal, where one stands."""
    top = tmp_path / "stranger"
    for name, text in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(textwrap.dedent(text))
    (top / ".git").mkdir()
    monkeypatch.chdir(top)
    return top


def record(top, *command, folder="records/runs/2026-01-02_Mine", **asked):
    record_command(top, top / folder, Asked(command, **asked), lambda data: None)
    return top / folder, canonical.read(top / folder / "record.json", "record.json")


def test_what_ran_what_it_read_and_what_it_left_are_sealed(stranger, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "deadbeef")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    folder, facts = record(stranger, sys.executable, "train.py", "--n", "3", settings={"RATE": "2"})
    assert check(folder).holds
    assert set(facts["source"]) == {"train.py", "parts/__init__.py", "parts/model.py"}
    assert set(facts["data"]) == {"data/tokens.txt"}
    assert facts["outputs"] == ["stdout.txt", "stderr.txt", "outputs/out/metrics.json"]
    assert (folder / "stdout.txt").read_text() == "loss 12.0\n"
    assert (folder / "stderr.txt").read_text() == "careful\n"
    assert json.loads((folder / "outputs/out/metrics.json").read_text())["argv"] == ["--n", "3"]
    assert (folder / "source/parts/model.py").read_text() == FILES["parts/model.py"]
    assert facts["knobs"] == {"RATE": "2", "WANDB_API_KEY": "(withheld)"}
    assert facts["environment"]["unset_variables"] == ["NEVER_SET"]
    assert facts["environment"]["python"].startswith("3.")
    assert facts["environment"]["packages"]["pytest"]
    assert facts["environment"]["left_out"] == {}
    assert facts["numeric_class"]["machine"]
    assert list((stranger / "parts").rglob("*.pyc"))
    _, again = record(stranger, sys.executable, "train.py", folder="records/runs/2026-01-02_Again")
    assert set(again["source"]) == set(facts["source"])


def test_no_secret_is_in_any_file_of_the_record(stranger, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "deadbeef")
    monkeypatch.setenv("OTHER_NAME", "deadbeef")
    (stranger / "train.py").write_text("import os\ndict(os.environ)\nos.environ['WANDB_API_KEY']\n")
    folder, facts = record(
        stranger, sys.executable, "train.py", settings={"HF_TOKEN": "deadbeef", "RATE": "1"}
    )
    assert {"HF_TOKEN": "(withheld)", "RATE": "1"}.items() <= facts["knobs"].items()
    for path in folder.rglob("*"):
        assert not path.is_file() or b"deadbeef" not in path.read_bytes(), path


def test_torch_is_part_of_the_numeric_class(stranger):
    (stranger / "train.py").write_text("import torch\ntorch.set_num_threads(1)\n")
    _, facts = record(stranger, sys.executable, "train.py")
    assert facts["numeric_class"]["torch"].startswith("2.")
    assert facts["numeric_class"]["flags"]["torch.get_num_threads"] == "1"
    assert len(facts["numeric_class"]["build"]) == 128


@pytest.mark.parametrize(
    "last",
    [
        "import os; os._exit(0)",
        "import subprocess, sys; subprocess.run([sys.executable, 'inner.py'], check=True)",
        "import os\nif os.fork() == 0:\n    import inner\n    os._exit(0)\nos.wait()",
        "import runpy; runpy.run_module('inner', run_name='__main__')",
        "exec(open('inner.py').read())",
        "import threading; t = threading.Thread(target=__import__, args=('inner',)); t.start()",
    ],
    ids=["_exit", "a process", "a fork", "runpy", "exec", "a thread"],
)
def test_however_it_is_run_and_ends_its_source_and_outputs_are_seen(stranger, last):
    (stranger / "inner.py").write_text("open('inner.txt', 'w').write('x')\n")
    (stranger / "train.py").write_text(f"import inner\n{last}\n" if "_exit(0)" in last else last)
    _, facts = record(stranger, sys.executable, "-u", "train.py")
    assert set(facts["source"]) == {"train.py", "inner.py"}
    assert "outputs/inner.txt" in facts["outputs"]
    assert facts["environment"]["packages"]


def test_a_command_that_is_no_python_is_sealed_with_what_the_line_names(stranger):
    (stranger / "run.sh").write_text(f"cat data/tokens.txt > out/copy.txt\n{sys.executable} -V\n")
    _, facts = record(stranger, "sh", "run.sh", data=(stranger / "data",))
    assert set(facts["source"]) == {"run.sh"}
    assert set(facts["data"]) == {"data/tokens.txt"}
    assert "outputs/out/copy.txt" in facts["outputs"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit(4)", "ended with 4"),
        ("raise ValueError('no')", "ended with 1"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("open(__file__, 'a').write('# more')", "edited while it ran"),
    ],
)
def test_what_did_not_end_well_leaves_no_record(stranger, script, words):
    (stranger / "train.py").write_text(script)
    with pytest.raises(CannotCheckError, match=words):
        record(stranger, sys.executable, "train.py")
    assert sorted(p.name for p in stranger.iterdir()) == [
        ".git",
        "data",
        "out",
        "parts",
        "train.py",
    ]


def test_bad_requests_are_refused_before_anything_runs(stranger):
    with pytest.raises(UsageError, match="there is no such program"):
        record(stranger, "no-such-program")
    with pytest.raises(UsageError, match="no such file or folder"):
        record(stranger, sys.executable, "train.py", data=(stranger / "gone",))
    os.mkfifo(stranger / "pipe")
    with pytest.raises(UsageError, match="no such file or folder"):
        record(stranger, sys.executable, "train.py", data=(stranger / "pipe",))
    with pytest.raises(UsageError, match="in a new folder"):
        record(stranger, sys.executable, "train.py", folder="data")
    with pytest.raises(UsageError, match="control or invisible"):
        record(stranger, sys.executable, "train.py", folder="records/a\nintact  b")
    for twice in (["A=1", "A=2"], ["=1"], ["A"]):
        with pytest.raises(UsageError, match="--set"):
            assigned(twice)
    assert not (stranger / "out" / "metrics.json").exists()


def test_outputs_elsewhere_are_told_and_kept_when_asked_for(stranger, tmp_path):
    there = stranger.parent / "elsewhere"
    there.mkdir()
    (stranger / "train.py").write_text(f"open({str(there / 'w.bin')!r}, 'w').write('w')\n")
    folder, facts = record(
        stranger, sys.executable, "train.py", outputs=(there,), ignored=("*.log",)
    )
    assert (folder / "outputs" / "w.bin").read_text() == "w"
    (stranger / "train.py").write_text("open('.hidden', 'w').write('w'); open('a.log', 'w')\n")
    (stranger / ".cache").mkdir()
    (stranger / "train.py").write_text("open('.cache/x', 'w').write('w'); open('a.log', 'w')\n")
    _, facts = record(stranger, sys.executable, "train.py", folder="records/b", ignored=("*.log",))
    assert facts["outputs"] == ["stdout.txt", "stderr.txt"]
    assert "hidden" in facts["environment"]["left_out"][".cache/x"]


def test_an_output_is_named_as_one_stands_and_what_is_no_file_is_told(stranger):
    """Of a file elsewhere only its own state is asked for: /gone does not walk through /."""
    (stranger / "train.py").write_text(
        "import os\nopen('../w.bin', 'w').write('w')\n"
        "os.symlink('/etc/hostname', 'last.pt')\nos.mkfifo('pipe')\n"
    )
    asked = (Path("../w.bin"), Path("/gone"))
    folder, facts = record(stranger, sys.executable, "train.py", outputs=asked)
    assert (folder / "outputs" / "w.bin").read_text() == "w"
    left_out = facts["environment"]["left_out"]
    assert set(left_out) == {"last.pt", "pipe", "gone"}
    assert "nothing new" in left_out["gone"]
    assert not (folder / "outputs" / "last.pt").exists()


def test_a_run_log_of_ours_is_found_with_its_seed_and_results(stranger):
    (stranger / "train.py").write_text(
        "from goldenseal import RunLog\n"
        "log = RunLog('train.jsonl', {'seed': '7'})\n"
        "log.write('step', {'step': 1, 'loss': (0.5).hex()}, clock={'seconds': 1.5})\n"
        "log.end({'loss': (0.25).hex()})\n"
        "open('plain.jsonl', 'w').write('{\"loss\": 1}')\n"
    )
    folder, facts = record(stranger, sys.executable, "train.py")
    assert (facts["seeds"], facts["results"]) == ([7], {"loss": 0.25})
    assert facts["logs"] == {"7": "outputs/train.jsonl"}
    assert check(folder).holds
    told = [read().label for _, read in explain.known(stranger)]
    assert any(label.endswith("plain.jsonl") for label in told)


def test_source_that_is_not_the_sealed_one_breaks_the_check(stranger):
    folder, _ = record(stranger, sys.executable, "train.py")
    for name in ("SHA512SUMS", "seal.json"):
        (folder / name).unlink()
    (folder / "source/parts/model.py").write_text("def loss(text, rate):\n    return 0\n")
    seal_blindly(folder)
    assert any("source/parts/model.py is not what" in why for why in check(folder).reasons())
    (folder / "source/parts/model.py").unlink()
    seal_blindly(folder)
    assert any("source/parts/model.py is not here" in why for why in check(folder).reasons())


def test_nothing_that_a_record_holds_is_executed(stranger):
    folder, _ = record(stranger, sys.executable, "train.py")
    (stranger / "out" / "metrics.json").unlink()
    outcome = rerun.reproduce(stranger, check(folder).identity, lambda line: None)
    assert outcome.verdict == "unrunnable"
    assert "goldenseal record --" in outcome.reason
    assert not (stranger / "out" / "metrics.json").exists()


def test_the_command_line_takes_everything_after_two_hyphens(stranger):
    goldenseal = (sys.executable, "-m", "goldenseal", "record", "--json", "--")
    done = subprocess.run(
        [*goldenseal, sys.executable, "train.py", "--json", "--", "--x"],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["record"]["command"][1:] == ["train.py", "--json", "--", "--x"]
    assert "3.0" in done.stderr  # of two streams, pieces of lines may come in turn
    assert told["folder"].startswith(str(stranger / "records" / "runs"))
    again = new_folder(stranger, ["python", "train.py"])
    assert again.name.endswith("_train_2")


def test_many_files_of_one_folder_are_one_entry():
    digests = {f"images/{n}.png": f"{n:0128x}" for n in range(201)}
    (entry,) = folded(digests)
    assert entry == "images/ (201 files)"
    assert folded({**digests, "images/0.png": "f" * 128}) != folded(digests)
    few = {"a/b.bin": "0" * 128}
    assert folded(few) == few


def test_odd_names_are_left_out_and_told_and_the_rest_is_sealed(stranger):
    (stranger / "train.py").write_text(
        "import os\n"
        "open(b'data/\\xff.txt', 'w').close()\n"
        "for name in (b'out/\\xff.bin', b'out/a:b.bin', b'out/Same.bin', b'out/same.bin'):\n"
        "    open(name, 'w').close()\n"
        "open('out/good.bin', 'w').close()\n"
    )
    folder, facts = record(stranger, sys.executable, "train.py", os.fsdecode(b"\xff"))
    left_out = facts["environment"]["left_out"]
    assert set(left_out) == {"data/\\xff.txt", "out/\\xff.bin", "out/a:b.bin", "out/same.bin"}
    assert "outputs/out/good.bin" in facts["outputs"]
    assert facts["command"][-1] == "\\xff"
    assert check(folder).holds


def test_a_folder_that_cannot_be_made_is_one_line(stranger):
    (stranger / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        record(stranger, sys.executable, "train.py", folder="file/x")


def test_a_name_that_another_run_took_meanwhile_costs_no_run(stranger):
    taken = "records/runs/2026-01-02_Mine"
    (stranger / "train.py").write_text(f"import os\nos.makedirs({taken + '/x'!r})\nprint(1)\n")
    done = record_command(
        stranger, stranger / taken, Asked((sys.executable, "train.py")), lambda data: None
    )
    assert done.folder.name == "2026-01-02_Mine_2"
    assert check(done.folder).holds
