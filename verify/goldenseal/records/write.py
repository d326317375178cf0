"""Writing a record: the words that record.json has of any kind, and a whole, sealed folder or none.

Every record of ours is written here, whoever runs or reads what it holds; what a kind must say
beyond these words, `kinds` asks of it before a byte of record.json is on the disk.
"""

import datetime
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.records.record import RECORD, SCHEMA, record_of
from goldenseal.records.seal import Sealed, seal

Facts = dict[str, Any]
Place = Callable[[Path, Path], Path]


def today() -> str:
    """The date of a record that is made now."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def name_of(folder: Path) -> str:
    """A record's name by its folder's, which has the date in front."""
    return folder.name.partition("_")[2] or folder.name


def dated_name(folder: Path) -> tuple[str, str]:
    """(date, name) of a folder <date>_<Name>. Raises UsageError when it is called otherwise."""
    date, _, name = folder.resolve().name.partition("_")
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        name = ""
    if not name:
        raise UsageError(f"{folder.name}: expected a folder such as 2026-01-31_Study")
    return date, name


def facts_of(
    name: str, status: str, seeds: Sequence[int], date: str | None = None, **more: Any
) -> Facts:
    """What record.json says of any record; `more` by its keys, and None is left out."""
    given = {key: value for key, value in more.items() if value is not None}
    words = {"schema": SCHEMA, "name": name, "date": date or today(), "status": status}
    return {**words, "seeds": list(seeds), **given}


def facts_of_run(
    name: str,
    seed: int,
    header: Mapping[str, Any],
    log: str,
    knobs: Mapping[str, str],
    outputs: Sequence[str],
    date: str | None = None,
    **more: Any,
) -> Facts:
    """What record.json says of one run of a system: settings, numeric class, log, outputs.

    header: the first line of its run log. log, outputs: files of the record.
    """
    return facts_of(
        name,
        "measured",
        [seed],
        date,
        knobs=dict(knobs),
        numeric_class=header.get("numeric_class", {}),
        logs={str(seed): log},
        outputs=list(outputs),
        **more,
    )


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write record.json, the last of a record's files before its seal.

    Raises UsageError, and writes nothing, for facts that no reader would take.
    """
    data = canonical.dumps(dict(facts))
    record_of(folder, canonical.loads(data, f"{folder.name}/{RECORD}"))
    atomic_write(folder / RECORD, data)


def rename(made: Path, folder: Path) -> Path:
    """Give a folder its name, which is free."""
    os.rename(made, folder)
    return folder


def write_sealed(
    folder: Path, fill: Callable[[Path], Mapping[str, Any]], place: Place = rename
) -> Sealed:
    """Make a record and seal it: `fill` writes its files into a hidden folder, and returns facts.

    There is a whole record or none: `place` gives it its name when it is sealed. Raises UsageError
    where no folder can be made, and what `fill` and sealing raise.
    """
    above = next(parent for parent in folder.absolute().parents if parent.is_dir())
    try:
        made = Path(tempfile.mkdtemp(dir=above, prefix=f".{folder.name}."))
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
    try:
        os.chmod(made, 0o755)
        write_facts(made, fill(made))
        sealed = seal(made)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder = place(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Sealed(folder, sealed.identity, already=False, files=sealed.files)
