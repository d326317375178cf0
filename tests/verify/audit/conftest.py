"""A small record in the parameter-golf form, consistent until a test plants something in it."""

import json
import subprocess
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Verdict

RATIO = Decimal("1.68845852")  # nats a token over bits a byte, for 62,021,632 tokens
TOKENS = 62021632
RULE = "=" * 100
SCRIPT = (
    '"""A script that is never run."""\n\nimport os\nimport torch\n\n\ndef main():\n'
    "    print(torch.__version__, os.environ)\n\n\nmain()\n"
)


@dataclass
class OneRun:
    """What one log says."""

    seed: int
    bpb: str
    total: int = 15_900_000
    params: int = 17_059_912
    steps: int = 13_692
    train_ms: int = 600_008
    eval_ms: int = 1399
    world: int = 8
    tokens: int = TOKENS
    code: int = len(SCRIPT)
    label: str = "final_int8_zlib_roundtrip"
    loss: str = ""
    name: str = ""
    inside: int | None = None  # the seed that the log itself states
    lr: str = "0.04"
    source: str = ""

    @property
    def file(self) -> str:
        return self.name or f"train_seed{self.seed}.log"

    @property
    def nats(self) -> str:
        return self.loss or f"{Decimal(self.bpb) * RATIO:.8f}"

    def text(self) -> str:
        early = f"{Decimal(self.bpb) - Decimal('0.0093'):.4f}"
        loss = f"{Decimal(early) * RATIO:.4f}"
        model = self.total - self.code
        lines = [
            *([self.source, RULE] if self.source else []),
            f"val_loader:shards pattern=./data/val_*.bin tokens:{self.tokens}",
            f"model_params:{self.params}",
            f"world_size:{self.world} grad_accum_steps:1",
            f"tie_embeddings:True embed_lr:0.05 head_lr:0.0 matrix_lr:{self.lr} scalar_lr:0.04",
            "train_batch_tokens:524288 train_seq_len:1024 iterations:20000 warmup_steps:20",
            f"seed:{self.seed if self.inside is None else self.inside}",
            "warmup_step:1/20",
            "step:200/20000 train_loss:2.5 train_time:8700ms step_avg:43.50ms",
            f"step:{self.steps}/20000 val_loss:{loss} val_bpb:{early} "
            f"train_time:{self.train_ms}ms step_avg:43.82ms",
            f"stopping_early: wallclock_cap train_time:{self.train_ms}ms step:{self.steps}/20000",
            "Serialized model: 66045335 bytes",
            f"Code size: {self.code} bytes",
            f"Total submission size: {66045335 + self.code} bytes",
            f"Serialized model int8+zlib: {model} bytes (payload:17405664 raw_torch:17450459)",
            f"Total submission size int8+zlib: {self.total} bytes",
            f"{self.label} val_loss:{Decimal(self.nats):.4f} val_bpb:{Decimal(self.bpb):.4f} "
            f"eval_time:{self.eval_ms}ms",
            f"{self.label}_exact val_loss:{self.nats} val_bpb:{self.bpb}",
        ]
        return "\n".join(lines) + "\n"


@dataclass
class Golf:
    """A record folder under construction."""

    folder: Path
    runs: list[OneRun] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    readme: str = ""
    script: str = SCRIPT

    def write(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        for run in self.runs:
            path = self.folder / run.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(run.text())
        if self.facts:
            (self.folder / "submission.json").write_text(json.dumps(self.facts, indent=1))
        if self.readme:
            (self.folder / "README.md").write_text(self.readme)
        if self.script:
            (self.folder / "train_gpt.py").write_text(self.script)
        return self.folder

    def audit(self) -> Verdict:
        return audit_folder(self.write())


def mean(texts, digits=8):
    values = [Decimal(t) for t in texts]
    return f"{sum(values) / len(values):.{digits}f}"


def kinds(verdict: Verdict, certainty: Certainty = Certainty.MISMATCH) -> set[str]:
    return {f.kind for f in verdict.findings if f.certainty is certainty}


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def three_seeds(folder: Path) -> Golf:
    """Three logs, and a submission file that states their means."""
    runs = [
        OneRun(1337, "1.14597222", total=15_862_650, steps=7379),
        OneRun(42, "1.14656085", total=15_917_304, steps=7385),
        OneRun(7, "1.14491770", total=15_944_907, steps=7393),
    ]
    facts = {
        "author": "A. Person",
        "name": "A record",
        "date": "2026-03-20",
        "val_bpb": float(mean([run.bpb for run in runs])),
        "val_loss": float(mean([run.nats for run in runs])),
        "val_bpb_std": 0.00083,
        "seeds": [1337, 42, 7],
        "seed_results": {
            str(run.seed): {"val_loss": float(run.nats), "val_bpb": float(run.bpb)} for run in runs
        },
        "bytes_total": 15_862_650,
        "bytes_model_int8_zlib": 15_862_650 - len(SCRIPT),
        "bytes_code": len(SCRIPT),
        "step_stop": 7379,
        "model_params": 17_059_912,
    }
    return Golf(folder, runs, facts, seed_table(runs))


def seed_table(runs: list[OneRun]) -> str:
    rows = [
        f"| {run.seed} | {run.steps:,} | {Decimal(run.nats):.4f} | **{Decimal(run.bpb):.5f}** | "
        f"{run.total:,} |"
        for run in runs
    ]
    average = mean([run.bpb for run in runs], 5)
    return "\n".join(
        [
            f"# A record (mean val_bpb {average[:6]})",
            "",
            "| Seed | Steps | val_loss | val_bpb | Artifact |",
            "|---|---|---|---|---|",
            *rows,
            f"| **Mean** | | | **{average}** | |",
            "",
            "Trained on 8xH100 SXM.",
            "",
        ]
    )


@pytest.fixture
def golf(tmp_path):
    """A consistent record of three seeds."""
    return three_seeds(tmp_path / "2026-03-20_A_Record")


@pytest.fixture
def single(tmp_path):
    """A consistent record of one seed."""
    run = OneRun(1337, "1.21972502", total=15_896_222)
    facts = {
        "name": "One run",
        "val_loss": float(run.nats),
        "val_bpb": 1.21972502,
        "bytes_total": 15_896_222,
        "bytes_code": len(SCRIPT),
    }
    return Golf(tmp_path / "single", [run], facts)
