"""A repository with sealed records of made-up runs, and documents that speak of them."""

import json

import pytest

from goldenseal.claims.judgement import judge_documents
from goldenseal.records.seal import seal
from goldenseal.runlog import RunLog

KNOBS = {"EPOCHS": "100", "WIDTH": "64", "DATA_PATH": "./data"}


class Repository:
    """Records by name, each sealed, and documents that are judged against them."""

    def __init__(self, root):
        self.root = root
        (root / "records" / "toy").mkdir(parents=True)
        (root / "pyproject.toml").write_text(
            '[tool.goldenseal]\nclaims = ["*.md"]\n'
            "[tool.goldenseal.systems.toy]\n"
            'module = "toy"\nprobe = "toy:PROBE"\nlocal_knobs = ["DATA_PATH"]\n'
        )

    def folder(self, name):
        return self.root / "records" / "toy" / name

    def draft(self, name, values, status="measured", knobs=None, seeds=None, **facts):
        """An unsealed record: `values` is val_bpb by seed, or by (configuration, seed)."""
        folder = self.folder(name)
        folder.mkdir()
        record = {"schema": 1, "name": name, "date": "2026-01-02", "status": status}
        record["seeds"] = sorted(values) if seeds is None else seeds
        record["knobs"] = KNOBS | (knobs or {})
        if status == "measured":
            record["logs"] = {str(seed): f"{seed}.jsonl" for seed in values}
            record["results"] = {"val_bpb": sum(values.values()) / max(1, len(values))}
        for seed, value in values.items():
            write_log(folder / f"{seed}.jsonl", seed, value)
        (folder / "record.json").write_text(json.dumps(record | facts))
        return folder

    def make(self, name, values, **options):
        """A sealed record; returns its identity."""
        return seal(self.draft(name, values, **options)).identity

    def judge(self, text, definitions="", fix=False):
        """The report on a document of this text, with one definition a line."""
        document = self.root / "doc.md"
        document.write_text(f"{text}\n\n<!-- claims\n{definitions}\n-->\n")
        return judge_documents(self.root, [document], fix)

    def kinds(self, text, definitions=""):
        """The kinds of the findings on such a document."""
        return [finding.kind for finding in self.judge(text, definitions).findings]

    def text(self):
        """The document as it is now, without its definitions."""
        return (self.root / "doc.md").read_text().split("\n\n<!-- claims")[0]


def write_log(path, seed, value):
    """A chained log of one step, whose last line holds val_bpb as a hex float."""
    log = RunLog(path, {"seed": str(seed)})
    log.write("step", {"step": 1, "loss": (value * 2).hex()})
    log.end({"steps": 1, "val_bpb": float(value).hex(), "label": "made up"})


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


@pytest.fixture
def three(repository):
    """A record of three seeds: 1.0, 1.25, 2.0. Returns the start of a definition on it."""
    identity = repository.make("three", {1: 1.0, 2: 1.25, 3: 2.0})
    return f'record = "{identity[:12]}", pointer = "/val_bpb"'
