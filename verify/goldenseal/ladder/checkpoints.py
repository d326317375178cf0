"""What a checkpoint written by `torch.save` holds, value by value, without executing any of it.

A checkpoint is a zip of raw storages and of one program for Python's unpickling machine. Here that
program is walked through symbolically: whatever it would call is a name with arguments. So a
counter that is off by one is found under its own name, and a path that a framework stores in its
state is not a difference of two runs in two folders.
"""

import hashlib
import pickletools
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from goldenseal.digest import whole_numbers

MOST = 1 << 28  # bytes of one program; of a storage, more are digested piece by piece
FEW = 16  # plain values that are spelled wherever they come
PIECE = 1 << 20


@dataclass(eq=False)
class Made:
    """What the program would make: a call of a name with arguments, then filled."""

    name: str
    args: Any = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    listed: list[Any] = field(default_factory=list)


class _Mark:
    pass


MARK = _Mark()
LITERAL = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: Mapping[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list,
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
NOTHING = {"PROTO", "FRAME", "STOP"}


def checkpoint_facts(path: Path, folder: bytes) -> dict[str, str] | None:
    """Each value by its place; None for a file that is no checkpoint of torch.

    `folder`, that of the run, counts as `.` where a text names it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            program = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
            if program is None or archive.getinfo(program).file_size > MOST:
                return None
            data = archive.read(program)
            storages = dict[str, str]()
            above = program.removesuffix("data.pkl")

            def storage(key: str) -> str:
                if key not in storages:
                    storages[key] = _digest(archive, f"{above}data/{key}")
                return storages[key]

            values = walked(data)
            text = folder.decode(errors="surrogateescape")
            return {
                (place or "value").replace(text, "."): spelled.replace(text, ".")
                for place, spelled in _leaves(values, storage)
            }
    except (OSError, zipfile.BadZipFile, ValueError, LookupError, TypeError, RecursionError):
        return None


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    h = hashlib.sha512()
    with archive.open(name) as file:
        while piece := file.read(PIECE):
            h.update(piece)
    return h.hexdigest()[:16]


def walked(data: bytes) -> Any:
    """What the program of a pickle would make, each call as a `Made`. Raises ValueError."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def to_mark() -> list[Any]:
        for i in reversed(range(len(stack))):
            if stack[i] is MARK:
                taken = stack[i + 1 :]
                del stack[i:]
                return taken
        raise ValueError("no mark")

    for opcode, arg, _ in pickletools.genops(data):
        name = opcode.name
        if name in NOTHING:
            continue
        if name == "MARK":
            stack.append(MARK)
        elif name in LITERAL:
            stack.append(LITERAL[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name in TUPLES:
            n = TUPLES[name]
            stack[-n:] = [tuple(stack[-n:])]
        elif name in ("TUPLE", "LIST", "FROZENSET"):
            items = to_mark()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name == "DICT":
            items = to_mark()
            stack.append(dict(zip(map(_key, items[::2]), items[1::2], strict=True)))
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            items = [stack.pop()] if name == "APPEND" else to_mark()
            target = stack[-1]
            (target.listed if isinstance(target, Made) else target).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            if name == "SETITEM":
                value = stack.pop()
                items = [stack.pop(), value]
            else:
                items = to_mark()
            target = stack[-1]
            target = target.items if isinstance(target, Made) else target
            target.update(zip(map(_key, items[::2]), items[1::2], strict=True))
        elif name == "GLOBAL":
            stack.append(Made(str(arg).replace(" ", ".")))
        elif name == "STACK_GLOBAL":
            attribute = stack.pop()
            stack.append(Made(f"{stack.pop()}.{attribute}"))
        elif name in ("REDUCE", "NEWOBJ"):
            args = stack.pop()
            stack.append(Made(_name(stack.pop()), args))
        elif name == "NEWOBJ_EX":
            kwargs, args = stack.pop(), stack.pop()
            stack.append(Made(_name(stack.pop()), (args, kwargs)))
        elif name == "BUILD":
            state = stack.pop()
            if isinstance(stack[-1], Made):
                stack[-1].state = state
        elif name in ("BINPERSID", "PERSID"):
            stack.append(Made("persistent", stack.pop() if name == "BINPERSID" else arg))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[int(str(arg))] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[int(str(arg))])
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            to_mark()
        elif name == "DUP":
            stack.append(stack[-1])
        elif isinstance(arg, int | float | str | bytes):
            stack.append(arg)
        else:
            raise ValueError(f"{name} is not known")
    if len(stack) != 1:
        raise ValueError("the program leaves no one value")
    return stack[0]


def _name(called: Any) -> str:
    return called.name if isinstance(called, Made) else type(called).__name__


def _key(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bytes | tuple) else _name(value)


def _leaves(value: Any, storage: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """(place, text) of every value that is no structure, those nearest to the top first.

    Objects may know each other: a configuration's nodes each hold their parent. So each is followed
    once, at its shortest place, and named by that place wherever it comes again.
    """
    first = dict[int, str]()
    ahead = deque([("", value)])
    while ahead:
        place, value = ahead.popleft()
        if not isinstance(value, dict | list | tuple | Made):
            yield place, repr(value) if isinstance(value, str) else whole_numbers(repr(value))
            continue
        if isinstance(value, Made) and (tensor := _tensor(value, storage)):
            yield place, tensor
            continue
        if id(value) in first and not _small(value):
            yield place, f"the one at {first[id(value)] or 'the top'}"
            continue
        first.setdefault(id(value), place)
        for name, part in _parts(value):
            below = f"{place}.{name}" if place and name else place or name
            ahead.append((below, part))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a structure is made of; a part without a name stands at its own place."""
    if isinstance(value, dict):
        yield from ((str(key), each) for key, each in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(i), each) for i, each in enumerate(value))
    elif _kind(value) == "_rebuild_parameter":
        yield "", value.args[0]
    else:
        if _kind(value) != "OrderedDict" and not value.items:
            yield "is", Name(value.name)
        if value.args and value.args != ((),):
            yield "made of", value.args
        for part in (value.items, value.listed or None, value.state):
            if part is not None and part != {}:
                yield "", part


class Name(str):
    """A name, spelled without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _small(value: Any) -> bool:
    """Whether a structure is a few plain values, such as a pair of betas, spelled again."""
    parts = list(islice(_parts(value), FEW + 1))
    return len(parts) <= FEW and not any(
        isinstance(p, dict | list | tuple | Made) for _, p in parts
    )


def _kind(value: Made) -> str:
    return value.name.rpartition(".")[2]


def _tensor(value: Made, storage: Callable[[str], str]) -> str | None:
    """Type, shape and digest, where the program would make a tensor."""
    if not _kind(value).startswith("_rebuild_tensor"):
        return None
    if not isinstance(value.args, tuple) or len(value.args) < 4:
        return None
    held, offset, size, stride = value.args[:4]
    *_, dtype, key, _, count = ("", *held.args) if isinstance(held, Made) else ("",) * 4
    name = _name(dtype).rpartition(".")[2].removesuffix("Storage").lower()
    return f"{name}{list(size)}:{storage(str(key))} at {offset}, {stride} of {count}"
