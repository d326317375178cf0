"""What `goldenseal record --from` prints."""

from pathlib import Path

from goldenseal.errors import EXIT_HOLDS
from goldenseal.evidence.collect import METRICS, record_from
from goldenseal.records.record import read_record
from goldenseal.terminal import print_json, wide_console


def record_evidence(source: Path, folder: Path, as_json: bool) -> int:
    """Seal what other tools logged, and say what was found."""
    done = record_from(source, folder)
    told = read_record(folder.resolve()).facts["evidence"]
    if as_json:
        print_json({"folder": str(folder), "identity": done.identity, "evidence": told})
        return EXIT_HOLDS
    values = sum(run["values"] for run in told["runs"])
    tools = ", ".join(told["tools"])
    lines = [f"{folder} sealed, {done.files} files", f"identity {done.identity}"]
    lines.append(f"        · {values} values of {len(told['runs'])} runs, by {tools}: {METRICS}")
    lines.append(f"        · not known: {'; '.join(told['unknown'])}")
    problems = [problem for run in told["runs"] for problem in run.get("problems", [])]
    lines += [f"        · not read on: {problem}" for problem in problems]
    lines += [f"        · left out: {each}" for each in told["left_out"]]
    for line in lines:
        wide_console().print(line, markup=False, soft_wrap=True)
    return EXIT_HOLDS
