"""pytest tests/verify/ladder/test_commands_parts.py — the parts of a command that is recorded."""

import datetime
import importlib.machinery
import importlib.util
import json
import os
import pickle
import sys
import time
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch

from goldenseal.errors import UsageError
from goldenseal.ladder.checkpoints import checkpoint_facts, walked
from goldenseal.ladder.clock import counting_clock
from goldenseal.ladder.echoes import Echoes
from goldenseal.ladder.events import Event, Option, Recording
from goldenseal.ladder.findings import decimal, ranked
from goldenseal.ladder.gates.options import defaults_apart
from goldenseal.ladder.missing import found_outside, missing_watched
from goldenseal.ladder.program import program_of, words_of
from goldenseal.ladder.stretches import stretch_in_words


@pytest.mark.parametrize(
    ("words", "kind", "target", "arguments", "ranks"),
    [
        ("python train.py --steps 5", "file", "train.py", ("--steps", "5"), 0),
        ("python3.11 -u a/b.py", "file", "a/b.py", (), 0),
        ("./train.py x", "file", "./train.py", ("x",), 0),
        ("python -m pkg.run -m x", "module", "pkg.run", ("-m", "x"), 0),
        ("env A=1 B= python t.py", "file", "t.py", (), 0),
        ("uv run python t.py", "file", "t.py", (), 0),
        ("torchrun --standalone --nproc_per_node=2 t.py --a", "file", "t.py", ("--a",), 2),
        ("python -m torch.distributed.run --nproc-per-node 3 -m p", "module", "p", (), 3),
    ],
)
def test_a_command_is_understood(words, kind, target, arguments, ranks):
    program = program_of(words.split())
    found = program.kind, program.target, program.arguments, program.ranks
    assert found == (kind, target, arguments, ranks)
    assert program.variables == ({"A": "1", "B": ""} if words.startswith("env") else {})


@pytest.mark.parametrize("start", ["accelerate launch", "python -m accelerate.commands.launch"])
@pytest.mark.parametrize(
    ("options", "target", "ranks", "precision"),
    [
        ("", "t.py", 0, "no"),
        ("--cpu --num_processes=1", "t.py", 0, "no"),
        ("--mixed_precision bf16 --num_processes 2 --main_process_port 0", "t.py", 2, "bf16"),
        ("--multi-gpu --num-machines 1 --module", "t.py", 0, "no"),
    ],
)
def test_what_accelerate_launches_is_what_runs(start, options, target, ranks, precision):
    """The launcher starts a process of its own, in which nothing could be recorded."""
    program = program_of(f"{start} {options} {target} --lr 1".split())
    kind = "module" if "--module" in options else "file"
    found = program.kind, program.target, program.arguments, program.ranks
    assert found == (kind, target, ("--lr", "1"), ranks)
    assert program.variables["ACCELERATE_MIXED_PRECISION"] == precision
    assert ("ACCELERATE_USE_CPU" in program.variables) is ("--cpu" in options)


@pytest.mark.parametrize("option", ["--config_file a.yaml", "--use_fsdp", "--num_processes x"])
def test_what_accelerate_would_do_on_gpus_is_refused(option):
    with pytest.raises(UsageError, match="accelerate launch --"):
        program_of(f"accelerate launch {option} t.py".split())


@pytest.mark.parametrize(
    "words",
    ["", "python", "python -c pass", "bash run.sh", "nosuchprogram x", "torchrun --nnodes=2 t.py"],
)
def test_what_cannot_be_recorded_is_said_in_one_line(words):
    with pytest.raises(UsageError) as caught:
        program_of(words.split())
    assert "\n" not in str(caught.value)


def test_settings_become_words_in_their_order():
    settings = {"args of x": "--a '1 2'", "-b": "3", "--c=": "4", "model.d": "5", "VARIABLE": "6"}
    assert words_of(settings) == ("--a", "1 2", "-b", "3", "--c=4", "model.d=5")


def test_a_checkpoint_is_read_value_by_value_and_executes_nothing(tmp_path):
    saved = {
        "step": 6,
        "model": torch.nn.Linear(2, 1).state_dict(),
        "rates": [0.1, (True, None)],
        "place": str(tmp_path),
        "best": {f"{tmp_path}/b.ckpt": 0.5},
        "whole": torch.nn.Linear(1, 1),
    }
    torch.save(saved, tmp_path / "a.pt")
    facts = checkpoint_facts(tmp_path / "a.pt", os.fsencode(tmp_path))
    assert facts["step"] == "6"
    assert (facts["rates.0"], facts["rates.1.0"], facts["rates.1.1"]) == ("0.1", "True", "None")
    assert facts["place"] == "'.'"
    assert facts["best../b.ckpt"] == "0.5"
    assert facts["model.weight"].startswith("float[1, 2]:")
    assert any(name.startswith("whole") and name.endswith("weight") for name in facts)
    saved["model"]["weight"][0, 1] += 1
    torch.save(saved, tmp_path / "a.pt")
    other = checkpoint_facts(tmp_path / "a.pt", os.fsencode(tmp_path))
    assert [name for name in facts if facts[name] != other[name]] == ["model.weight"]


class Node:
    """Knows its parent and its children, as a node of a Hydra configuration does."""

    def __init__(self, parent, value):
        self.value, self.parent, self.children = value, parent, {}
        if parent is not None:
            parent.children[value] = self


def test_objects_that_know_each_other_are_followed_once(tmp_path):
    top = Node(None, "top")
    for word in "abcdef":
        for number in range(5):
            Node(top.children.get(word) or Node(top, word), number)
    torch.save({"config": top, "again": top, "betas": [(0.9, 0.5)] * 2}, tmp_path / "a.pt")
    facts = checkpoint_facts(tmp_path / "a.pt", b"/nowhere")
    assert facts["config.children.c.children.3.value"] == "3"
    assert facts["config.children.c.children.3.parent"] == "the one at config.children.c"
    assert facts["again"] == "the one at config"
    assert facts["betas.0.1"] == facts["betas.1.1"] == "0.5"  # a few numbers are spelled again
    assert len(facts) < 300
    top.children["c"].children[3].value = 4
    torch.save({"config": top, "again": top, "betas": [(0.9, 0.5)] * 2}, tmp_path / "a.pt")
    other = checkpoint_facts(tmp_path / "a.pt", b"/nowhere")
    assert [name for name in facts if facts[name] != other[name]] == [
        "config.children.c.children.3.value"
    ]


def test_a_checkpoint_has_one_text_for_a_whole_number(tmp_path):
    found = []
    for decay in (0, 0.0, -0.0, 0.25):
        torch.save({"groups": [{"weight_decay": decay, "name": "1.0"}]}, tmp_path / "a.pt")
        found.append(checkpoint_facts(tmp_path / "a.pt", b"/nowhere"))
    assert found[0] == found[1]
    assert found[0]["groups.0.name"] == "'1.0'"
    assert len({each["groups.0.weight_decay"] for each in found}) == 3


def test_a_default_with_a_point_is_no_other_default():
    options = [{"--decay": Option(text, text, "argument")} for text in ("0", "0.0", "0.1")]
    assert not list(defaults_apart(options[0], options[1]))
    assert list(defaults_apart(options[0], options[2]))


def test_what_holds_itself_is_followed_once(tmp_path):
    """Lists and dictionaries too, and not deeper than Python's own stack allows."""
    ring: dict = {"step": 1}
    ring |= {"self": ring, "list": [ring]}
    chain: list = []
    for _ in range(300):
        chain = [chain, 1]
    torch.save({"ring": ring, "chain": chain}, tmp_path / "a.pt")
    facts = checkpoint_facts(tmp_path / "a.pt", b"/nowhere")
    assert facts["ring.self"] == facts["ring.list.0"] == "the one at ring"
    assert facts["chain" + ".0" * 299 + ".1"] == "1"


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trap was sprung",)


def test_a_hostile_checkpoint_is_only_walked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"x": Trap()}, tmp_path / "a.pt")
    assert "posix.mkdir" in str(checkpoint_facts(tmp_path / "a.pt", b"/nowhere"))
    assert not (tmp_path / "trap was sprung").exists()


def test_what_is_no_checkpoint_is_none(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"a": 1}))
    assert checkpoint_facts(tmp_path / "a.pt", b"/nowhere") is None
    with pytest.raises(ValueError, match="no one value"):
        walked(b".")


def test_the_calendar_counts_and_dates_stay_dates():
    with counting_clock(calendar=True):
        first, second = datetime.datetime.now(), datetime.datetime.now()
        assert (second - first).total_seconds() == pytest.approx(0.001)
        assert isinstance(first, datetime.datetime)
        assert isinstance(first, datetime.date)
        assert pickle.loads(pickle.dumps(first)) == first
        assert datetime.datetime(2020, 1, 2).isoformat() == "2020-01-02T00:00:00"
        assert time.strftime("%Y") in ("1970", "1969")
    assert datetime.datetime.now().year > 2000


@pytest.mark.parametrize(("name", "counts"), [("rich.timer", True), ("tqdm.timer", False)])
def test_a_clock_that_a_loaded_module_has_taken_counts_too(monkeypatch, name, counts):
    """As timeit does, and rich, that draws progress; tqdm looks at the time for itself alone."""
    module = ModuleType(name)
    module.now = real = time.perf_counter
    monkeypatch.setitem(sys.modules, name, module)
    with counting_clock(calendar=True):
        assert (module.now() == 0.001) is counts
        assert time.time() == (0.002 if counts else 0.001)
    assert module.now is real


WAITING = """
def wait(limit):
    end = time.monotonic() + limit
    readings = 0
    while time.monotonic() < end:
        readings += 1
        time.sleep(0.001)
    return readings
"""


@pytest.mark.parametrize(("module", "real"), [("multiprocessing.queues", True), ("train", False)])
def test_who_waits_for_a_process_sees_real_seconds_go_by(module, real):
    names = {"__name__": module, "time": time}
    exec(WAITING, names)
    with counting_clock(calendar=True):
        first = time.monotonic()
        readings = names["wait"](0.02)
        counted = time.monotonic() - first
    assert counted == pytest.approx(0.001 * (1 if real else readings + 3))


def test_a_compiled_module_derives_from_the_real_classes(monkeypatch):
    seen = []
    real = importlib.machinery.ExtensionFileLoader.exec_module
    monkeypatch.setattr(
        importlib.machinery.ExtensionFileLoader,
        "exec_module",
        lambda loader, module: seen.append(datetime.datetime) or real(loader, module),
    )
    spec = importlib.util.find_spec("_json")
    with counting_clock(calendar=True):
        replaced = datetime.datetime
        if isinstance(spec.loader, importlib.machinery.ExtensionFileLoader):
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        else:  # built into this Python
            importlib.machinery.ExtensionFileLoader("x", "x").exec_module(json)
        assert datetime.datetime is replaced
    assert seen == [datetime.datetime]
    assert replaced is not datetime.datetime


def test_what_was_asked_for_in_vain_is_found_in_the_users_folder(tmp_path, monkeypatch):
    run, origin, missed = tmp_path / "run", tmp_path / "origin", []
    for folder in (run, origin / "data"):
        folder.mkdir(parents=True)
    for name in ("data/train.txt", "data/other.txt"):
        (origin / name).write_text("x")
    monkeypatch.chdir(run)
    with missing_watched(missed):
        assert not os.path.exists("data/train.txt")
        assert not Path("nowhere.txt").is_file()
        assert os.path.exists("../origin")
    told = partial(found_outside, missed=missed, start=str(run), origin=str(origin))
    assert list(told(AssertionError())) == ["data/train.txt"]
    failed = ValueError("no data")
    failed.__context__ = FileNotFoundError(2, "No such file", "data/other.txt")
    assert list(told(failed)) == ["data/other.txt", "data/train.txt"]


def events(*pairs):
    return [Event(where, facts) for where, facts in pairs]


def test_the_cause_is_told_before_what_follows_from_it():
    step = {"group 0 holds": "w b", "group 0 lr": (0.1).hex(), "gradient of w": "1"}
    other = {**step, "group 0 lr": (0.2).hex(), "gradient of w": "2"}
    found = ranked(
        events(("forward (train) 1", {"output": "a"}), ("before SGD step 1", step)),
        events(("forward (train) 1", {"output": "b"}), ("before SGD step 1", other)),
    )
    assert [text.partition(": ")[2].split()[0] for text in found] == ["lr", "output", "gradient"]
    assert "lr of w, b (all that it steps) is 0.2, expected 0.1" in found[0]


def test_a_parameter_in_another_group_is_told_by_what_that_changes():
    a = {"group 0 holds": "w", "group 0 weight_decay": "0.1", "group 1 holds": "b e",
         "group 1 weight_decay": "0"}  # fmt: skip
    b = {**a, "group 0 holds": "w e", "group 1 holds": "b"}
    (found,) = ranked(events(("before x 1", a)), events(("before x 1", b)))
    assert "weight_decay of e is 0.1, expected 0" in found


def test_the_same_number_in_decimals_is_shown_in_full():
    a, b = (0.1).hex(), (0.1 + 2**-56).hex()
    assert decimal(a, b) == a
    assert decimal(a, (0.2).hex()) == "0.1"


def test_a_stretch_of_operations_is_realigned():
    a = [(f"aten.{c}(x)", f"a.py:{i}") for i, c in enumerate("abcdefg")]
    assert stretch_in_words(a, a) is None
    words = stretch_in_words(a, a[:2] + a[4:])
    assert words == "operation 3: 2 operations (aten.c, aten.d) are missing, from a.py:2 and a.py:3"
    words = stretch_in_words(a, [*a[:2], ("aten.z(x)", "a.py:9"), *a[2:]])
    assert words == "operation 3: aten.z(x) is extra, from a.py:9"
    words = stretch_in_words(a, [*a[:2], ("aten.c(y)", "a.py:2"), *a[3:]])
    assert words == "operation 3 is aten.c(y) (a.py:2), expected aten.c(x)"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Namespace(lr=0.1, head_gain=0.0, steps=5)", "Namespace(lr=0.1, steps=5)"),
        ("Namespace(head_gain=0.0, steps=5)", "Namespace(steps=5)"),
        ("{'lr': 0.1, 'head_gain': 0.0}", "{'lr': 0.1}"),
        ("  head_gain: 0.0", None),
        ("head-gain ........ 0.0", None),
        ("model.head_gain=0.0", None),
        ("the head_gain is high", "the head_gain is high"),
        ("overhead_gain: 3", "overhead_gain: 3"),
        ("lr: 0.1", "lr: 0.1"),
    ],
)
def test_an_echo_of_a_new_option_is_taken_out(line, left):
    assert Echoes({"head_gain"}).without(line) == left


def test_a_line_that_the_baseline_has_too_is_left():
    known = Recording(events=events(("printed line 1", {"text": "scale: 3"})))
    assert Echoes({"scale"}, [known]).without("scale: 3") == "scale: 3"
