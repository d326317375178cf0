"""The flight recorder: run a training script's real entry point and write down what happened.

Nothing of the script is replaced but its clock. Recorded, in order: the state dict of each network
and the RNG at its first forward call; each outermost forward call's inputs and outputs; at each
optimizer step the gradients, the hyperparameters, the parameters and the optimizer state after it,
and the RNG positions; each printed line; at the end each output file; and whenever one of torch's
global switches or an environment variable has changed, which. With `trace=True`, also each
dispatched ATen operation.
"""

import contextlib
import hashlib
import itertools
import logging
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
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

from goldenseal.digest import short
from goldenseal.errors import CannotCheckError
from goldenseal.ladder.events import Event, Recording
from goldenseal.ladder.executed import Executed, Seen
from goldenseal.ladder.flags import changed, glance, global_flags
from goldenseal.ladder.networks import Network, Networks
from goldenseal.ladder.optrace import OperationTrace, transport_untraced, untraced
from goldenseal.ladder.output import LineSink, file_facts
from goldenseal.ladder.ownership import Ownership
from goldenseal.ladder.probe import Probe, environment
from goldenseal.ladder.ranks import peers
from goldenseal.ladder.script import (
    FAULTS,
    Script,
    ended_well,
    in_words,
    is_own,
    own_folder,
    source_text,
)
from goldenseal.ladder.structure import leaves

# Where generators stand before a script seeds them: one that no longer does so must show.
UNUSUAL_SEED = 1_836_311_903


def settle() -> None:
    """The fixed numeric state in which every gate works: one thread, deterministic, seeded."""
    torch.set_num_threads(1)
    # Deterministic in a way that scripts rarely ask for: one that no longer asks then shows.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Reads of garbage then show up. (The module replaces itself, which mypy cannot see.)
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)  # noqa: B010
    random.seed(UNUSUAL_SEED)
    np.random.seed(UNUSUAL_SEED)
    torch.manual_seed(UNUSUAL_SEED)


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
    follow: Seen | None = None,
) -> Recording:
    """Run `script` under `variables` in a folder of its own and return what happened.

    Every one of several ranks is recorded; the result is the last one's, which holds the others.
    `leftovers` lie in its folder before. With `follow`, the executed code of the script's own files
    is noted, but for what it says was seen before. An exception of the script is part of the
    recording (`error`), not raised.
    """
    with TemporaryDirectory() as folder, environment(variables), contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        for name, text in (leftovers or {}).items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")
        others = Path(stack.enter_context(TemporaryDirectory()))
        run = partial(perform, probe, script, trace, follow)
        try:
            with peers(run, ranks, variables, others) as collect:
                recording = run()
                if recording.error is None:
                    recording.peers = collect()
                    for rank, peer in enumerate(recording.peers):
                        if peer.error and not recording.error:
                            recording.error = f"rank {rank}: {peer.error}"
        except CannotCheckError as error:
            recording.error = in_words(error)
    return recording


def perform(probe: Probe, script: Script, trace: bool, follow: Seen | None) -> Recording:
    """Run the script in the current folder, and return what happened."""
    settle()  # here, in each rank's process: Python reseeds its generator after a fork
    recorder = _Recorder(probe, script, trace, follow)
    recording = recorder.recording
    try:
        recorder.run()
    except SystemExit as end:
        if not ended_well(end):
            recording.error = in_words(end)
    except FAULTS as error:
        recording.error, recording.fault = in_words(error), error
    except Exception as error:
        recording.error = in_words(error)
    recorder.finish()
    return recording


class _Recorder:
    def __init__(self, probe: Probe, script: Script, trace: bool, follow: Seen | None):
        self.probe, self.script = probe, script
        self.recording = Recording()
        self.folder = Path.cwd()
        self.operations = OperationTrace(self._placeless, self._glance) if trace else None
        self.networks = Networks(self._taken_up, self._called)
        self.ownership = Ownership()
        self.counts: dict[str, int] = {}
        self.sources: list[str] = []  # of the script and of its model
        self.flags, self.glanced = switches(), glance()
        self.seen = self.flags  # at the last operation
        self.executed = Executed(followed(script), follow) if follow is not None else None

    def run(self) -> None:
        with contextlib.ExitStack() as stack:
            lines = stack.enter_context(contextlib.redirect_stdout(LineSink(self._printed)))
            stack.enter_context(logged(followed(self.script), self._printed))
            stack.enter_context(self.networks.watched())
            if self.executed is not None:
                stack.enter_context(self.executed.tracing())
            # Before the import, where `from time import time` would bind the real one.
            stack.enter_context(counting_clock())
            module = stack.enter_context(self.script.opened())
            self._look_at_flags("after the import")
            model_class = getattr(module, self.script.model_class, None)
            homes = (module, sys.modules.get(getattr(model_class, "__module__", ""), module))
            files = sorted({home.__file__ for home in homes if home.__file__})
            self.sources = [source_text(file) for file in files]
            for register, hook in (
                (register_optimizer_step_pre_hook, self._before_step),
                (register_optimizer_step_post_hook, self._after_step),
            ):
                stack.callback(register(hook).remove)
            if self.operations is not None:
                stack.enter_context(self.operations)
                stack.enter_context(transport_untraced())
            try:
                self.script.evaluate(module, "entry")
            except SystemExit as end:
                if not ended_well(end):
                    raise
            lines.finish()
            self._note("end", rng_facts() | self._left_behind())

    def finish(self) -> None:
        """What is written down however the run ended."""
        self._look_at_flags("in the end")
        self.recording.left_flags = self.flags
        self.ownership.tell(self.recording)
        probe = self.probe
        for name, facts in file_facts(
            self.folder, probe.ignored_files, probe.logs, self.sources, probe.volatile
        ):
            self._note(f"file {name}", facts)
        if self.executed is not None:
            self.recording.executed = self.executed.extents()

    # -- what is written down --------------------------------------------------------------------

    def _note(self, where: str, facts: Mapping[str, str]) -> None:
        with untraced():
            self._look_at_flags(f"before {where}")
        operations = self.operations.take() if self.operations is not None else ()
        self.recording.events.append(Event(where, dict(facts), operations))

    def _look_at_flags(self, when: str) -> None:
        """Note what has changed of torch's global switches since the last look."""
        now = switches()
        if now != self.flags:
            self.recording.flags += [f"{when}: {text}" for text in changed(self.flags, now)]
            self.flags = now

    def _glance(self) -> None:
        """Before an operation: a switch may be set, and set back, between two events."""
        now = glance()
        if now != self.glanced:
            self.glanced, before, self.seen = now, self.seen, global_flags()
            events = self.recording.events
            when = f"at an operation after {events[-1].where if events else 'the import'}"
            self.recording.passing += [f"{when}: {text}" for text in changed(before, self.seen)]

    def _numbered(self, what: str) -> str:
        self.counts[what] = self.counts.get(what, 0) + 1
        return f"{what} {self.counts[what]}"

    def _placeless(self, text: str) -> str:
        """The text without the folder of this run, which another run has not."""
        return text.replace(str(self.folder), ".")

    def _taken_up(self, network: Network) -> None:
        """A network's first call, or first step, shows it as it was constructed."""
        with untraced():
            state = {name: short(value) for name, value in sorted(network.state().items())}
            self.ownership.taken_up(network, state)
            what = f"initial state of {network.prefix[:-1]}" if network.prefix else "initial state"
            facts = {f"state {name}": text for name, text in state.items()}
            self._note(what, facts | rng_facts())

    def _called(
        self, network: Network, module: torch.nn.Module, arguments: Any
    ) -> Callable[[Any], None]:
        with untraced():
            facts = {f"input{place}": short(leaf) for place, leaf in leaves(arguments)}
        part = network.prefix + network.parts[id(module)]
        if part:
            facts["of"] = part

        def finish(output: Any) -> None:
            with untraced():
                for place, leaf in leaves(output):
                    facts[f"output{place}"] = short(leaf)
                facts["gradient enabled"] = str(torch.is_grad_enabled())
                mode = "train" if module.training else "eval"
                self._note(self._numbered(f"forward ({mode})"), facts)

        return finish

    def _left_behind(self) -> dict[str, str]:
        """How each network is left: its mode, its state, and which of its parameters train."""
        facts = {}
        with untraced():
            for network in self.networks.listed:
                facts[f"{network.prefix}training"] = str(network.module.training)
                for name, p in network.parameters():
                    facts[f"trains {name}"] = str(p.requires_grad)
                for name, value in network.state().items():
                    facts[f"left {name}"] = short(value)
        return facts

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        with untraced():
            facts: dict[str, str] = {}
            for g, group in enumerate(optimizer.param_groups):
                for key in sorted(set(group) - {"params"}):
                    facts[f"group {g} {key}"] = short(group[key])
                for i, p in enumerate(group["params"]):
                    name = self.networks.name(p, f"parameter {g}.{i}")
                    facts[f"gradient of {name}"] = "none" if p.grad is None else short(p.grad)
            self.ownership.before_step(optimizer)
            self._note(self._numbered(f"before {type(optimizer).__name__} step"), facts)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        with untraced():
            facts, digests = rng_facts(), {}
            for g, group in enumerate(optimizer.param_groups):
                for i, p in enumerate(group["params"]):
                    name = self.networks.name(p, f"parameter {g}.{i}")
                    digests[id(p)] = facts[f"parameter {name}"] = short(p)
                    for key, value in sorted(optimizer.state.get(p, {}).items()):
                        facts[f"{key} of {name}"] = short(value)
            self.ownership.after_step(digests)
            self._note(self._numbered(f"after {type(optimizer).__name__} step"), facts)

    def _printed(self, line: str) -> None:
        line = self._placeless(line)
        for pattern in self.probe.volatile:
            line = re.sub(pattern, "…", line)
        self._note(self._numbered("printed line"), {"text": line})


def switches() -> dict[str, str]:
    """torch's global switches, and the variables that libraries read theirs from."""
    return global_flags() | {f"variable {name}": text for name, text in os.environ.items()}


@contextlib.contextmanager
def logged(own: Callable[[str], bool], take: Callable[[str], None]) -> Iterator[None]:
    """Hand over what the script's own files log: most handlers write it to standard error."""
    handle = logging.Logger.handle

    def handle_and_take(logger: logging.Logger, record: logging.LogRecord) -> None:
        if own(record.pathname):
            take(record.getMessage())
        handle(logger, record)

    with mock.patch.object(logging.Logger, "handle", handle_and_take):
        yield


def followed(script: Script) -> Callable[[str], bool]:
    """Which files' executed code is noted: a script's own, or the package of a module."""
    folder = own_folder(script.location)
    return lambda file: is_own(file, folder)


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
