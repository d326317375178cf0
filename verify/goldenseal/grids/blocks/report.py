"""Writing what a block study comes to: results.json, plot.svg, record.json, the README's part."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError
from goldenseal.grids.analysis import p_text
from goldenseal.grids.blocks.analysis import ENDPOINTS, UNMEASURED, analyse_blocks
from goldenseal.grids.blocks.plan import BlockPlan, read_block_plan
from goldenseal.grids.blocks.windows import Block, log_name, read_blocks
from goldenseal.grids.markers import replace_part, table
from goldenseal.grids.plot import COLOURS, SALT
from goldenseal.records.write import dated_name, facts_of, write_facts
from goldenseal.stats.spread import NO_SPREAD

PLAN, RESULTS, PLOT, README, PART = "plan.toml", "results.json", "plot.svg", "README.md", "blocks"
TITLES = {"to_target": "to the target loss", "per_step": "a step"}


def write_block_report(folder: Path, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Write everything that follows from the logs; returns what results.json says.

    `provenance` is what record.json says beside: system, data and source digests. A README.md with
    the markers of PART must be there. Raises CannotCheckError for an incomplete study, and writes
    nothing then.
    """
    plan = read_block_plan(folder / PLAN)
    blocks, lacking = read_blocks(folder, plan)
    if lacking:
        seed, why = next(iter(lacking.items()))
        raise CannotCheckError(
            f"{len(lacking)} of {len(plan.seeds)} blocks are not finished, such as {seed}: {why}"
        )
    results = {"plan": plan.digest, **analyse_blocks(blocks, plan)}
    date, name = dated_name(folder)
    facts = facts_of(
        *(name, "measured", plan.seeds, date),
        numeric_class=blocks[0].header["numeric_class"],
        logs={str(seed): log_name(seed) for seed in plan.seeds},
        results=results,
        **provenance,
    )
    text = replace_part(
        (folder / README).read_text(encoding="utf-8"), PART, tables(results, plan), README
    )
    atomic_write(folder / RESULTS, canonical.dumps(results))
    atomic_write(folder / PLOT, draw(blocks, results, plan))
    write_facts(folder, facts)
    atomic_write(folder / README, text.encode())
    return results


def percent(ratio: float | None) -> str:
    """A log-ratio as a change in percent."""
    return "–" if ratio is None else f"{100 * math.expm1(ratio):+.2f} %"


def tables(results: Mapping[str, Any], plan: BlockPlan) -> str:
    """The README's part: whether energy was measured, the rig, then every arm and endpoint."""
    cost, share = results["cost"], f"{plan.analysis['confidence']:.0%}"
    words = (
        f"**{UNMEASURED}.** No source of joules was there; what follows is in seconds."
        if cost == "seconds"
        else f"Joules by {results['source']}: {results['scope']}. Whether they carry a claim, "
        "`goldenseal study energy` says."
    )
    parts = [
        words,
        f"{results['valid']} of {results['blocks']} blocks are valid, two windows each.",
    ]
    for endpoint in ENDPOINTS:
        problems = results["rig"][endpoint]
        state = "holds" if not problems else "**failed**: " + "; ".join(problems)
        parts.append(f"{cost.capitalize()} {TITLES[endpoint]}. The rig {state}.")
        rows = [_row(results, plan, arm, endpoint, cost) for arm in plan.arms]
        headings = ["arm", f"mean {cost}", "log-ratio, mean ± sd", "change", f"{share} interval"]
        headings += ["p, exact", "p, Holm", "p same, Holm", "verdict"]
        parts.append(table(headings, rows))
    rows = [
        [arm, f"{facts['mean']:+.4f} ± {facts['sd']:.4f}", "yes" if facts["parity"] else "no"]
        for arm, facts in results["losses"].items()
    ]
    parts.append(f"Validation loss after {plan.facts['window']['steps']} steps, log-ratio:")
    parts.append(table(["arm", "mean ± sd", "shown to be the same"], rows))
    return "\n\n".join(parts)


def _row(
    results: Mapping[str, Any], plan: BlockPlan, arm: str, endpoint: str, cost: str
) -> list[str]:
    mean = results["means"][arm][f"{endpoint}_{cost}"]
    first = [arm, "not always reached" if mean is None else f"{mean:.4g}"]
    if arm == plan.baseline:
        return [*first, *[""] * 6, "baseline"]
    facts = results["arms"][arm][endpoint]
    verdict = facts.get("verdict") or ("null" if arm == plan.facts["null"] else "control")
    if facts["censored"]:
        return [*first, f"{facts['censored']} blocks censored", *["–"] * 5, verdict]
    limits = [percent(limit) for limit in facts["interval"] or ()]
    ps = {"p": facts["p"], **{k: facts[k] for k in ("p_holm", "p_same_holm") if k in facts}}
    return [
        *first,
        f"{facts['mean']:+.5f} ± {facts['sd']:.5f}",
        percent(facts["mean"]),
        " to ".join(limits) or NO_SPREAD,
        *(p_text(ps[key]) if key in ps else "" for key in ("p", "p_holm", "p_same_holm")),
        verdict,
    ]


def draw(blocks: Sequence[Block], results: Mapping[str, Any], plan: BlockPlan) -> bytes:
    """An SVG: each block's change and each interval, by endpoint; then the baseline's losses."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    arms = list(results["arms"])
    with matplotlib.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(11, 4), layout="constrained")
        FigureCanvasSVG(figure)
        *axes, right = figure.subplots(1, len(ENDPOINTS) + 1)
        for panel, endpoint in zip(axes, ENDPOINTS, strict=True):
            for number, arm in enumerate(arms):
                _panel(panel, number, results["arms"][arm][endpoint])
            panel.axvline(0.0, color="0.5", linewidth=0.8)
            margin = 100 * plan.analysis["margin"]
            panel.axvspan(-margin, margin, color="0.9", zorder=0)
            panel.set_yticks(range(len(arms)), arms)
            panel.invert_yaxis()
            panel.set_xlabel(f"{results['cost']} {TITLES[endpoint]}, change in %")
        for number, arm in enumerate(plan.arms):
            curves = [block.of(arm)[0].losses for block in blocks]
            steps = [step for step, _ in blocks[0].of(arm)[0].facts["losses"]]
            means = [math.fsum(each) / len(each) for each in zip(*curves, strict=True)]
            colour = COLOURS[number % len(COLOURS)]
            style = ("-", "--")[number // len(COLOURS) % 2]
            right.plot(steps, means, style, color=colour, linewidth=1, label=arm)
        right.axhline(plan.target, color="0.5", linewidth=0.8)
        right.set_xlabel("step")
        right.set_ylabel("validation loss, mean over blocks")
        right.legend(fontsize=7)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _panel(panel: Any, number: int, facts: Mapping[str, Any]) -> None:
    known = [100 * math.expm1(ratio) for ratio in facts["ratios"] if ratio is not None]
    panel.plot(known, [number + 0.15] * len(known), "o", color=COLOURS[0], markersize=3)
    if facts["interval"] is not None:
        low, mean, high = (
            100 * math.expm1(ratio)
            for ratio in (facts["interval"][0], facts["mean"], facts["interval"][1])
        )
        panel.errorbar(
            [mean], [number - 0.15], xerr=[[mean - low], [high - mean]], fmt="|", color="black"
        )
