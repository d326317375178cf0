"""`goldenseal init`: run a command briefly, see what it offers, and write goldenseal.toml.

Only the working tree is run, in a scratch copy. The first run ends where a network is first called:
what makes a run short is known by then, and may be needed to come any further.
"""

import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic  # the real one: a script's run has another
from types import FrameType
from typing import Any

from torch.nn.modules.module import register_module_forward_pre_hook

from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.ladder.events import Recording
from goldenseal.ladder.gates.resumed import apart
from goldenseal.ladder.gates.training import ONCE, most_of_one, steps_in
from goldenseal.ladder.guesses import Guess, guess_features, shorten, shrink, ways_to_resume
from goldenseal.ladder.launch import Command, command_of
from goldenseal.ladder.probe import Probe, Resume, Scenario
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.program import Program, program_of
from goldenseal.ladder.recorder import record
from goldenseal.ladder.resume import interrupted_and_resumed
from goldenseal.ladder.sides import baseline_has, data_that_git_has_not, git_top, tree_of
from goldenseal.ladder.stepping import Enough

PATIENCE, LIMIT = 20.0, 60.0  # seconds of a run as it is, and of one that is as small as can be
SLOW = 4.0  # seconds from which on a run is made smaller, where it can be
# Of what comes before a network is first called: to import a framework may take long, and is no
# reason to make a run smaller.
STARTING = 120.0
WAYS = 3  # to resume, that are tried
CUT = 4  # batches, or steps, of a run that nothing makes short


def write_description(words: Sequence[str], path: Path, force: bool = False) -> list[str]:
    """Run the command and write `path`; returns what to say.

    Raises UsageError, and CannotCheckError when the command does not run.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} is there already: --force writes it anew")
    program, guess = program_of(words), Guess(list(words))
    with TemporaryDirectory() as folder:
        tries = _Tries(guess, Path(folder).resolve())
        options = tries.run("what it offers", at_first_call).options
        shorten(guess, options, program)
        run, spent = tries.timed(PATIENCE)
        if spent > SLOW:
            run, spent = _smaller(guess, tries, program, run, spent)
        if spent >= PATIENCE:
            run, spent = _cut(guess, tries, program, run)
        steps = steps_in(run.events)
        if not steps:
            raise CannotCheckError(
                "the command made no step, of an optimizer of torch.optim or by hand, in "
                f"{spent:.0f} s" + (": add what makes it short" if spent >= LIMIT else "")
            )
        if most_of_one(run.events) == 1:
            guess.unsure.append(f"how it makes two steps: {ONCE}")
        if spent >= LIMIT:
            guess.unsure.append(f"how a run ends within {LIMIT:.0f} s: add what makes it shorter")
        else:
            _resume(guess, tries, run, steps)
    guess_features(guess, run.options, program, baseline_has(Path.cwd()))
    atomic_write(path, "\n".join(_document(guess)).encode() + b"\n")
    said = [f"{path}: {len(run.options)} options seen, {steps} steps in {spent:.1f} s"]
    return [*said, *(f"not guessed: {text}" for text in guess.unsure)]


def _smaller(
    guess: Guess, tries: "_Tries", program: Program, run: Recording, spent: float
) -> tuple[Recording, float]:
    """The run with smaller sizes, where there are any and it goes through with them."""
    before = list(guess.words), dict(guess.environment)
    if not shrink(guess, run.options, program) and not guess.batches:
        return run, spent
    limit = LIMIT if guess.batches else PATIENCE
    try:
        return tries.timed(limit)
    except CannotCheckError as error:
        guess.words, guess.environment = before
        guess.unsure.append(f"smaller sizes: {error}")
        return tries.timed() if guess.batches else (run, spent)


def _cut(
    guess: Guess, tries: "_Tries", program: Program, run: Recording
) -> tuple[Recording, float]:
    """A run that is cut short, since nothing that it offers makes it end: its passes through data
    loaders, or else where it has made a few steps.
    """
    if any(event.where.startswith("data loader") for event in run.events):
        guess.batches = CUT
        run, spent = _smaller(guess, tries, program, run, LIMIT)
        if spent < LIMIT:
            return run, spent
    guess.steps = CUT + 2 if guess.batches else CUT  # into the second pass, after an evaluation
    return tries.timed()


def _resume(guess: Guess, tries: "_Tries", whole: Recording, steps: int) -> None:
    """Interrupt the command before its last step, and go on in each way that may be meant."""
    side = tries.side
    if side is None or steps < 2:
        return
    source, reason = _text_of(side), ""
    ways = list(
        ways_to_resume(whole.options, side.program, [e.where for e in whole.events], source)
    )
    for args, environment in ways[:WAYS]:
        how = Resume((), steps - 1, tuple(args), environment)
        spelled = shlex.join([*(f"{n}={v}" for n, v in environment.items()), *args])
        try:
            found = apart(whole, tries.resumed(how))
        except CannotCheckError as error:
            found = [str(error)]
        if not found:
            guess.resume, guess.inexact = how, ""
            return
        if "resumed run" in found[0] or guess.resume is not None:
            reason = reason or f"{spelled}: {found[0]}"
        else:
            guess.resume, guess.inexact = how, found[0]
    if guess.resume is None and ways:
        guess.unsure.append(f"how it goes on after an interruption: {reason}")


def _text_of(side: Command) -> str:
    path = Path(side.location)
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


class _Tries:
    """Runs of the command as the guess has it, which data and devices are added to as it asks."""

    def __init__(self, guess: Guess, into: Path):
        self._guess, self._into, self._number = guess, into, 0
        self._not_kept, self._top = data_that_git_has_not(Path.cwd()), git_top(Path.cwd())
        self.side: Command | None = None
        self.spent = 0.0

    def timed(self, limit: float = 0.0) -> tuple[Recording, float]:
        """A whole run, but of so many seconds at most, and how many it took.

        Counted from where it first calls a network, where it calls one.
        """
        return self.run("whole", limit=limit), self.spent

    def run(
        self, what: str, end: Callable[[], None] = lambda: None, limit: float = 0.0
    ) -> Recording:
        """A run that goes through. Raises CannotCheckError."""
        guess, error = self._guess, ""
        for _ in range(8):
            self.side = side = self._laid()
            words = shlex.join(guess.words)
            print(f"running {words} ({what})", file=sys.stderr, flush=True)
            task, most = partial(self._briefly, side, end, limit or LIMIT), STARTING + LIMIT
            run, self.spent = self._apart(task, most if side.program.ranks else None)
            error = run.error or ""
            missing = re.search(r"; (\S+) lies in your folder", error)
            place = self._to_link(missing[1]) if missing else ""
            if place and place not in guess.link:
                guess.link.append(place)
                continue
            if not guess.device and re.search(r"(?i)cuda|nvidia|nccl", error):
                guess.device = "cpu"
                continue
            if not error:
                return run
            break
        raise CannotCheckError(f"the command does not run here: {error}")

    def _to_link(self, missing: str) -> str:
        """What to link for a path that a run misses; empty when a revision has it."""
        outside = self._top is not None and not Path(missing).resolve().is_relative_to(self._top)
        if Path(missing).is_dir():
            inside = any(each.startswith(f"{missing}/") for each in self._not_kept)
            return missing if inside or outside else ""
        known = outside or missing in self._not_kept
        return os.path.dirname(missing) or missing if known else ""

    def resumed(self, how: Resume) -> Recording:
        """The run that goes on."""
        side = self.side or self._laid()
        probe = self._probe(side)
        print("running it interrupted, and on", file=sys.stderr, flush=True)
        settings, started = probe.scenarios[0].environment, monotonic()
        return self._apart(
            lambda: (interrupted_and_resumed(probe, side, settings, how), monotonic() - started)
        )[0]

    def _laid(self) -> Command:
        self._number += 1
        program = program_of(self._guess.words)
        tree = tree_of("candidate", ".", self._into / f"try{self._number}", self._guess.link)
        for name in self._not_kept:  # so that a run asks for what it reads: HEAD has it neither
            Path(tree.root, tree.within, name).unlink(missing_ok=True)
        return command_of("candidate", tree, program, self._guess.device)

    def _probe(self, side: Command) -> Probe:
        guess = self._guess
        scenario = Scenario("once", {**side.program.variables, **guess.environment})
        return Probe(
            *("init", side, side, (scenario,)),
            steps=guess.steps,
            batches_each=guess.batches,
            replayed=False,
        )

    def _briefly(
        self, side: Command, end: Callable[[], None], limit: float
    ) -> tuple[Recording, float]:
        """A run of so many seconds at most, but for several ranks, which would wait for each other.

        And how many it took.
        """
        probe = self._probe(side)
        started, alone = monotonic(), side.program.ranks < 2
        signal.signal(signal.SIGALRM, partial(_enough, sys.modules["__main__"]))

        def called(*_: Any) -> None:
            nonlocal started
            started = monotonic()
            handle.remove()
            if alone:
                signal.setitimer(signal.ITIMER_REAL, limit)

        handle = register_module_forward_pre_hook(called)
        end()
        if alone:
            signal.setitimer(signal.ITIMER_REAL, max(limit, STARTING))
        settings, ranks = probe.scenarios[0].environment, side.program.ranks or 1
        recording = record(probe, side, settings, trace=False, ranks=ranks)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return recording, monotonic() - started

    @staticmethod
    def _apart(
        task: Callable[[], tuple[Recording, float]], limit: float | None = None
    ) -> tuple[Recording, float]:
        ((_, ended),) = in_processes([task], 1, lambda _: limit or float("inf"))
        if ended.error is not None:
            raise ended.error
        if ended.late:  # nothing is known of it but that
            return Recording(), ended.seconds
        if ended.value is None:
            code = ended.exit_code
            raise CannotCheckError(f"the command ended its process, with exit code {code}")
        if ended.value[0].fault is not None:
            raise ended.value[0].fault
        return ended.value


def at_first_call() -> None:
    """From now on, a run of this process ends where a network is first called."""

    def called(*_: Any) -> None:
        raise Enough

    register_module_forward_pre_hook(called)


def _enough(own: Any, _: int, frame: FrameType | None) -> None:
    """End the script if it runs, not what comes before and after it. own: our `__main__`."""
    main = sys.modules["__main__"]
    if main is own:
        signal.setitimer(signal.ITIMER_REAL, 1.0)  # it has not begun
        return
    while frame is not None:
        if frame.f_globals is vars(main):
            raise Enough
        frame = frame.f_back


# ---- the file ----------------------------------------------------------------------------------


def _document(guess: Guess) -> Iterator[str]:
    yield "# How `goldenseal verify` runs this repository: docs/foreign-scripts.md of Goldenseal."
    yield f"command = {_text(shlex.join(guess.words))}"
    if guess.device:
        yield f"device = {_text(guess.device)}  # calls for CUDA are answered by the CPU"
    if guess.batches:
        yield f"batches = {guess.batches}  # of each pass through a data loader: it offers no less"
    if guess.steps:
        yield f"steps = {guess.steps}  # after so many a run ends: it offers nothing shorter"
    yield '\n[baseline]\nrevision = "HEAD"  # what the working tree is held against'
    yield '\n[candidate]\nfolder = "."'
    if guess.link:
        yield f"\n[files]\nlink = {_texts(guess.link)}  # what git does not keep"
    if guess.environment:
        yield "\n[environment]"
        yield from (f"{name} = {_text(value)}" for name, value in guess.environment.items())
    if guess.resume is not None:
        sign = "# " if guess.inexact else ""
        yield "\n# Interrupted after so many steps, and on in the same folder"
        if guess.inexact:
            yield f"# It goes on, and not in the same bytes: {guess.inexact}"
        yield f"{sign}[resume]\n{sign}stop_after = {guess.resume.stop_after}"
        if guess.resume.args:
            yield f"{sign}args = {_texts(guess.resume.args)}"
        if guess.resume.environment:
            yield f"{sign}environment = {_table(guess.resume.environment)}"
    if guess.scenarios:
        yield "\n# Other ways through what HEAD has, too: each runs on both sides, and must show no"
        yield "# difference. Keep the first, and of the others what a change may touch."
        yield '\n# [[scenario]]\n# name = "as given"'
    for name, how, on in guess.scenarios:
        key = "environment" if how == "env" else "args"
        yield f"\n# [[scenario]]\n# name = {_text(name)}\n# {key} = {_value(on)}"
    if guess.features and guess.compared:
        yield "\n# Options that HEAD has not, turned on by a value that is to change the run."
    elif guess.features:
        yield "\n# Guessed from options that default to off. Keep yours, with a value that acts,"
        yield "# and take away the `#`."
    sign = "" if guess.compared else "# "
    for name, how, on in guess.features:
        yield f"\n{sign}[[feature]]\n{sign}name = {_text(name)}\n{sign}{how} = {_value(on)}"


def _value(on: dict[str, str] | list[str]) -> str:
    return _table(on) if isinstance(on, dict) else _texts(on)


def _table(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{name} = {_text(value)}" for name, value in values.items()) + " }"


def _texts(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """A TOML string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
