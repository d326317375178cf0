"""Write down every ATen operation that is dispatched, forward and backward, with its shapes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes


def untraced() -> AbstractContextManager[Any]:
    """Inside, the recorder's own tensor work stays out of the trace."""
    return _disable_current_modes()


class OperationTrace(TorchDispatchMode):
    """Collects lines such as `aten.mm.default(float32[8, 4], float32[4, 4])`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._lines: list[str] = []

    def take(self) -> tuple[str, ...]:
        """The operations since the last call, in order."""
        lines, self._lines = tuple(self._lines), []
        return lines

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Note the operation, then let it happen."""
        kwargs = kwargs or {}
        leaves = pytree.tree_leaves((args, kwargs))
        self._lines.append(f"{func}({', '.join(map(_describe, leaves))})")
        return func(*args, **kwargs)


def _describe(value: Any) -> str:
    if torch.is_tensor(value):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, torch.Generator):
        return "generator"  # its text would hold an address
    return str(value)


@contextmanager
def traced() -> Iterator[OperationTrace]:
    """Trace what happens in the block."""
    with OperationTrace() as trace:
        yield trace
