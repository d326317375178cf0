"""A sealed record as a Process Run Crate: an RO-Crate 1.1 of files, actions and what they used.

Profile: https://w3id.org/ro/wfrun/process/0.5. Only what the record says is said: an unknown agent
or time is left out, and of an unknown licence, which RO-Crate demands, that it is not stated. Files
of the crate have digest and size; data and source, which a record names by digest and does not
hold, are works without a file.
"""

import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from goldenseal.disk import canonical
from goldenseal.export.entities import Entities, Part
from goldenseal.records.kinds.cells import FAILED, Listed
from goldenseal.records.record import Record, words_on_launch
from goldenseal.records.source import SourceTree

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
WORKFLOW_RUN = "https://w3id.org/ro/terms/workflow-run#"
TERMS = {term: WORKFLOW_RUN + term for term in ("sha256", "sha512", "environment")}
LICENCES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING")
NO_LICENCE = "The record states no licence."
STATUS = "http://schema.org/{}ActionStatus"


def crate_of(
    record: Record, identity: str, parts: Mapping[str, Part], licence: str = "", base: str = ""
) -> "ROCrate":
    """The crate of a record whose files, `parts`, lie in a folder of the record's name, or under
    the address `base`, of which the crate then holds none.

    `licence` is the address of one, by default the record's own LICENSE, if it holds one.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    entities = Entities(crate, base or record.folder.name)
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


def _runs(record: Record, entities: Entities) -> Iterable[Any]:
    """The action of each run that began."""
    facts = record.facts
    if record.kind.name == "command":
        yield _command(record, entities)
        return
    cells = [each for each in record.cells() if each.finished or each.state == FAILED]
    software = _software(facts, entities) if cells else None
    if software is None:
        return
    data = _digested("data", facts.get("data", {}), entities)
    environment = _environment(facts, entities)
    for each in cells:
        yield _action(record, each, software, data, environment, entities)


def _action(
    record: Record,
    run: Listed,
    software: Any,
    data: list[Any],
    environment: list[Any],
    entities: Entities,
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


def _command(record: Record, entities: Entities) -> Any:
    """The action of a command of no system: its words, what it read, what it left."""
    facts = record.facts
    words = entities.value("command", "command", shlex.join(facts["command"]))
    knobs = [entities.value("knob", *each) for each in sorted(facts.get("knobs", {}).items())]
    seeds = [entities.value("seed", "seed", str(seed)) for seed in facts["seeds"]]
    files = map(entities.found, facts["outputs"])
    results = [
        entities.value("result", name, canonical.dumps(value).decode())
        for name, value in sorted(facts.get("results", {}).items())
    ]
    return entities.add(
        "run",
        "CreateAction",
        name=f"run of {shlex.join(facts['command'])}",
        description=f"The command of the record {facts['name']}, run once.",
        instrument=_software(facts, entities),
        object=[words, *_digested("data", facts.get("data", {}), entities), *knobs, *seeds],
        result=[*(file for file in files if file is not None), *results],
        environment=_environment(facts, entities),
        actionStatus=STATUS.format("Completed"),
    )


def _environment(facts: Mapping[str, Any], entities: Entities) -> list[Any]:
    """Where it ran, as far as that is known: as JSON, since its keys are no variables."""
    names = {"numeric_class": "numeric class", "environment": "environment"}
    return [
        entities.value("environment", name, canonical.dumps(facts[key]).decode())
        for key, name in names.items()
        if facts.get(key)
    ]


def _software(facts: Mapping[str, Any], entities: Entities) -> Any:
    """What ran, as far as the record says: its source by file, or the name of its system."""
    system, source = facts.get("system", ""), facts.get("source")
    if source:
        return entities.add(
            "source",
            "SoftwareSourceCode",
            name=f"source of the system {system}" if system else "source of the runs",
            version=SourceTree(source).digest,
            programmingLanguage="Python" if any(n.endswith(".py") for n in source) else "",
            hasPart=[
                entities.found(f"source/{name}") or work
                for name, work in zip(
                    sorted(source), _digested("source", source, entities), strict=True
                )
            ],
        )
    if system:
        return entities.add("system", "SoftwareApplication", name=system)
    return None


def _digested(kind: str, digests: Mapping[str, str], entities: Entities) -> list[Any]:
    """Files that the record knows by digest and does not hold."""
    return [
        entities.add(f"{kind}/{name}", "CreativeWork", name=name, sha512=digest)
        for name, digest in sorted(digests.items())
    ]


def _launch(record: Record, entities: Entities) -> Iterable[Any]:
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
