"""A sealed record as a Process Run Crate: an RO-Crate 1.1 of files, actions and what they used.

Profile: https://w3id.org/ro/wfrun/process/0.5. Only what the record says is said: an unknown agent
or time is left out, and of an unknown licence, which RO-Crate demands, that it is not stated. Files
of the crate have digest and size; data and source, which a record names by digest and does not
hold, are works without a file.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from goldenseal.disk import canonical
from goldenseal.disk.files import Digests
from goldenseal.records.kinds.cells import FAILED, Listed
from goldenseal.records.record import Record, words_on_launch
from goldenseal.records.source import SourceTree

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
WORKFLOW_RUN = "https://w3id.org/ro/terms/workflow-run#"
TERMS = {term: WORKFLOW_RUN + term for term in ("sha256", "sha512", "environment")}
SHORT = 32  # characters of a value that its identifier repeats
LICENCES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING")
NO_LICENCE = "The record states no licence."
STATUS = "http://schema.org/{}ActionStatus"
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


def crate_of(
    record: Record, identity: str, parts: Mapping[str, Part], licence: str = ""
) -> "ROCrate":
    """The crate of a record whose files, `parts`, lie in a folder of the record's name.

    `licence` is the address of one, by default the record's own LICENSE, if it holds one.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    entities = _Entities(crate, record.folder.name)
    root = crate.root_dataset
    root["name"], root["description"] = str(record.facts["name"]), describe(record, identity)
    root["datePublished"] = record.facts["date"]
    root["conformsTo"] = entities.add(
        PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"
    )
    root["identifier"] = entities.value("identity", "SHA-512 of SHA512SUMS", identity)
    for name, part in sorted(parts.items()):
        entities.file(name, part)
    root["license"] = (
        entities.add(licence, "CreativeWork", name=licence)
        if licence
        else next(filter(None, map(entities.found, LICENCES)), NO_LICENCE)
    )
    mentioned = [*_runs(record, entities), *_launch(record, entities)]
    if mentioned:
        root["mentions"] = mentioned
    return crate


def describe(record: Record, identity: str) -> str:
    """What the record is, and how its runs were launched, in a few sentences."""
    facts, kind = record.facts, record.kind.name
    seeds = ", ".join(map(str, facts["seeds"]))
    text = f"A {kind} with the status {facts['status']}"
    text += f", of the system {facts['system']}" if "system" in facts else ""
    text += f", under the seeds {seeds}." if seeds else "."
    lacking = [str(each.cell) for each in record.cells() if not each.finished]
    if lacking:
        text += f" Planned and without a finished run: {', '.join(lacking)}."
    if words := words_on_launch(record):
        text += f" {words[0].upper()}{words[1:]}."
    return f"{text} Sealed by Goldenseal; its identity is {identity}."


class _Entities:
    """Entities by their identifiers, each added once."""

    def __init__(self, crate: "ROCrate", folder: str):
        from rocrate.model.contextentity import ContextEntity
        from rocrate.model.file import File

        self.crate, self._folder = crate, folder
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
        # rocrate makes the name a URI reference
        added = self._file(self.crate, None, f"{self._folder}/{name}", properties=properties)
        self._files[name] = self.crate.add(added)

    def found(self, name: str) -> Any:
        """A file of the record that was added; None for another."""
        return self._files.get(name)


def _runs(record: Record, entities: _Entities) -> Iterable[Any]:
    """The action of each run that began."""
    facts = record.facts
    cells = [each for each in record.cells() if each.finished or each.state == FAILED]
    software = _software(facts, entities) if cells else None
    if software is None:
        return
    data = _digested("data", facts.get("data", {}), entities)
    numerics = facts.get("numeric_class")
    told = canonical.dumps(numerics).decode() if numerics else ""
    environment = [entities.value("environment", "numeric class", told)] if told else []
    for each in cells:
        yield _action(record, each, software, data, environment, entities)


def _action(
    record: Record,
    run: Listed,
    software: Any,
    data: list[Any],
    environment: list[Any],
    entities: _Entities,
) -> Any:
    where = str(run.cell).lstrip("/")
    label = f"configuration {run.cell.configuration}, " if run.cell.configuration else ""
    knobs = [entities.value("knob", name, value) for name, value in sorted(run.knobs.items())]
    seed = entities.value("seed", "seed", str(run.cell.seed))
    outputs = record.facts.get("outputs", []) if not record.kind.many else []
    files = [entities.found(name) for name in (run.log, *outputs)]
    numbers = run.results
    if numbers is None and not record.kind.many and len(record.facts["seeds"]) == 1:
        numbers = record.facts.get("results")  # of a single run they are the run's own
    results = [
        entities.value(f"run/{where}/result", name, canonical.dumps(value).decode())
        for name, value in sorted((numbers or {}).items())
    ]
    return entities.add(
        f"run/{where}",
        "CreateAction",
        name=f"run of {label}seed {run.cell.seed}",
        description=f"One run of the record {record.facts['name']}: {label}seed {run.cell.seed}.",
        instrument=software,
        object=[*data, *knobs, seed],
        result=[*(file for file in files if file is not None), *results],
        environment=environment,
        actionStatus=STATUS.format("Completed" if run.finished else "Failed"),
        error="" if run.finished else run.reason,
    )


def _software(facts: Mapping[str, Any], entities: _Entities) -> Any:
    """What ran, as far as the record says: its source by file, or the name of its system."""
    system, source = facts.get("system", ""), facts.get("source")
    if source:
        return entities.add(
            "source",
            "SoftwareSourceCode",
            name=f"source of the system {system}" if system else "source of the runs",
            version=SourceTree(source).digest,
            programmingLanguage="Python" if any(n.endswith(".py") for n in source) else "",
            hasPart=_digested("source", source, entities),
        )
    if system:
        return entities.add("system", "SoftwareApplication", name=system)
    return None


def _digested(kind: str, digests: Mapping[str, str], entities: _Entities) -> list[Any]:
    """Files that the record knows by digest and does not hold."""
    return [
        entities.add(f"{kind}/{name}", "CreativeWork", name=name, sha512=digest)
        for name, digest in sorted(digests.items())
    ]


def _launch(record: Record, entities: _Entities) -> Iterable[Any]:
    """The verdict under which the runs were launched, or the waivers."""
    facts = record.facts
    if "verdict" in facts:
        yield entities.add(
            "verdict",
            "CreativeWork",
            name="verdict of the gates, under which the runs were launched",
            sha512=facts["verdict"],
        )
    for name, reason in sorted(facts.get("waivers", {}).items()):
        yield entities.add(
            f"waiver/{name}", "CreativeWork", name=f"waiver: {name}", description=reason
        )
