"""Which sealed file holds a number: a hint for the message of a claim that does not hold."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol

from goldenseal.claims.numerals import Printed, accepts, exact_value


class Sealed(Protocol):
    """What is searched: a record's name, and its JSON values with the place of each."""

    name: str

    def all_json(self) -> Iterator[tuple[str, Any]]:
        """(place, value) of each."""


class NumberIndex:
    """Every number in the JSON files and logs of some records, as doubles, with its place."""

    def __init__(self, records: Iterable[Sealed]):
        values, self._places = array("d"), []
        pointers: dict[str, str] = {}
        for sealed in sorted(records, key=lambda record: record.name):
            for place, document in sealed.all_json():
                for pointer, value in _numbers(document, ""):
                    values.append(value)
                    self._places.append((place, pointers.setdefault(pointer, pointer)))
        self._order = sorted(range(len(values)), key=values.__getitem__)
        self._values = array("d", (values[index] for index in self._order))

    def place_of(self, printed: Printed, times: Fraction) -> str | None:
        """Where the number stands that is nearest to the printed one, if it rounds to it."""
        wanted = printed.value / times
        if abs(wanted) >= 10**300:
            return None
        after = bisect_left(self._values, float(wanted))
        near = [i for i in (after - 1, after) if 0 <= i < len(self._values)]
        near.sort(key=lambda i: abs(Fraction(self._values[i]) - wanted))
        for index in near[:1]:
            if accepts(printed, Fraction(self._values[index]) * times):
                place, pointer = self._places[self._order[index]]
                return f"{place}#{pointer}"
        return None


def _numbers(value: Any, pointer: str) -> Iterator[tuple[str, float]]:
    """(pointer, number) of every number in a JSON value."""
    if isinstance(value, dict):
        for key in sorted(value):
            escaped = key.replace("~", "~0").replace("/", "~1")
            yield from _numbers(value[key], f"{pointer}/{escaped}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{pointer}/{index}")
    elif (number := exact_value(value)) is not None and abs(number) < 10**300:
        yield pointer, float(number)
