"""The entities of a crate: files, works and property values, each under one identifier."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from goldenseal.disk.files import Digests

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

SHORT = 32  # characters of a value that its identifier repeats
# Of what a record holds; what the system's own table says would be another one elsewhere.
FORMATS = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "svg": "image/svg+xml",
    "toml": "application/toml",
    "txt": "text/plain",
    "SHA512SUMS": "text/plain",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class Part:
    """A file of the record: its digests and its size in bytes."""

    digests: Digests
    size: int


class Entities:
    """Entities by their identifiers, each added once."""

    def __init__(self, crate: "ROCrate", base: str):
        """`base` is the folder of the files in the crate, or the address that they lie under."""
        from rocrate.model.contextentity import ContextEntity
        from rocrate.model.file import File

        self.crate, self._base = crate, base.rstrip("/")
        self._context, self._file = ContextEntity, File
        self._files: dict[str, Any] = {}

    def add(self, identifier: str, of_type: str, **properties: Any) -> Any:
        """A contextual entity `#identifier`, or one of that address; what is empty is left out.

        A list of one is written as that one, as RO-Crate recommends.
        """
        given: dict[str, Any] = {"@type": of_type}
        for key, value in properties.items():
            if value not in ("", []):
                given[key] = value[0] if isinstance(value, list) and len(value) == 1 else value
        name = identifier if "://" in identifier else f"#{quote(identifier)}"
        return self.crate.get(name) or self.crate.add(self._context(self.crate, name, given))

    def value(self, where: str, name: str, value: str) -> Any:
        """A property value, one for each value of the name."""
        short = value if len(value) <= SHORT else hashlib.sha512(value.encode()).hexdigest()[:SHORT]
        return self.add(f"{where}/{name}/{short}", "PropertyValue", name=name, value=value)

    def file(self, name: str, part: Part) -> None:
        """A file of the record."""
        last = name.rpartition("/")[2]
        suffix = last.rpartition(".")[2].lower() if "." in last else last
        properties = {
            "name": name,
            "contentSize": str(part.size),
            "sha512": part.digests.sha512,
            "sha256": part.digests.sha256,
        }
        if suffix in FORMATS:
            properties["encodingFormat"] = FORMATS[suffix]
        if "://" in self._base:
            added = self._file(self.crate, f"{self._base}/{quote(name)}", properties=properties)
        else:  # rocrate makes the name a URI reference
            added = self._file(self.crate, None, f"{self._base}/{name}", properties=properties)
        self._files[name] = self.crate.add(added)

    def found(self, name: str) -> Any:
        """A file of the record that was added; None for another."""
        return self._files.get(name)
