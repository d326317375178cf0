"""A command line that starts a training script, as words are typed: `python train.py --steps 5`."""

import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from goldenseal.errors import UsageError

LEGAL = "give `python FILE ...`, `python -m MODULE ...` or an installed console script"
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
PYTHON = re.compile(r"python(3(\.\d+)?)?(\.exe)?")
# torchrun's own options that take no word after them.
ALONE = {"--standalone", "--no-python", "--no_python", "--no-standalone"}
# `accelerate launch`'s own: alone; not to be had on a CPU; and what becomes a variable.
ACCELERATE_ALONE = {
    *("--cpu", "--multi-gpu", "--quiet", "-q", "--debug", "--same-network"),
    *("--enable-cpu-affinity", "--dynamo-use-dynamic", "--dynamo-use-fullgraph"),
}
ACCELERATE_REFUSED = {
    "--config-file",
    "--tpu",
    "--use-deepspeed",
    "--use-fsdp",
    "--use-megatron-lm",
}
ACCELERATE_VARIABLES = {
    "--mixed-precision": "ACCELERATE_MIXED_PRECISION",
    "--gradient-accumulation-steps": "ACCELERATE_GRADIENT_ACCUMULATION_STEPS",
}


@dataclass(frozen=True)
class Program:
    """What a command runs.

    target: path of a file as it was typed, dotted name of a module, or `module:attribute` of a
        console script. variables: assignments before the command. ranks: processes that train
        together; 0 when nobody launches any.
    """

    kind: Literal["file", "module", "entry"]
    target: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    ranks: int = 0
    name: str = ""


def split(command: str, file: str) -> list[str]:
    """The words of a command that is written as one text. Raises UsageError."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{file}: command {command!r} is no command line: {error}") from None


def program_of(words: Sequence[str]) -> Program:
    """The program behind the words of a command line. Raises UsageError for one of another kind."""
    rest, variables = list(words), dict[str, str]()
    if rest and rest[0] == "env":
        del rest[0]
    while rest and (match := ASSIGNMENT.fullmatch(rest[0])):
        variables[match[1]] = match[2]
        del rest[0]
    for launcher in (["uv", "run"], ["poetry", "run"], ["pdm", "run"]):
        if rest[:2] == launcher:
            del rest[:2]
    if not rest:
        raise UsageError(f"there is no command after `--`: {LEGAL}")
    first = Path(rest[0]).name
    if first in ("torchrun", "torch.distributed.run"):
        ranks, rest = _torchrun(rest[1:])
        return _python(rest, variables, ranks)
    if first == "accelerate-launch" or (first == "accelerate" and rest[1:2] == ["launch"]):
        return _accelerate(rest[1 if first == "accelerate-launch" else 2 :], variables)
    if PYTHON.fullmatch(first):
        return _python(rest[1:], variables, 0)
    if first.endswith(".py"):
        return Program("file", rest[0], tuple(rest[1:]), variables, name=rest[0])
    found = [each for each in entry_points(group="console_scripts") if each.name == first]
    if found:
        return Program("entry", found[0].value, tuple(rest[1:]), variables, name=rest[0])
    if shutil.which(rest[0]) or first in ("bash", "sh"):
        raise UsageError(f"`{rest[0]}` starts no Python script that can be recorded: {LEGAL}")
    raise UsageError(f"there is no program `{rest[0]}`: {LEGAL}")


def _python(words: list[str], variables: dict[str, str], ranks: int) -> Program:
    rest = list(words)
    while rest and rest[0] in ("-u", "-B", "-s", "-E", "-W", "-X"):  # nothing that training shows
        del rest[: 2 if rest[0] in ("-W", "-X") else 1]
    if not rest:
        raise UsageError(f"the command names no script: {LEGAL}")
    if rest[0] == "-m" and len(rest) > 1:
        if rest[1] in ("torch.distributed.run", "torch.distributed.launch"):
            ranks, rest = _torchrun(rest[2:])
            return _python(rest, variables, ranks)
        if rest[1] == "accelerate.commands.launch":
            return _accelerate(rest[2:], variables)
        return Program("module", rest[1], tuple(rest[2:]), variables, ranks, rest[1])
    if rest[0].startswith("-"):
        raise UsageError(f"python {rest[0]} is no script that can be recorded: {LEGAL}")
    return Program("file", rest[0], tuple(rest[1:]), variables, ranks, rest[0])


def _torchrun(words: list[str]) -> tuple[int, list[str]]:
    """(ranks, what torchrun would start)."""
    ranks, rest = 1, list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        name, joined, value = rest.pop(0).partition("=")
        name = name.replace("_", "-")
        if name in ALONE:
            continue
        if not joined:
            value = rest.pop(0) if rest else ""
        if name in ("--nproc-per-node", "--nproc"):
            if not value.isdigit() or int(value) < 1:
                raise UsageError(f"torchrun {name} {value}: give a whole number from 1")
            ranks = int(value)
        elif name == "--nnodes" and value not in ("1", "1:1"):
            raise UsageError("torchrun on several machines cannot be recorded: give --nnodes=1")
    return ranks, rest


def _accelerate(words: list[str], variables: dict[str, str]) -> Program:
    """What `accelerate launch` would start, with the variables by which it hands options on."""
    ranks, rest, given = 0, list(words), dict[str, str]()
    given["ACCELERATE_MIXED_PRECISION"], given["ACCELERATE_DYNAMO_BACKEND"] = "no", "NO"
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "--module"):
        name, joined, value = rest.pop(0).partition("=")
        name = name.replace("_", "-")
        if name in ACCELERATE_REFUSED:
            raise UsageError(
                f"accelerate launch {name} cannot be recorded: give --mixed_precision, "
                "--num_processes and what else it holds as options, or start the script by python"
            )
        if name in ACCELERATE_ALONE:
            if name == "--cpu":
                given["ACCELERATE_USE_CPU"] = "True"
            continue
        if not joined:
            value = rest.pop(0) if rest else ""
        if name in ACCELERATE_VARIABLES:
            given[ACCELERATE_VARIABLES[name]] = value
        elif name == "--num-processes":
            if not value.isdigit() or int(value) < 1:
                raise UsageError(f"accelerate launch {name} {value}: give a whole number from 1")
            ranks = int(value) if int(value) > 1 else 0
    if rest[:1] == ["--module"]:
        rest[0] = "-m"
    return _python(rest, {**given, **variables}, ranks)


# ---- what is added to a command ----------------------------------------------------------------

ADDED = "args of "  # such a name among variables holds words, not a variable's value


def is_argument(name: str) -> bool:
    """Whether a setting of that name is part of the command line, and no variable."""
    return name.startswith(("-", ADDED)) or "." in name or "/" in name


def words_of(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The words that settings add to a command, in their order."""
    words: list[str] = []
    for name, value in settings.items():
        if name.startswith(ADDED):
            words += shlex.split(value)
        elif name.startswith("-"):
            words += [f"{name}{value}"] if name.endswith("=") else [name, value]
        elif is_argument(name):
            words.append(f"{name}={value}")
    return tuple(words)


def variables_of(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that are environment variables."""
    return {name: value for name, value in settings.items() if not is_argument(name)}


def spelled(name: str, value: str) -> str:
    """A setting as it is typed."""
    if name.startswith(ADDED):
        return value or f"no {name}"
    if name.startswith("-"):
        return f"{name}{value}" if name.endswith("=") else f"{name} {value}"
    return f"{name}={value}"
