"""The flight recorder: run a training script's real entry point and write down what happened.

Nothing of the script is replaced but its clock. Recorded, in order: the state dict of each network
and the RNG at its first forward call; each outermost forward call's inputs and outputs; at each
optimizer step the gradients, the hyperparameters, the parameters and the optimizer state after it,
and the RNG positions; each printed line; at the end each output file; and whenever one of torch's
global switches or an environment variable has changed, which. With `trace=True`, also each
dispatched ATen operation.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from goldenseal.digest import short
from goldenseal.errors import CannotCheckError
from goldenseal.ladder.by_hand import ByHand
from goldenseal.ladder.clock import counting_clock
from goldenseal.ladder.events import Event, Recording, is_line
from goldenseal.ladder.executed import Executed, Seen
from goldenseal.ladder.flags import changed, glance, global_flags, switches
from goldenseal.ladder.loading import compiling_nothing, loaders_watched, place_of
from goldenseal.ladder.missing import missing_watched
from goldenseal.ladder.networks import Network, Networks
from goldenseal.ladder.numeric import fact, rng_facts, settle
from goldenseal.ladder.observed import Observed
from goldenseal.ladder.optrace import OperationTrace, transport_untraced, untraced
from goldenseal.ladder.output import LineSink, file_facts, logged, muted, stamps
from goldenseal.ladder.ownership import Ownership
from goldenseal.ladder.places import Places
from goldenseal.ladder.probe import Probe, environment
from goldenseal.ladder.program import variables_of
from goldenseal.ladder.ranks import peers
from goldenseal.ladder.replay import Replay
from goldenseal.ladder.script import (
    FAULTS,
    Script,
    ended_well,
    in_words,
    is_own,
    run_folder,
    sources_of,
)
from goldenseal.ladder.shim import answered_by_cpu
from goldenseal.ladder.stepping import Freezing, Stepping, Steps, ending_after
from goldenseal.ladder.structure import leaves


def record(
    probe: Probe,
    script: Script,
    variables: Mapping[str, str],
    trace: bool,
    ranks: int = 1,
    leftovers: Mapping[str, str] | None = None,
    follow: Seen | None = None,
    frozen: bool = False,
    folder: str | None = None,
) -> Recording:
    """Run `script` under `variables` in a folder of its own and return what happened.

    Every one of several ranks is recorded; the result is the last one's, which holds the others.
    `leftovers` lie in its folder before. With `follow`, the executed code of the script's own files
    is noted, but for what it says was seen before. `frozen`: no step moves a parameter. `folder`:
    where an earlier run has been, to go on there. An exception of the script is part of the
    recording (`error`), not raised.
    """
    script, plain = script.settled(variables), variables_of(variables)
    with environment(plain, script.own_process), contextlib.ExitStack() as stack:
        stack.callback(os.chdir, os.getcwd())
        furnished = folder is not None
        # A command's folder has one above, and that another, where `../data` may be linked.
        folder = folder or run_folder(stack.enter_context(TemporaryDirectory()), script)
        os.chdir(folder)
        said = stack.enter_context(muted()) if script.own_process else None
        for name, text in (leftovers or {}).items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")
        others = Path(stack.enter_context(TemporaryDirectory()))
        run = partial(perform, probe, script, trace, follow, frozen, furnished)
        try:
            with peers(run, ranks, plain, others) as collect:
                if (recording := run()).error is None:
                    recording.peers = collect()
                    for rank, peer in enumerate(recording.peers):
                        if peer.error and not recording.error:
                            recording.error = f"rank {rank}: {peer.error}"
        except CannotCheckError as error:
            recording.error = in_words(error)
        if said is not None and (recording.error or "").startswith("SystemExit"):
            recording.error = f"{recording.error}{said()}"
    return recording


def perform(
    probe: Probe,
    script: Script,
    trace: bool,
    follow: Seen | None,
    frozen: bool = False,
    furnished: bool = False,
) -> Recording:
    """Run the script in the current folder, and return what happened."""
    settle()  # here, in each rank's process: Python reseeds its generator after a fork
    if not furnished:
        script.furnish(Path.cwd())
    recorder = _Recorder(probe, script, trace, follow, frozen)
    recording = recorder.recording
    try:
        recorder.run()
    except SystemExit as end:
        if not ended_well(end):
            recording.error = recorder.words_of(end)
    except FAULTS as error:
        recording.error, recording.fault = in_words(error), error
    except Exception as error:
        recording.error = recorder.words_of(error)
    recorder.finish()
    return recording


class _Recorder:
    def __init__(
        self, probe: Probe, script: Script, trace: bool, follow: Seen | None, frozen: bool
    ):
        self.probe, self.script = probe, script
        self.recording = Recording()
        self.folder = Path.cwd()
        home = script.home(self.folder)
        self.own = partial(is_own, folder=home)
        self.places = Places(self.own, home)
        here = self.places.here
        self.operations = OperationTrace(self._placeless, self._glance, here) if trace else None
        self.networks = Networks(self._taken_up, self._called)
        freezing, self.ownership = Freezing() if frozen else None, Ownership()
        told = self._note_numbered, self.ownership, freezing
        self.steps = Steps(Stepping(self.networks.name), *told)
        self.by_hand = ByHand(self.networks, *told, here) if script.own_process else None
        self.observed = Observed(self.own, self._placeless) if script.own_process else None
        self.replay = Replay() if script.own_process and probe.replayed else None
        self.counts: dict[str, int] = {}
        self.missed: list[str] = []  # files that were asked for in vain
        self.sources: list[str] = []  # of the script and of its model
        self.flags, self.glanced = switches(), glance()
        self.seen = self.flags  # at the last operation
        self.last = "the import"  # event that is no line
        self.executed = Executed(self.own, follow) if follow is not None else None
        self.there = stamps(self.folder)  # before the run

    def run(self) -> None:
        with contextlib.ExitStack() as stack:
            lines = LineSink(self._printed, self._of_the_script)
            stack.callback(lines.close)
            stack.enter_context(contextlib.redirect_stdout(lines))
            stack.enter_context(logged(self.own, self._printed))
            stack.enter_context(self.networks.watched())
            if self.executed is not None:
                stack.enter_context(self.executed.tracing())
            # Before the import, where `from time import time` would bind the real one.
            stack.enter_context(counting_clock(calendar=self.script.own_process))
            if self.observed is not None:
                stack.enter_context(self.observed.watching())
                stack.enter_context(missing_watched(self.missed))
                stack.enter_context(loaders_watched(self._loader, self.probe.batches_each))
                stack.enter_context(compiling_nothing())
            if self.by_hand is not None:
                stack.enter_context(self.by_hand.watched())
            if getattr(self.script, "device", "") == "cpu":
                stack.enter_context(answered_by_cpu(self.recording.replaced))
            self.flags = switches()
            module = stack.enter_context(self.script.opened())
            self._look_at_flags("after the import")
            if self.probe.logs:
                self.sources = sources_of(self.script, module)
            stack.enter_context(self.steps.watched())
            stack.enter_context(ending_after(self.probe.steps))
            if self.operations is not None:
                stack.enter_context(self.operations)
                stack.enter_context(transport_untraced())
            try:
                self.script.evaluate(module, "entry")
            except SystemExit as end:
                if not ended_well(end):
                    raise
            lines.finish()
            if self.by_hand is not None:
                self.by_hand.look(ending=True)
            self._note("end", rng_facts() | self._left_behind())
            if self.observed is not None:
                self.observed.look_at_modules()

    def finish(self) -> None:
        """What is written down however the run ended."""
        self._look_at_flags("in the end")
        self.recording.left_flags = self.flags
        self.ownership.tell(self.recording)
        probe = self.probe
        what = probe.ignored_files, probe.logs, self.sources, probe.volatile
        for name, facts in file_facts(self.folder, *what, self.there, self.script.own_process):
            self._note(f"file {name}", facts)
        if self.executed is not None:
            self.recording.executed = {
                self.script.original(file, self.folder): extents
                for file, extents in self.executed.extents().items()
            }
        if self.observed is not None:
            self.recording.options = self.observed.options
            self.recording.read = self.observed.read
        if self.replay is not None and self.recording.error is None:
            self.recording.replayed = self.replay.perform()

    def words_of(self, error: BaseException) -> str:
        """An exception of the script, with the line of its own that led to it."""
        words, home = in_words(error), self.script.home(self.folder)
        if self.script.own_process and home is not None:
            if (place := place_of(error, home)) and place.rpartition("/")[2] not in words:
                words += f", by {place}"
            words += self.script.hint(error, self.folder, self.missed)
        return self._placeless(words)

    # -- what is written down --------------------------------------------------------------------

    def _note(self, where: str, facts: Mapping[str, str], place: str | None = None) -> None:
        trace, own = self.operations, self.script.own_process
        operations, places = (trace.take(), trace.take_places()) if trace else ((), ())
        if place is None:
            place = self.places.here(2) if own or trace is not None else ""
        event = Event(where, dict(facts), operations, place, places)
        if not is_line(event):  # of which a side may print another number, with another name each
            with untraced():
                self._look_at_flags(f"before {where}")
            self.last = where
        self.recording.events.append(event)

    def _look_at_flags(self, when: str) -> None:
        """Note what has changed of torch's global switches since the last look."""
        now = switches()
        if now != self.flags:
            found = changed(self.flags, now)
            self.recording.flags += [self._placeless(f"{when}: {text}") for text in found]
            self.flags = now

    def _glance(self) -> None:
        """Before an operation: a switch may be set, and set back, between two events."""
        now = glance()
        if now != self.glanced:
            self.glanced, before, self.seen = now, self.seen, global_flags()
            when = f"at an operation after {self.last}"
            self.recording.passing += [f"{when}: {text}" for text in changed(before, self.seen)]

    def _note_numbered(self, what: str, facts: Mapping[str, str], place: str | None = None) -> None:
        self._note(self._numbered(what), facts, place)

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
            if self.replay is not None:
                self.replay.taken_up(network)
            what = f"initial state of {network.prefix[:-1]}" if network.prefix else "initial state"
            facts = {f"state {name}": text for name, text in state.items()}
            self._note(what, facts | rng_facts())

    def _called(
        self, network: Network, module: torch.nn.Module, arguments: Any
    ) -> Callable[[Any], None]:
        if self.by_hand is not None:
            self.by_hand.look()
        with untraced():
            facts = {f"input{place}": fact(leaf) for place, leaf in leaves(arguments)}
            if self.replay is not None:
                self.replay.called(network, module, arguments)
        part = network.prefix + network.parts[id(module)]
        if part:
            facts["of"] = part
        # A part may be in another mode than the whole.
        other = [name for name, each in module.named_modules() if each.training != module.training]
        if other:
            facts["parts in the other mode"] = " ".join(other)

        def finish(output: Any) -> None:
            with untraced():
                for place, leaf in leaves(output):
                    facts[f"output{place}"] = fact(leaf)
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

    def _loader(self, facts: dict[str, str]) -> None:
        self._note(self._numbered("data loader"), facts)

    def _of_the_script(self) -> bool:
        """Whether who writes now is the script, and no thread of a library's own.

        Such a thread draws a progress bar again as often as the machine lets it.
        """
        main = threading.current_thread() is threading.main_thread()
        return main or bool(self.places.here())

    def _printed(self, line: str) -> None:
        line = self._placeless(line)
        for pattern in self.probe.volatile:
            line = re.sub(pattern, "…", line)
        self._note(self._numbered("printed line"), {"text": line}, self.places.directly())
