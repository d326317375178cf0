"""pytest tests/verify/ladder/test_networks.py — networks are found, named and left as they were."""

import copy
import inspect
import pickle

import pytest
import torch
from torch import nn

from goldenseal.ladder.networks import Networks
from goldenseal.ladder.recorder import record
from tests.verify.networks_toys import TEACHER
from tests.verify.scripts import edited, pair


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor, *, scale: float = 1.0) -> torch.Tensor:
        """Twice."""
        return self.linear(x) * scale


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        return self.head(self.inner(x))


class Watch(Networks):
    """What was taken up and called, by name."""

    def __init__(self):
        self.seen, self.calls = [], []
        super().__init__(self._network, self._call)

    def _network(self, network):
        self.seen.append((network.prefix, type(network.module).__name__))

    def _call(self, network, module, arguments):
        self.calls.append((network.prefix, network.parts[id(module)]))
        return lambda output: None


X = torch.ones(1, 2)


def test_the_outermost_call_names_the_network_and_inner_ones_are_silent():
    watch = Watch()
    with watch.watched():
        Outer()(X)
    assert watch.seen == [("", "Outer")]
    assert watch.calls == [("", "")]


def test_the_second_network_of_one_class_has_a_prefix():
    watch = Watch()
    with watch.watched():
        first, second = Outer(), Outer()
        second(X)
        first(X)
        second(X)
    assert watch.seen == [("", "Outer"), ("network 2/", "Outer")]
    assert watch.calls == [("", ""), ("network 2/", ""), ("", "")]
    assert watch.name(first.head.bias, "?") == "network 2/head.bias"
    assert watch.name(second.head.bias, "?") == "head.bias"


@pytest.mark.parametrize("part", ["inner", "head", "inner.linear"])
def test_a_part_that_is_called_alone_takes_up_its_whole_network(part):
    watch = Watch()
    with watch.watched():
        outer = Outer()
        outer.get_submodule(part)(X)
        outer(X)
    assert watch.seen == [("", "Outer")]
    assert watch.calls == [("", part), ("", "")]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_a_network_of_its_own(copied):
    watch = Watch()
    with watch.watched():
        first = Outer()
        second = copied(first)
        first(X)
        second.inner(X)
    assert watch.calls == [("", ""), ("network 2/", "inner")]


def test_a_network_that_was_built_before_is_watched_as_soon_as_it_is_used():
    old = Outer()
    watch = Watch()
    with watch.watched():
        Outer()  # its class is known now
        old.inner(X)
        assert watch.name(old.head.weight, "?") in ("head.weight", "?")
    assert watch.seen


def test_a_network_that_is_only_stepped_is_named_by_its_parameter():
    watch = Watch()
    with watch.watched():
        outer = Outer()
        assert watch.name(outer.inner.linear.bias, "?") == "inner.linear.bias"
        assert watch.seen == [("", "Outer")]
    assert watch.name(nn.Parameter(torch.zeros(1)), "lonely") == "lonely"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_parameter_of_a_copy_is_named_before_the_copy_is_called(copied):
    watch = Watch()
    with watch.watched():
        second = copied(Outer())
        assert watch.name(second.inner.linear.bias, "?") == "inner.linear.bias"


def test_a_parameter_that_was_replaced_goes_by_no_name():
    watch = Watch()
    with watch.watched():
        outer = Outer()
        gone = outer.head.bias
        outer.head.bias = nn.Parameter(torch.zeros(1))
        assert watch.name(gone, "gone") == "gone"
        assert watch.name(outer.head.bias, "?") == "head.bias"


def test_a_tied_parameter_goes_by_its_first_name():
    watch = Watch()
    with watch.watched():
        outer = Outer()
        outer.tied = nn.Linear(2, 1)
        outer.tied.weight = outer.head.weight
        assert watch.name(outer.tied.weight, "?") == "head.weight"


def test_a_part_that_is_added_later_belongs_to_the_network():
    watch = Watch()
    with watch.watched():
        outer = Outer()
        outer(X)
        outer.later = Inner()
        outer.later(X)
        assert watch.name(outer.later.linear.bias, "?") == "later.linear.bias"
    assert watch.calls == [("", ""), ("", "later")]
    assert watch.seen == [("", "Outer")]


def test_what_holds_no_tensor_is_no_network():
    watch = Watch()
    with watch.watched():
        nn.ReLU()(X)
        nn.MSELoss()(X, X)
        nn.Sequential(nn.Tanh(), nn.Identity())(X)
    assert watch.calls == []


def test_a_call_that_fails_leaves_the_next_one_outermost():
    watch = Watch()
    with watch.watched():
        outer = Outer()
        with pytest.raises(RuntimeError):
            outer(torch.ones(1, 3))
        outer(X)
    assert watch.calls == [("", ""), ("", "")]


def test_forward_keeps_its_signature_name_and_words():
    plain = inspect.signature(Inner.forward), Inner.forward.__doc__, Inner.forward.__qualname__
    with Watch().watched():
        inner = Inner()
        assert Inner.forward.__wrapped__
        assert list(inspect.signature(inner.forward).parameters) == ["x", "scale"]
        seen = inspect.signature(Inner.forward), Inner.forward.__doc__, Inner.forward.__qualname__
        assert seen == plain
        assert inspect.getfullargspec(inner.forward).kwonlyargs == ["scale"]


def test_afterwards_every_class_is_as_it_was():
    before = Inner.forward, Outer.forward, nn.Linear.forward, nn.Module.__init__
    with Watch().watched():
        Outer()
        assert Outer.forward is not before[1]
    assert (Inner.forward, Outer.forward, nn.Linear.forward, nn.Module.__init__) == before


def test_a_script_that_looks_at_its_models_signature_runs_as_without_the_recorder(tmp_path):
    looks = edited(
        TEACHER,
        ("import os\n", "import inspect\nimport os\n"),
        (
            "        return step((student(x)",
            "        given = {'x': x, 'labels': None, 'unused': 1}\n"
            "        names = list(inspect.signature(student.forward).parameters)\n"
            "        print(names)\n"
            "        target = target + student(**{n: given[n] for n in names}).detach()\n"
            "        return step((student(x)",
        ),
    )
    probe = pair(tmp_path, looks, looks).read()
    recording = record(probe, probe.candidate, {}, trace=False)
    assert recording.error is None
    lines = [e.facts["text"] for e in recording.events if e.where.startswith("printed")]
    assert lines[0] == "['x']"
