"""pytest tests/verify/audit/test_audit_hostile.py — inputs made to cost time or memory."""

import base64
import json
import subprocess
import sys
import time
import zlib

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.packed import MAX_UNPACKED, unpacked

STEP = "step:{i}/20000 val_loss:2.1 val_bpb:1.25 train_time:9ms\n"
LOGS = {
    "many steps": "".join(STEP.format(i=i) for i in range(60_000)),
    "many finals": "final val_loss:2.10000000 val_bpb:1.25000001\n" * 30_000,
    "many sizes": "Total submission size int8: 15,000,000 bytes code:5000 model:7000\n" * 20_000,
    "many runs": "seed:1\nstep:1/2 train_loss:3\n" * 40_000,
    "one long line": "val_bpb:1.2 " * 400_000,
    "brackets": "[" * 1_000_000 + "\n" + "[a] " * 200_000,
    "rules": ("=" * 100 + "\nimport a\ndef f():\n") * 10_000,
}
READMES = {
    "links": "[" * 200_000,
    "ticks": "`" * 100_000 + " ``" * 30_000,
    "quotes": ">" * 200_000,
    "stars": "*a_" * 60_000,
    "tests": "t = 3.21, p = 0.01, against 1.2345\n" * 6000,
    "table": "| Seed | val_bpb |\n|---|---|\n" + "| 1337 | 1.2345 |\n" * 12_000,
    "wide table": "|" + " Seed |" * 3000 + "\n|" + "---|" * 3000 + "\n|" + " 1 |" * 3000,
}
SUBMISSIONS = {
    "claims": {f"val_bpb_{i}": 1.2345 for i in range(20_000)},
    "different claims": {f"val_bpb_{i}": 1.2345 + i / 10_000 for i in range(20_000)},
    "seeds": {"seeds": list(range(50_000)), "seed_scores": [1.2345] * 50_000},
    "deep": json.loads('{"a":' * 400 + '{"val_bpb": 1.1}' + "}" * 400),
}


def within(seconds, golf):
    begin = time.process_time()
    verdict = audit_folder(golf.folder)
    assert "failed" not in verdict.reason, verdict.reason
    assert time.process_time() - begin < seconds


@pytest.mark.parametrize("name", LOGS)
def test_a_log_costs_no_more_than_its_size(golf, name):
    golf.write()
    (golf.folder / "train_seed42.log").write_text(golf.runs[1].text() + LOGS[name])
    within(6, golf)


@pytest.mark.parametrize("name", READMES)
def test_a_readme_costs_no_more_than_its_size(golf, name):
    golf.write()
    (golf.folder / "README.md").write_text(READMES[name])
    within(6, golf)


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_submission_file_costs_no_more_than_its_size(golf, name):
    golf.facts |= SUBMISSIONS[name]
    golf.write()
    within(6, golf)


def test_a_bomb_in_a_packed_script_is_opened_only_so_far():
    bomb = b"import os\n" + b"x" * (4 * MAX_UNPACKED)
    packed = base64.b85encode(zlib.compress(bomb)).decode()
    assert len(unpacked(f"exec(zlib.decompress(b85decode('{packed}')))")) <= MAX_UNPACKED
    assert not unpacked("exec('" + "~" * 5000 + "')")


BIG = 64 << 20  # bytes; read whole and split it would take more than twice the memory


def test_a_log_of_any_size_is_read_in_the_memory_of_a_piece(single, tmp_path):
    single.write()
    line = b"step:100/20000 train_loss:2.4321 train_time:4300ms step_avg:43.50ms\n"
    block = line * 20_000
    head, tail = single.runs[0].text().encode().split(b"stopping_early", 1)
    with open(single.folder / "train_seed1337.log", "wb") as file:
        file.write(head)
        while file.tell() < BIG:
            file.write(block)
        file.write(b"stopping_early" + tail)
    # Of a child: this process has been larger, and its peak says nothing any more.
    source = (
        "import re, sys\nfrom pathlib import Path\n"
        "from goldenseal.audit.auditor import audit_folder\n"
        "seen = []\nfrom goldenseal.audit import reader\n"
        "with reader.watched(seen.append):\n    verdict = audit_folder(Path(sys.argv[1]))\n"
        # Not of getrusage: that counts what the process was before it became this one.
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1]\n"
        "print(verdict.outcome, sum(seen), peak)\n"
    )
    command = [sys.executable, "-c", source, str(single.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    outcome, read, peak = done.stdout.rsplit(maxsplit=2)
    assert outcome == "consistent"
    assert int(read) >= BIG
    assert int(peak) < 140 << 10  # KiB
