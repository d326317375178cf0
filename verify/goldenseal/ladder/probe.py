"""Probes: how the gates drive a training script on CPU, in seconds, through its own entry points.

A probe names two scripts (the frozen baseline and the candidate), the expressions that build a
model and start the real run, and the small environments to do it in. The systems of this
repository make their probe in Python; a stranger's pair of files is described by a TOML file,
see probe_file.py and docs/foreign-scripts.md.
"""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from goldenseal.errors import GoldensealError, UsageError
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.script import Script, in_words

__all__ = ["Probe", "Resume", "Scenario", "Script", "environment", "load_object"]

# What a script may see of the caller's environment; everything else is the probe's.
INHERITED = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG"),  # without it CUDA is not deterministic
)


@dataclass(frozen=True)
class Scenario:
    """A named small environment; several, so that each path of the script is taken once.

    ranks: how many processes train together; each is recorded.
    leftovers: text by path of files that an earlier run left in the folder.
    """

    name: str
    environment: Mapping[str, str]
    ranks: int = 1
    leftovers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resume:
    """How a command is interrupted, by arguments or after so many steps, and how it goes on."""

    stop: tuple[str, ...]
    stop_after: int
    args: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """All that the gates know of a system.

    prepare: writes small real data into a folder and returns the environment that points to it.
    volatile: regular expressions; what they match in printed lines is not compared.
    ignored_files: glob patterns of output files that are not compared.
    logs: glob patterns of logs that begin with the source, each with the line that ends it; the
        source must be the script's, what follows is compared, sizes relative to the source's.
    refusals: kinds of bad input, each with words that the candidate's error must hold.
    own_refusals: the same for what the candidate alone refuses, such as knobs of features.
    spoil: makes one: given its name, an empty folder and the good data's variables, it returns the
        variables that lead to the bad.
    brief: variables that shorten a run of the first scenario, for the rung that needs many.
    batches: shapes of the batches that the gates draw.
    draw: makes a batch of such a shape from a generator, under a scenario's environment: tensors in
        any structure of lists, tuples and dicts; None: a pair of token ids (B, T).
    averages: glob patterns of parameters that no optimizer owns and that the script moves itself,
        such as an average of weights; any other frozen parameter must stay as it is.
    unreached: what of the candidate's changed code no run here can execute: a regular expression on
        the line's text, and the reason.
    vocab_size: exclusive upper bound of those token ids.
    off: of commands, by feature, the settings that say explicitly that it is off.
    resume: of commands, how one is interrupted and goes on.
    steps, batches_each: of commands, after how many optimizer steps a run ends, and how many
        batches each pass through a data loader has at most; 0: as many as there are.
    replayed: of commands, whether recorded calls are made again on perturbed weights.
    kit_knobs: knobs that neither the baseline nor a feature has, such as the numeric lane.
    """

    name: str
    baseline: Script
    candidate: Script
    scenarios: tuple[Scenario, ...]
    vocab_size: int = 64
    features: tuple[Feature, ...] = ()
    baseline_knobs: tuple[Knob, ...] | None = None
    kit_knobs: tuple[Knob, ...] = ()
    prepare: Callable[[Path], Mapping[str, str]] | None = None
    smoke: Callable[[], list[tuple[str, str, str]]] | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    own_refusals: Mapping[str, str] = field(default_factory=dict)
    spoil: Callable[[str, Path, Mapping[str, str]], Mapping[str, str]] | None = None
    volatile: tuple[str, ...] = ()
    ignored_files: tuple[str, ...] = ()
    logs: Mapping[str, str] = field(default_factory=dict)
    brief: Mapping[str, str] = field(default_factory=dict)
    batches: tuple[tuple[int, ...], ...] = ((2, 16), (1, 7), (3, 31))
    draw: Callable[[tuple[int, ...], Any], Any] | None = None
    averages: tuple[str, ...] = ()
    unreached: Mapping[str, str] = field(default_factory=dict)
    off: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    resume: Resume | None = None
    steps: int = 0
    batches_each: int = 0
    replayed: bool = True

    @property
    def spoiled(self) -> dict[str, str]:
        """Every kind of bad input, with the words of its error."""
        return {**self.refusals, **self.own_refusals}

    @property
    def commands(self) -> bool:
        """Whether the sides are commands, each in its own process, and not expressions."""
        return self.candidate.own_process


@contextmanager
def environment(variables: Mapping[str, str], inherited: bool = False) -> Iterator[None]:
    """Run under exactly these variables, besides the few harmless ones in INHERITED.

    inherited: besides all of the caller's, as a command that is typed.
    """
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    if inherited:
        # No run of ours is anybody's experiment, and an error is to be seen as it was raised.
        kept = {"WANDB_MODE": "disabled", "HYDRA_FULL_ERROR": "1", **os.environ}
    with mock.patch.dict(os.environ, {**kept, **variables}, clear=True):
        yield


def load_probe(reference: str) -> Probe:
    """The probe behind `package.module:name`. Raises UsageError when it is none."""
    probe = load_object(reference)
    if not isinstance(probe, Probe):
        raise UsageError(f"{reference!r} is a {type(probe).__name__}: expected a Probe")
    if not isinstance(probe.name, str) or not probe.name:
        raise UsageError(f"{reference!r} is named {probe.name!r}: expected the name of its system")
    return probe


def load_object(reference: str) -> Any:
    """The object behind `package.module:name`. Raises UsageError when it cannot be found."""
    module_name, _, attribute = reference.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except GoldensealError:
        raise
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module_name.partition(".")[0]:
            raise  # a package that is not installed: who called knows which extra brings it
        raise UsageError(f"cannot load {reference!r} (expected module:object): {error}") from error
    except (Exception, SystemExit) as error:
        words = in_words(error)
        raise UsageError(f"cannot load {reference!r} (expected module:object): {words}") from error
