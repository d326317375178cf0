"""A system, declared once, in the `__init__.py` of its package: all else asks this object.

Nothing here imports torch, since the lane is entered before torch is. So a system gives its
features, which need torch, by a function that imports them late.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from goldenseal.knobs import Knob, Settings, read_settings
from train_gpt_style.kit.energy.choose import ENERGY_KNOBS, check_energy
from train_gpt_style.kit.numerics import NUMERICS

KIT_KNOBS = (NUMERICS, *ENERGY_KNOBS)  # what every system of this repository understands


def accepts(settings: Settings) -> None:
    """The check of a system whose baseline knobs cannot contradict each other."""


def no_files(settings: Settings) -> dict[str, int]:
    """The data of a system that makes its own."""
    return {}


@dataclass(frozen=True)
class System:
    """How a system is called, and what it understands.

    package: `python -m` runs it; the name is its last part.
    load_features: returns them in the order of installation.
    check: raises UsageError when baseline knobs contradict each other.
    data: name and size in bytes of each file that a run of these settings trains on.
    paths: baseline knobs that say where data lies, which is not what a run is.
    help: what `--help` says of it, with an example.
    commands: what it does besides training, by the first argument, each a `module:function` of
    the arguments after it, which returns the exit code or None.
    """

    package: str
    baseline_knobs: tuple[Knob, ...]
    load_features: Callable[[], tuple[Any, ...]]
    data: Callable[[Settings], Mapping[str, int]] = no_files
    check: Callable[[Settings], None] = accepts
    paths: tuple[str, ...] = ()
    help: str = ""
    commands: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """As in pyproject.toml."""
        return self.package.rpartition(".")[2]

    @cached_property
    def features(self) -> tuple[Any, ...]:
        """All there are, on or off; imports torch."""
        return tuple(self.load_features())

    @cached_property
    def knobs(self) -> tuple[Knob, ...]:
        """The baseline's, the kit's, and each feature's."""
        own = (knob for feature in self.features for knob in feature.declaration.all_knobs)
        return (*self.baseline_knobs, *KIT_KNOBS, *own)

    def read(self, environ: Mapping[str, str]) -> "SystemSettings":
        """Every knob, from `environ` or by default.

        Raises UsageError, one line, for a misspelt, ill-typed or out-of-range variable, and for
        values that contradict each other: before anything is loaded.
        """
        settings = SystemSettings(self, read_settings(environ, self.knobs))
        self.check(settings)
        writers = [f.declaration.master.name for f in self.features if f.writes_joules]
        check_energy(settings, sorted(writers))
        for feature in settings.features:
            feature.check(settings)
        return settings


class SystemSettings(Settings):
    """Resolved knobs; `features` are those that are on, in the order of installation."""

    def __init__(self, system: System, values: Mapping[str, Any]):
        super().__init__(values, system.knobs)
        self.system = system
        self.features = tuple(f for f in system.features if self.is_on(f.declaration))
