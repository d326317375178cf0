"""What an optimizer is about to do, and what it has done, as facts by the names of parameters."""

import contextlib
import functools
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from goldenseal.digest import short

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


def ended_by(steps: int, end: Callable[[], BaseException] | None = None) -> Callable[..., None]:
    """A hook after optimizer steps that ends the process, as if the machine went down then.

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
    """Inside, a run ends as normal after so many steps of its optimizers; 0: as it does."""
    if not steps:
        yield
        return
    handle = register_optimizer_step_post_hook(ended_by(steps, Enough))
    try:
        yield
    finally:
        handle.remove()


class Freezing:
    """Undoes each step on the parameters, so that nothing moves while all else happens."""

    def __init__(self) -> None:
        self._before: list[tuple[torch.Tensor, torch.Tensor]] = []

    def before_step(self, optimizer: Optimizer) -> None:
        """Keep the parameters."""
        params = [p for group in optimizer.param_groups for p in group["params"]]
        self._before = [(p, p.detach().clone()) for p in params]

    def after_step(self) -> None:
        """Give them back."""
        with torch.no_grad():
            for p, value in self._before:
                p.copy_(value)
        self._before = []
