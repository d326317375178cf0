"""The generated parts of a proposal: what follows from its plan, its costs and the declarations.

README.md         a knob table between <!-- knobs FEATURE … --> and <!-- /knobs -->, and the
                  configurations between <!-- plan --> and <!-- /plan -->
compute_grant.md  from plan.toml and costs.toml
smoke.log         the published figures, recomputed by the system's own objects
record.json       status `proposal`, with the plan's seeds
"""

import re
from pathlib import Path
from typing import Any

from goldenseal.config import System, system
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.grids.grant import as_markdown, read_grant
from goldenseal.grids.markers import replace_part, table
from goldenseal.grids.report import README
from goldenseal.grids.resolve import resolve
from goldenseal.grids.study import PLAN
from goldenseal.ladder.probe import environment, load_probe
from goldenseal.launch.knobs import all_knobs
from goldenseal.listing import knob_rows
from goldenseal.records.kinds.plan import Plan, read_plan
from goldenseal.records.record import RECORD
from goldenseal.records.write import dated_name, facts_of

COSTS, GRANT, SMOKE, SUMS = "costs.toml", "compute_grant.md", "smoke.log", "SHA512SUMS"
KNOBS = re.compile(r"<!-- (knobs(?: [a-z0-9_]+)+) -->")


def write_proposal(root: Path, folder: Path, only_check: bool = False) -> list[str]:
    """Write the generated parts; returns those that were not as they should be, sorted.

    With `only_check`, nothing is written. Raises UsageError for a sealed folder that has drifted
    when it would be written, a plan or cost table that does not hold, or a README without markers;
    ContradictedError when a published figure is not what the system computes.
    """
    plan = read_plan(folder / PLAN)
    entry = system(root, str(plan.facts["system"]))
    resolve(plan, all_knobs(entry))
    date, name = dated_name(folder)
    facts = facts_of(name, "proposal", plan.seeds, date, system=entry.name, plan=PLAN)
    readme = (folder / README).read_text(encoding="utf-8")
    parts = {
        README: fill_readme(root, readme, plan, f"{folder.name}/{README}").encode(),
        GRANT: as_markdown(read_grant(folder / COSTS, plan), plan).encode(),
        SMOKE: smoke_log(entry).encode(),
        RECORD: canonical.dumps(facts),
    }
    drifted = sorted(
        part
        for part, data in parts.items()
        if not (folder / part).is_file() or (folder / part).read_bytes() != data
    )
    if drifted and not only_check:
        if (folder / SUMS).exists():
            raise UsageError(f"{folder.name} is sealed: a changed proposal is a new record")
        for part in drifted:
            atomic_write(folder / part, parts[part])
    return drifted


def fill_readme(root: Path, text: str, plan: Plan, where: str) -> str:
    """The README with both tables. Raises UsageError for a marker that is missing or unknown."""
    found = KNOBS.search(text)
    if not found:
        raise UsageError(f"{where}: expected `<!-- knobs FEATURE … -->` and `<!-- /knobs -->`")
    head, tail = text[: found.start()], text[found.end() :]
    wanted = found[1].split()[1:]
    declared = knob_rows(str(plan.facts["system"]), root)
    text = f"{head}<!-- knobs -->{tail}"
    text = replace_part(text, "knobs", knob_table(declared, wanted, where), where)
    text = text.replace("<!-- knobs -->", found[0], 1)
    return replace_part(text, "plan", plan_table(plan), where)


def knob_table(declared: list[dict[str, Any]], features: list[str], where: str) -> str:
    """Every knob of these features, as declared. Raises UsageError for a feature that is none."""
    rows = []
    for feature in features:
        own = [row for row in declared if row["feature"] == feature]
        if not own:
            raise UsageError(f"{where}: {feature!r} is no feature of the system")
        for row in own:
            master = " (master)" if row["master"] else ""
            name = f"`{row['name']}`{master}"
            rows.append([feature, name, f"`{row['default']}`", row["range"], row["effect"]])
    return table(["feature", "knob", "default", "legal values", "effect"], rows)


def plan_table(plan: Plan) -> str:
    """The configurations, the seeds and what was fixed about their analysis."""
    rows = [
        [name, " ".join(f"`{knob}={text}`" for knob, text in knobs.items()) or "nothing"]
        for name, knobs in plan.configurations.items()
    ]
    common = " ".join(f"`{knob}={text}`" for knob, text in plan.facts["common"].items())
    analysis = plan.main.analysis
    return "\n".join(
        [
            table(["configuration", "sets, beside the common knobs"], rows),
            "",
            f"- {len(list(plan.cells()))} runs: each configuration under each of the seeds "
            f"{', '.join(map(str, plan.seeds))}.",
            f"- Common knobs: {common or 'none'}; all others at their defaults.",
            f"- Primary result: `{analysis['primary']}`, {analysis['better']} is better; two-sided "
            f"paired t-test by seed against `{plan.main.baseline}`, Holm's correction, alpha "
            f"{analysis['alpha']}.",
            f"- What would count: {' '.join(analysis['counts'].split())}",
            f"- Stopping rule: {' '.join(plan.facts['stopping']['rule'].split())}",
            f"- Digest of the plan (SHA-512 over its canonical JSON): `{plan.digest[:32]}…`",
        ]
    )


def smoke_log(entry: System) -> str:
    """The published figures, each recomputed. Raises ContradictedError for one that differs."""
    from goldenseal.ladder.numeric import settle  # imports torch

    probe = load_probe(entry.probe)
    if probe.smoke is None:
        raise UsageError(f"the probe of {entry.name} names no published figures")
    settle()
    with environment({}):
        figures = probe.smoke()
    for name, expected, computed in figures:
        if expected != computed:
            raise ContradictedError(f"{name}: published {expected}, computed {computed}")
    lines = [f"        {name} = {value}" for name, _, value in figures]
    title = f"pass    {entry.name}: published figures      {len(figures)} recomputed, all equal"
    return "\n".join([title, *lines, ""])
