"""README.md of a collected sweep: what was planned, what became of it, what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from verify.study.analysis import p_text
from verify.study.markers import table
from verify.study.report import spread
from verify.sweep.definition import Group, Sweep

CELLS_SHOWN = 200  # in the table of cells; cells.jsonl has all


class Outcome(Protocol):
    """What was collected."""

    attempts: int
    states: Any
    lacking: list[dict[str, Any]]
    summary: dict[str, Any]
    tests: dict[str, list[dict[str, Any]]]

    @property
    def why_not(self) -> str:
        """Why the grid is not complete."""


def readme(sweep: Sweep, complete: bool, done: Outcome, waivers: Mapping[str, str]) -> str:
    """The whole text."""
    total = done.states.total()
    counts = ", ".join(f"{count} {state}" for state, count in sorted(done.states.items()))
    parts = [f"# {sweep.name}", " ".join(sweep.facts["question"].split())]
    if not complete:
        parts.append(
            f"**Incomplete: {done.why_not}.** The planned claim is not carried: no test was made, "
            "and no number of this record may stand for the sweep."
        )
    parts.append(f"{total} cells were planned: {counts}; {done.attempts} attempts in all.")
    if waivers:
        rows = [[name, reason] for name, reason in sorted(waivers.items())]
        parts.append("Launched with waivers:\n\n" + table(["what did not hold", "reason"], rows))
    if complete:
        parts += [_group(group, done.summary[n], done.tests[n]) for n, group in _groups(sweep)]
    parts.append("## Cells\n\nEvery planned cell is in `cells.jsonl`.")
    if done.lacking:
        rows = [
            [f"{line['configuration']}/{line['seed']}", line["state"], _cell(line["reason"])]
            for line in done.lacking[:CELLS_SHOWN]
        ]
        parts.append("Not finished:\n\n" + table(["cell", "state", "reason"], rows))
    return "\n\n".join(parts) + "\n"


def _groups(sweep: Sweep) -> Sequence[tuple[str, Group]]:
    return list(sweep.groups.items())


def _cell(text: Any) -> str:
    return " ".join(str(text).replace("|", "/").split())


def _group(group: Group, summary: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> str:
    plan, names = group.plan, list(summary)
    seeds = ", ".join(map(str, plan.seeds))
    rows = [
        [configuration, str(len(plan.seeds))]
        + [spread(summary[name]["configurations"][configuration]) for name in names]
        for configuration in plan.configurations
    ]
    first = table(["configuration", "n", *(f"`{name}`" for name in names)], rows)
    compared = [
        [
            row["configuration"],
            f"{row['mean']:+.4f} ± {row['sd']:.4f}",
            "not defined" if row["ci95"] is None else "{:+.4f} to {:+.4f}".format(*row["ci95"]),
            "not defined" if row["d_z"] is None else f"{row['d_z']:.3g}",
            *(p_text(row[key]) for key in ("p", "p_holm")),
            f"yes, {row['direction']}" if row["counts"] else row.get("why_not", "no"),
        ]
        for row in tests
    ]
    headings = [f"against {plan.baseline}", "mean ± sd", "95 % interval", "d_z", "p", "p, Holm"]
    analysis = plan.analysis
    return (
        f"## {group.name}\n\nSeeds {seeds}; mean ± sample standard deviation over them.\n\n{first}"
        f"\n\nPaired differences of `{analysis['primary']}` ({analysis['better']} is better), "
        f"{analysis['test']}, Holm's correction over {len(tests)} comparisons, alpha "
        f"{analysis['alpha']}, margin {group.margin}:\n\n{table([*headings, 'counts'], compared)}"
    )
