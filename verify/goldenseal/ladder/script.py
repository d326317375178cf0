"""A training script as the gates drive it: loaded anew, run in its own surroundings, left again.

A script may bring modules of its own (`from net import Net`). Two scripts that are held against
each other then have modules of equal names in different folders, and Python keeps the first that it
met. So each script is opened with its own folder first on the path, whatever either side brought
before is forgotten, and when it is closed none of the other side may be loaded.
"""

import contextlib
import functools
import importlib
import importlib.util
import os
import site
import sys
import sysconfig
import tokenize
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from unittest import mock

from goldenseal.errors import CannotCheckError, UsageError

# Of either script, since a class's printed or pickled name tells its module.
NAME = "goldenseal_script"


@dataclass(frozen=True)
class Script:
    """One training script.

    location: a path to a .py file, or the dotted name of an importable module.
    build: expression, in the script's namespace, for a freshly constructed model, or for several in
        any structure of lists, tuples and dicts.
    loss: expression for the scalar training loss of `model` on a drawn `batch`; a batch that is a
        pair has the names `x`, `y` too.
    entry: expression that performs the whole run in the current folder.
    model_class: the class of the network whose source a log must hold.
    other: location of the script that this one is held against.
    """

    label: str
    location: str
    build: str
    entry: str
    loss: str = "model(x, y)"
    model_class: str = "GPT"
    other: str = ""
    # Whether it is a command, whose process ends with it, and no expression is there to evaluate.
    own_process: ClassVar[bool] = False

    def home(self, folder: Path) -> str | None:
        """Where its own files lie while it runs in `folder`."""
        return own_folder(self.location)

    def settled(self, settings: Mapping[str, str]) -> "Script":
        """The script under settings; those of a script are variables, which it finds by itself."""
        return self

    def furnish(self, folder: Path) -> None:
        """Lay into the folder of a run what must be there: nothing."""

    def hint(self, error: BaseException, folder: Path, missed: list[str]) -> str:
        """What would help against an error of the script, if that is known."""
        return ""

    def original(self, file: str, folder: Path) -> str:
        """Which file of the user's a file that was run is."""
        return file

    @contextlib.contextmanager
    def opened(self) -> Iterator[ModuleType]:
        """The script's module, in its surroundings; to be used until the run is over.

        A file is executed anew each time, since it may read the environment. Raises UsageError when
        there is no such file or module, LoadError when it ends or fails as it is loaded, and
        MixedError when a module of the other script was loaded in the end.
        """
        folder, other = folder_of(self.location), folder_of(self.other)
        for side in (folder, other):
            forget(side)
        argv = [self.location if folder is None else str(Path(self.location).resolve())]
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(sys, "argv", argv))
            if folder is not None:
                stack.enter_context(mock.patch.object(sys, "path", [folder, *sys.path]))
                # Else the import system leaves __pycache__ in a folder that may be sealed.
                stack.enter_context(mock.patch.object(sys, "dont_write_bytecode", True))
                importlib.invalidate_caches()
            yield self.load()
            strangers = [name for name in modules_below(other) if not _is_below(name, folder)]
            if strangers:
                raise MixedError(
                    f"the {self.label} ran with {strangers[0]} of the other script's folder: "
                    "give each script a folder with the modules that it imports"
                )

    def load(self) -> ModuleType:
        """The script's module alone, for one that brings no modules of its own: see `opened`."""
        path = Path(self.location).resolve()
        if self.location.endswith(".py") and not path.is_file():
            raise UsageError(f"{self.label}: there is no script {self.location}")
        try:
            if not self.location.endswith(".py"):
                return importlib.import_module(self.location)
            module = ModuleType(NAME)
            module.__file__ = str(path)
            sys.modules[module.__name__] = module  # dataclasses look their module up meanwhile
            exec(compile(path.read_bytes(), path, "exec"), vars(module))
            return module
        except SystemExit as end:
            raise LoadError(
                f"the {self.label} ends while it is imported ({in_words(end)}): "
                "it must be importable without running"
            ) from end
        except Exception as error:
            raise LoadError(f"the {self.label} cannot be imported: {in_words(error)}") from error

    def evaluate(self, module: ModuleType, key: str, **names: Any) -> Any:
        """Evaluate the expression `key` (build, loss or entry) in the script's own namespace.

        Raises ProbeError when the expression itself is wrong; an exception of the script passes.
        """
        where = f"<{key} of the probe>"
        names = {**vars(module), "os": os, **names}
        try:
            return eval(compile(getattr(self, key), where, "eval"), names)  # the user's own words
        except SyntaxError as error:
            if error.filename != where:
                raise
            raise ProbeError(f"`{key}` of the probe is no expression: {error.msg}") from error
        except Exception as error:
            if traceback.extract_tb(error.__traceback__)[-1].filename != where:
                raise
            raise ProbeError(
                f"`{key}` of the probe does not fit the {self.label}: "
                f"{type(error).__name__}: {error}"
            ) from error


class LoadError(CannotCheckError):
    """A script cannot be imported, so nothing of it can be checked."""


class ProbeError(UsageError):
    """An expression or a function of the probe is wrong, so nothing can be checked by it."""


class MixedError(CannotCheckError):
    """One of two scripts ran with a module of the other, so that they cannot be told apart."""


FAULTS = (LoadError, ProbeError, MixedError)


def source_text(file: str | os.PathLike[str]) -> str:
    """A Python file's text, in the encoding that it names."""
    with tokenize.open(file) as source:
        return source.read()


def in_words(error: BaseException) -> str:
    """Kind, text and place of an exception, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"


def ended_well(end: SystemExit) -> bool:
    """Whether `sys.exit` was called as at the end of a script that is content."""
    return end.code is None or (isinstance(end.code, int) and end.code == 0)


def sources_of(script: Script, module: ModuleType) -> list[str]:
    """The texts that a log of the script must hold: its own, and that of its model's module."""
    model_class = getattr(module, script.model_class, None)
    homes = (module, sys.modules.get(getattr(model_class, "__module__", ""), module))
    files = sorted({home.__file__ for home in homes if home.__file__})
    return [source_text(file) for file in files]


# ---- whose module is it? ---------------------------------------------------------------------


def folder_of(location: str) -> str | None:
    """The folder of a script that is a file; None for an importable module."""
    return os.path.dirname(_real(location)) if location.endswith(".py") else None


def own_folder(location: str) -> str | None:
    """Where a script's own files lie: beside it, or in the package that a module belongs to."""
    if location.endswith(".py"):
        return folder_of(location)
    spec = importlib.util.find_spec(location.partition(".")[0])
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ()) or [os.path.dirname(spec.origin or "")]
    return _real(places[0])


def modules_below(folder: str | None) -> list[str]:
    """Names of the loaded modules that lie below `folder`, by name."""
    return sorted(name for name in list(sys.modules) if _is_below(name, folder))


def forget(folder: str | None) -> None:
    """Let Python load what lies below `folder` anew."""
    for name in modules_below(folder):
        del sys.modules[name]


def _is_below(name: str, folder: str | None) -> bool:
    """Whether a loaded module lies below `folder` and is neither installed nor Goldenseal's."""
    module = sys.modules.get(name)
    place = getattr(module, "__file__", None)
    if not isinstance(place, str):  # a folder without __init__.py, or no file at all
        spec = getattr(module, "__spec__", None)
        place = next(iter(getattr(spec, "submodule_search_locations", None) or ()), None)
    return isinstance(place, str) and is_own(place, folder)


def is_own(file: str, folder: str | None) -> bool:
    """Whether a file lies below `folder` and is neither installed there nor Goldenseal's."""
    if file.startswith("<"):  # no file, but code that was made at run time or is frozen
        return False
    place = _real(file)
    if folder is None or not _within(place, folder):
        return False
    return not any(_within(place, inner) for inner in (*INSTALLED, OWN) if _within(inner, folder))


def run_folder(place: str, script: Script) -> str:
    """The folder of a run, below an empty one: `place` itself, but of a command deeper."""
    folder = os.path.join(place, *(("up", "run") if script.own_process else ()))
    os.makedirs(folder, exist_ok=True)
    return folder


def followed(script: Script) -> Callable[[str], bool]:
    """Which files' executed code is noted: a script's own, or the package of a module."""
    folder = own_folder(script.location)
    return lambda file: is_own(file, folder)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


@functools.cache  # there are thousands of modules, and their files do not move
def _real(path: str) -> str:
    return os.path.realpath(path)


OWN = _real(str(Path(__file__).parents[1]))  # goldenseal itself
# Below a project's folder there may be a virtual environment: what lies there is nobody's own.
INSTALLED = tuple(
    sorted(
        {
            *(_real(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")),
            *(_real(sysconfig.get_path(name)) for name in ("purelib", "platlib")),
            *map(_real, (*site.getsitepackages(), site.getusersitepackages())),
        }
    )
)
