"""What hangs together in a batch, an argument list or an output, whatever its structure."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import torch

Leaf = torch.Tensor | bool | int | float | complex | str | None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """(place, value) of every tensor, number, text and None of a structure, in order.

    Looks into mappings, lists, tuples, sets of one order, and dataclasses; what else there is, a
    function or an object of the script's own, is passed over.
    """
    if torch.is_tensor(value) or value is None or isinstance(value, bool | int | float | complex):
        yield path, value
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key in value:
            yield from leaves(value[key], f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for i, each in enumerate(value):
            yield from leaves(each, f"{path}.{i}")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from leaves(getattr(value, each.name, None), f"{path}.{each.name}")


def modules(built: Any) -> list[tuple[str, torch.nn.Module]]:
    """(prefix of its tensors' names, module) of each network that a `build` expression returns.

    One alone has no prefix; of several each has its place in the structure, and a dot.
    """
    if isinstance(built, torch.nn.Module):
        return [("", built)]
    return [(f"{place[1:]}.", module) for place, module in _modules(built, "")]


def _modules(value: Any, path: str) -> Iterator[tuple[str, torch.nn.Module]]:
    if isinstance(value, torch.nn.Module):
        yield path, value
    elif isinstance(value, Mapping):
        for key in value:
            yield from _modules(value[key], f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for i, each in enumerate(value):
            yield from _modules(each, f"{path}.{i}")
