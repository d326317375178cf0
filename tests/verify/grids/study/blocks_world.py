"""Made-up block studies: a sealed plan, logs as a meter would leave them, a sealed record."""

import json
import random
from contextlib import nullcontext
from unittest import mock

import tomli_w

from goldenseal.disk import canonical
from goldenseal.grids.blocks import report as blocks_report
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.grids.blocks.report import README
from goldenseal.grids.blocks.windows import log_name
from goldenseal.records.seal import seal
from goldenseal.runlog import RunLog

ARMS = ("base", "again", "extra", "dclr", "twin")
STEPS, CHUNKS, TARGET = 400, 4, "1.0"
SECONDS = 12.0  # of a chunk
FACTS = {
    "schema": 1,
    "name": "made up",
    "question": "Does it?",
    "system": "toy",
    "seeds": list(range(1, 13)),
    "baseline": "base",
    "null": "again",
    "control": "extra",
    "common": {"WIDTH": "8"},
    "arms": {"base": {}, "again": {}, "extra": {"EXTRA": "1"}, "dclr": {"GAIN": "1"}, "twin": {}},
    "window": {"steps": STEPS, "chunks": CHUNKS, "target": TARGET},
    "analysis": {
        "alpha": 0.05,
        "confidence": 0.95,
        "margin": 0.01,
        "loss_margin": 0.01,
        "presumed": 0.02,
        "identical": ["again", "extra", "twin"],
        "correction": "holm",
        "counts": "the rule",
    },
    "stopping": {"blocks": 12, "rule": "when all ran"},
}
EFFECTS = {"base": 1.0, "again": 1.0, "extra": 1.02, "dclr": 0.985, "twin": 1.0}
PROFILE = {arm: {"operations": 1000, "kernels": 900} for arm in ARMS}


def changed(**tables):
    """FACTS with some tables changed: changed(analysis={"margin": 0.5}, seeds=[1, 2])."""
    facts = json.loads(json.dumps(FACTS))
    for key, value in tables.items():
        facts[key] = {**facts[key], **value} if isinstance(value, dict) else value
    return facts


def write_plan(root, facts=FACTS, name="2026-01-01_Plan", status="proposal", sealed=True):
    """(folder, identity) of a plan's record."""
    folder = root / "records" / "toys" / name
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(tomli_w.dumps(facts))
    record = {"schema": 1, "name": "Plan", "date": "2026-01-01", "status": status, "seeds": []}
    (folder / "record.json").write_bytes(canonical.dumps(record))
    return folder, seal(folder).identity if sealed else ""


def no_plot(blocks, results, plan):
    """In place of a plot."""
    return b"<svg/>"


class Maker:
    """Writes the blocks of a study. Override an attribute to plant a defect."""

    source, scope, refresh_ms = "nvml-counter", "GPU board: GPU-a", 100
    seconds, power, noise = SECONDS, 300.0, 0.002
    kind, profile = "idx", PROFILE
    drawn = False  # plots take longer than all the rest

    def __init__(self, plan, identity, **attributes):
        self.plan, self.identity = plan, identity
        self.effects = dict(EFFECTS)
        self.header, self.window, self.chunk = {}, lambda arm, facts: facts, lambda seed, c: c
        for name, value in attributes.items():
            setattr(self, name, value)

    def losses(self, seed, arm):
        """Falls below the target in the third chunk; a trained arm ends a little elsewhere."""
        shift = 0.001 * random.Random(f"{seed}/{arm}").uniform(-1, 1) if arm == "dclr" else 0.0
        values = [2.0, 1.5, 1.2, 0.9 + shift, 0.8 + shift]
        return [[n * STEPS // CHUNKS, value.hex()] for n, value in enumerate(values)]

    def block(self, folder, seed):
        """One log."""
        dice = random.Random(seed)
        order = self.plan.order(seed)
        header = {
            "system": "toy",
            "seed": str(seed),
            "plan": self.plan.digest,
            "plan_record": self.identity,
            "order": order,
            "source": self.source,
            "scope": self.scope,
            "refresh_ms": self.refresh_ms,
            "data": {"kind": self.kind},
            "numeric_class": {"torch": "2"},
            **self.header,
        }
        path = folder / log_name(seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        log = RunLog(path, header)
        for place, arm in enumerate(order):
            trained = "other" if arm == "dclr" else "same"
            facts = {
                "arm": arm,
                "place": place,
                "steps": STEPS,
                "initial": f"w{seed}",
                "data_order": f"o{seed}",
                "final": f"{trained}{seed}",
                "reads": STEPS,
                "lr": (0.5).hex(),
                "losses": self.losses(seed, arm),
            }
            chunks = []
            for _ in range(CHUNKS):
                factor = self.effects[arm] * (1 + self.noise * dice.gauss(0, 1))
                joules = None if self.source == "none" else self.seconds * self.power * factor
                chunk = {"joules": joules, "seconds": self.seconds * factor, "flags": []}
                chunks.append(self.chunk(seed, chunk))
            log.write("window", self.window(arm, facts), clock={"chunks": chunks})
        log.end({"windows": len(order)})

    def study(self, root, name="2026-01-02_Study", sealed=True):
        """The folder of a whole record."""
        folder = root / "records" / "toys" / name
        folder.mkdir(parents=True)
        (folder / "plan.toml").write_text(tomli_w.dumps(self.plan.facts))
        for seed in self.plan.seeds:
            self.block(folder, seed)
        if self.profile is not None:
            (folder / "profile.json").write_bytes(canonical.dumps(self.profile))
        (folder / README).write_text("# made up\n\n<!-- blocks -->\n<!-- /blocks -->\n")
        with nullcontext() if self.drawn else mock.patch.object(blocks_report, "draw", no_plot):
            blocks_report.write_block_report(folder, {})
        if sealed:
            seal(folder)
        return folder


def make(root, facts=FACTS, **attributes):
    """A plan and a study under it, both sealed."""
    (root / "pyproject.toml").write_text("[tool.goldenseal]\n")
    folder, identity = write_plan(root, facts)
    plan = read_block_plan(folder / "plan.toml")
    return Maker(plan, identity, **attributes).study(root)
