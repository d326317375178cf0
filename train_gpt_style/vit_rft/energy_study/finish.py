"""The record of an energy study: what is written beside the logs, then the seal."""

import datetime
import textwrap
from pathlib import Path

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.grids.blocks.report import README, write_block_report
from goldenseal.launch.gate import provenance
from goldenseal.records.seal import seal
from train_gpt_style.kit.data.images import check as fashion_digests

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
    write_block_report(folder, {"data": files, "source": state["source"], **provenance(state)})
    return seal(folder)


def folder_for(plan_folder, plan, source):
    """Where the study of a plan goes when nobody says: beside the plan.

    On in the newest that was begun there with this plan and source (SHA-512 by path) and is not
    sealed; else into a new one of today's date, numbered where there is one already.
    """
    track = Path(plan_folder).parent
    begun = (path.parent for path in sorted(track.glob("*/study.json"), reverse=True))
    for folder in begun:
        if not (folder / "SHA512SUMS").exists() and is_begun_with(folder, plan, source):
            return folder
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    names = (f"{today}_EnergyStudy{number}" for number in ("", *range(2, 1000)))
    return next(track / name for name in names if not (track / name).exists())


def is_begun_with(folder, plan, source):
    """Whether a study of this plan and source was begun in `folder`."""
    try:
        state = canonical.read(folder / "study.json", "study.json")
    except UsageError:
        return False
    wanted = (plan.digest, source)
    return isinstance(state, dict) and (state.get("plan"), state.get("source")) == wanted


def words(plan):
    """The README around its generated part, written before any result is known."""
    facts = {"name": plan.facts["name"], "steps": str(plan.facts["window"]["steps"])}
    facts["question"] = textwrap.fill(plan.facts["question"], 98)
    text = WORDS.read_text(encoding="utf-8")
    for name, value in facts.items():
        text = text.replace(f"@{name}@", value)
    return text
