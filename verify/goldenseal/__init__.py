"""Goldenseal's gates, seals and records. Names no model, imports no training code.

`from goldenseal import RunLog` is what a training script needs of it: docs/records.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goldenseal.runlog import RunLog

__version__ = "0.1.0"
__all__ = ["RunLog"]


def __getattr__(name: str) -> Any:
    """RunLog, imported when it is asked for: nobody waits for it who does not."""
    if name == "RunLog":
        return import_module("goldenseal.runlog").RunLog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
