"""What an optimizer is about to do, and what it has done, as facts by the names of parameters."""

import contextlib
import functools
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from goldenseal.digest import short
from goldenseal.ladder.numeric import rng_facts
from goldenseal.ladder.optrace import untraced
from goldenseal.ladder.ownership import Ownership

Note = Callable[[str, dict[str, str]], None]
Name = Callable[[torch.Tensor, str], str]


class Stepping:
    """Facts of optimizers; `name` gives a parameter's name, or else the second argument."""

    def __init__(self, name: Name):
        self._name = name
        self._membership: dict[int, dict[str, str]] = {}  # of an optimizer, what was noted last

    def named(self, optimizer: Optimizer) -> list[list[tuple[str, torch.Tensor]]]:
        """(name, parameter) of each group."""
        return [
            [(self._name(p, f"parameter {g}.{i}"), p) for i, p in enumerate(group["params"])]
            for g, group in enumerate(optimizer.param_groups)
        ]

    def settings(self, optimizer: Optimizer) -> dict[str, str]:
        """Hyperparameters of each group; when it has changed, also which parameters it holds."""
        facts, membership = dict[str, str](), dict[str, str]()
        for g, named in enumerate(self.named(optimizer)):
            group = optimizer.param_groups[g]
            membership[f"group {g} holds"] = " ".join(name for name, _ in named)
            for key in sorted(set(group) - {"params", "param_names"}):
                facts[f"group {g} {key}"] = short(group[key])
        if self._membership.get(id(optimizer)) != membership:
            self._membership[id(optimizer)] = membership
            facts |= membership
        return facts

    def gradients(self, optimizer: Optimizer) -> dict[str, str]:
        """The gradient of each parameter."""
        return {
            f"gradient of {name}": "none" if p.grad is None else short(p.grad)
            for named in self.named(optimizer)
            for name, p in named
        }

    def state(self, optimizer: Optimizer) -> tuple[dict[str, str], dict[int, str]]:
        """Parameters and optimizer state; and the parameters' digests, by id."""
        facts, digests = dict[str, str](), dict[int, str]()
        for named in self.named(optimizer):
            for name, p in named:
                digests[id(p)] = facts[f"parameter {name}"] = short(p)
                for key, value in sorted(optimizer.state.get(p, {}).items()):
                    facts[f"{key} of {name}"] = short(value)
        return facts, digests


class Freezing:
    """Undoes each step on the parameters, so that nothing moves while all else happens."""

    def __init__(self) -> None:
        self._before: list[tuple[torch.Tensor, torch.Tensor]] = []

    def before_step(self, parameters: Iterable[torch.Tensor]) -> None:
        """Keep the parameters."""
        self._before = [(p, p.detach().clone()) for p in parameters]

    def after_step(self) -> None:
        """Give them back."""
        with torch.no_grad():
            for p, value in self._before:
                p.copy_(value)
        self._before = []


class Steps:
    """Notes the steps of every optimizer of torch.optim, numbered by its class."""

    def __init__(
        self, stepping: Stepping, note: Note, ownership: Ownership, freezing: Freezing | None
    ):
        self._stepping, self._note = stepping, note
        self._ownership, self._freezing = ownership, freezing

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Watch this process while inside."""
        before = register_optimizer_step_pre_hook(self._before)
        after = register_optimizer_step_post_hook(self._after)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> Any:
        kind, closure = type(optimizer).__name__, closure_of(args, kwargs)
        with untraced():
            facts = self._stepping.settings(optimizer)
            if closure is None:
                facts |= self._stepping.gradients(optimizer)
            self._ownership.before_step(optimizer)
            if self._freezing is not None:
                groups = optimizer.param_groups
                self._freezing.before_step(p for group in groups for p in group["params"])
            self._note(f"before {kind} step", facts)
        if closure is None:
            return None

        def computed() -> None:
            with untraced():
                self._ownership.before_step(optimizer)
                gradients = self._stepping.gradients(optimizer)
                self._note(f"gradients of {kind} step", gradients)

        return with_closure(args, kwargs, closure, computed)

    def _after(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        with untraced():
            if self._freezing is not None:
                self._freezing.after_step()
            facts, digests = self._stepping.state(optimizer)
            self._ownership.after_step(digests)
            self._note(f"after {type(optimizer).__name__} step", rng_facts() | facts)


def closure_of(args: Any, kwargs: Any) -> Callable[[], Any] | None:
    """The function that computes loss and gradients inside a step, if there is one."""
    found = kwargs.get("closure", args[0] if args else None)
    return found if callable(found) else None


def with_closure(
    args: Any, kwargs: Any, closure: Callable[[], Any], after: Callable[[], None]
) -> tuple[Any, Any]:
    """The arguments of a step whose closure is followed by `after`."""

    @functools.wraps(closure)
    def followed() -> Any:
        result = closure()
        after()
        return result

    if "closure" in kwargs:
        return args, {**kwargs, "closure": followed}
    return (followed, *args[1:]), kwargs


class Enough(SystemExit):
    """A normal end, after so many steps."""


HOOKS: list[Callable[[], None]] = []  # what is called after each step that is made by hand


@contextlib.contextmanager
def called_after_each_step(hook: Callable[..., None]) -> Iterator[None]:
    """Inside, `hook` is called after each step: of an optimizer, or by hand."""
    handle = register_optimizer_step_post_hook(hook)
    HOOKS.append(hook)
    try:
        yield
    finally:
        handle.remove()
        HOOKS.remove(hook)


def ended_by(steps: int, end: Callable[[], BaseException] | None = None) -> Callable[..., None]:
    """A hook after steps that ends the process, as if the machine went down then.

    With `end`, it raises that instead.
    """
    left = itertools.count(steps - 1, -1)

    def after_step(*args: Any) -> None:
        if next(left) <= 0:
            if end is not None:
                raise end()
            for worker in multiprocessing.active_children():  # as of a data loader
                worker.kill()
            os._exit(0)

    return after_step


@contextlib.contextmanager
def ending_after(steps: int) -> Iterator[None]:
    """Inside, a run ends as normal after so many steps; 0: as it does."""
    with called_after_each_step(ended_by(steps, Enough)) if steps else contextlib.nullcontext():
        yield
