"""A TOML file that a person wrote: what is wrong with it is one line."""

import tomllib
from typing import Any

from goldenseal.errors import UsageError


def read_toml(data: bytes, where: str) -> dict[str, Any]:
    """What a TOML file says, with or without a byte order mark.

    Raises UsageError, `where` in front, for what is not UTF-8 or no TOML, also where the library
    gives up in another way: on a number of thousands of digits, and on tables too deep.
    """
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise UsageError(f"{where}: it is nested too deep") from None
    except ValueError as error:
        raise UsageError(f"{where}: {str(error).partition(';')[0]}") from None
