"""Which sealed files hold a number, for the message of a claim that does not hold."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from verify.claims.evidence import SealedRecord
from verify.claims.numerals import Printed, accepts, exact_value


def where_held(records: Sequence[SealedRecord], printed: Printed, times: Fraction) -> str | None:
    """The first place, by record and file, whose number rounds to the printed one; or None."""
    for sealed in sorted(records, key=lambda record: record.name):
        for place, document in sealed.all_json():
            for pointer, value in _numbers(document, ""):
                if accepts(printed, value * times):
                    return f"{place}#{pointer}"
    return None


def _numbers(value: Any, pointer: str) -> Iterator[tuple[str, Fraction]]:
    """(pointer, number) of every number in a JSON value."""
    if isinstance(value, dict):
        for key in sorted(value):
            escaped = key.replace("~", "~0").replace("/", "~1")
            yield from _numbers(value[key], f"{pointer}/{escaped}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{pointer}/{index}")
    elif (number := exact_value(value)) is not None:
        yield pointer, number
