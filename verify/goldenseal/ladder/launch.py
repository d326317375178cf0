"""A side as a command: run as `__main__`, as if Python had been started with it.

It goes through the same recorder as a script that is driven by expressions. The process was forked
for this run alone, and no module of a side was ever loaded in the one that it was forked from.
"""

import atexit
import contextlib
import importlib.util
import multiprocessing
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, ClassVar

from goldenseal.errors import UsageError
from goldenseal.ladder.identifiers import counted_identifiers
from goldenseal.ladder.missing import found_outside
from goldenseal.ladder.program import Program, words_of
from goldenseal.ladder.script import (
    INSTALLED,
    OWN,
    LoadError,
    MixedError,
    Script,
    ended_well,
    in_words,
)
from goldenseal.ladder.sides import Tree


@dataclass(frozen=True)
class Command(Script):
    """One side: the files that it has, and what is run there.

    location: the started file as it lies in the side's tree, or the dotted name of a module.
    arguments: what a scenario or a feature adds to the command. device: "cpu" to answer CUDA.
    beside: the folder that the other side was made from.
    """

    tree: Tree = field(default_factory=lambda: Tree("", ".", ""))
    program: Program = field(default_factory=lambda: Program("file", ""))
    arguments: tuple[str, ...] = ()
    device: str = ""
    beside: str = ""
    own_process: ClassVar[bool] = True

    def home(self, folder: Path) -> str | None:
        """Where the side's own files lie while it runs in `folder`."""
        return str(folder)

    def settled(self, settings: Mapping[str, str]) -> "Command":
        """The command with the words that settings add to it."""
        return replace(self, arguments=self.arguments + words_of(settings))

    def furnish(self, folder: Path) -> None:
        """Lay the side's files into the folder of a run."""
        self.tree.furnish(folder)

    def original(self, file: str, folder: Path) -> str:
        """The file of the side's tree of which a run has a copy."""
        return str(Path(self.tree.root) / os.path.relpath(file, folder))

    def hint(self, error: BaseException, folder: Path, missed: list[str]) -> str:
        """Of a file that is missing here and lies in the user's folder: it is to be linked.

        missed: what was asked for before the error.
        """
        start, origin = (os.path.join(top, self.tree.within) for top in (folder, self.tree.origin))
        place = next(found_outside(error, missed, start, origin), "")
        if not place:
            return ""
        above = os.path.dirname(place) if os.path.isfile(os.path.join(origin, place)) else place
        above = above or place
        return (
            f"; {place} lies in your folder and is no part of the {self.label}: "
            f'--link {above}, or [files] link = ["{above}"]'
        )

    @contextlib.contextmanager
    def opened(self) -> Iterator[ModuleType]:
        """The `__main__` that the command is to fill, in its surroundings.

        Raises LoadError when there is nothing to run, and MixedError when in the end a module was
        loaded that belongs to the user's folder, or to the other side, and not to this run.
        """
        folder = Path.cwd()
        start = folder / self.tree.within
        os.chdir(start)
        _look_like_a_main_process()
        sys.dont_write_bytecode = True
        sys.path[:] = self._path(folder, start)
        sys.argv[:] = [self._argv0(start), *self.program.arguments, *self.arguments]
        main = ModuleType("__main__")
        vars(main)["__builtins__"] = __builtins__
        sys.modules["__main__"] = main
        with counted_identifiers():
            yield main
            atexit._run_exitfuncs()
        for name, module in sorted(sys.modules.items()):
            place = getattr(module, "__file__", None)
            if isinstance(place, str) and self._is_foreign(os.path.realpath(place), folder):
                raise MixedError(
                    f"the {self.label} ran with {name} of {os.path.dirname(place)}, which is not "
                    "its own copy: name the folder of its packages, [files] pythonpath = "
                    '["..."], and take it from PYTHONPATH'
                )

    def evaluate(self, module: ModuleType, key: str, **names: Any) -> Any:
        """Perform the whole run. Raises LoadError for what cannot be found or imported."""
        try:
            exec(self._code(module), vars(module))
        except SystemExit as end:
            if not ended_well(end):
                raise
        except (ImportError, SyntaxError) as error:
            raise LoadError(self._not_loaded(error)) from error

    # -- where things lie ------------------------------------------------------------------------

    def _path(self, folder: Path, start: Path) -> list[str]:
        """`sys.path` as Python would make it for this command, with the copy for the original."""
        first = start / self.program.target if self.program.kind == "file" else start / "x"
        own = [str(first.resolve().parent)]
        own += [str(start / each) for each in self.tree.pythonpath]
        asked = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
        own += [self._moved(os.path.abspath(each), folder) for each in asked]
        own += [str(each / "src") for each in (start, folder) if (each / "src").is_dir()]
        if self.program.kind == "entry":
            own.append(str(folder))
        starts = {"", self.tree.origin, os.path.join(self.tree.origin, self.tree.within)}
        starts = {os.path.normpath(each) if each else each for each in starts}
        tests = os.path.dirname(os.path.abspath(sys.argv[0])) if sys.argv else ""
        rest = [each for each in sys.path if each not in starts and each != tests]
        return list(dict.fromkeys([*own, *(self._moved(each, folder) for each in rest)]))

    def _moved(self, place: str, folder: Path) -> str:
        """A folder of the user's tree as the run has it."""
        if self._is_in(self.tree.origin, os.path.realpath(place), folder):
            return str(folder / os.path.relpath(os.path.realpath(place), self.tree.origin))
        return place

    def _is_foreign(self, place: str, folder: Path) -> bool:
        """Whether a path lies in a folder that either side was made from, and is not installed."""
        return any(self._is_in(each, place, folder) for each in (self.tree.origin, self.beside))

    @staticmethod
    def _is_in(origin: str, place: str, folder: Path) -> bool:
        if not origin or not _within(place, origin) or _within(place, str(folder)):
            return False
        return not any(_within(place, inner) for inner in (*INSTALLED, OWN, os.path.dirname(OWN)))

    def _argv0(self, start: Path) -> str:
        if self.program.kind == "module":
            return "-m"
        return self.program.target if self.program.kind == "file" else self.program.name

    def _code(self, main: ModuleType) -> CodeType:
        """The code to run, and `main` made to look like its module."""
        if self.program.kind == "file":
            path = Path(self.program.target)
            if not path.is_file():
                raise LoadError(
                    f"the {self.label} has no file {path}: it was looked for in {_cwd()}"
                )
            vars(main)["__file__"] = str(path.resolve())
            vars(main)["__spec__"] = None
            return compile(path.read_bytes(), str(path.resolve()), "exec", dont_inherit=True)
        if self.program.kind == "entry":
            module, _, attribute = self.program.target.partition(":")
            vars(main)["__spec__"] = None
            text = f"import sys\nfrom {module} import {attribute.partition('.')[0]}\n"
            return compile(
                f"{text}sys.exit({attribute.partition(' ')[0]}())\n", "<console script>", "exec"
            )
        return self._module_code(main)

    def _module_code(self, main: ModuleType) -> CodeType:
        name = self.program.target
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name = f"{name}.__main__"
            spec = importlib.util.find_spec(name)
        get_code = getattr(getattr(spec, "loader", None), "get_code", None)
        code = get_code(name) if get_code is not None else None
        if spec is None or code is None:
            raise ImportError(f"there is no module {name} to run", name=name)
        vars(main).update(__spec__=spec, __file__=spec.origin, __package__=spec.parent)
        vars(main)["__loader__"] = spec.loader
        sys.argv[0] = spec.origin or name
        return code  # type: ignore[no-any-return]

    def _not_loaded(self, error: Exception) -> str:
        folder = Path.cwd()
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            file = os.path.relpath(os.path.realpath(error.filename), folder.resolve())
            line = (error.text or "").strip()
            return f"the {self.label} is no Python: {file}:{error.lineno}: {error.msg}: `{line}`"
        own = [each for each in sys.path if each.startswith(str(folder.resolve()))]
        shown = ", ".join(os.path.relpath(each, folder) for each in own) or "."
        return (
            f"the {self.label} cannot be imported: {in_words(error)}; its imports were looked for "
            f"in {shown} (relative to where the command runs) and in this Python, {sys.prefix}"
        )


def _cwd() -> str:
    return f"the side's folder, which holds {', '.join(sorted(os.listdir())[:8]) or 'nothing'}"


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _look_like_a_main_process() -> None:
    """A forked process says that it is one, and a script may ask."""
    multiprocessing.current_process().name = "MainProcess"
    vars(multiprocessing.process)["_parent_process"] = None
    atexit._clear()


def place_of(error: BaseException, own: str) -> str:
    """`file:line` of the last frame of the script's own, relative to its folder; else empty."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not os.path.isabs(frame.filename):  # `<frozen os>` is no file, wherever this runs
            continue
        if _within(os.path.realpath(frame.filename), own):
            return f"{os.path.relpath(os.path.realpath(frame.filename), own)}:{frame.lineno}"
    return ""


def command_of(label: str, tree: Tree, program: Program, device: str) -> Command:
    """The side of that label. Raises UsageError for a file that it has not."""
    location = program.target
    if program.kind == "file":
        path = Path(tree.root) / tree.within / program.target
        if os.path.isabs(program.target):
            raise UsageError(
                f"the command names {program.target}: give its path from where you type the "
                "command, so that each side runs its own"
            )
        if not path.is_file():
            raise UsageError(f"the {label} has no file {program.target}")
        location = str(path)
    return Command(label, location, "", "", tree=tree, program=program, device=device)
