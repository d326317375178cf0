"""Folders of runs that a tracker or a script of one's own wrote, beside a README.

MLflow's file store, Weights & Biases' folders, and the plain research folder: tables by seed or by
method, and logs as CSV, JSON lines, summaries or event files.
"""

import re
from collections import Counter
from pathlib import Path

from goldenseal.audit import reader, series
from goldenseal.audit.evidence import is_metrics, problem, read_metrics
from goldenseal.audit.forms import experiment_files
from goldenseal.audit.forms.metric_runs import MetricRun, as_logs
from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.readme_tables import read_readme
from goldenseal.audit.series import Metrics
from goldenseal.disk.events import is_events

README = re.compile(r"(?:readme|results|report)(?:\.(?:md|markdown|txt))?", re.IGNORECASE)
GENERIC = re.compile(
    r"(?:metrics?|logs?|history|progress|results?|train(?:ing)?(?:_log)?|eval|scalars|stats|curve|"
    r"output|run|version_\d+|events.*|wandb-summary|summary)(?:[-_.].*)?",
    re.IGNORECASE,
)
SETTINGS = ("config.json", "hparams.json", "args.json", "params.json", "hyperparameters.json")
OBJECTS = re.compile(r"(?:\w*_)?(?:results?|metrics?|summary|scores?)\.json", re.IGNORECASE)
MAX_RUNS = 500


class Experiments:
    """What the three forms share: a README, and runs with metrics."""

    name = ""

    def runs(self, record: Record, files: dict[str, int]) -> list[MetricRun]:
        """The runs of the folder."""
        raise NotImplementedError

    def read(self, folder: Path) -> Record:
        """The README and the metrics of every run."""
        record = Record(folder, folder.name or str(folder))
        files = reader.scan(folder)
        read_text(record, files)
        runs = [run for run in self.runs(record, files) if run.series][:MAX_RUNS]
        record.facts["runs"] = runs
        as_logs(record, runs)
        return record

    def check(self, record: Record, notes: Notes) -> None:
        """The README's claims against the runs; and what needs no log."""
        from goldenseal.audit.checks import impossible
        from goldenseal.audit.forms import claims_of_text

        runs = record.facts["runs"]
        if record.readme is not None and runs:
            claims_of_text.check(record.readme, runs, notes)
        impossible.check(record, notes)

    def unsupported(self, record: Record, notes: Notes) -> str:
        """Why the record is not consistent, though nothing contradicts it; "" when it is."""
        if notes.scored:
            return ""
        unread = [f for f in record.problems if f.certainty is Certainty.AMBIGUOUS]
        if unread and not record.facts["runs"]:
            return f"{unread[0].place}: {unread[0].evidence}"
        if not record.facts["runs"]:
            return "no score was found in the logs"
        return (
            "no README" if record.readme is None else "no stated value could be held against a log"
        )


class MlflowForm(Experiments):
    """The file store of MLflow: a file a metric, with lines of time, value and step."""

    name = "mlflow"

    def matches(self, folder: Path) -> bool:
        """A folder `mlruns`, or one that is such a store itself."""
        return (folder / "mlruns").is_dir() or bool(experiment_files.mlflow_roots(folder, 2))

    def runs(self, record: Record, files: dict[str, int]) -> list[MetricRun]:
        """A run a folder with `meta.yaml` and `metrics/`."""
        return experiment_files.mlflow_runs(record, files)


class WandbForm(Experiments):
    """The folders of Weights & Biases, offline or not: the summary and the configuration."""

    name = "wandb"

    def matches(self, folder: Path) -> bool:
        """A folder of runs beside the README, or in `wandb/`."""
        if any(reader.is_submission(name) for name in reader.scan(folder, depth=0)):
            return False
        places = [folder, folder / "wandb"]
        return any(experiment_files.is_wandb_run(c) for p in places for c in reader.subfolders(p))

    def runs(self, record: Record, files: dict[str, int]) -> list[MetricRun]:
        """A run a folder `run-…` or `offline-run-…`."""
        return experiment_files.wandb_runs(record, files)


class ResearchForm(Experiments):
    """Anything else with a README and logs of metrics."""

    name = "research"

    def matches(self, folder: Path) -> bool:
        """A README, and within a few folders a log of metrics, or at least a log."""
        names = reader.scan(folder, depth=0)
        if not any(README.fullmatch(name) for name in names):
            return False
        if any(is_log_of(name) or OBJECTS.fullmatch(name) for name in names):
            return True
        inner = own_files(reader.scan(folder, depth=3))
        return any(is_log_of(name) or name.lower().endswith(".txt") for name in inner)

    def runs(self, record: Record, files: dict[str, int]) -> list[MetricRun]:
        """A run a file of metrics, or a folder whose files are all of one run."""
        by_name: dict[str, MetricRun] = {}
        beside: list[Metrics] = []
        counted = Counter(unnumbered(name) for name in own_files(files))
        for name in own_files(files):
            made = one_file(record, name)
            if isinstance(made, list):
                by_name.update({run.name: run for run in made})
            elif made is not None and "/" not in name and OBJECTS.fullmatch(name):
                beside.append(made)
            elif made is not None:
                # run_1.log and run_2.log in one folder are two runs
                apart = counted[unnumbered(name)] > 1
                called = name if apart else run_name(name)
                run = by_name.setdefault(called, MetricRun(called))
                run.take(made)
        for name in own_files(files):
            folder, _, base = name.rpartition("/")
            owner = by_name.get(folder or base)
            if base.lower() in SETTINGS and owner is not None:
                experiment_files.take_settings(record, name, owner)
        if not by_name:  # nothing but a summary: then that is the log
            for made in beside:
                by_name.setdefault(made.file, MetricRun(made.file)).take(made)
        return list(by_name.values())


def is_log_of(name: str) -> bool:
    """Whether a file is a log by its name alone."""
    return is_metrics(name) or name.lower().endswith(".log")


def read_text(record: Record, files: dict[str, int]) -> None:
    """The README of the folder."""
    names = [n for n in files if "/" not in n and README.fullmatch(n)]
    names.sort(key=lambda n: (not n.lower().startswith("readme"), n))
    for name in names[:1]:
        data = reader.read(record.folder, name, reader.MAX_README)
        if data is None:
            problem(record, "readme", Certainty.NOTE, name, "too large or unreadable")
        else:
            record.readme = read_readme(name, reader.decode(data))


def own_files(files: dict[str, int]) -> list[str]:
    """The files of a folder, but for hidden ones and those below a README of their own."""
    own = {n.rpartition("/")[0] for n in files if "/" in n and n.lower().endswith("/readme.md")}
    return [
        n
        for n in files
        if not any(n.startswith(f"{o}/") for o in own) and not n.startswith(".") and "/." not in n
    ]


def run_name(name: str) -> str:
    """What a run is called: by its file; by its folder where all runs' files are called alike."""
    folder, _, base = name.rpartition("/")
    return folder if folder and GENERIC.fullmatch(base.rsplit(".", 1)[0]) else name


def unnumbered(name: str) -> str:
    """A file's path without the numbers in its own name; of event files, of which one run may have
    several, the path itself.
    """
    folder, _, base = name.rpartition("/")
    return name if is_events(base) else f"{folder}/{re.sub(r'[0-9]+', '#', base)}"


def one_file(record: Record, name: str) -> Metrics | list[MetricRun] | None:
    """The metrics of a file; several runs where it is a table with a row a run."""
    base = name.rsplit("/", 1)[-1]
    if is_metrics(name):
        made = read_metrics(record, name)
        if made is None and base.lower().endswith((".csv", ".tsv")):
            return experiment_files.rows_of(record, name)
        return made
    if OBJECTS.fullmatch(base):
        data = reader.read(record.folder, name, reader.MAX_JSON)
        facts = series.load(reader.decode(data)) if data else None
        if isinstance(facts, dict):
            made = Metrics(name)
            made.take(facts, 1)
            return made if made.series else None
        return None
    if base.lower().endswith((".log", ".txt", ".out")) and reader.is_log(name):
        return experiment_files.printed_in(record, name)
    return None
