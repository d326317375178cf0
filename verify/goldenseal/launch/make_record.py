"""`goldenseal record`: run a system and leave a record that is ready to be described and sealed."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from goldenseal.config import System
from goldenseal.errors import UsageError
from goldenseal.knobs import read_settings
from goldenseal.launch.freeze import freeze
from goldenseal.launch.gate import UNCHECKED, Launch, provenance
from goldenseal.launch.knobs import all_knobs, with_log
from goldenseal.launch.process import data_digests, run_system
from goldenseal.records.sums import refuse_new_record
from goldenseal.records.write import facts_of_run, name_of, write_facts
from goldenseal.runlog import HEX_FLOAT, read_run_log


def make_record(
    root: Path,
    system: System,
    folder: Path,
    given: Mapping[str, str],
    show: Callable[[str], None],
    launch: Launch = UNCHECKED,
) -> None:
    """Run `system` under the knobs `given` in the new folder, then write record.json beside it.

    What runs is a frozen copy of the source, so that what is sealed is what ran. Raises UsageError
    for a knob that does not exist or a folder that does, CannotCheckError when the run fails or the
    source has changed since it was verified.
    """
    knobs = requested(system, folder, given)
    data = data_digests(root, system, knobs)
    snapshot, source = freeze(root)
    launch.check(source.files, "the run")
    folder.mkdir(parents=True)
    run_system(root, system, knobs, folder, show, source=snapshot)
    header, *_, end = read_run_log(folder / system.log)
    facts = facts_of_run(
        name_of(folder),
        int(header["seed"]),
        header,
        log=system.log,
        knobs=knobs,
        outputs=system.outputs,
        system=system.name,
        data=data,
        source=source.files,
        results=results(end),
        **provenance(launch.state()),
    )
    write_facts(folder, facts)


def requested(system: System, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Every knob of the run that is asked for, as text.

    Raises UsageError for a knob that does not exist or is out of range, or a folder that exists.
    """
    declared = all_knobs(system)
    unknown = sorted(set(given) - {knob.name for knob in declared})
    if unknown:
        raise UsageError(f"{unknown[0]} is no knob of {system.name}: see `goldenseal knobs`")
    refuse_new_record(folder)
    return read_settings({**given, **with_log(declared)}, declared).as_environment()


def results(end: Mapping[str, Any]) -> dict[str, Any]:
    """What the log's closing line says, in numbers; the log holds them in hex, to the last bit.

    A result that is no finite number has no place in JSON: it is null here, and in full in the log.
    """
    facts = {key: value for key, value in end.items() if key not in ("kind", "clock")}
    return {key: readable(value) for key, value in facts.items()}


def readable(value: Any) -> Any:
    """A hex float as a number, null for a NaN or an infinity; anything else as it is."""
    if not isinstance(value, str) or not HEX_FLOAT.fullmatch(value):
        return value
    number = float.fromhex(value)
    return number if math.isfinite(number) else None
