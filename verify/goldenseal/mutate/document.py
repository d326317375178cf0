"""The result of a mutation run: one canonical JSON document, and the tables made from it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.disk.toml import read_toml
from goldenseal.errors import UsageError
from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan

FOLDER = Path("docs") / "mutation"
PAGE = Path("docs") / "mutation.md"
REASONS = FOLDER / "equivalent.toml"
BEGIN, END = "<!-- mutation: {} -->", "<!-- mutation: end -->"
PROOFS = "proofs"  # the label of what is done to the theorems
UNEXPLAINED = "unexplained"
OFF_JUDGES = "all rungs, and in files of several systems by those of the others too"

Judged = tuple[Mutant, Mapping[str, Any]]


def path_of(root: Path, label: str) -> Path:
    """Where a document lies: of a system, of its features that are on, or of the proofs."""
    return root / FOLDER / f"{label}.json"


def document(
    plan: Plan,
    seed: int,
    judged: Sequence[Judged],
    population: Mapping[str, int],
    sources: Mapping[str, bytes],
    reasons: Mapping[str, str],
    quick_only: bool = False,
) -> dict[str, Any]:
    """Counts, matrices and survivors. Of the same runs it is always the same document."""
    survivors = [
        survivor(mutant, sources[mutant.file], reasons)
        for mutant, result in judged
        if result["outcome"] == "survived"
    ]
    judges = "unit tests, then the rungs with features on" if plan.on else OFF_JUDGES
    return {
        "label": plan.label,
        "system": plan.system,
        "seed": seed,
        "judges": "rungs with features off" if quick_only else judges,
        "sampled": len(judged),
        "killed": len(judged) - len(survivors),
        "outcomes": counted((result["outcome"],) for _, result in judged),
        "population": dict(sorted(population.items())),
        "areas": tally((mutant.area, result) for mutant, result in judged),
        "operators": {
            area: tally((m.operator, result) for m, result in judged if m.area == area)
            for area in sorted(population)
        },
        "gates": counted((g, m.area) for m, result in judged for g in result["failed"]),
        "only": counted(
            (result["failed"][0],) for _, result in judged if len(result["failed"]) == 1
        ),
        "survivors": survivors,
        "files": {file: hashlib.sha512(data).hexdigest() for file, data in sorted(sources.items())},
    }


def survivor(mutant: Mutant, source: bytes, reasons: Mapping[str, str]) -> dict[str, Any]:
    """What a reader needs to judge a mutant that no gate notices."""
    old = source.splitlines()
    new = mutant.apply(source).splitlines()
    last = mutant.line + mutant.old.count("\n")
    return {
        "key": mutant.key,
        "area": mutant.area,
        "place": f"{mutant.file}:{mutant.line}",
        "operator": mutant.operator,
        "removed": [line.decode() for line in old[mutant.line - 1 : last]],
        "added": [line.decode() for line in new[mutant.line - 1 : last + len(new) - len(old)]],
        "reason": reasons.get(mutant.key, UNEXPLAINED),
    }


def tally(judged: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, dict[str, int]]:
    """(killed, sampled) by label."""
    counts: dict[str, dict[str, int]] = {}
    for label, result in judged:
        entry = counts.setdefault(label, {"killed": 0, "sampled": 0})
        entry["sampled"] += 1
        entry["killed"] += result["outcome"] != "survived"
    return dict(sorted(counts.items()))


def counted(labels: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """How often each label occurs; a pair of labels makes a table of tables."""
    counts: dict[str, Any] = {}
    for *outer, label in labels:
        table = counts
        for name in outer:
            table = table.setdefault(name, {})
        table[label] = table.get(label, 0) + 1
    return {k: dict(sorted(v.items())) if isinstance(v, dict) else v for k, v in counts.items()}


def read_reasons(root: Path) -> dict[str, str]:
    """Why a survivor is equivalent, by its key.

    Raises UsageError when the file is no TOML, or an entry has not `key` and `reason`.
    """
    path = root / REASONS
    if not path.is_file():
        return {}
    entries = read_toml(path.read_bytes(), REASONS.as_posix()).get("equivalent", [])
    reasons = {}
    for entry in entries:
        if set(entry) != {"key", "reason"} or not all(entry.values()):
            raise UsageError(f"{REASONS}: an [[equivalent]] needs `key` and `reason`: {entry}")
        if entry["key"] in reasons:
            raise UsageError(f"{REASONS}: names {entry['key']!r} twice")
        reasons[entry["key"]] = entry["reason"]
    return reasons


# ----------------------------------------------------------------------------------------------
# The page
# ----------------------------------------------------------------------------------------------


def page_with(page: str, label: str, tables: str) -> str:
    """The page with fresh tables of a document. Raises UsageError when it has no place for them."""
    mark = BEGIN.format(label)
    before, begin, rest = page.partition(mark)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UsageError(f"{PAGE}: has no place for the tables: add the lines `{mark}`, `{END}`")
    return f"{before}{begin}\n{tables}\n{end}{after}"


def tables(results: Mapping[str, Any]) -> str:
    """The document in words and tables, for docs/mutation.md."""
    if results["label"] == PROOFS:
        return "\n".join(proof_lines(results))
    areas = list(results["areas"])
    share = 100 * results["killed"] / max(results["sampled"], 1)
    reasons = [survivor["reason"] for survivor in results["survivors"]]
    lines = [
        f"**{results['killed']} of {results['sampled']} mutants killed ({share:.1f} %)**, seed "
        f"{results['seed']}, drawn from {sum(results['population'].values())}; judged by "
        f"{results['judges']}. {len(reasons)} survive, of which "
        f"{reasons.count(UNEXPLAINED)} have no explanation.",
        "",
        *_matrix("area", areas, _area_rows(results, areas)),
        "",
        *_matrix("gate", areas, _gate_rows(results, areas)),
        "",
    ]
    if results["survivors"]:
        lines += ["| survivor | edit | why |", "|---|---|---|"]
        lines += [
            f"| `{s['place']}` {s['operator']} | {_edit(s)} | {_cell(s['reason'])} |"
            for s in results["survivors"]
        ]
    return "\n".join(lines).rstrip("\n")


def proof_lines(proofs: Mapping[str, Any]) -> list[str]:
    """The proofs' families, as a table."""
    total = sum(entry["sampled"] for entry in proofs["families"].values())
    killed = sum(entry["killed"] for entry in proofs["families"].values())
    lines = [
        f"**Mutants of the proofs: {killed} of {total} killed.**",
        "",
        "| what is done to the theorems | killed | of |",
        "|---|---|---|",
    ]
    for family, entry in sorted(proofs["families"].items()):
        lines.append(f"| {family} | {entry['killed']} | {entry['sampled']} |")
    return [*lines, *(f"\nSurvives: {name}" for name in proofs["survivors"])]


def _area_rows(results: Mapping[str, Any], areas: list[str]) -> list[list[str]]:
    rows = [["killed / sampled", *(_ratio(results["areas"][a]) for a in areas)]]
    rows.append(["drawn from", *(str(results["population"][a]) for a in areas)])
    for operator in sorted({name for a in areas for name in results["operators"][a]}):
        rows.append([operator, *(_ratio(results["operators"][a].get(operator)) for a in areas)])
    return rows


def _gate_rows(results: Mapping[str, Any], areas: list[str]) -> list[list[str]]:
    rows = []
    for gate, counts in sorted(results["gates"].items()):
        alone = results["only"].get(gate, 0)
        name = f"{gate} (alone: {alone})" if alone else gate
        rows.append([name, *(str(counts.get(a, "")) for a in areas)])
    return rows


def _matrix(corner: str, columns: list[str], rows: list[list[str]]) -> list[str]:
    heading = [corner, *columns]
    return [f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows)]


def _ratio(entry: Mapping[str, int] | None) -> str:
    return f"{entry['killed']} / {entry['sampled']}" if entry else ""


def _edit(survivor: Mapping[str, Any]) -> str:
    old, new = (" ".join(" ".join(survivor[k]).split()) for k in ("removed", "added"))
    return f"`{_cell(old)}` → `{_cell(new)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
