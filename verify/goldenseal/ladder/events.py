"""What a recording holds, and how two recordings are held against each other."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from goldenseal.ladder.executed import Extent


@dataclass(frozen=True)
class Event:
    """One thing that happened. `facts` are short texts by name; `operations` led up to it.

    place: the script's line that it comes from; places: that of each operation. Lines move as a
    script is edited, so they are shown and never compared.
    """

    where: str
    facts: Mapping[str, str]
    operations: tuple[str, ...] = ()
    place: str = field(default="", compare=False)
    places: tuple[str, ...] = field(default=(), compare=False)


def is_line(event: Event) -> bool:
    """Whether it is something printed."""
    return event.where.startswith("printed line")


def without_lines(events: Iterable[Event]) -> list[Event]:
    """The events without what is printed; its operations are counted to the event that follows."""
    kept, operations, places = list[Event](), tuple[str, ...](), tuple[str, ...]()
    for event in events:
        operations, places = operations + event.operations, places + event.places
        if not is_line(event):
            kept.append(Event(event.where, event.facts, operations, event.place, places))
            operations, places = (), ()
    return [*kept, Event("the end", {}, operations, "", places)] if operations else kept


@dataclass(frozen=True)
class Option:
    """Something that can be set from outside: its default, its value in this run, who reads it.

    choices: all values that it may have, where its parser says which.
    """

    default: str
    value: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass
class Recording:
    """All events of one run, and what the liveness rung needs to know of the parameters.

    A parameter of the network that was trained first goes by its name in the state dict; that of
    another has `CLASS number/` before it.

    main: facts' names of the parameters of the networks that were there at the first step.
    trainable: parameters that ask for gradients; owners: in how many optimizer groups each is.
    frozen_moved: frozen tensors, which no optimizer owns, that the run changes all the same.
    flags: torch's global switches in the order in which they were seen to change at an event.
    passing: the same, of a traced run, as seen from operation to operation.
    left_flags: how each of them was left in the end.
    peers: of several ranks, the recordings of the others.
    preceding: earlier runs of the same process.
    error: of a run that stopped, in words; fault: when it says that nothing can be checked.
    executed: extents of the executed instructions by file, of a run that was followed.
    options: of a command, what can be set from outside, as it was seen, by how it is typed.
    read: of a command, the environment variables that any Python code asked for.
    replayed: by call, outputs and gradients of recorded calls on perturbed weights.
    replaced: calls for CUDA that the CPU answered.
    """

    events: list[Event] = field(default_factory=list)
    main: frozenset[str] = frozenset()
    trainable: tuple[str, ...] = ()
    owners: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    live_gradients: set[str] = field(default_factory=set)
    frozen_moved: set[str] = field(default_factory=set)
    flags: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    left_flags: dict[str, str] = field(default_factory=dict)
    peers: "list[Recording]" = field(default_factory=list)
    preceding: "list[Recording]" = field(default_factory=list)
    error: str | None = None
    fault: Exception | None = None
    executed: dict[str, set[Extent]] = field(default_factory=dict)
    options: dict[str, Option] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    replayed: dict[str, dict[str, str]] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)

    def digest(self) -> str:
        """SHA-512 over all events and flags of every rank, in order."""
        h = hashlib.sha512()
        for run in self.ranks():
            for event in run.events:
                facts = sorted(event.facts.items())
                h.update(repr((event.where, facts, event.operations)).encode())
            h.update(repr(run.flags).encode())
        return h.hexdigest()

    def ranks(self) -> "list[Recording]":
        """Of every rank, the recorded one last."""
        return [*self.peers, self]

    def without_files(self) -> list[Event]:
        """The events of training itself, without the output files."""
        return [event for event in self.events if not event.where.startswith("file ")]


def by_rank(expected: Recording, actual: Recording) -> Iterator[tuple[str, Recording, Recording]]:
    """(words that name the rank, expected, actual); no words where there is one rank."""
    pairs = list(zip(expected.ranks(), actual.ranks(), strict=False))
    for rank, (a, b) in enumerate(pairs):
        yield (f"rank {rank}: " if len(pairs) > 1 else ""), a, b
