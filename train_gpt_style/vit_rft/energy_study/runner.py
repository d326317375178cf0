"""Blocks of windows, one log each; killed at any moment, the same command goes on."""

import os
from pathlib import Path

import torch

from goldenseal.config import find_root
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import ContradictedError, GoldensealError, UsageError
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.grids.blocks.windows import BLOCKS, log_name, read_block
from goldenseal.grids.lock import alone, lock_of
from goldenseal.launch.gate import UNCHECKED, launched
from goldenseal.records.check import check as check_record
from goldenseal.records.source import read_source
from goldenseal.runlog import RunLog
from train_gpt_style.kit.energy import open_meter
from train_gpt_style.kit.energy.choose import uuids_of
from train_gpt_style.kit.energy.meter import Checked
from train_gpt_style.kit.energy.nvml import NvmlPower
from train_gpt_style.kit.numerics import numeric_class
from train_gpt_style.vit_rft import run
from train_gpt_style.vit_rft.energy_study.profile import profile
from train_gpt_style.vit_rft.energy_study.window import Arm, Held, Trainer, measure_window

PLAN, STATE, PROFILE = "plan.toml", "study.json", "profile.json"
IMAGES = {"TRAIN_IMAGES": 8192, "VAL_IMAGES": 1024}  # of [common]; no knobs of the system
THREADS = 1


class Study:
    """A plan's arms, data and meter, ready to be measured."""

    def __init__(self, plan, environ=os.environ):
        common = dict(plan.facts["common"])
        counts = [int(common.pop(name, default)) for name, default in IMAGES.items()]
        self.plan = plan
        self.arms = {name: Arm.of(name, {**common, **own}) for name, own in plan.arms.items()}
        self.settings = self.arms[plan.baseline].settings
        if sizes := differing_sizes(self.arms.values()):
            raise UsageError(f"the arms differ in {sizes[0]}: they would not do the same work")
        torch.set_num_threads(THREADS)
        self.ctx = run.Context(environ)
        if self.ctx.cuda:  # else arms that must be equal to the bit would not be
            torch.use_deterministic_algorithms(True)
        splits = run.load_data(self.settings)
        self.train, self.val = (
            Held(split, count, self.ctx.device) for split, count in zip(splits, counts, strict=True)
        )
        self.meter = meter_of(self.ctx.device)

    def data(self):
        """What was trained on, by digest."""
        return {"kind": self.train.kind, "train": self.train.digest(), "val": self.val.digest()}


def differing_sizes(arms):
    """Knobs in which arms must not differ, and do: all but the optimizer's rule and rate."""
    free = ("DCLR_", "COUPLER_", "LR", "SEED")
    tables = [arm.settings.as_environment() for arm in arms]
    return [
        name
        for name in tables[0]
        if not name.startswith(free) and len({table[name] for table in tables}) > 1
    ]


def meter_of(device):
    """The best source there is; on a GPU the counter, held against the integrated power."""
    uuids = uuids_of(device)
    meter = open_meter("auto", uuids=uuids)
    if meter.source != "nvml-counter":
        return meter
    return Checked(meter, NvmlPower(uuids))


def sealed_plan(folder):
    """(plan, identity) of a sealed record of a plan.

    Raises ContradictedError, with the reason, when the folder is not sealed and intact.
    """
    report = check_record(folder)
    if not report.holds:
        raise ContradictedError(
            f"{folder} is no intact record: {report.reasons()[0]}: seal the plan before it is run"
        )
    return read_block_plan(folder / PLAN), report.identity


def state_of(folder):
    """study.json of a study that was begun in `folder`, or None."""
    path = folder / STATE
    return canonical.read(path, STATE) if path.is_file() else None


def begin(plan_folder, folder, study, identity, launch=UNCHECKED):
    """Begin a study in `folder`, or go on with it. Returns its state.

    Raises UsageError when it was begun with another plan, source or data, CannotCheckError when the
    source has changed since it was verified.
    """
    state = {
        "data": study.data(),
        "plan": study.plan.digest,
        "plan_record": identity,
        "source": read_source(find_root()).files,
    }
    known = state_of(folder)
    if known is not None:
        for key, value in state.items():
            if known.get(key) != value:
                raise UsageError(f"{folder} was begun with another {key}: that is a new study")
        state = launched(known, launch, "the study")
    else:
        launch.check(state["source"], "the study")
        state |= launch.state()
        (folder / BLOCKS).mkdir(parents=True, exist_ok=True)
        atomic_write(folder / PLAN, (Path(plan_folder) / PLAN).read_bytes())
    if state != known:
        atomic_write(folder / STATE, canonical.dumps(state))
    return state


def run_blocks(
    plan_folder,
    folder,
    told=lambda done, total, words: None,
    environ=os.environ,
    launch=UNCHECKED,
):
    """Run every block that is not finished; `told` hears of each window.

    A block is finished when its log is whole and of this plan; anything else is run anew.
    """
    plan, identity = sealed_plan(plan_folder)
    study = Study(plan, environ)
    with alone(lock_of(find_root(), folder), f"{folder} is being run"):
        state = begin(plan_folder, folder, study, identity, launch)
        waiting = [seed for seed in plan.seeds if not is_finished(folder, plan, seed)]
        total = len(plan.seeds) * 2 * len(plan.arms)
        done = total - len(waiting) * 2 * len(plan.arms)
        told(done, total, f"{len(waiting)} of {len(plan.seeds)} blocks to run")
        try:
            if not (folder / PROFILE).is_file():
                atomic_write(folder / PROFILE, canonical.dumps(profile(study)))
            for seed in waiting:
                for name in run_block(study, state, folder, seed):
                    done += 1
                    told(done, total, f"block {seed}, {name}")
        finally:
            study.meter.close()


def is_finished(folder, plan, seed):
    """Whether the block's log is whole."""
    try:
        read_block(folder / log_name(seed), plan, seed)
    except (GoldensealError, OSError):
        return False
    return True


def run_block(study, state, folder, seed):
    """Run one block; yields the name of each arm whose window is done."""
    plan, meter = study.plan, study.meter
    order = plan.order(seed)
    path = folder / log_name(seed)
    path.unlink(missing_ok=True)
    header = {
        "system": plan.facts["system"],
        "seed": str(seed),
        "plan": plan.digest,
        "plan_record": state["plan_record"],
        "order": order,
        "source": meter.source,
        "scope": meter.scope,
        "refresh_ms": meter.refresh_ms,
        "data": state["data"],
        "numeric_class": numeric_class(),
    }
    base = study.arms[plan.baseline]
    shape = plan.facts["window"]
    Trainer(base, seed, study.train, study.ctx).steps(shape["steps"] // shape["chunks"])  # warm
    log = RunLog(path, header)
    for place, name in enumerate(order):
        facts, clock = measure_window(
            study.arms[name], seed, shape, study.train, study.val, meter, study.ctx
        )
        log.write("window", {**facts, "place": place}, clock=clock)
        yield name
    log.end({"windows": len(order)})
