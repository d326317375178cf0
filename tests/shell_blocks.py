"""The `sh` blocks of documents, read as a shell would and held against what there is to run."""

import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from goldenseal.cli import app

# What stands for something of the reader's own, such as <prefix>, is put in for the parsing.
PLACEHOLDER = re.compile(r"<[a-z ]+>")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# Programs of the system, whose arguments are theirs.
OUTSIDE = {"cd", "cp", "mkdir", "mv", "openssl", "sed", "sha512sum"}
VENV = ".venv/bin/"


def shell_blocks(text: str) -> Iterator[str]:
    """Each block, without its indentation, its heredocs, and with lines that go on joined."""
    for match in re.finditer(r"^( *)```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        lines = [line.removeprefix(match[1]) for line in match[2].splitlines()]
        block = "\n".join(lines).replace("\\\n", " ") + "\n"
        yield PLACEHOLDER.sub("63300667", block)


def commands(block: str) -> Iterator[list[str]]:
    """The words of each command, environment variables left out."""
    block = re.sub(r"<<'?(\w+)'?\n.*?\n\1\n", "\n", block, flags=re.DOTALL)
    for line in block.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("&|;"):
                if words:
                    yield words
                words = []
            elif words or not ASSIGNMENT.match(word):
                words.append(word)


def problem_with_block(root: Path, block: str) -> str:
    """Why a block cannot be run as it stands; "" when it can."""
    read = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    if read.returncode:
        return f"not a shell's: {read.stderr.strip()}"
    problems = (problem_with_command(root, words) for words in commands(block))
    return next((problem for problem in problems if problem), "")


def problem_with_command(root: Path, words: list[str]) -> str:
    """Why a command cannot be run from the repository's folder; "" when it can."""
    program, *rest = words
    name = program.removeprefix(VENV)
    if program == "make":
        return _problem_with_make(root, rest)
    if name == "goldenseal":
        return _wants_path(program) or problem_with_arguments(rest)
    if name in ("python", "torchrun"):
        return _problem_with_python(root, program, rest)
    if name == "pytest":
        paths = [word for word in rest if word.startswith("tests")]
        missing = [path for path in paths if not (root / path).exists()]
        return _wants_path(program) or (f"there is no {missing[0]}" if missing else "")
    return "" if program in OUTSIDE else f"nobody knows the program {program}"


def problem_with_arguments(words: list[str]) -> str:
    """What `goldenseal` says of its arguments, without doing anything."""
    command: Any = typer.main.get_command(app)
    context = None
    name = "goldenseal"
    try:
        while True:
            context = command.make_context(name, list(words), parent=context)
            if not hasattr(command, "resolve_command"):
                return ""
            left = [*getattr(context, "_protected_args", []), *context.args]
            name, command, words = command.resolve_command(context, left)
    except Exception as error:
        said = error.format_message() if hasattr(error, "format_message") else error
        return f"goldenseal {name}: {said}"


def _wants_path(program: str) -> str:
    return "" if program.startswith(VENV) else f"{program} is not found as such: {VENV}{program}"


def make_targets(root: Path) -> set[str]:
    """What `make` can be asked for."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def _problem_with_make(root: Path, words: list[str]) -> str:
    if words[:1] == ["-C"]:
        root, words = root / words[1], words[2:]
    known = make_targets(root)
    targets = [word for word in words if not ASSIGNMENT.match(word)]
    unknown = [word for word in targets if word not in known]
    return f"make has no target {unknown[0]}" if unknown else ""


def _problem_with_python(root: Path, program: str, words: list[str]) -> str:
    if words[:1] == ["-I"]:  # a record's own checker, by any Python that is there
        file = words[1]
        there = (root / file).is_file() or file == "check_seal.py"
        return "" if there else f"there is no {file}"
    if without_path := _wants_path(program):
        return without_path
    if "-m" in words:
        module = words[words.index("-m") + 1]
        found = importlib.util.find_spec(module) is not None
        return "" if found else f"there is no module {module}"
    files = [word for word in words if word.endswith(".py")]
    if files and not (root / files[0]).is_file():
        return f"there is no {files[0]}"
    return "" if files or words[:1] == ["-"] else f"{program} {' '.join(words)} runs nothing"
