"""A plan for this machine: target and matched learning rate from seeds that no block has.

The record that holds the plan is of status `proposal`; it is sealed before anything is measured.
"""

import datetime

import tomli_w

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.launch.gate import UNCHECKED, provenance
from train_gpt_style.kit.energy import NoMeter
from train_gpt_style.vit_rft import run
from train_gpt_style.vit_rft.constants import (
    STUDY_ALPHA,
    STUDY_CONFIDENCE,
    STUDY_LOSS_MARGIN,
    STUDY_MARGIN,
    STUDY_PRESUMED,
)
from train_gpt_style.vit_rft.energy_study.runner import IMAGES, THREADS
from train_gpt_style.vit_rft.energy_study.window import Arm, Held, measure_window

PILOT_SEEDS = (10946, 17711, 28657)
BLOCK_SEEDS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
REACHED_AT = (7, 10)  # the target is what every pilot run has reached by this share of a window
COMMON = {
    "DATA_DIR": "data/fashion-mnist",
    "IMAGE_SIZE": "16",
    "PATCH_SIZE": "4",
    "DIM": "48",
    "DEPTH": "2",
    "HEADS": "3",
    "BATCH": "64",
    "LR": "0.0009765625",
    "ADAM_PATH": "fused",
    "TRAIN_IMAGES": str(IMAGES["TRAIN_IMAGES"]),
    "VAL_IMAGES": str(IMAGES["VAL_IMAGES"]),
}
GAIN = "0.25"
ARMS = {
    "base": {},
    "again": {},
    "extra": {"EXTRA_EVERY": "50"},
    "gain-zero": {"THROUGH_DCLR": "1"},
    "observe-only": {"OBSERVE": "1"},
    "dclr": {"DCLR_GAIN": GAIN},
    "dclr-coupled": {"DCLR_GAIN": GAIN, "DCLR_FEEDBACK": "1"},
    "matched-lr": {},  # LR is set by the pilot
}
IDENTICAL = ["again", "extra", "gain-zero", "observe-only"]
QUESTION = (
    "Does DCLR (reconstructed) change what a training step costs, or what it costs to reach a "
    "validation loss, against Adam in the same flags?"
)
COUNTS = (
    "Of each block and arm, the log-ratio to the baseline. same: two one-sided t tests within the "
    "margin, corrected. lower or higher: exact sign-flip test, corrected, and the interval on one "
    "side of 0. Else, where the rig failed, or where a window did not reach the target: cannot "
    "tell. The rig: enough valid blocks, equal seeds, weights, data, reads and flags, a null whose "
    "interval covers 0 and is narrower than the margin to either side, a control seen above 0."
)
RULE = (
    "When each block has run once. No look at results before. A block is dropped when the meter "
    "flagged one of its windows: throttled, another process on the GPU, a reset, a window too "
    "short, sources that disagree. Every block is published, dropped ones too."
)


def pilot(common, steps, chunks, seeds=PILOT_SEEDS):
    """(target, mean scale of DCLR): what the plan needs to know, from runs of base and dclr."""
    import torch

    torch.set_num_threads(THREADS)
    knobs = {key: value for key, value in common.items() if key not in IMAGES}
    arms = [Arm.of(name, {**knobs, **ARMS[name]}) for name in ("base", "dclr")]
    ctx = run.Context({})
    splits = run.load_data(arms[0].settings)
    held = [Held(s, int(common[n]), ctx.device) for s, n in zip(splits, IMAGES, strict=True)]
    place, scales, reached = chunks * REACHED_AT[0] // REACHED_AT[1], [], []
    for seed in seeds:
        for arm in arms:
            shape = {"steps": steps, "chunks": chunks}
            facts, _ = measure_window(arm, seed, shape, *held, NoMeter(), ctx)
            losses = [float.fromhex(text) for _, text in facts["losses"]]
            reached.append(min(losses[: max(place, 1) + 1]))
            if facts["mean_scale"] is not None:
                scales.append(float.fromhex(facts["mean_scale"]))
    return max(reached), sum(scales) / len(scales)


def checked(folder):
    """(date, name) of a plan's folder. Raises UsageError when it holds a plan, or is none's."""
    if (folder / "plan.toml").exists():
        raise UsageError(f"{folder} holds a plan already: a changed plan is another record")
    date, _, name = folder.resolve().name.partition("_")
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        raise UsageError(f"{folder.name}: expected a folder such as 2026-01-31_Plan") from None
    return date, name


def write_plan(folder, given=None, steps=300, chunks=10, blocks=12, launch=UNCHECKED):
    """Run the pilot, and write plan.toml, record.json and README.md into a new `folder`.

    `given` overrides COMMON; `launch` is what let the pilot start. Returns the plan. Raises
    UsageError when the folder holds a plan.
    """
    date, name = checked(folder)
    common = {**COMMON, **(given or {})}
    target, scale = pilot(common, steps, chunks)
    hundredths = -int(-target * 100 // 1)  # rounded up: easier to reach, never harder
    arms = {**ARMS, "matched-lr": {"LR": repr(float(common["LR"]) * scale)}}
    seeds = [*BLOCK_SEEDS[:blocks], *range(1000, 1000 + blocks - len(BLOCK_SEEDS))]
    facts = {
        "schema": 1,
        "name": "DCLR (reconstructed) against Adam: cost of a step, cost of a loss",
        "question": QUESTION,
        "system": "vit_rft",
        "seeds": seeds,
        "baseline": "base",
        "null": "again",
        "control": "extra",
        "common": common,
        "arms": arms,
        "window": {
            "steps": steps,
            "chunks": chunks,
            "target": f"{hundredths // 100}.{hundredths % 100:02d}",
        },
        "analysis": {
            "alpha": STUDY_ALPHA,
            "confidence": STUDY_CONFIDENCE,
            "margin": STUDY_MARGIN,
            "loss_margin": STUDY_LOSS_MARGIN,
            "presumed": STUDY_PRESUMED,
            "identical": IDENTICAL,
            "correction": "holm",
            "counts": COUNTS,
        },
        "stopping": {"blocks": max(2, len(seeds)), "rule": RULE},
    }
    folder.mkdir(parents=True, exist_ok=True)
    record = {"schema": 1, "name": name, "date": date, "status": "proposal", "seeds": seeds}
    record |= provenance(launch.state())
    atomic_write(folder / "record.json", canonical.dumps(record))
    atomic_write(folder / "README.md", readme(facts, target, scale).encode())
    atomic_write(folder / "plan.toml", tomli_w.dumps(facts).encode())
    return read_block_plan(folder / "plan.toml")


def readme(facts, target, scale):
    """What the plan's record says of itself."""
    window = facts["window"]
    return (
        f"# A plan: {facts['name']}\n\n"
        "Nothing was measured yet. `plan.toml` holds arms, blocks, endpoints, tests and the rule "
        "for a verdict, sealed before the first block is run.\n\n"
        f"Target and matched learning rate come from a pilot on the seeds {PILOT_SEEDS}, which no "
        f"block has: {window['steps']} steps of `base` and of `dclr` each. The highest validation "
        f"loss that a run had reached by {REACHED_AT[0]} tenths of them was {target:.4f}, rounded "
        f"up to {window['target']}; the mean factor on DCLR's learning rate was {scale:.5f}. The "
        "pilot's times were not looked at.\n"
    )
