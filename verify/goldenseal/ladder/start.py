"""`goldenseal init`: run a command once, see what it offers, and write goldenseal.toml.

Only the working tree is run, in a scratch copy, for at most a few steps of its optimizer.
"""

import ast
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from torch.optim.optimizer import register_optimizer_step_post_hook

from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.ladder.events import Option, Recording
from goldenseal.ladder.launch import Command, command_of
from goldenseal.ladder.probe import Probe, Scenario
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.program import Program, program_of
from goldenseal.ladder.recorder import record
from goldenseal.ladder.resume import Enough, ended_by
from goldenseal.ladder.sides import files_that_git_ignores, tree_of

STEPS = 3  # optimizer steps that are enough to see what a command offers
# What makes a run short, by how such options are called; in each a small value.
SHORT: tuple[tuple[str, int], ...] = (
    (r"(max_?|num_?|train_?|total_?)?(iters|iterations|steps|updates|train_steps)", 5),
    (r"(max_?|num_?)?epochs?", 1),
    (r"(eval|val|test)_?(iters|batches|steps)", 2),
    (r"(eval|val|save|checkpoint)_?(interval|every)", 2),
    (r"log_?(interval|every|steps)|logging_steps", 1),
    (r"warmup_?(iters|steps|iterations)?", 2),
)


@dataclass
class Guess:
    """What is written, and what could not be guessed."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    link: list[str] = field(default_factory=list)
    device: str = ""
    features: list[tuple[str, str, list[str] | dict[str, str]]] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def write_description(words: Sequence[str], path: Path, force: bool = False) -> list[str]:
    """Run the command and write `path`; returns what to say.

    Raises UsageError, and CannotCheckError when the command does not run.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} is there already: --force writes it anew")
    program = program_of(words)
    with TemporaryDirectory() as folder:
        guess, run, spent = _tried(program, list(words), Path(folder).resolve())
    _shorten(guess, run.options, program)
    _guess_features(guess, run.options, program)
    atomic_write(path, "\n".join(_document(guess)).encode() + b"\n")
    steps = sum(event.where.startswith("after ") for event in run.events)
    said = [f"{path}: {len(run.options)} options seen, {steps} steps in {spent:.1f} s"]
    return [*said, *(f"not guessed: {text}" for text in guess.unsure)]


def _tried(program: Program, words: list[str], into: Path) -> tuple[Guess, Recording, float]:
    """A run that goes through: data that git ignores is linked, CUDA answered, where it asks."""
    guess, ignored = Guess(words), files_that_git_ignores(Path.cwd())
    for attempt in range(8):
        tree = tree_of("candidate", ".", into / f"try{attempt}", guess.link)
        side = command_of("candidate", tree, program, guess.device)
        started = time.monotonic()
        print(f"running {shlex.join(words)} (try {attempt + 1})", file=sys.stderr, flush=True)
        run = _briefly(side, program)
        error = run.error or ""
        missing = re.search(r"; (\S+) lies in your folder", error)
        if missing and missing[1] in ignored:
            place = os.path.dirname(missing[1]) or missing[1]
            if place not in guess.link:
                guess.link.append(place)
                continue
        if not guess.device and re.search(r"(?i)cuda|nvidia|nccl", error):
            guess.device = "cpu"
            continue
        if error:
            raise CannotCheckError(f"the command does not run here: {error}")
        if not any(event.where.startswith("after ") for event in run.events):
            raise CannotCheckError("the command made no step of an optimizer of torch.optim")
        return guess, run, time.monotonic() - started
    raise CannotCheckError(f"the command does not run here: {error}")


def _briefly(side: Command, program: Program) -> Recording:
    scenario = Scenario("once", dict(program.variables))
    probe = Probe("init", side, side, (scenario,))

    def run() -> Recording:
        register_optimizer_step_post_hook(ended_by(STEPS, Enough))
        return record(probe, side, scenario.environment, trace=False)

    ((_, ended),) = in_processes([run], 1)
    if ended.error is not None:
        raise ended.error
    if ended.value is None:
        raise CannotCheckError(f"the command ended its process, with exit code {ended.exit_code}")
    if ended.value.fault is not None:
        raise ended.value.fault
    return ended.value


# ---- guesses -----------------------------------------------------------------------------------


def _plain(name: str) -> str:
    return name.rpartition(".")[2].lstrip("-").replace("-", "_").lower()


def _shorten(guess: Guess, options: dict[str, Option], program: Program) -> None:
    """Add small values for what decides how long a run takes, unless the command sets it."""
    for pattern, value in SHORT:
        for name, option in options.items():
            number = _literal(option.value)
            if (
                option.kind == "field"
                or not re.fullmatch(pattern, _plain(name))
                or not isinstance(number, int)
                or isinstance(number, bool)
                or number <= value
                or _is_typed(name, program)
            ):
                continue
            if option.kind == "variable":
                if name not in program.variables:
                    guess.environment[name] = str(value)
            else:
                guess.words += _typed(name, option.kind, str(value))
    names = [_plain(name) for name in options]
    if not any(re.fullmatch(SHORT[i][0], name) for name in names for i in (0, 1)):
        guess.unsure.append("how a run is made short: add the option to `command`")


def _is_typed(name: str, program: Program) -> bool:
    """Whether the command sets an option itself."""
    typed = " ".join(program.arguments)
    return re.search(rf"(?<![\w.]){re.escape(name.lstrip('-'))}(?![\w-])", typed) is not None


def _typed(name: str, kind: str, value: str) -> list[str]:
    """An option as words of a command."""
    if kind == "constant":
        return [f"--{name}={value}"]
    return [f"{name}={value}"] if kind == "override" else [name, value]


def _guess_features(guess: Guess, options: dict[str, Option], program: Program) -> None:
    """Options that default to off: a flag, a false, a zero that is called as a weight or a rate."""
    for name, option in sorted(options.items()):
        value, plain = _literal(option.default), _plain(name)
        if option.kind == "field" or option.default != option.value or _is_typed(name, program):
            continue
        if re.search(r"seed|resume|debug|verbose|wandb|log|save|compile|device|rank|port", plain):
            continue
        counted = re.search(r"worker|start|epoch|offset|min|index|id$", plain)
        if not (value is False or (value == 0 and value is not None and not counted)):
            continue
        on = "1" if type(value) is int else "0.1"
        if option.kind == "variable":
            guess.features.append((plain, "env", {name: "1"}))
        elif option.kind == "override":
            on = "true" if value is False else on
            guess.features.append((plain, "overrides", [f"{name}={on}"]))
        elif option.kind == "constant":
            on = "True" if value is False else on
            guess.features.append((plain, "args", [f"--{name}={on}"]))
        else:
            guess.features.append((plain, "args", [name] if value is False else [name, on]))
    if not guess.features:
        guess.unsure.append("which option is your feature: add a [[feature]] with what turns it on")


def _literal(text: str) -> object:
    try:
        value = ast.literal_eval(text)
        return int(value) if isinstance(value, str) and value.isdigit() else value
    except (ValueError, SyntaxError):
        return None


# ---- the file ----------------------------------------------------------------------------------


def _document(guess: Guess) -> Iterator[str]:
    yield "# How `goldenseal verify` runs this repository: docs/foreign-scripts.md of Goldenseal."
    yield f"command = {_text(shlex.join(guess.words))}"
    if guess.device:
        yield f"device = {_text(guess.device)}  # calls for CUDA are answered by the CPU"
    yield '\n[baseline]\nrevision = "HEAD"  # what the working tree is held against'
    yield '\n[candidate]\nfolder = "."'
    if guess.link:
        yield f"\n[files]\nlink = [{', '.join(map(_text, guess.link))}]  # what git does not keep"
    if guess.environment:
        yield "\n[environment]"
        yield from (f"{name} = {_text(value)}" for name, value in guess.environment.items())
    if guess.features:
        yield "\n# Guessed from options that default to off. Keep yours, with a value that acts,"
        yield "# and take away the `#`."
    for name, how, on in guess.features:
        if isinstance(on, dict):
            value = "{ " + ", ".join(f"{n} = {_text(v)}" for n, v in on.items()) + " }"
        else:
            value = f"[{', '.join(map(_text, on))}]"
        yield f"\n# [[feature]]\n# name = {_text(name)}\n# {how} = {value}"


def _text(value: str) -> str:
    """A TOML string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
