"""The line of the script's own that an operation, a call or a step comes from."""

import linecache
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

TEXT = 60  # characters of a line that are shown
# What stands between the line that prints and who hears of it: goldenseal, and the logging module.
BETWEEN = (str(Path(__file__).parents[1]), os.path.dirname(logging.__file__))


class Places:
    """Finds the innermost frame of a file that `own` takes. Meant for one thread.

    home: the folder below which those files lie, which no text names.
    """

    def __init__(self, own: Callable[[str], bool], home: str | None):
        self._own, self._home = own, home
        self._files: dict[str, bool] = {}
        self._texts: dict[tuple[str, int], str] = {}

    def here(self, above: int = 1) -> str:
        """`file:line (function): text` of the caller's innermost own frame; empty when none is."""
        frame = sys._getframe(above)
        files = self._files
        while frame is not None:
            file = frame.f_code.co_filename
            mine = files.get(file)
            if mine is None:
                mine = files[file] = self._own(file)
            if mine:
                key = file, frame.f_lineno
                text = self._texts.get(key)
                if text is None:
                    text = self._texts[key] = self._spelled(*key, frame.f_code.co_name)
                return text
            frame = frame.f_back  # type: ignore[assignment]
        return ""

    def directly(self) -> str:
        """The same, but empty where a library has called, such as one that shows progress."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(BETWEEN):
            frame = frame.f_back  # type: ignore[assignment]
        if frame is None or not self._own(frame.f_code.co_filename):
            return ""
        return self._spelled(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)

    def _spelled(self, file: str, line: int, function: str) -> str:
        name = os.path.relpath(os.path.realpath(file), self._home) if self._home else file
        text = linecache.getline(file, line).strip()
        if len(text) > TEXT:
            text = text[:TEXT].rstrip() + "…"
        inside = "" if function.startswith("<") else f" in {function}"
        return f"{name}:{line}{inside}: `{text}`" if text else f"{name}:{line}{inside}"
