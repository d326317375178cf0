"""Forms of records, and where others plug in: an auditor reads only the forms that it knows."""

from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from goldenseal.audit.model import Notes, Record
from goldenseal.errors import UsageError

GROUP = "goldenseal.audit"


class Form(Protocol):
    """A form of record. Registered by an entry point of the group `goldenseal.audit`."""

    name: str

    def matches(self, folder: Path) -> bool:
        """Whether the folder is a record of this form; cheap, and never an error."""
        ...

    def read(self, folder: Path) -> Record:
        """Its files as claims and runs; what cannot be read becomes a problem of the record."""
        ...

    def check(self, record: Record, notes: Notes) -> None:
        """Write down what is found."""
        ...


@dataclass(frozen=True)
class Forms:
    """The forms that are known, in the order in which they are asked."""

    known: tuple[Form, ...]

    def of(self, folder: Path) -> Form | None:
        """The first form that the folder has."""
        return next((form for form in self.known if form.matches(folder)), None)


def installed() -> Forms:
    """The forms that packages register, by name, and then the built-in ones.

    Raises UsageError for an entry point that cannot be loaded.
    """
    from goldenseal.audit.forms.experiments import MlflowForm, ResearchForm, WandbForm
    from goldenseal.audit.forms.speedrun import SpeedrunForm
    from goldenseal.audit.forms.trainer import TrainerForm
    from goldenseal.audit.golf import GolfForm

    own = (TrainerForm, MlflowForm, WandbForm, SpeedrunForm, GolfForm, ResearchForm)
    forms: list[Form] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            made = entry.load()
            forms.append(made())
        except Exception as error:
            raise UsageError(f"audit form {entry.name!r} ({entry.value}): {error}") from error
    return Forms((*forms, *(form() for form in own)))
