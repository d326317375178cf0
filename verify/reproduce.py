"""Re-running a sealed record. The end is a verdict, never a bare fail.

bitwise       every output has the same bytes, every log line the same facts
other-class   they differ, and so does the numeric class: nothing is contradicted
diverged      they differ in the same numeric class; the first place is named
unrunnable    the run could not be repeated here; why
"""

import filecmp
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from verify.check import check, resolve
from verify.config import System, system
from verify.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    CannotCheckError,
    ContradictedError,
    UsageError,
)
from verify.record import Record
from verify.rerun import data_digests, run_system
from verify.runlog import deterministic, read_run_log
from verify.source import read_source

EXIT_CODES = {
    "bitwise": EXIT_HOLDS,
    "other-class": EXIT_CANNOT_CHECK,
    "diverged": EXIT_CONTRADICTED,
    "unrunnable": EXIT_CANNOT_CHECK,
}


@dataclass
class Reproduction:
    """The verdict over one re-run, its reason, and what else is worth knowing."""

    record: str
    identity: str
    verdict: str = "unrunnable"
    reason: str = ""
    compared: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 bitwise, 1 diverged, 3 otherwise."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return vars(self) | {"notes": list(self.notes)}


def reproduce(
    root: Path, prefix: str, show: Callable[[str], None], steps: int | None = None
) -> Reproduction:
    """Re-run the record whose identity begins with `prefix` and compare.

    Only this repository's code is run: the record names a system, never a command.
    Raises UsageError for a prefix that names no record, ContradictedError for a broken seal.
    """
    record, identity = resolve(root, prefix)
    report = check(record.folder)
    if not report.holds:
        raise ContradictedError(f"{record.folder.name}: {report.reasons()[0]}")
    outcome = Reproduction(record.folder.relative_to(root).as_posix(), identity)
    try:
        entry = system(root, record.get("system"))
        outcome.notes += compare_source(root, record)
        refuse_other_data(root, entry, record)
        with TemporaryDirectory() as folder:
            run_system(root, entry, record.get("knobs"), Path(folder), show, steps)
            compare(outcome, record, entry, Path(folder), steps)
    except (CannotCheckError, UsageError) as error:
        outcome.verdict, outcome.reason = "unrunnable", str(error)
    return outcome


def compare_source(root: Path, record: Record) -> list[str]:
    """What of the code differs from the sealed one; the run goes on, and says so."""
    differences = read_source(root).differences(record.get("source"))
    if not differences:
        return ["the source is the sealed one"]
    more = f", and {len(differences) - 3} more" if len(differences) > 3 else ""
    return [f"the source differs from the sealed one: {', '.join(differences[:3])}{more}"]


def refuse_other_data(root: Path, entry: System, record: Record) -> None:
    """Raise CannotCheckError when the data here is not the sealed data."""
    here, sealed = data_digests(root, entry, record.get("knobs")), record.get("data")
    for name in sorted(sealed):
        if name not in here:
            raise CannotCheckError(f"data file {name} is missing: run `make data`")
        if here[name] != sealed[name]:
            raise CannotCheckError(
                f"data file {name} is another one: sealed {sealed[name][:16]}, found "
                f"{here[name][:16]}: run `make data`"
            )


def compare(
    outcome: Reproduction, record: Record, entry: System, folder: Path, steps: int | None
) -> None:
    """Fill in verdict and reason from the sealed files and the new ones."""
    sealed = read_run_log(record.folder / entry.log)
    new = read_run_log(folder / entry.log, complete=steps is None)
    if steps is not None:
        sealed, new = first_steps(sealed, steps), first_steps(new, steps)
    same_class = sealed[0]["numeric_class"] == new[0]["numeric_class"]
    outcome.notes.append(f"the numeric class is {'the sealed' if same_class else 'another'} one")
    difference = first_difference(sealed, new)
    outputs = [] if steps is not None else list(record.get("outputs"))
    for name in outputs:
        if difference is None and not same_file(record.folder / name, folder / name):
            difference = f"{name}: {different_tensor(record.folder / name, folder / name)}"
    count = sum(line["kind"] == "step" for line in sealed)
    outcome.compared = f"{count} steps, {len(sealed)} log lines, {len(outputs)} files"
    if difference is None:
        outcome.verdict, outcome.reason = "bitwise", "all equal"
    else:
        outcome.verdict = "diverged" if same_class else "other-class"
        outcome.reason = difference


def first_steps(lines: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    """The lines up to that of optimizer step `steps`."""
    for index, line in enumerate(lines):
        if line["kind"] == "step" and line["step"] == steps:
            return lines[: index + 1]
    raise UsageError(f"--steps {steps}: the record has fewer steps")


def first_difference(sealed: list[dict[str, Any]], new: list[dict[str, Any]]) -> str | None:
    """The first line and key at which two logs part; the numeric class alone is none."""
    for a, b in zip(sealed, new, strict=False):
        a, b = deterministic(a), deterministic(b)
        for key in sorted({*a, *b} - {"numeric_class"}):
            if a.get(key) != b.get(key):
                where = f"step {a['step']}" if "step" in a else a["kind"]
                return f"{where}: {key} is {b.get(key)}, sealed {a.get(key)}"
    if len(sealed) != len(new):
        return f"the log has {len(new)} lines, sealed {len(sealed)}"
    return None


def same_file(a: Path, b: Path) -> bool:
    """Whether both exist with the same bytes."""
    return b.is_file() and filecmp.cmp(a, b, shallow=False)


def different_tensor(sealed: Path, new: Path) -> str:
    """The first differing tensor of two safetensors files, in file order, with both values."""
    if not new.is_file():
        return "was not written"
    if sealed.suffix != ".safetensors":
        return "other bytes"
    from safetensors import safe_open  # the only place that needs more than bytes

    with safe_open(sealed, "np") as a, safe_open(new, "np") as b:
        for name in a.keys():
            if name not in b.keys():
                return f"tensor {name} is missing"
            x, y = a.get_tensor(name), b.get_tensor(name)
            if x.shape != y.shape or x.dtype != y.dtype:
                return f"tensor {name} is {y.dtype}{y.shape}, sealed {x.dtype}{x.shape}"
            if x.tobytes() != y.tobytes():
                index = int((x.reshape(-1) != y.reshape(-1)).argmax())
                return f"tensor {name}[{index}] is {y.flat[index]!r}, sealed {x.flat[index]!r}"
    return "the same tensors in other bytes"
