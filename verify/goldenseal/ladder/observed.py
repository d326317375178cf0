"""What can be set from outside, as a run sees it: options, variables, configurations.

Nothing is parsed from the source but the constants of a script that overwrites its own globals.
Each source of options is watched where it hands them out: `argparse` (and so Hugging Face's
parser), other parsers of command lines, `os.environ`, hydra's composed configuration, objects that
take the words of the command, dataclasses and classes of settings.
"""

import argparse
import ast
import contextlib
import dataclasses
import functools
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from goldenseal.digest import ADDRESS
from goldenseal.ladder.events import Option
from goldenseal.ladder.merging import merges_watched
from goldenseal.ladder.parsers import WATCHED, Watch, after

LAUNCHER = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "LOCAL_WORLD_SIZE"}
SETTINGS = re.compile(r"(?i)(config|args|arguments|params|settings?|options?|hyper\w*|flags?)$")
WALKS = ("<frozen _collections_abc>", str(Path(__file__).parents[1]))
PLAIN = (bool, int, float, str, type(None))


class Observed:
    """Collects options while `watching`. `own` says which files are the script's.

    options: by how each is typed. read: variables that any Python code asked for.
    """

    def __init__(self, own: Callable[[str], bool], placeless: Callable[[str], str]):
        self._own, self._placeless = own, placeless
        self.options: dict[str, Option] = {}
        self.read: set[str] = set()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this process while inside."""
        with contextlib.ExitStack() as stack:
            parse = argparse.ArgumentParser.parse_known_args
            stack.enter_context(
                mock.patch.object(
                    argparse.ArgumentParser, "parse_known_args", after(parse, self._parsed)
                )
            )
            stack.enter_context(self._environ())
            stack.enter_context(merges_watched(self._own, self.note))
            watched: dict[str, Callable[[Any], None]] = {
                name: partial(self._patch, watch) for name, watch in WATCHED.items()
            }
            watched["hydra._internal.config_loader_impl"] = self._watch_hydra
            for name, patch in watched.items():
                if name in sys.modules:
                    patch(sys.modules[name])
                else:
                    stack.enter_context(on_import(name, patch))
            yield

    def _patch(self, watch: Watch, module: Any) -> None:
        watch(module, self.note)

    def note(
        self, name: str, default: object, value: object, kind: str, choices: Any = None
    ) -> None:
        """An option was handed out; the first time counts."""
        if name not in self.options:
            every = tuple(map(str, choices or ()))
            self.options[name] = Option(self._text(default), self._text(value), kind, every)

    def _text(self, value: object) -> str:
        return ADDRESS.sub("", self._placeless(repr(value)))

    def _parsed(self, parser: argparse.ArgumentParser, result: Any) -> None:
        asked = sys._getframe(2)
        while asked.f_back and asked.f_code.co_filename == argparse.__file__:
            asked = asked.f_back
        if asked.f_globals.get("__name__", "").startswith(("fire.", "hydra.")):
            return  # its own options, whatever the script is
        chosen = vars(result[0])
        for action in parser._actions:
            if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
                continue
            name = max(action.option_strings, key=len, default=action.dest)
            self.note(
                name,
                parser.get_default(action.dest),
                chosen.get(action.dest),
                "option",
                action.choices,
            )

    # -- variables ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _environ(self) -> Iterator[None]:
        real: Any = type(os.environ)
        seen = self._seen

        class Environ(real):  # type: ignore[misc]
            def __getitem__(self, name: str) -> Any:
                seen(name, None)
                return super().__getitem__(name)

            def get(self, name: str, default: Any = None) -> Any:
                seen(name, default)
                return super().get(name, default)

            def __contains__(self, name: object) -> bool:
                seen(name, None)
                return bool(super().__contains__(name))

        Environ.__name__ = Environ.__qualname__ = real.__name__
        Environ.__module__ = real.__module__
        vars(os.environ)  # of an ordinary class, so that it can be given another one
        os.environ.__class__ = Environ
        try:
            yield
        finally:
            os.environ.__class__ = real

    def _seen(self, name: Any, default: Any) -> None:
        if not isinstance(name, str):
            return
        frame = sys._getframe(2)
        if frame.f_code.co_filename.startswith(WALKS):  # who looks at all of them asks for none
            return
        self.read.add(name)
        while frame is not None and frame.f_code.co_filename == os.__file__:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None and name not in LAUNCHER and self._own(frame.f_code.co_filename):
            value = os.environ._data.get(os.environ.encodekey(name))  # type: ignore[attr-defined]
            given = None if value is None else os.environ.decodevalue(value)
            self.note(name, default, given if given is not None else default, "variable")

    # -- libraries ---------------------------------------------------------------------------------

    def _watch_hydra(self, module: Any) -> None:
        loader, note = module.ConfigLoaderImpl, self.note
        real = loader.load_configuration

        @functools.wraps(real)
        def load_configuration(
            this: Any, config_name: Any, overrides: Any, *args: Any, **kwargs: Any
        ) -> Any:
            composed = real(this, config_name, overrides, *args, **kwargs)
            with contextlib.suppress(Exception):
                plain = real(this, config_name, [], *args, **kwargs)
                values, defaults = dict(flattened(composed)), dict(flattened(plain))
                for name in {**defaults, **values}:
                    if not name.startswith("hydra."):
                        note(name, defaults.get(name), values.get(name), "override")
            return composed

        loader.load_configuration = load_configuration

    # -- in the end --------------------------------------------------------------------------------

    def look_at_modules(self) -> None:
        """Fields of the script's own dataclasses and classes of settings, and its constants."""
        for name, module in sorted(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if not isinstance(file, str) or not self._own(file):
                continue
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == module.__name__:
                    self._look_at_class(value)
            if name == "__main__":
                self._look_at_constants(file)

    def _look_at_class(self, kind: type) -> None:
        if dataclasses.is_dataclass(kind):
            for each in dataclasses.fields(kind):
                if each.default is not dataclasses.MISSING:
                    self.note(f"{kind.__name__}.{each.name}", each.default, each.default, "field")
        elif SETTINGS.search(kind.__name__):
            for name, value in list(vars(kind).items()):
                if not name.startswith("_") and isinstance(value, PLAIN):
                    self.note(f"{kind.__name__}.{name}", value, value, "field")

    def _look_at_constants(self, file: str) -> None:
        """A script that overwrites its globals, as by `exec`, has its options in their literals."""
        with open(file, "rb") as source:
            text = source.read()
        if b"globals()" not in text:
            return
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                with contextlib.suppress(ValueError):
                    value = ast.literal_eval(node.value)
                    name = node.targets[0].id
                    now = vars(sys.modules["__main__"]).get(name)
                    self.note(name, value, now, "constant")


def flattened(config: Any) -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of an OmegaConf configuration, interpolations as they are written."""
    from omegaconf import OmegaConf  # there, since hydra has just made the configuration

    yield from _flat(OmegaConf.to_container(config, resolve=False), "")


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key in value:
            yield from _flat(value[key], f"{name}.{key}" if name else str(key))
    else:
        yield name, value


@contextlib.contextmanager
def on_import(name: str, patch: Callable[[Any], None]) -> Iterator[None]:
    """While inside, `patch` the module of that name as soon as it has been imported."""

    class Finder:
        busy = False

        def find_spec(self, wanted: str, path: Sequence[str] | None, target: Any = None) -> Any:
            if wanted != name or self.busy:
                return None
            self.busy = True
            try:
                spec = importlib.util.find_spec(wanted)
            finally:
                self.busy = False
            loader: Any = getattr(spec, "loader", None)
            if loader is None or not hasattr(loader, "exec_module"):
                return spec
            execute = loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                with contextlib.suppress(Exception):
                    patch(module)

            loader.exec_module = exec_module
            return spec

    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
