"""Write down every ATen operation that is dispatched, forward and backward, with its shapes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from goldenseal.digest import whole_numbers

# Their text is short and the same in every run.
PLAIN = (
    *(bool, int, float, complex, type(None)),
    *(torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Size),
)
# What no walk need look into.
LEAVES = {*PLAIN, str, torch.Tensor, torch.nn.Parameter}
DTYPES = {
    dtype: str(dtype).removeprefix("torch.")
    for dtype in vars(torch).values()
    if isinstance(dtype, torch.dtype)
}


@contextmanager
def untraced() -> Iterator[None]:
    """Inside, the recorder's own tensor work stays out of the trace, and out of torch.func."""
    with _disable_current_modes(), temporarily_clear_interpreter_stack():
        yield


@contextmanager
def transport_untraced() -> Iterator[None]:
    """Inside, what brings tensors from a loader's workers is not traced.

    Which worker is first is the machine's business; the batches come in order all the same.
    """
    fetch: Any = _MultiProcessingDataLoaderIter._try_get_data  # type: ignore[assignment,unused-ignore]

    def fetch_untraced(*args: Any, **kwargs: Any) -> Any:
        with untraced():
            return fetch(*args, **kwargs)

    with mock.patch.object(_MultiProcessingDataLoaderIter, "_try_get_data", fetch_untraced):
        yield


class OperationTrace(TorchDispatchMode):
    """Collects lines such as `aten.mm.default(float32[8, 4], float32[4, 4])`.

    placeless: takes out of a text what names this run's folder.
    before_each: called before each operation.
    place: the script's line that an operation comes from.
    """

    def __init__(
        self,
        placeless: Callable[[str], str] = str,
        before_each: Callable[[], None] = lambda: None,
        place: Callable[[int], str] = lambda above: "",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._placeless, self._before_each, self._place = placeless, before_each, place
        self._lines: list[str] = []
        self._places: list[str] = []

    def take(self) -> tuple[str, ...]:
        """The operations since the last call, in order."""
        lines, self._lines = tuple(self._lines), []
        return lines

    def take_places(self) -> tuple[str, ...]:
        """Where they came from; to be asked for as often as `take`."""
        places, self._places = tuple(self._places), []
        return places

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Note the operation, then let it happen."""
        self._before_each()
        kwargs = kwargs or {}
        texts: list[str] = []
        for value in (*args, *kwargs.values()):
            self._describe_each(value, texts)
        line = f"{func}({', '.join(texts)})"
        # Beside a tensor of floats 1 and 1.0 are the same; beside one of integers they are not.
        self._lines.append(whole_numbers(line) if ".0" in line and "float" in line else line)
        self._places.append(self._place(2))
        return func(*args, **kwargs)

    def _describe_each(self, value: Any, texts: list[str]) -> None:
        """The leaves of an argument; torch's own walk costs more than most operations."""
        if type(value) in LEAVES:
            texts.append(self._describe(value))
        elif type(value) in (list, tuple):
            for each in value:
                self._describe_each(each, texts)
        else:
            texts += map(self._describe, pytree.tree_leaves(value))

    def _describe(self, value: Any) -> str:
        if is_lazy(value):
            return "not initialized yet"
        if torch.is_tensor(value):
            return f"{DTYPES[value.dtype]}{list(value.shape)}"
        if isinstance(value, torch.UntypedStorage | torch.TypedStorage):
            return f"storage[{value.nbytes()} bytes]"  # its text would hold every byte
        if isinstance(value, str):
            return self._placeless(value)
        return str(value) if isinstance(value, PLAIN) else type(value).__name__  # no addresses


@contextmanager
def traced() -> Iterator[OperationTrace]:
    """Trace what happens in the block."""
    with OperationTrace() as trace:
        yield trace
