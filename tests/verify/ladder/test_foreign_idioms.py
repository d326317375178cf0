"""pytest tests/verify/ladder/test_foreign_idioms.py — what scripts of others do, as facts."""

import inspect
import pickle
import secrets
import sys
import uuid
from types import ModuleType

import pytest
import torch
from torch.utils.data import DataLoader, RandomSampler

from goldenseal.ladder.events import Event, Recording
from goldenseal.ladder.executed import idle_constants
from goldenseal.ladder.findings import ranked
from goldenseal.ladder.gates.command import Mask
from goldenseal.ladder.gates.operations import first_event
from goldenseal.ladder.gates.training import most_of_one
from goldenseal.ladder.gates.unchanged import OF_TRAINING
from goldenseal.ladder.identifiers import counted_identifiers
from goldenseal.ladder.loading import facts_of
from goldenseal.ladder.merging import merges_watched
from goldenseal.ladder.output import file_facts


def said(number, text):
    return Event(f"printed line {number}", {"text": text})


def test_a_line_more_hides_no_cause_and_is_told_itself():
    step = Event("before SGD step 1", {"group 0 lr": (0.1).hex()})
    other = Event("before SGD step 1", {"group 0 lr": (0.2).hex()})
    found = ranked([said(1, "a"), step], [said(1, "new"), said(2, "a"), other])
    assert ["lr is 0.2" in text for text in found] == [True, False]
    assert found[1] == "printed line 1 is extra: new"
    assert ranked([said(1, "a"), said(2, "b")], [said(1, "b")]) == ["printed line 1 is missing: a"]
    assert ranked([said(1, "a")], [said(1, "b")]) == ["printed line 1: text is b, expected a"]


def test_a_later_change_of_a_group_names_its_parameters():
    """Of two optimizers of one class, those that the changed one steps."""
    first = [
        Event("before SGD step 1", {"group 0 holds": "a", "gradient of a": "1", "group 0 lr": "1"}),
        Event("before SGD step 2", {"group 0 holds": "b", "gradient of b": "1", "group 0 lr": "1"}),
    ]
    runs = [
        [*first, Event("before SGD step 3", {"gradient of a": "1", "group 0 lr": rate})]
        for rate in ("1", "2")
    ]
    (found,) = ranked(*runs)
    assert found == "before SGD step 3: lr of a (all that it steps) is 2, expected 1"
    runs = [[first[0], Event("before SGD step 2", {"group 0 lr": rate})] for rate in ("1", "2")]
    assert "lr of a (all that it steps) is 2" in ranked(*runs)[0]


def test_steps_are_counted_by_optimizer():
    """Two of one class, as of a generator and a discriminator, are told by what they step."""
    first, second = ({"group 0 lr": "1", f"parameter {name}": "1"} for name in ("D", "G"))
    events = [Event("after Adam step 1", first), Event("after Adam step 2", second)]
    assert most_of_one([]) == 0
    assert most_of_one(events) == 1
    assert most_of_one([*events, Event("after Adam step 3", second)]) == 2


def test_a_line_that_is_printed_elsewhere_is_told():
    step = Event("after SGD step 1", {"x": "1"})
    assert ranked([said(1, "a"), step], [step, said(1, "a")])
    assert ranked([said(1, "a"), step], [said(1, "a"), step]) == []


def test_where_lines_stand_among_operations_decides_nothing():
    a = [Event("printed line 1", {}, ("p", "q")), Event("end", {}, ("r",))]
    b = [Event("end", {}, ("p", "q", "r"))]
    assert first_event(a, b) is None
    assert "r is missing" in first_event(a, [Event("end", {}, ("p", "q"))])


def test_where_operations_part_is_said_once():
    for where, words in (
        ("before Adam step 2", "before Adam step 2: "),
        ("after Adam step 2", "in Adam step 2: "),
        ("forward (train) 3", "before forward (train) 3: "),
    ):
        a, b = ([Event(where, {}, (op,))] for op in "pq")
        assert first_event(a, b).startswith(words)


def test_operations_that_lead_up_to_another_call_are_told():
    a = [Event("x", {}, ("p",)), Event("y", {}, ("q",))]
    assert "another place" in first_event(a, [Event("x", {}, ()), Event("y", {}, ("p", "q"))])


@pytest.mark.parametrize(
    ("before", "after", "spared"),
    [
        ("y = 1", "y = f(x) if train else 0.0", 1),
        ("y = 1", "y = -1 if train else f(x)", 1),
        ("y = a if b else 0.0", "y = a if b else 0.1", 0),
        ("y = 1", "y = f(x) if train else g(x)", 0),
        ("y = 1", "if train:\n    y = 0.0", 0),
    ],
)
def test_an_idle_half_that_is_a_constant_is_spared_unless_it_changed(before, after, spared):
    assert len(idle_constants(after.encode(), before.encode())) == spared


def test_settings_that_take_the_words_of_a_command_are_observed():
    noted = {}
    with merges_watched(lambda file: file == __file__, lambda *told: noted.update({told[0]: told})):

        class Node:
            def __init__(self, **values):
                self.__dict__.update(values)

            def merge_from_args(self, words):
                """Take them."""
                self.inner.width = 3

        node = Node(inner=Node(width=2, _own=1, shape=(1, 2)), model=torch.nn.Linear(1, 1))
        node.merge_from_args(["--inner.width=3"])
    assert noted["--inner.width"] == ("--inner.width", 2, 3, "setting")
    assert noted["--inner.shape"][1] == (1, 2)
    assert not any("_own" in name for name in noted)
    assert inspect.signature(Node.merge_from_args).parameters.keys() == {"self", "words"}
    assert Node.merge_from_args.__doc__ == "Take them."


def test_a_class_of_others_is_left_alone():
    with merges_watched(lambda file: False, pytest.fail):

        class Node:
            def merge_from_args(self, words):
                return words

    assert Node().merge_from_args([]) == []
    assert not hasattr(Node.merge_from_args, "__wrapped__")


def test_identifiers_are_counted_and_new():
    drawn = []
    for _ in range(2):
        with counted_identifiers():
            drawn.append((uuid.uuid4(), uuid.uuid4(), uuid.uuid1(), secrets.token_hex(4)))
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 4
    assert (drawn[0][0].version, drawn[0][2].version) == (4, 1)
    assert pickle.loads(pickle.dumps(drawn[0][0])) == drawn[0][0]
    assert uuid.uuid4() != uuid.uuid4()


def test_a_log_may_hold_the_source_that_made_it(tmp_path, monkeypatch):
    texts = []
    for side in ("a", "b"):
        folder = tmp_path / side
        folder.mkdir()
        source = f"# {side}\n" + "x = 1\n" * 30
        (folder / "train.py").write_text(source)
        (folder / "log.txt").write_text(f"{source}\nloss 1\n")
        module = ModuleType("train")
        module.__file__ = str(folder / "train.py")
        monkeypatch.setitem(sys.modules, "train", module)
        found = dict(file_facts(folder, (), {}, (), (), None, by_value=True))
        texts.append(found["log.txt"])
    assert texts[0] == texts[1]
    assert "(the source of train.py)" in texts[0].values()
    assert "loss 1" in texts[0].values()


def test_a_file_that_is_called_otherwise_in_each_run_is_left_out():
    runs = [Recording(events=[Event(f"file logs/{name}.txt", {"x": "1"})]) for name in ("a1", "2b")]
    mask = Mask(*runs)
    others = [Event("file logs/77.txt", {"x": "1"}), Event("file logs/last.txt", {"x": "2"})]
    kept = mask.applied(Recording(events=others)).events
    assert [event.where for event in kept] == ["file logs/last.txt"]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("{'train_loss': 1.018092, 'val_loss': 1.7}", "{'…, 'val_loss': 1.7}"),
        ("step 2: train loss 4.2e-1, val loss 4.3", "step 2: …, val loss 4.3"),
        ("train/loss=0.5 eval/loss=0.6", "… eval/loss=0.6"),
        ("val 1.7 after training", "val 1.7 after training"),
        ("constraint 3", "constraint 3"),
    ],
)
def test_what_a_line_says_of_training_is_no_matter_of_evaluation(line, left):
    assert OF_TRAINING.sub("…", line) == left


def test_an_event_file_is_compared_by_what_it_holds(tmp_path):
    writers = pytest.importorskip("torch.utils.tensorboard")
    found = []
    for value, host in ((1.0, "a"), (1.0, "b"), (2.0, "c")):
        folder = tmp_path / host
        with writers.SummaryWriter(str(folder / "runs"), filename_suffix=host) as writer:
            writer.add_scalar("loss", value, 3)
        found.append(dict(file_facts(folder, (), {}, (), (), None, by_value=True)))
    assert found[0] == found[1] == {"runs/tfevents": {"loss, step 3": "1.0"}}
    assert found[2] != found[0]


def test_how_a_sampler_draws_is_a_fact():
    data = list(range(8))
    a, b = (
        facts_of(DataLoader(data, sampler=RandomSampler(data, replacement=r)))
        for r in (True, False)
    )
    assert {name for name in a if a[name] != b[name]} == {"sampler's replacement"}
