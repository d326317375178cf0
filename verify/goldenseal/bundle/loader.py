"""A training system in one file: how its modules come out of it, and then the modules.

Made by `goldenseal bundle`; edit the modules in the repository, not here. Run it from anywhere, as
it is or under torchrun: a module that is not in this file is not taken from elsewhere either.
Tracebacks name THIS_FILE/path/of/the/module.py with the line that it has in the repository.
"""

import importlib.util
import os
import runpy
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from types import ModuleType


class Bundle(SourceLoader):
    """Finds and loads modules among `files`, texts by path as in the repository.

    bundle: the file that holds them. A module can ask for it, as `__spec__.loader.bundle`, and for
    a text file beside it, by `pkgutil.get_data(__package__, name)`.
    """

    def __init__(self, files: Mapping[str, str], bundle: str):
        self.files, self.bundle = files, os.path.abspath(bundle)
        self.own = {path.partition("/")[0].removesuffix(".py") for path in files}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is in this file; None for what is none of its packages."""
        stem = fullname.replace(".", "/")
        for name, folders in ((f"{stem}/__init__.py", []), (f"{stem}.py", None)):
            if name in self.files:
                return importlib.util.spec_from_file_location(
                    fullname,
                    f"{self.bundle}/{name}",
                    loader=self,
                    submodule_search_locations=folders,
                )
        if fullname.partition(".")[0] in self.own:
            raise ModuleNotFoundError(f"{fullname} is not in {self.bundle}", name=fullname)
        return None

    def get_filename(self, fullname: str) -> str:
        """The path that tracebacks show."""
        spec = self.find_spec(fullname)
        if spec is None or spec.origin is None:
            raise ImportError(f"{fullname} is not in {self.bundle}", name=fullname)
        return spec.origin

    def get_data(self, path: bytes | str) -> bytes:
        """The bytes of a file in this file. Raises OSError when there is none of that path."""
        name = os.path.relpath(os.fsdecode(path), self.bundle).replace(os.sep, "/")
        if name not in self.files:
            raise FileNotFoundError(f"{name} is not in {self.bundle}")
        return self.files[name].encode("utf-8")


def install(files: Mapping[str, str], bundle: str) -> None:
    """From now on, the packages in `files` are imported from there and from nowhere else."""
    sys.meta_path.insert(0, Bundle(files, bundle))


def run(module: str) -> None:
    """Run `module` as `python -m` would."""
    # The interpreter's own report, before Python 3.13, knows no lines but those of real files.
    sys.excepthook = lambda *error: traceback.print_exception(*error)
    runpy.run_module(module, run_name="__main__")
