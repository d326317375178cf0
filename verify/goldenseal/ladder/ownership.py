"""Who owns each parameter of a run, and whether it is trained: what the liveness rung asks."""

from collections import Counter
from collections.abc import Iterable

import torch
from torch.optim import Optimizer

from goldenseal.digest import short
from goldenseal.ladder.events import Recording
from goldenseal.ladder.networks import Network


class Ownership:
    """Collects, by parameter, what a run does with it; `tell` writes it into the recording."""

    def __init__(self) -> None:
        self.networks: list[Network] = []
        self.first_step: dict[int, int] = {}  # id of a network's module -> number of the step
        self.initial: dict[int, str] = {}
        self.trainable: set[int] = set()
        self.groups: dict[int, set[tuple[int, int]]] = {}
        self.live: set[int] = set()
        self.moved: set[int] = set()
        self.states: dict[int, dict[str, str]] = {}  # digests of a network's state as taken up
        self.steps = 0
        self.main: list[str] = []

    def taken_up(self, network: Network, state: dict[str, str]) -> None:
        """A network, with the digests of its state dict."""
        self.networks.append(network)
        self.states[id(network.module)] = state
        for _, parameter in network.parameters():
            self.initial[id(parameter)] = short(parameter)
            if parameter.requires_grad:
                self.trainable.add(id(parameter))
        if not self.steps:
            self.main += [name for name, _ in network.parameters()]

    def before_step(self, optimizer: Optimizer) -> None:
        """An optimizer is about to step."""
        for g, group in enumerate(optimizer.param_groups):
            for parameter in group["params"]:
                self.groups.setdefault(id(parameter), set()).add((id(optimizer), g))
                if parameter.grad is not None and bool(parameter.grad.any()):
                    self.live.add(id(parameter))

    def after_step(self, digests: dict[int, str]) -> None:
        """It has stepped; its parameters' digests, by id."""
        self.steps += 1
        for network in self.networks:
            if id(network.module) not in self.first_step and any(
                id(p) in digests for _, p in network.parameters()
            ):
                self.first_step[id(network.module)] = self.steps
        self.moved |= {key for key, text in digests.items() if self.initial.get(key, text) != text}

    def by_hand(self, digests: dict[int, str], others: Iterable[str]) -> None:
        """The script has moved parameters itself; their digests, by id. others: names of weights
        that no module holds.

        There is no group then: whatever asks for gradients is the script's to move. Of weights
        that no module holds it is not known which parameter they stand for.
        """
        weights = list(others)
        self.main += [] if self.steps else weights
        for key in self.trainable:
            self.groups.setdefault(key, {(0, 0)})
        if weights and not digests:
            self.live |= self.trainable
            self.moved |= self.trainable
        self.after_step(digests)

    def tell(self, recording: Recording) -> None:
        """Write down what was seen, each parameter by the name that Recording explains."""
        recording.main = frozenset(self.main)
        trainable: list[str] = []
        for network, prefix in self._named():
            for name, parameter in network.module.named_parameters():
                key = id(parameter)
                if key in self.trainable:
                    trainable.append(prefix + name)
                recording.owners[prefix + name] = len(self.groups.get(key, ()))
                if key in self.live:
                    recording.live_gradients.add(prefix + name)
                if key in self.moved:
                    recording.moved.add(prefix + name)
            recording.frozen_moved |= {prefix + name for name in self._frozen_moved(network)}
        recording.trainable = tuple(trainable)

    def _named(self) -> list[tuple[Network, str]]:
        """The networks in the order in which they were first trained, each with its prefix."""
        never = self.steps + 1
        order = sorted(self.networks, key=lambda n: self.first_step.get(id(n.module), never))
        counts, named = Counter[str](), list[tuple[Network, str]]()
        for network in order:
            kind = type(network.module).__name__
            counts[kind] += 1
            named.append((network, f"{kind} {counts[kind]}/" if named else ""))
        return named

    def _frozen_moved(self, network: Network) -> list[str]:
        """Frozen parameters that have changed; of a network that is frozen whole, buffers too."""
        parameters = dict(network.module.named_parameters())
        frozen = {
            name
            for name, p in parameters.items()
            if id(p) not in self.trainable and id(p) not in self.groups and not p.requires_grad
        }
        watched = set(frozen)
        if frozen and len(frozen) == len(parameters):
            watched |= {name for name, _ in network.module.named_buffers()}
        before = self.states[id(network.module)]
        now = network.module.state_dict()
        return sorted(
            name
            for name in watched
            if name in now
            and torch.is_tensor(now[name])
            and before.get(network.prefix + name, "") != short(now[name])
        )
