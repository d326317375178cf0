"""pytest tests/verify/ladder/test_structure.py

What hangs together in a batch, whatever its form.
"""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.ladder.structure import leaves, modules

Pair = namedtuple("Pair", "left right")


@dataclass
class Batch:
    """A batch as some scripts have it."""

    ids: object
    mask: object = None
    extra: dict = field(default_factory=dict)


T = torch.ones(2)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        (T, [""]),
        ((T, T), [".0", ".1"]),
        ([T, [T, 3]], [".0", ".1.0", ".1.1"]),
        ({"x": T, "y": {"z": T}}, [".x", ".y.z"]),
        (OrderedDict(b=T, a=T), [".b", ".a"]),
        (Batch(T, {"m": T}, {"k": 1}), [".ids", ".mask.m", ".extra.k"]),
        (Pair(T, None), [".0", ".1"]),
        ({1: T, (2, 3): T}, [".1", ".(2, 3)"]),
        ((), []),
        ({}, []),
        (object(), []),
        (Batch, []),
        ([print, T], [".1"]),
        ("word", [""]),
        ((1, 2.0, True, None, 1j, "a"), [".0", ".1", ".2", ".3", ".4", ".5"]),
    ],
)
def test_leaves_go_by_their_places_in_order(value, places):
    assert [place for place, _ in leaves(value)] == places


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


def find(tree, place):
    """What lies at a place of a tree whose keys have no dots."""
    for key in place.split(".")[1:]:
        tree = tree[key] if isinstance(tree, dict) else tree[int(key)]
    return tree


@given(trees)
def test_each_leaf_is_found_again_at_its_place_and_none_is_named_twice(tree):
    found = list(leaves(tree))
    places = [place for place, _ in found]
    assert len(places) == len(set(places))
    for place, leaf in found:
        assert find(tree, place) is leaf


@given(trees, trees)
def test_the_order_is_that_of_the_structure(first, second):
    inner = [leaf for _, leaf in leaves(first)] + [leaf for _, leaf in leaves(second)]
    assert [leaf for _, leaf in leaves((first, {"k": second}))] == inner


def test_networks_of_a_structure_have_their_places_and_one_alone_has_none():
    net = torch.nn.Linear(1, 1)
    assert modules(net) == [("", net)]
    assert modules([net, {"b": net}]) == [("0.", net), ("1.b.", net)]
    assert modules({"teacher": net, "optimizer": object(), "lr": 3}) == [("teacher.", net)]
    assert modules(3) == modules(None) == modules([]) == []
