"""Training without an optimizer of torch.optim: gradients, and weights that a script itself moves.

A step is made by hand where weights are others than before: those of the networks, and those that
gradients were taken of, as `backward`, `torch.autograd.grad` or `torch.func` takes them. They may
be changed in place or made anew. It is looked for at the next call, at the next gradients and in
the end, so a step is told with the line that took its gradients. As soon as a script constructs an
optimizer, its steps are what counts, and nothing more is looked for.
"""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol
from unittest import mock

import torch
from torch._functorch import eager_transforms
from torch.optim import Optimizer
from torch.utils._pytree import tree_map_only

from goldenseal.digest import has_values, short, tensor_bytes
from goldenseal.ladder.networks import Networks
from goldenseal.ladder.numeric import rng_facts
from goldenseal.ladder.optrace import untraced
from goldenseal.ladder.ownership import Ownership
from goldenseal.ladder.stepping import HOOKS, Freezing
from goldenseal.ladder.structure import leaves

Real = Callable[..., Any]


class Note(Protocol):
    """Writes a numbered event down."""

    def __call__(self, what: str, facts: dict[str, str], place: str | None = None) -> None:
        """what: the event's kind; its number is added."""


class ByHand:
    """Notes gradients, and the steps that follow them.

    here: the script's line that calls. A weight that no module holds is called `weight 1` and so
    on; made anew, it keeps the name that it had where its gradient was taken the last time.
    """

    def __init__(
        self,
        networks: Networks,
        note: Note,
        ownership: Ownership,
        freezing: Freezing | None,
        here: Callable[[], str],
    ):
        self._networks, self._note, self._here = networks, note, here
        self._ownership, self._freezing = ownership, freezing
        self._active, self._depth = True, 0
        self._weights: dict[str, torch.Tensor] = {}  # as their gradients were taken the last time
        self._digests: dict[str, str] = {}
        self._sites: dict[tuple[str, int, int], str] = {}  # names by line, how many, and which
        self._place: str | None = None  # where gradients were taken the last time

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Watch this process while inside."""
        with contextlib.ExitStack() as stack:
            for owner, name, around in (
                (Optimizer, "__init__", self._constructing),
                (torch.autograd, "backward", self._backward),
                (torch.autograd, "grad", self._grad),
                (eager_transforms, "grad_and_value_impl", self._transform),
                (eager_transforms, "_autograd_grad", self._pulled_back),
            ):
                replaced = _wrapped(getattr(owner, name), around)
                stack.enter_context(mock.patch.object(owner, name, replaced))
            yield

    def look(self, ending: bool = False) -> None:
        """Note a step, if weights have moved since the last look. ending: the run is over."""
        if not self._active or self._depth:
            return
        with untraced():
            now = {name: short(weight) for name, weight in self._known().items()}
            moved = {n for n, text in now.items() if self._digests.get(n, text) != text}
            if not moved or self._freezing is None:
                self._digests.update(now)
            else:
                self._freezing.after_step()
            if moved:
                self._moved(moved, ending)
            self._keep()

    # -- what is watched ---------------------------------------------------------------------------

    def _constructing(self, real: Real, *args: Any, **kwargs: Any) -> Any:
        self._active = False
        return real(*args, **kwargs)

    def _backward(self, real: Real, tensors: Any, *args: Any, **kwargs: Any) -> Any:
        if self._passes():
            return real(tensors, *args, **kwargs)
        self.look()
        inputs = kwargs.get("inputs")
        weights = _listed(inputs) if inputs is not None else list(accumulated(_listed(tensors)))
        names = self._arriving(weights)
        with self._inside():
            result = real(tensors, *args, **kwargs)
        taken = {n: weight.grad for n, weight in zip(names, weights, strict=True)}
        # A part whose forward is run again in `backward` is not seen before.
        own = {n: p.grad for n, p in self._parameters().items() if p.grad is not None}
        self._taken({**own, **taken})
        return result

    def _grad(self, real: Real, outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        # A gradient that is itself differentiated is a part of a loss, and no update.
        if self._passes() or kwargs.get("create_graph"):
            return real(outputs, inputs, *args, **kwargs)
        return self._held(self._noted(real, outputs, inputs, *args, **kwargs))

    def _pulled_back(self, real: Real, outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """By `vjp` or `jacrev` of torch.func."""
        if self._passes():
            return real(outputs, inputs, *args, **kwargs)
        return self._noted(real, outputs, inputs, *args, **kwargs)

    def _noted(self, real: Real, outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """What `real` returns: the gradients of `inputs`, which are written down."""
        self.look()
        names = self._arriving(_listed(inputs))
        with self._inside():
            result = real(outputs, inputs, *args, **kwargs)
        self._taken(dict(zip(names, _listed(result), strict=False)))
        return result

    def _transform(
        self, real: Real, func: Any, argnums: Any, has_aux: bool, args: Any, kwargs: Any
    ) -> Any:
        if self._passes():
            return real(func, argnums, has_aux, args, kwargs)
        self.look()
        of = args[argnums] if isinstance(argnums, int) else tuple(args[n] for n in argnums)
        found = [(path[1:], each) for path, each in leaves(of) if torch.is_tensor(each)]
        names = self._arriving([each for _, each in found], [path for path, _ in found])
        with self._inside():
            gradients, value = real(func, argnums, has_aux, args, kwargs)
        taken = [each for _, each in leaves(gradients) if torch.is_tensor(each)]
        self._taken(dict(zip(names, taken, strict=False)))
        return self._held(gradients), value

    def _passes(self) -> bool:
        return not self._active or bool(self._depth) or torch.compiler.is_compiling()

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        """Calls inside are parts of the one that is watched."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _held(self, gradients: Any) -> Any:
        """Where no weight is to move, the gradients that would move one are zero."""
        if self._freezing is None:
            return gradients
        return tree_map_only(torch.Tensor, torch.zeros_like, gradients)

    # -- what is written down ----------------------------------------------------------------------

    def _arriving(self, weights: Sequence[Any], paths: Sequence[str] = ()) -> list[str]:
        """The names of weights that gradients are about to be taken of."""
        with untraced():
            self._place = self._here()
            names = self._names(weights, paths)
            fresh, moved = dict[str, str](), set[str]()
            own = self._parameters()
            for name, weight in zip(names, weights, strict=True):
                text = short(weight)
                if name not in self._digests and name not in own:
                    fresh[f"state {name}"] = text
                elif self._digests.get(name, text) != text:
                    moved.add(name)
                self._weights[name], self._digests[name] = weight, text
            if fresh:
                self._note("initial state of weights", fresh | rng_facts())
            if moved:
                self._moved(moved)
        return names

    def _names(self, weights: Sequence[Any], paths: Sequence[str]) -> list[str]:
        """By the structure that holds it, its module, itself, or where it was met; or a new one."""
        line, names = self._here(), list[str]()
        known = {id(weight): name for name, weight in self._weights.items()}
        for i, weight in enumerate(weights):
            site = (line, len(weights), i)
            path = paths[i] if i < len(paths) else ""
            name = path if any(part and not part.isdigit() for part in path.split(".")) else ""
            name = name or self._networks.name(weight, "") or known.get(id(weight), "")
            name = name or self._sites.get(site, "")
            if not name or name in names:
                number = sum(each.startswith("weight ") for each in (*self._weights, *names)) + 1
                name = f"weight {number}"
            self._sites[site] = name
            names.append(name)
        return names

    def _taken(self, gradients: dict[str, torch.Tensor | None]) -> None:
        """Gradients were taken."""
        with untraced():
            live = {n for n, g in gradients.items() if g is not None and any(tensor_bytes(g))}
            self._ownership.live |= {id(p) for n, p in self._parameters().items() if n in live}
            texts = {n: "none" if g is None else short(g) for n, g in gradients.items()}
            facts = {f"gradient of {name}": text for name, text in texts.items()}
            self._note("gradients", facts, self._here())
            self._keep()

    def _moved(self, moved: Iterable[str], ending: bool = False) -> None:
        """Weights are others than they were."""
        own = self._parameters()
        self._ownership.by_hand(
            {id(own[name]): self._digests[name] for name in moved if name in own},
            [name for name in self._weights if name not in own],
        )
        facts = {f"parameter {name}": text for name, text in self._digests.items()}
        self._note("after step by hand", rng_facts() | facts, self._place)
        for hook in [] if ending else list(HOOKS):
            hook()

    def _known(self) -> dict[str, torch.Tensor]:
        """Every weight by name: as it was met the last time, before as its network has it."""
        return {**self._parameters(), **self._weights}

    def _parameters(self) -> dict[str, torch.Tensor]:
        """Those of the networks; not what `functional_call` puts in their place."""
        named = (pair for network in self._networks.listed for pair in network.parameters())
        kind = torch.nn.Parameter
        return {name: p for name, p in named if isinstance(p, kind) and has_values(p)}

    def _keep(self) -> None:
        if self._freezing is not None:
            self._freezing.before_step(self._known().values())


def accumulated(tensors: Sequence[Any]) -> Iterator[torch.Tensor]:
    """The leaves that `backward` adds gradients to, in the order of the graph."""
    seen = set[Any]()
    stack = [t.node if hasattr(t, "node") else t.grad_fn or t for t in reversed(tensors)]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = node if isinstance(node, torch.Tensor) else getattr(node, "variable", None)
        if isinstance(leaf, torch.Tensor):
            if leaf.requires_grad:
                yield leaf
        else:
            stack += [each for each, _ in reversed(node.next_functions)]


def _listed(tensors: Any) -> list[Any]:
    if isinstance(tensors, dict):
        return list(tensors.values())
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def _wrapped(real: Real, around: Callable[..., Any]) -> Real:
    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        return around(real, *args, **kwargs)

    return call
