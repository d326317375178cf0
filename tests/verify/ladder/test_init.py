"""pytest tests/verify/ladder/test_init.py — what `goldenseal init` writes for scripts of others."""

import shutil
import subprocess
import tomllib

import pytest

from goldenseal.ladder import start
from goldenseal.ladder.events import Option
from goldenseal.ladder.guesses import Guess, guess_features, shorten, shrink, ways_to_resume
from goldenseal.ladder.program import program_of
from goldenseal.ladder.sides import baseline_has
from tests.foreign.pairs import HERE


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that runs `init` in a copy of an idiom: (what it said, the file's text)."""

    def folder_of(idiom):
        folder = tmp_path / idiom
        if not folder.exists():
            ignored = shutil.ignore_patterns("pair.toml", "__py*")
            shutil.copytree(HERE / idiom, folder, ignore=ignored)
        return folder

    def init(idiom, command):
        folder = folder_of(idiom)
        monkeypatch.chdir(folder)
        said = start.write_description(command.split(), folder / "goldenseal.toml")
        return said, (folder / "goldenseal.toml").read_text()

    init.folder = folder_of
    return init


def test_a_resume_that_ends_in_the_same_bytes_is_written(written):
    said, text = written("plain", "python train.py")
    table = tomllib.loads(text)
    assert table["environment"] == {"STEPS": "5"}
    assert table["resume"] == {"stop_after": 4, "environment": {"RESUME": "last.pt"}}
    assert "5 steps" in said[0]
    assert '# env = { DROPOUT = "1" }' in text


def test_settings_of_objects_are_made_short_as_they_are_typed(written):
    said, text = written("nodes", "python train.py --model.width=10")
    assert tomllib.loads(text)["command"].endswith("--model.width=10 --train.steps=5")
    assert "resume" not in text
    assert any("which option is your feature" in line for line in said)


@pytest.mark.parametrize(("steps", "told"), [(1, True), (2, False)])
def test_a_run_of_one_step_is_told(written, steps, told):
    """What a dropped `zero_grad` does shows in the second."""
    said, _ = written("nodes", f"python train.py --train.steps={steps}")
    assert any("stepped once" in line for line in said) is told


@pytest.mark.parametrize("added", [["-A"], ["*.py"]], ids=["ignored", "not added"])
def test_a_run_that_nothing_makes_short_is_cut_and_its_data_linked(written, monkeypatch, added):
    """The script only looks whether its data is there, which git does not keep."""
    monkeypatch.setattr(start, "PATIENCE", 0.01)
    folder = written.folder("endless")
    if added == ["-A"]:
        (folder / ".gitignore").write_text("corpus\n")
    for words in (["init", "-q"], ["add", *added]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    said, text = written("endless", "python train.py")
    table = tomllib.loads(text)
    assert table["files"] == {"link": ["corpus"]}
    assert (table["batches"], table.get("steps")) == (start.CUT, None)
    assert f"{2 * start.CUT} steps" in said[0]


def test_an_option_of_another_script_of_the_repository_is_none_of_this_one(tmp_path):
    for name, text in (("a/train.py", '"--momentum"'), ("b/train.py", '"--rate"')):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"add_argument({text})\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "base"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / "b/train.py").write_text('add_argument("--rate")\nadd_argument("--momentum")\n')
    has = {each: baseline_has(tmp_path / each) for each in "ab"}
    assert (has["a"]("--momentum"), has["b"]("--momentum")) == (True, False)
    assert has["b"]("--rate")
    assert has["a"]("--rate")  # not here, but it may come from elsewhere in the repository
    assert not has["b"]("--never")


LATE = """
import select
import torch
select.select([], [], [], 3.5)  # as a framework that is imported
net = torch.nn.Linear(2, 2)
optimizer = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(3):
    net(torch.ones(2)).sum().backward()
    optimizer.step()
"""


def test_how_long_a_script_takes_to_start_is_no_reason_to_cut_it(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "PATIENCE", 3.0)
    (tmp_path / "train.py").write_text(LATE)
    monkeypatch.chdir(tmp_path)
    said = start.write_description(["python", "train.py"], tmp_path / "goldenseal.toml")
    assert "3 steps" in said[0]
    assert "steps = " not in (tmp_path / "goldenseal.toml").read_text()


RANKS = """
import os
import torch
import torch.distributed as dist
rank = int(os.environ["LOCAL_RANK"])
dist.init_process_group("gloo")
net = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2))
optimizer = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(3):
    net(torch.ones(2) + rank).sum().backward()
    optimizer.step()
dist.destroy_process_group()
"""


def test_ranks_are_started_as_torchrun_would(tmp_path, monkeypatch):
    (tmp_path / "train.py").write_text(RANKS)
    monkeypatch.chdir(tmp_path)
    command = "torchrun --standalone --nproc-per-node=2 train.py"
    said = start.write_description(command.split(), tmp_path / "goldenseal.toml")
    assert "3 steps" in said[0]


def test_what_head_has_not_is_the_feature_and_the_rest_are_scenarios(written):
    folder = written.folder("plain")
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    script = folder / "train.py"
    text = script.read_text()
    added = 'DROPOUT = float(os.environ.get("DROPOUT", 0.0))\n'
    more = 'GAIN = float(os.environ.get("GAIN", 0.0))\n'
    script.write_text(text.replace(added, added + more))
    said, text = written("plain", "python train.py")
    table = tomllib.loads(text)
    assert table["feature"] == [{"name": "gain", "env": {"GAIN": "1"}}]
    assert 'name = "dropout"\n# environment = { DROPOUT = "1" }' in text
    assert "scenario" not in table
    assert not any("your feature" in line for line in said)


def test_another_choice_is_another_way_to_run_both_sides():
    guess = Guess([])
    found = {
        "--cell": Option("'gru'", "'gru'", "option", ("gru", "lstm")),
        "--rate": Option("0.0", "0.0", "option"),
        "--new": Option("False", "False", "option"),
        "--kind": Option("None", "None", "option", ("a", "b")),
    }
    guess_features(guess, found, PROGRAM, known=lambda name: name != "--new")
    assert guess.scenarios == [
        ("cell lstm", "args", ["--cell", "lstm"]),
        ("rate", "args", ["--rate", "0.1"]),
    ]
    assert guess.features == [("new", "args", ["--new"])]


def options(**named):
    return {name: Option(repr(value), repr(value), kind) for name, (value, kind) in named.items()}


PROGRAM = program_of(["python", "train.py"])


@pytest.mark.parametrize(
    ("name", "value", "kind", "words"),
    [
        ("--max-steps", None, "option", ["--max-steps", "5"]),
        ("--max_steps", -1, "option", ["--max_steps", "5"]),
        ("--num-epochs", 3.0, "option", ["--num-epochs", "1"]),
        ("trainer.max_epochs", 3, "override", ["trainer.max_epochs=1"]),
        ("--trainer.max_iters", None, "setting", ["--trainer.max_iters=5"]),
        ("max_iters", 600, "constant", ["--max_iters=5"]),
        ("--epochs", True, "option", []),
        ("--steps", 2, "option", []),
        ("Config.steps", 100, "field", []),
    ],
)
def test_what_decides_how_long_a_run_takes_is_small(name, value, kind, words):
    guess = Guess([])
    shorten(guess, options(**{name: (value, kind)}), PROGRAM)
    assert guess.words == words


def test_a_batch_is_made_smaller_only_where_steps_are_counted():
    sizes = {"--batch-size": (64, "option"), "--n-layer": (12, "option")}
    for more, words in (({}, 2), ({"--max-steps": (9, "option")}, 4)):
        guess = Guess([])
        assert shrink(guess, options(**sizes, **more), PROGRAM)
        assert len(guess.words) == words


@pytest.mark.parametrize(
    ("name", "value", "kind", "ways"),
    [
        ("--resume", False, "option", [(["--resume"], {})]),
        ("--resume", "", "option", [(["--resume", "out/last.pt"], {})]),
        ("--resume_from_checkpoint", None, "option",
         [(["--resume_from_checkpoint", "out/last.pt"], {})]),
        ("init_from", "scratch", "constant", [(["--init_from=resume"], {})]),
        ("train.resume", False, "override", [(["train.resume=true"], {})]),
        ("RESUME", 0, "variable", [([], {"RESUME": "1"})]),
        ("--lr", 0.1, "option", []),
    ],
)  # fmt: skip
def test_ways_to_go_on_are_guessed(name, value, kind, ways):
    written = ["end", "file out/last.pt", "file out/log.txt"]
    found = ways_to_resume(
        options(**{name: (value, kind)}), PROGRAM, written, "if init_from == 'resume':"
    )
    assert list(found) == ways


def test_what_switches_no_feature_is_not_taken_for_one():
    guess = Guess([])
    found = {"--dry-run": (False, "option"), "--no-cuda": (False, "option"),
             "--num-workers": (0, "option"), "--ema": (0.0, "option")}  # fmt: skip
    guess_features(guess, options(**found), PROGRAM)
    assert [name for name, _, _ in guess.features] == ["ema"]
