"""A toy sweep of two groups, and cells that are finished as a run would leave them."""

import hashlib
import json
import struct

from goldenseal.disk import canonical
from goldenseal.records.seal import sums_text
from goldenseal.runlog import RunLog
from tests.verify.grids.study.conftest import PLAN

SWEEP = (
    PLAN.replace('secondary = ["steps"]', 'range = [0.0, 9.0]\nsecondary = ["steps"]')
    + """
[resources]
gpus = 2
nodes = 1
cpus = 4
minutes = 90
gpu_hour_cost = "2.50"
[power]
effect = -0.1
deviation = 0.05
[groups.grid]
seeds = [21, 34]
baseline = "grid_1"
[groups.grid.configurations.grid_1]
[groups.grid.configurations.grid_2]
TOY_FEATURE = "3"
"""
)
CELLS = 13


def weights(path, value=1.0, **header):
    """A safetensors file of one tensor; returns the digest that it reloads to."""
    body = struct.pack("<f", value)
    entry = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **header}}
    text = json.dumps(entry).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return hashlib.sha512(b"w\0torch.float32\0(1,)\0" + body).hexdigest()


def attempt(folder, outcome, reason=None):
    """One line of attempts.jsonl."""
    line = {"n": 1, "outcome": outcome, "reason": reason}
    with open(folder / "attempts.jsonl", "ab") as file:
        file.write(canonical.dumps(line) + b"\n")


def finish(folder, loss=None, cpu="x", **changed):
    """Leave a cell as a good run does, sealed; `changed` are knobs of its log's header."""
    cell = json.loads((folder / "cell.json").read_text())
    environment = {k: v for k, v in cell["environment"].items() if k != "TOY_DATA"}
    knobs = {**environment, **changed}
    feature, seed = int(knobs["TOY_FEATURE"]), cell["seed"]
    if loss is None:
        loss = 1.0 + seed / 100 - 0.1 * feature * (1 + seed / 1000)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    header = {"seed": str(seed), "knobs": knobs, "numeric_class": {"cpu": cpu}}
    log = RunLog(out / "train.jsonl", header)
    state = weights(out / "final.safetensors", loss)
    log.write("trained", {"step": 2, "state": {"model": state}})
    log.end({"steps": 2, "loss": loss.hex()})
    attempt(folder, "finished")
    seal(folder)


def seal(folder):
    """SHA512SUMS over what is there, as a sealed cell has it."""
    (folder / "SHA512SUMS").unlink(missing_ok=True)
    (folder / "seal.json").write_text("{}")
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    digests = {n: hashlib.sha512((folder / n).read_bytes()).hexdigest() for n in names}
    (folder / "SHA512SUMS").write_bytes(sums_text(digests))
