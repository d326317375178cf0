"""A repository of its own with a small sweep of the real training script, and a cluster."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldenseal.config import python_path
from tests.slurm.cluster import Cluster, why_not
from train_gpt_style.gpt.probe_data import TINY, write

SOURCE = ("constraints.txt", "pyproject.toml", "train_gpt_style", "verify")
STEPS = 60
WAIVE = ("--waive", "verdict=a test of the launch, on a copy of the source")  # sealed: one for all
PLAN = """
schema = 1
name = "tiny"
question = "Does a sweep come to the same, whatever happens to its cluster?"
system = "gpt"
seeds = [1597, 2584, 4181]
baseline = "baseline"
[common]
{common}
[configurations.baseline]
[configurations.{name}]
{knobs}
[analysis]
primary = "roundtrip_val_bpb"
better = "lower"
test = "paired-t"
correction = "holm"
alpha = 0.05
range = [0.0, 16.0]
secondary = ["parameters"]
counts = "A mean paired difference below zero whose two-sided p is below alpha."
[stopping]
rule = "When each of the six runs has ended once."
[resources]
gpus = 0
nodes = 1
cpus = 1
minutes = {minutes}
[power]
effect = -1.0
deviation = 0.1
"""


class Repository:
    """A copy of the source that may be edited, its data, and `goldenseal` as run from it."""

    def __init__(self, folder, root, environment):
        self.folder, self.environment = folder / "repository", environment
        self.folder.mkdir()
        for name in SOURCE:
            whole = (root / name).is_dir()
            (shutil.copytree if whole else shutil.copy)(root / name, self.folder / name)
        data = folder / "data"
        data.mkdir()
        self.data = write(data)

    def plan(self, name="ut", minutes=30, **knobs):
        """Write sweeps/NAME.toml: a baseline and one configuration, three seeds each."""
        common = TINY | self.data | {
            "ITERATIONS": str(STEPS), "VAL_LOSS_EVERY": "0", "CHECKPOINT_EVERY": "10",
            "TTT_CHUNK_SIZE": "64", "TTT_BATCH_SIZE": "8", "TRAIN_LOG_EVERY": "0",
        }  # fmt: skip
        knobs = knobs or {"UT_LOOPS": "2", "UT_LAYER_START": "1", "UT_LAYER_END": "2"}
        path = self.folder / "sweeps" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            PLAN.format(common=table(common), name=name, knobs=table(knobs), minutes=minutes)
        )
        return path

    def command(self, *arguments):
        """argv and options of a `goldenseal sweep …` in this repository."""
        return {
            "args": [sys.executable, "-P", "-m", "goldenseal", "sweep", *map(str, arguments)],
            "cwd": self.folder,
            "env": {**self.environment, "PYTHONPATH": python_path(self.folder)},
            "stdin": subprocess.DEVNULL,
            "text": True,
        }

    def start(self, *arguments):
        """A Python of this repository, running."""
        command = self.command()
        command["args"] = [*command["args"][:2], *map(str, arguments)]
        return subprocess.Popen(**command)

    def sweep(self, *arguments, check=True):
        """Run it; returns the completed process."""
        done = subprocess.run(**self.command(*arguments), capture_output=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def run(self, plan, folder, executor="slurm", jobs=2, check=True):
        """Launch a sweep that nobody verified, with the reason that a test has."""
        choices = ("--executor", executor, "--folder", folder, "--jobs", jobs)
        return self.sweep("run", plan, *choices, *WAIVE, check=check)


def table(knobs):
    return "\n".join(f'{name} = "{value}"' for name, value in knobs.items())


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if reason := why_not():
        pytest.skip(reason)
    with Cluster(tmp_path_factory.mktemp("slurm") / "cluster") as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def whole(cluster):
    """Whatever the test before it did to the cluster."""
    cluster.revive()


@pytest.fixture(scope="session")
def repository(tmp_path_factory, cluster):
    root = Path(__file__).parents[2]
    environment = {k: v for k, v in cluster.environment.items() if k not in TINY}
    environment |= {"COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    os.makedirs(tmp_path_factory.getbasetemp(), exist_ok=True)
    return Repository(tmp_path_factory.mktemp("repo"), root, environment)
