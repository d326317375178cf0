"""A clock that counts its readings, so that what depends on elapsed time is the same in each run.

Only the main thread reads it: how often another thread looks at a clock is the machine's business.
So is how often one that waits for a queue or a process does.
"""

import contextlib
import copyreg
import datetime as dates
import importlib.machinery
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, ModuleType
from typing import Any
from unittest import mock

NANO = 1_000_000  # nanoseconds of a millisecond
# They wait, with a limit in seconds that must go by.
WAITS = {
    "asyncio",
    "concurrent",
    "multiprocessing",
    "queue",
    "selectors",
    "subprocess",
    "threading",
}
# Loaded before a script is, by goldenseal or torch, with a clock by a name of their own that
# scripts measure or draw by. All others keep theirs: some read it whenever memory is collected.
TAKERS = {"rich", "timeit"}
STAMPS = ("localtime", "gmtime", "ctime")  # of now, unless they are given a time


@contextlib.contextmanager
def counting_clock(calendar: bool = False) -> Iterator[None]:
    """Replace the clock by one that advances a millisecond a reading.

    Schedules that depend on elapsed time become reproducible, and an extra reading shows.
    calendar: also what tells the date, such as `datetime.now()`.
    """
    ticks = itertools.count(1)

    def seconds(real: Callable[[], float]) -> Callable[[], float]:
        return lambda: next(ticks) / 1000.0 if _counts() else real()

    def nanoseconds(real: Callable[[], int]) -> Callable[[], int]:
        return lambda: next(ticks) * NANO if _counts() else real()

    with contextlib.ExitStack() as stack:
        names = ("time", "perf_counter", *(("monotonic", "process_time") if calendar else ()))
        counted: dict[str, Any] = {name: seconds(getattr(time, name)) for name in names}
        if calendar:
            counted |= {f"{n}_ns": nanoseconds(getattr(time, f"{n}_ns")) for n in names}
            for module, taken in _taken({getattr(time, name): name for name in counted}):
                replaced = {name: counted[of] for name, of in taken.items()}
                stack.enter_context(mock.patch.multiple(module, **replaced))
        stack.enter_context(mock.patch.multiple(time, **counted))
        if calendar:
            for name in STAMPS:
                stamp = _stamp(getattr(time, name))
                stack.enter_context(mock.patch.object(time, name, stamp))
            strftime = time.strftime
            stack.enter_context(
                mock.patch.object(
                    time, "strftime", lambda form, *at: strftime(form, *(at or (time.localtime(),)))
                )
            )
            stack.enter_context(mock.patch.multiple(dates, **FAKE))
            stack.enter_context(_real_for_compiled_modules())
            table = {REAL_DATETIME: _reduced, REAL_DATE: _reduced}
            stack.enter_context(mock.patch.dict(copyreg.dispatch_table, table))
        yield


def _taken(clocks: Mapping[Any, str]) -> Iterator[tuple[ModuleType, dict[str, str]]]:
    """Modules that took a clock by a name of their own, as `timeit.default_timer` is one."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in TAKERS:
            continue
        taken = {
            key: clocks[value]
            for key, value in list(getattr(module, "__dict__", {}).items())
            if isinstance(value, BuiltinFunctionType) and value in clocks
        }
        if taken:
            yield module, taken


@contextlib.contextmanager
def _real_for_compiled_modules() -> Iterator[None]:
    """Inside, a compiled module finds the real classes as it is loaded: it may derive from them."""
    loader = importlib.machinery.ExtensionFileLoader
    execute = loader.exec_module

    def exec_module(this: Any, module: Any) -> None:
        with mock.patch.multiple(dates, datetime=REAL_DATETIME, date=REAL_DATE):
            execute(this, module)

    with mock.patch.object(loader, "exec_module", exec_module):
        yield


def _counts() -> bool:
    """Whether who reads the clock, two frames up, is of those that the count is for."""
    module = str(sys._getframe(2).f_globals.get("__name__", ""))
    if module.partition(".")[0] in WAITS:
        return False
    return threading.current_thread() is threading.main_thread()


def _stamp(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda at=None: real(time.time() if at is None else at)


class _Like(type):
    """Whatever is of the real class is of the replaced one."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, REAL[cls]) if cls in REAL else super().__instancecheck__(value)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, REAL[cls]) if cls in REAL else super().__subclasscheck__(kind)


class _Datetime(dates.datetime, metaclass=_Like):
    """`datetime.datetime` that reads the counting clock; its instances are the real ones."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is _Datetime:
            return REAL_DATETIME(*args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        """The time that has been counted so far, after the epoch."""
        return REAL_DATETIME.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        """The same, without a zone."""
        return REAL_DATETIME.fromtimestamp(time.time(), dates.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        """As `now`."""
        return cls.now()


class _Date(dates.date, metaclass=_Like):
    """`datetime.date` that reads the counting clock."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is _Date:
            return REAL_DATE(*args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        """The day after the epoch that has been counted to."""
        return REAL_DATE.fromtimestamp(time.time())


REAL_DATETIME, REAL_DATE = dates.datetime, dates.date
FAKE: dict[str, Any] = {"datetime": _Datetime, "date": _Date}
REAL: dict[type, type] = {_Datetime: REAL_DATETIME, _Date: REAL_DATE}
for fake, real in REAL.items():
    fake.__name__ = fake.__qualname__ = real.__name__
    fake.__module__ = "datetime"


def _reduced(value: Any) -> tuple[Any, ...]:
    """How a real date is pickled, by a name under which the replaced class is found."""
    kind, *rest = value.__reduce__()
    return (_Datetime if kind is REAL_DATETIME else _Date, *rest)
