"""Libraries that turn a command line into options, each watched where it hands them out.

A library that builds its options from a function's parameters shows their defaults.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from goldenseal.ladder.merging import Note, watch_merges

Watch = Callable[[Any, Note], None]


def after(real: Callable[..., Any], look: Callable[..., None]) -> Callable[..., Any]:
    """`real`, whose owner and result are looked at; what goes wrong then is nobody's matter."""

    @functools.wraps(real)
    def method(owner: Any, *args: Any, **kwargs: Any) -> Any:
        result = real(owner, *args, **kwargs)
        try:
            look(owner, result)
        except Exception:
            return result
        return result

    return method


def before(real: Callable[..., Any], look: Callable[[Any], None]) -> Callable[..., Any]:
    """`real`, whose first argument is looked at: it may not come back."""

    @functools.wraps(real)
    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            look(args[0])
        except Exception:
            return real(*args, **kwargs)
        return real(*args, **kwargs)

    return function


def parameters(function: Any, note: Note) -> None:
    """The defaults of a function's parameters, as options; of a class those of its constructor."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            default = getattr(parameter.default, "default", parameter.default)  # of a typer.Option
            note(f"--{name.replace('_', '-')}", default, default, "option")


def click(module: Any, note: Note) -> None:
    """click, and typer, which has a copy of it."""

    def look(command: Any, context: Any) -> None:
        for each in command.params:
            name = max(each.opts, key=len, default=each.name)
            if name != "--help":
                default = each.get_default(context, call=False)
                note(name, default, context.params.get(each.name), "option")

    module.Command.make_context = after(module.Command.make_context, look)


def jsonargparse(module: Any, note: Note) -> None:
    """Its parser has a way of its own to parse; a nested option is named by its dots."""

    def look(parser: Any, chosen: Any) -> None:
        defaults = dict(_leaves(parser.get_defaults().as_dict(), ""))
        for name, value in _leaves(chosen.as_dict(), ""):
            note(f"--{name}", defaults.get(name), value, "option")

    module.ArgumentParser.parse_args = after(module.ArgumentParser.parse_args, look)


def _leaves(table: dict[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def absl(module: Any, note: Note) -> None:
    """Flags, but those of absl itself."""

    def look(flags: Any, _: Any) -> None:
        for owner, defined in flags.flags_by_module_dict().items():
            if not owner.startswith("absl."):
                for flag in defined:
                    note(f"--{flag.name}", flag.default, flag.value, "option")

    module.FlagValues.__call__ = after(module.FlagValues.__call__, look)


def fire(module: Any, note: Note) -> None:
    """What is handed to `Fire`: a function, or a class."""
    module.Fire = before(module.Fire, lambda component: parameters(component, note))


def tyro(module: Any, note: Note) -> None:
    """A function that is handed to `cli`, or a dataclass, whose fields are options."""

    def look(kind: Any) -> None:
        if inspect.isfunction(kind):
            parameters(kind, note)
        elif dataclasses.is_dataclass(kind):
            for name, default in _fields(kind, ""):
                note(f"--{name.replace('_', '-')}", default, default, "option")

    module.cli = before(module.cli, look)


def _fields(kind: Any, place: str) -> Iterator[tuple[str, Any]]:
    """(name, default) of each field, those of an inner dataclass by their dots."""
    for each in dataclasses.fields(kind):
        made = each.default_factory() if callable(each.default_factory) else each.default
        default = getattr(kind, each.name) if not isinstance(kind, type) else made
        if dataclasses.is_dataclass(default):
            yield from _fields(default, f"{place}{each.name}.")
        elif default is not dataclasses.MISSING:
            yield f"{place}{each.name}", default


WATCHED: dict[str, Watch] = {
    "absl.flags._flagvalues": absl,
    "click.core": click,
    "fire.core": fire,
    "jsonargparse._core": jsonargparse,
    "typer._click.core": click,
    "tyro._cli": tyro,
    "yacs.config": lambda module, note: watch_merges(module.CfgNode, note),
}
