"""The systems that every promise is tried on: those of pyproject.toml, and the toy of the tests."""

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from goldenseal import config
from goldenseal.ladder.probe import Probe, load_object

ROOT = Path(__file__).parents[2]
TOY = config.System("toy", "tests.train_gpt_style.toy", "tests.train_gpt_style.toy.probe:PROBE")
ENTRIES = {entry.name: entry for entry in (*config.systems(ROOT), TOY)}


@dataclass(frozen=True)
class Case:
    """A system, the environment of a whole run in a second, and one with every feature on."""

    entry: config.System
    system: object
    probe: Probe
    environ: dict

    @property
    def everything(self):
        """Every feature but checkpoints, by its example."""
        found = dict(self.environ)
        for feature in self.probe.features:
            if feature.name != "checkpoint":
                found |= feature.example
        return found

    def train(self, environ):
        """One run in the current folder, as the command starts it but in this process."""
        load_object(f"{self.entry.module}.run:main")(environ)


def case_of(name, folder):
    """The case of that name, with small data in `folder`."""
    entry = ENTRIES[name]
    probe = load_object(entry.probe)
    data = probe.prepare(folder) if probe.prepare else {}
    environ = {**probe.scenarios[0].environment, **data}
    return Case(entry, load_object(f"{entry.module}:SYSTEM"), probe, environ)


def process(case, environ, *command):
    """(command, keywords) of a real process that trains, or does `command`, with no other variable.

    One thread, so that two runs on a busy machine do not wait for each other.
    """
    kept = {
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": config.python_path(ROOT),
    }
    command = command or ("-P", "-m", case.entry.module)
    return [sys.executable, *map(str, command)], {"env": {**kept, **environ}, "text": True}


@contextlib.contextmanager
def inside(folder):
    """In a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        yield folder
