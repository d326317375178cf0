"""What the Python processes of a command noted of themselves (watched.py), sorted by what it is."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WATCHER = Path(__file__).with_name("watched.py")
WITHHELD = "(withheld)"
SECRET = re.compile(r"(?i)token|secret|passw|credential|api_?key|access_?key|private_?key|auth")
# Variables of a login, which say nothing of a run and something of a person.
SESSION = re.compile(
    r"HOME|PATH|PWD|OLDPWD|USER|USERNAME|LOGNAME|SHELL|SHLVL|TERM|MAIL|HOSTNAME|HOSTTYPE|DISPLAY|_|"
    r"COLUMNS|LINES|PS1|EDITOR|PAGER|TMPDIR|TEMP|TMP|PYTHONPATH|VIRTUAL_ENV|GOLDENSEAL_NOTES|"
    r"(SSH|XDG|DBUS|LC|CONDA|TERM|VSCODE|GPG)_\w+"
)
CODE = (".py", ".pyi", ".pyx", ".so", ".pyd", ".ipynb", ".sh")


@dataclass
class Notes:
    """By the whole path of each file; `variables` by name, null where it was not set."""

    code: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    wrote: set[str] = field(default_factory=set)
    variables: dict[str, str | None] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    numeric_class: dict[str, Any] = field(default_factory=dict)
    processes: int = 0


def watch(folder: Path) -> dict[str, str]:
    """Lay the watcher into an empty folder; the variables under which it is at work."""
    shutil.copyfile(WATCHER, folder / "sitecustomize.py")
    (folder / "notes").touch()
    return {"GOLDENSEAL_NOTES": str(folder / "notes"), "PYTHONUNBUFFERED": "1"}


def read_notes(folder: Path) -> Notes:
    """What was noted. A line that a killed process cut short is none."""
    notes = Notes()
    asked: dict[str, tuple[str | None, str]] = {}
    with open(folder / "notes", "rb") as file:
        for line in file:
            try:
                kind, *facts = json.loads(line)
            except ValueError:
                continue
            if kind == "python":
                notes.processes += 1
            elif kind == "read":
                (notes.code if facts[0].endswith(CODE) else notes.read).add(facts[0])
            elif kind == "wrote":
                notes.wrote.add(facts[0])
            elif kind == "variable":
                asked.setdefault(facts[0], (facts[1], facts[2]))
            elif kind == "ran":
                _keep_fuller(notes, *json.loads(facts[0]))
    for name, (value, file_name) in sorted(asked.items()):
        if not SESSION.fullmatch(name) and is_named(name, file_name):
            notes.variables[name] = value if value is None else withheld(name, value)
    return notes


def withheld(name: str, value: str) -> str:
    """The value of a variable as a record holds it: not, where the name sounds like a secret."""
    return WITHHELD if SECRET.search(name) else value


def _keep_fuller(notes: Notes, environment: dict[str, Any], numbers: dict[str, Any]) -> None:
    """Of several processes, the one that computed: the first with torch, else the first."""
    if not notes.numeric_class or ("torch" in numbers and "torch" not in notes.numeric_class):
        notes.environment, notes.numeric_class = environment, numbers


def is_named(name: str, file: str) -> bool:
    """Whether the code of a file holds a variable's name, in either case.

    Code that copies the whole environment reads every variable and asks for none.
    """
    try:
        text = Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(rf"(?i)(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text) is not None
