"""A small record and a small repository with a system of its own, for the tests of sealing."""

import hashlib
import json
import sys
import textwrap

import pytest

from goldenseal.disk import canonical
from goldenseal.records.record import Record, provenance
from goldenseal.records.seal import sums_text
from goldenseal.records.statement import SEAL_PREDICATE, statement
from goldenseal.runlog import RunLog

RECORD = {"schema": 1, "name": "Toy", "date": "2026-01-02", "status": "measured", "seeds": [7]}


def write_log(path, seed=7, steps=3, **header):
    """A chained log of a few steps."""
    log = RunLog(path, {"seed": str(seed), "numeric_class": {"cpu": "x"}, **header})
    for step in range(1, steps + 1):
        log.write("step", {"step": step, "loss": (1.0 / step).hex()}, clock={"train_ms": step})
    log.end({"steps": steps})


@pytest.fixture
def record(tmp_path):
    """An unsealed measured record with a log, a note in a folder, and a README."""
    folder = tmp_path / "records" / "toy" / "2026-01-02_Toy"
    (folder / "notes").mkdir(parents=True)
    (folder / "README.md").write_text("A toy.\n")
    (folder / "notes" / "one.txt").write_text("one\n")
    write_log(folder / "train.jsonl")
    facts = RECORD | {"logs": {"7": "train.jsonl"}, "results": {"loss": 0.5}}
    (folder / "record.json").write_text(json.dumps(facts))
    return folder


def seal_blindly(folder, **predicate_changes):
    """Seal as a forger would: correct digests of whatever is there, and no questions asked."""
    for name in ("seal.json", "SHA512SUMS"):
        (folder / name).unlink(missing_ok=True)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    digests = {n: hashlib.sha512((folder / n).read_bytes()).hexdigest() for n in names}
    predicate = provenance(Record(folder, json.loads((folder / "record.json").read_text())))
    predicate["buildDefinition"].update(predicate_changes)
    document = canonical.dumps(statement(digests, SEAL_PREDICATE, predicate))
    (folder / "seal.json").write_bytes(document)
    sums = sums_text({**digests, "seal.json": hashlib.sha512(document).hexdigest()})
    (folder / "SHA512SUMS").write_bytes(sums)
    return hashlib.sha512(sums).hexdigest()


SYSTEM = """
import os, sys
from pathlib import Path
from goldenseal.runlog import RunLog

factor = float(os.environ.get("TOY_FACTOR", "1.0"))
tokens = Path(os.environ["TOY_DATA"]).read_text().split()
if os.environ.get("TOY_CRASH") == "1":
    sys.exit("the toy has no steam")
log = RunLog("train.jsonl", {"seed": "7", "numeric_class": {"cpu": CPU}})
for step, token in enumerate(tokens, start=1):
    loss = float(token) * factor + BIAS.get(step, 0.0)
    print("step", step, flush=True)
    log.write("step", {"step": step, "loss": loss.hex()}, clock={"pid": os.getpid()})
log.end({"steps": len(tokens), "loss": loss.hex()})
Path("weights.bin").write_bytes(repr(loss).encode())
"""

PROBE = """
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.probe import Probe, Scenario, Script

script = Script("x", "x.py", "x", "x")
PROBE = Probe(
    "toy", script, script, (Scenario("s", {}),), 8,
    features=(Feature("log", "", Knob("RUN_LOG", bool, False, "log", on="1")),),
    baseline_knobs=(
        Knob("TOY_FACTOR", float, 1.0, "factor"),
        Knob("TOY_DATA", str, "./data/tokens.txt", "data"),
        Knob("TOY_CRASH", bool, False, "crash"),
    ),
)
"""


def forget_toy():
    """Drop the toy's modules: each test writes its own."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "toysystem"]:
        del sys.modules[name]


class ToyRepository:
    """A repository whose one system is a few lines long. It can be made to misbehave."""

    def __init__(self, root, monkeypatch):
        self.root = root
        (root / "data").mkdir()
        (root / "data" / "tokens.txt").write_text("4 2 1 8")
        (root / "toysystem").mkdir()
        (root / "toysystem" / "__init__.py").write_text("")
        (root / "toysystem" / "probe.py").write_text(PROBE)
        (root / "pyproject.toml").write_text(
            textwrap.dedent("""
                [tool.goldenseal]
                source = ["toysystem"]
                [tool.goldenseal.systems.toy]
                module = "toysystem"
                probe = "toysystem.probe:PROBE"
                outputs = ["weights.bin"]
                local_knobs = ["TOY_DATA"]
            """)
        )
        forget_toy()
        monkeypatch.syspath_prepend(root)
        self.write_system()

    def write_system(self, bias="{}", cpu="'x'"):
        """The system; `bias` plants a divergence at a step, `cpu` another numeric class."""
        text = SYSTEM.replace("BIAS", bias).replace("CPU", cpu)
        (self.root / "toysystem" / "__main__.py").write_text(text)


@pytest.fixture
def toy(tmp_path, monkeypatch, root):
    """The toy repository; its subprocesses find `goldenseal` in this checkout."""
    import goldenseal.launch.process

    repository = tmp_path / "repository"
    repository.mkdir()
    made = ToyRepository(repository, monkeypatch)
    original = goldenseal.launch.process.subprocess.Popen

    def popen(command, env=None, **options):
        if env and "PYTHONPATH" in env:
            env = {**env, "PYTHONPATH": f"{env['PYTHONPATH']}:{root}/verify"}
        return original(command, env=env, **options)

    monkeypatch.setattr(goldenseal.launch.process.subprocess, "Popen", popen)
    return made


GATES = ["toy: loss and gradients", "theorems"]


@pytest.fixture
def verified(toy, monkeypatch):
    """The toy repository with a green verdict of two gates; `write_verdict` makes another one."""
    from goldenseal.launch import gate as launch_gate
    from goldenseal.records.verdict import verdict_document, write_verdict
    from goldenseal.result import GateResult, Verdict

    for name in ("theorems", "records"):
        (toy.root / name).mkdir(exist_ok=True)
        (toy.root / name / "a.txt").write_text("a")
    (toy.root / "CITATION.cff").write_text("x")

    def write(*verdicts, names=GATES):
        words = verdicts or [Verdict.PASS] * len(names)
        results = [
            GateResult(name, verdict, "summary", () if verdict is Verdict.PASS else ("why",))
            for name, verdict in zip(names, words, strict=True)
        ]
        write_verdict(toy.root, verdict_document(toy.root, results))

    monkeypatch.setattr(launch_gate, "gates_of", lambda root, system: GATES)
    toy.write_verdict = write
    write()
    return toy
