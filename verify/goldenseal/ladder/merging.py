"""Settings that a script keeps in objects of its own, and overwrites from the command line.

Such a class has attributes and a method that is handed the words of the command: `merge_from_args`,
`update_from_cli`. As it is called, what the object holds are the defaults, and their places in it
are how they are typed.
"""

import builtins
import contextlib
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

MERGES = re.compile(
    r"(?i)_?(merge|update|override|overwrite|parse|load|set|apply|read|from)\w*_"
    r"(args?|argv|cli|opts?|options|list|overrides|dotlist|cmd|command(_?line)?)"
)
PLAIN = (bool, int, float, str, type(None))
DEEPEST = 8
Note = Callable[[str, object, object, str], None]


@contextlib.contextmanager
def merges_watched(own: Callable[[str], bool], note: Note) -> Iterator[None]:
    """While inside, hand over the settings of objects of classes that files `own` takes define."""
    real = builtins.__build_class__

    def build_class(body: Any, name: str, *bases: Any, **kwargs: Any) -> Any:
        made = real(body, name, *bases, **kwargs)
        with contextlib.suppress(Exception):
            if own(body.__code__.co_filename):
                watch_merges(made, note)
        return made

    with mock.patch.object(builtins, "__build_class__", build_class):
        yield


def watch_merges(kind: type, note: Note) -> None:
    """Watch the methods of a class that take the words of a command line."""
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and MERGES.fullmatch(name):
            setattr(kind, name, _watched(method, note))


def _watched(method: Callable[..., Any], note: Note) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(this: Any, *args: Any, **kwargs: Any) -> Any:
        before = _held(this)
        result = method(this, *args, **kwargs)
        after = _held(this)
        style = typed_as(args)
        for name in {**before, **after}:
            note(f"{style}{name}", before.get(name), after.get(name), "setting")
        return result

    return call


def typed_as(args: tuple[Any, ...]) -> str:
    """What stands before a name where it is typed: `--`, as in `--model.width=3`, or nothing."""
    words = args[0] if args and isinstance(args[0], list | tuple) else []
    typed = [word for word in words if isinstance(word, str)]
    return "" if typed and not any(word.startswith("--") for word in typed) else "--"


def _held(value: Any) -> dict[str, object]:
    with contextlib.suppress(Exception):
        return dict(_settings(value, "", 0))
    return {}


def _settings(value: Any, place: str, depth: int) -> Iterator[tuple[str, object]]:
    """(dotted place, value) of what an object, or a table, holds that is plain."""
    if isinstance(value, PLAIN) or _is_plain_sequence(value):
        yield place, value
    elif depth < DEEPEST and not isinstance(value, type):
        table = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
        for name, each in list(table.items()):
            if isinstance(name, str) and not name.startswith("_"):
                yield from _settings(each, f"{place}.{name}" if place else name, depth + 1)


def _is_plain_sequence(value: Any) -> bool:
    return type(value) in (list, tuple) and all(isinstance(each, PLAIN) for each in value)
