"""The record of an energy study: what is written beside the logs, then the seal."""

import textwrap
from pathlib import Path

from train_gpt_style.kit.fashion.__main__ import check as fashion_digests
from verify import canonical
from verify.check import check as check_record
from verify.errors import UsageError
from verify.files import atomic_write
from verify.seal import seal
from verify.study.blocks_plan import read_block_plan
from verify.study.blocks_report import README, write_block_report

WORDS = Path(__file__).with_name("readme.txt")  # every word of it was written before the results
KEPT = ("README.md", "plan.toml", "plot.svg", "profile.json", "record.json", "results.json")


def finish(folder):
    """Write results, plot, record.json and README from the logs, and seal. Returns the seal.

    Raises CannotCheckError for an incomplete study, UsageError for a file that nobody wrote.
    """
    state = canonical.read(folder / "study.json", "study.json")
    plan = read_block_plan(folder / "plan.toml")
    for path in sorted(folder.iterdir()):
        if path.name not in (*KEPT, "study.json", "blocks", "SHA512SUMS", "seal.json") and (
            path.name != "check_seal.py"
        ):
            raise UsageError(f"{path}: not of this study: move it away")
    if not (folder / README).is_file():
        atomic_write(folder / README, words(plan).encode())
    data_dir = plan.facts["common"].get("DATA_DIR", "")
    kind = state["data"]["kind"]
    files = fashion_digests(Path(data_dir)) if kind == "idx" else {}
    write_block_report(folder, {"data": files, "source": state["source"]})
    return seal(folder)


def is_sealed(folder):
    """Whether the study is over: sealed and intact."""
    return (folder / "SHA512SUMS").is_file() and check_record(folder).holds


def words(plan):
    """The README around its generated part, written before any result is known."""
    facts = {"name": plan.facts["name"], "steps": str(plan.facts["window"]["steps"])}
    facts["question"] = textwrap.fill(plan.facts["question"], 98)
    text = WORDS.read_text(encoding="utf-8")
    for name, value in facts.items():
        text = text.replace(f"@{name}@", value)
    return text
