"""Which networks a run builds and uses, and by what name each parameter of theirs goes.

A run may hold several: a student and its teacher, bridges and an auxiliary head with optimizers of
their own. So every module that is built is noted together with what it becomes a part of; a network
is a module that is part of no other. It is *taken up* when it, or a part of it, is first called, or
when an optimizer first steps one of its parameters.

Parameters of the first network taken up go by their names in its state dict; those of the second by
`network 2/` and the name, and so on: so two scripts can be compared, whatever they call a class.
"""

import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import torch
from torch.nn.modules import module as registration

from goldenseal.digest import functorch

Module = torch.nn.Module


@dataclass
class Network:
    """A network that was taken up; `prefix` stands before the names of its tensors.

    Modules that it gains later are its parts too: `refresh` finds them.
    """

    module: Module
    prefix: str
    parts: dict[int, str] = field(default_factory=dict)  # id of a submodule: its dotted name
    kept: list[Module] = field(default_factory=list)  # alive, so that no other gets their ids

    def refresh(self) -> None:
        """Look again at what it consists of."""
        for name, part in self.module.named_modules():
            self.parts[id(part)] = name
            self.kept.append(part)

    def parameters(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """(name, parameter), in the order of construction, each parameter once."""
        for name, parameter in self.module.named_parameters():
            yield self.prefix + name, parameter

    def state(self) -> dict[str, Any]:
        """Its state dict, under the names of a recording."""
        # What torch.func puts in a parameter's place cannot be detached from without it.
        within = any(functorch.is_functorch_wrapped_tensor(p) for p in self.module.parameters())
        state = self.module.state_dict(keep_vars=True) if within else self.module.state_dict()
        return {self.prefix + name: value for name, value in state.items()}


class Networks:
    """Watches what a run builds, calls and steps.

    taken_up: called with each network as it is taken up.
    called: called before each outermost call of a module that holds tensors, with its network, the
        module and the call's arguments; what it returns is called with the output.
    """

    def __init__(
        self,
        taken_up: Callable[[Network], None],
        called: Callable[[Network, Module, Any], Callable[[Any], None]],
    ):
        self.taken_up, self.called = taken_up, called
        self.listed: list[Network] = []
        self._names: dict[int, str] = {}
        self._whole: weakref.WeakKeyDictionary[Module, weakref.ref[Module]]
        self._whole = weakref.WeakKeyDictionary()
        self._holder: dict[int, weakref.ref[Module]] = {}  # of a parameter, by its id
        self._kept: list[torch.nn.Parameter] = []  # alive, so that no other gets their ids
        self._depth = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch this process while inside: the classes' `forward` is wrapped as they are built."""
        wrapped = set[type]()
        with ExitStack() as stack:

            def look(module: Module) -> None:
                for each in type(module).__mro__:
                    forward = vars(each).get("forward")
                    if each not in wrapped and each is not Module and inspect.isfunction(forward):
                        wrapped.add(each)
                        stack.enter_context(mock.patch.object(each, "forward", self._wrap(forward)))

            # A module is made by its constructor, or by being copied or loaded.
            for maker, after in (("__init__", _nothing), ("__setstate__", self._on_copy)):
                made = _between(look, getattr(Module, maker), after)
                stack.enter_context(mock.patch.object(Module, maker, made))
            parts = registration.register_module_module_registration_hook(self._on_part)
            parameters = registration.register_module_parameter_registration_hook(
                self._on_parameter
            )
            stack.callback(parts.remove)
            stack.callback(parameters.remove)
            yield

    def name(self, parameter: torch.Tensor, fallback: str) -> str:
        """The parameter's name; its network is taken up now if it was not.

        `fallback` when no module holds it.
        """
        if id(parameter) not in self._names:
            holder = self._holder_of(parameter)
            if holder is not None:
                self._note_names(self.network_of(holder))
        return self._names.get(id(parameter), fallback)

    def _holder_of(self, parameter: torch.Tensor) -> Module | None:
        """The module whose own parameter it is; not one that had it, or another of its id."""
        reference = self._holder.get(id(parameter))
        holder = reference() if reference is not None else None
        held = holder is not None and any(p is parameter for p in holder.parameters(False))
        return holder if held else None

    def network_of(self, module: Module) -> Network:
        """The network that `module` is a part of, taken up now if it was not."""
        for network in self.listed:
            if id(module) in network.parts:
                return network
        top = module
        while (reference := self._whole.get(top)) is not None:
            whole = reference()
            if whole is None:  # a container of length 0, or a compiled network, is falsy or worse
                break
            top = whole
        top = _unwrapped(top)
        known = next((network for network in self.listed if network.module is top), None)
        number = len(self.listed) + 1
        network = known or Network(top, f"network {number}/" if number > 1 else "")
        network.refresh()
        if id(module) not in network.parts:  # torch's wrapper of it, or a part that was replaced
            network.parts[id(module)] = "" if _unwrapped(module) is top else "?"
            network.kept.append(module)
        self._note_names(network)
        if known is None:
            self.listed.append(network)
            self.taken_up(network)
        return network

    def _note_names(self, network: Network) -> None:
        """Names of its parameters as they are now: a call may see other ones in their place."""
        for name, parameter in network.parameters():
            self._names.setdefault(id(parameter), name)
            self._kept.append(parameter)

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """`forward`, told of its outermost calls; inner ones pay for one comparison."""

        @functools.wraps(original)  # a script may look at its signature
        def forward(module: Module, *args: Any, **kwargs: Any) -> Any:
            if self._depth or torch.compiler.is_compiling() or not _holds_tensors(module):
                return original(module, *args, **kwargs)
            self._depth += 1
            try:
                finish = self.called(self.network_of(module), module, (args, kwargs))
                output = original(module, *args, **kwargs)
                finish(output)
                return output
            finally:
                self._depth -= 1

        # For who looks at it without following the wrapper, as `inspect.getfullargspec` does.
        vars(forward)["__signature__"] = inspect.signature(original)
        return forward

    def _on_copy(self, module: Module) -> None:
        """A copied or loaded module has its parts and parameters at once; no hook is called."""
        for part in module.children():
            self._whole.setdefault(part, weakref.ref(module))
        for parameter in module.parameters(recurse=False):
            if self._holder_of(parameter) is None:
                self._holder[id(parameter)] = weakref.ref(module)

    def _on_part(self, whole: Module, name: str, part: Module | None) -> None:
        if part is not None:
            self._whole[part] = weakref.ref(whole)

    def _on_parameter(
        self, holder: Module, name: str, parameter: torch.nn.Parameter | None
    ) -> None:
        if parameter is not None:
            self._holder[id(parameter)] = weakref.ref(holder)


def _unwrapped(module: Module) -> Module:
    """The network inside torch's own wrappers, which a script may put around it or not."""
    while type(module).__module__.startswith(("torch._dynamo.", "torch.nn.parallel.")):
        inner = list(module.children())
        if len(inner) != 1:
            break
        module = inner[0]
    return module


def _between(
    before: Callable[[Module], None],
    original: Callable[..., None],
    after: Callable[[Module], None],
) -> Callable[..., None]:
    """The method that makes a module, with something done before and after."""

    @functools.wraps(original)
    def method(module: Module, *args: Any, **kwargs: Any) -> None:
        before(module)
        original(module, *args, **kwargs)
        after(module)

    return method


def _nothing(module: Module) -> None:
    """A constructor's parts are registered one by one."""


def _holds_tensors(module: Module) -> bool:
    """Whether it has a parameter or a buffer: a criterion or an activation alone is no network."""
    return any(True for _ in module.parameters()) or any(True for _ in module.buffers())
