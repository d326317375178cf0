"""The flight recorder: run a training script's real entry point and write down what happened.

Nothing of the script is replaced but its clock. Recorded, in order: the state dict and RNG at the
first forward call; each forward call's inputs and outputs; at each optimizer step the gradients,
the hyperparameters, the parameters and the optimizer state after it, and the RNG positions; each
printed line; at the end each output file. With `trace=True`, also each dispatched ATen operation.
"""

import contextlib
import fnmatch
import hashlib
import io
import itertools
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils import _pytree as pytree

from verify.digest import short
from verify.optrace import OperationTrace, untraced
from verify.probe import Probe, Script, environment
from verify.ranks import peers


@dataclass(frozen=True)
class Event:
    """One thing that happened. `facts` are short texts by name; `operations` led up to it."""

    where: str
    facts: Mapping[str, str]
    operations: tuple[str, ...] = ()


@dataclass
class Recording:
    """All events of one run, and what the liveness rung needs to know of the parameters."""

    events: list[Event] = field(default_factory=list)
    trainable: tuple[str, ...] = ()
    owners: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    live_gradients: set[str] = field(default_factory=set)
    preceding: "list[Recording]" = field(default_factory=list)  # earlier runs of the same process
    error: str | None = None

    def digest(self) -> str:
        """SHA-512 over all events, in order."""
        h = hashlib.sha512()
        for event in self.events:
            h.update(repr((event.where, sorted(event.facts.items()), event.operations)).encode())
        return h.hexdigest()

    def without_files(self) -> list[Event]:
        """The events of training itself, without the output files."""
        return [event for event in self.events if not event.where.startswith("file ")]


def settle() -> None:
    """The fixed numeric state in which every gate works: one thread, deterministic, seeded."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Reads of garbage then show up. (The module replaces itself, which mypy cannot see.)
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)  # noqa: B010
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


def rng_facts() -> dict[str, str]:
    """Where each global random generator stands."""
    state = np.random.get_state(legacy=False)
    numpy_state = repr((state["state"]["key"].tolist(), state["state"]["pos"], state["has_gauss"]))
    facts = {
        "rng torch": short(torch.get_rng_state()),
        "rng python": hashlib.sha512(repr(random.getstate()).encode()).hexdigest()[:16],
        "rng numpy": hashlib.sha512(numpy_state.encode()).hexdigest()[:16],
    }
    if torch.cuda.is_available():
        facts["rng cuda"] = short(torch.cuda.get_rng_state())
    return facts


def record(
    probe: Probe,
    script: Script,
    variables: Mapping[str, str],
    trace: bool,
    ranks: int = 1,
    leftovers: Mapping[str, str] | None = None,
) -> Recording:
    """Run `script` under `variables` in a folder of its own and return what happened.

    Of several ranks the last is recorded; `leftovers` lie in its folder before. An exception of the
    script is part of the recording (`error`), not raised.
    """
    settle()
    recorder = _Recorder(probe, script, trace)
    with TemporaryDirectory() as folder, environment(variables), contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        for name, text in (leftovers or {}).items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")
        others = Path(stack.enter_context(TemporaryDirectory()))
        try:
            with peers(partial(perform, script), ranks, variables, others):
                recorder.run()
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            recorder.recording.error = (
                f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
            )
        recorder.note_files(Path(folder))
    return recorder.recording


def perform(script: Script) -> None:
    """The run itself, with nobody looking."""
    with counting_clock():
        script.evaluate(script.load(), script.entry)


class _Recorder:
    def __init__(self, probe: Probe, script: Script, trace: bool):
        self.probe, self.script = probe, script
        self.recording = Recording()
        self.operations = OperationTrace() if trace else None
        self.root: torch.nn.Module | None = None
        self.names: dict[int, str] = {}
        self.initial: dict[str, str] = {}
        self.groups_of: dict[str, set[tuple[int, int]]] = {}
        self.counts: dict[str, int] = {}
        self.sources: list[str] = []  # of the script and of its model
        self.depth = 0

    def run(self) -> None:
        module = self.script.load()
        model_class = getattr(module, self.script.model_class)
        homes = (module, sys.modules.get(model_class.__module__, module))
        files = sorted({home.__file__ for home in homes if home.__file__})
        self.sources = [Path(file).read_text("utf-8") for file in files]
        with contextlib.ExitStack() as stack:
            forward = self._watch_forward(model_class.forward)
            stack.enter_context(mock.patch.object(model_class, "forward", forward))
            for register, hook in (
                (register_optimizer_step_pre_hook, self._before_step),
                (register_optimizer_step_post_hook, self._after_step),
            ):
                stack.callback(register(hook).remove)
            stack.enter_context(counting_clock())
            stack.enter_context(contextlib.redirect_stdout(_LineSink(self._printed)))
            if self.operations is not None:
                stack.enter_context(self.operations)
            self.script.evaluate(module, self.script.entry)
        self._note("end", rng_facts() | self._left_behind())

    # -- what is written down --------------------------------------------------------------------

    def _note(self, where: str, facts: Mapping[str, str]) -> None:
        operations = self.operations.take() if self.operations is not None else ()
        self.recording.events.append(Event(where, dict(facts), operations))

    def _numbered(self, what: str) -> str:
        self.counts[what] = self.counts.get(what, 0) + 1
        return f"{what} {self.counts[what]}"

    def _watch_forward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(model: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
            if self.root is None:
                self._adopt(model)
            with untraced():
                leaves = [v for v in pytree.tree_leaves((args, kwargs)) if torch.is_tensor(v)]
                facts = {f"input {i}": short(leaf) for i, leaf in enumerate(leaves)}
            output = original(model, *args, **kwargs)
            with untraced():
                for i, leaf in enumerate(pytree.tree_leaves(output)):
                    facts[f"output {i}"] = short(leaf)
                facts["gradient enabled"] = str(torch.is_grad_enabled())
                mode = "train" if model.training else "eval"
                self._note(self._numbered(f"forward ({mode})"), facts)
            return output

        return forward

    def _adopt(self, model: torch.nn.Module) -> None:
        """The first forward call shows the constructed model."""
        self.root = model
        with untraced():
            self.names = {id(p): name for name, p in model.named_parameters()}
            self.recording.trainable = tuple(
                name for name, p in model.named_parameters() if p.requires_grad
            )
            facts = {f"state {k}": short(v) for k, v in sorted(model.state_dict().items())}
            self.initial = {name: short(p) for name, p in model.named_parameters()}
            self._note("initial state", facts | rng_facts())

    def _left_behind(self) -> dict[str, str]:
        """In which mode the model is left, and which of its parameters still train."""
        if self.root is None:
            return {}
        facts = {f"trains {name}": str(p.requires_grad) for name, p in self.root.named_parameters()}
        return {"training": str(self.root.training)} | facts

    def _name(self, p: torch.Tensor, fallback: str) -> str:
        return self.names.get(id(p), fallback)

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        with untraced():
            facts: dict[str, str] = {}
            for g, group in enumerate(optimizer.param_groups):
                for key in sorted(set(group) - {"params"}):
                    facts[f"group {g} {key}"] = short(group[key])
                for i, p in enumerate(group["params"]):
                    name = self._name(p, f"parameter {g}.{i}")
                    self.groups_of.setdefault(name, set()).add((id(optimizer), g))
                    if p.grad is None:
                        facts[f"gradient of {name}"] = "none"
                        continue
                    facts[f"gradient of {name}"] = short(p.grad)
                    if bool(p.grad.any()):
                        self.recording.live_gradients.add(name)
            self._note(self._numbered(f"before {type(optimizer).__name__} step"), facts)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        with untraced():
            facts = rng_facts()
            for g, group in enumerate(optimizer.param_groups):
                for i, p in enumerate(group["params"]):
                    name = self._name(p, f"parameter {g}.{i}")
                    facts[f"parameter {name}"] = short(p)
                    if name in self.initial and facts[f"parameter {name}"] != self.initial[name]:
                        self.recording.moved.add(name)
                    for key, value in sorted(optimizer.state.get(p, {}).items()):
                        facts[f"{key} of {name}"] = short(value)
            self.recording.owners = {name: len(groups) for name, groups in self.groups_of.items()}
            self._note(self._numbered(f"after {type(optimizer).__name__} step"), facts)

    def _printed(self, line: str) -> None:
        for pattern in self.probe.volatile:
            line = re.sub(pattern, "…", line)
        self._note(self._numbered("printed line"), {"text": line})

    def note_files(self, folder: Path) -> None:
        """Digest each output file that the probe does not tell us to ignore."""
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            marker = next((m for p, m in self.probe.logs.items() if fnmatch.fnmatch(name, p)), None)
            if marker is not None:
                text = path.read_text("utf-8", errors="backslashreplace")
                facts = log_facts(text, marker, self.sources, self.probe.volatile)
                self._note(f"file {name}", facts)
            elif not any(fnmatch.fnmatch(name, pattern) for pattern in self.probe.ignored_files):
                digest = hashlib.sha512(path.read_bytes()).hexdigest()[:16]
                self._note(f"file {name}", {"digest": digest, "bytes": str(path.stat().st_size)})


def log_facts(
    text: str, marker: str, sources: Sequence[str], volatile: Sequence[str]
) -> dict[str, str]:
    """The lines of a log after `marker`, by number, and whether `sources` stand before it.

    Sizes that include the source's are given relative to it, so that two scripts can be compared.
    """
    source, found, rest = text.partition(f"{marker}\n")
    size = len(source.removesuffix("\n").encode())

    def relative(number: re.Match[str]) -> str:
        n = int(number[0])
        return f"source + {n - size}" if n >= size else number[0]

    def comparable(line: str) -> str:
        for pattern in volatile:
            line = re.sub(pattern, lambda part: re.sub(r"\d+", relative, part[0]), line)
        return line

    facts = {"source": str(bool(found) and all(part in source for part in sources))}
    for number, line in enumerate(rest.splitlines(), start=1):
        facts[f"line {number}"] = comparable(line)
    return facts


class _LineSink(io.TextIOBase):
    """A standard output that hands over whole lines."""

    def __init__(self, take: Callable[[str], None]):
        self.take, self.rest = take, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.take(line)
        return len(text)


@contextlib.contextmanager
def counting_clock() -> Iterator[None]:
    """Replace the clock by one that advances a millisecond a reading.

    Schedules that depend on elapsed time become reproducible, and an extra reading shows.
    """
    ticks = itertools.count(1)

    def read() -> float:
        return next(ticks) / 1000.0

    with mock.patch.object(time, "perf_counter", read), mock.patch.object(time, "time", read):
        yield


def first_difference(expected: list[Event], actual: list[Event]) -> str | None:
    """The first place where two recordings part, in words; None when they are the same."""
    for a, b in zip(expected, actual, strict=False):
        if a == b:
            continue
        if a.operations != b.operations:
            for i, (p, q) in enumerate(itertools.zip_longest(a.operations, b.operations)):
                if p != q:
                    return f"operation {i + 1} before {a.where}: expected {p}, found {q}"
        if a.where != b.where:
            return f"expected {a.where}, found {b.where}"
        for name in sorted(set(a.facts) | set(b.facts)):
            p, q = a.facts.get(name, "nothing"), b.facts.get(name, "nothing")
            if p != q:
                return f"{a.where}: {name} is {q}, expected {p}"
    common = min(len(expected), len(actual))
    if len(expected) > common:
        return f"{expected[common].where} is missing"
    if len(actual) > common:
        return f"{actual[common].where} is extra"
    return None
