"""Is what ships what ran: the script, its size, and the same settings for every seed."""

import re
from collections import Counter
from decimal import Decimal

from goldenseal.audit.checks.sizes import shipped
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes, Record, Run, seed_in_name
from goldenseal.audit.numbers import Number
from goldenseal.audit.packed import is_packed, unpacked

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
LOCAL = frozenset(
    """seed run_id logfile log_file output_dir model_path quantized_model_path data_dir datasets_dir
    data_path train_files val_files tokenizer_path rank local_rank is_main_process device hostname
    checkpoint_dir save_path artifact_path log_dir date time timestamp pid port master_port wandb
    run_name name id load_path init_path""".split()
)
LOCAL_ENDS = ("_path", "_dir", "_file", "_files", "_id", "_time", "_name", "_ms")
IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_][\w.]*)", re.MULTILINE)
MAX_SHOWN = 4


def check(record: Record, notes: Notes) -> None:
    """Code, settings and parameters of the runs that the claims are about."""
    code_size(record, notes)
    embedded(record, notes)
    uncounted(record, notes)
    runs, certainty = compared(record)
    settings(record, runs, certainty, notes)
    for name, kind, values in (
        ("parameters", "params-differ", {run.params: run for run in runs if run.params}),
        ("code size", "code-differs", {run.codes[0].value: run for run in runs if run.codes}),
    ):
        if len(values) > 1:
            listed = ", ".join(f"{value} in {run.file}" for value, run in sorted(values.items()))
            claim = f"the same {name} for all seeds"
            notes.add(kind, certainty, claim, record.name, listed)


def compared(record: Record) -> tuple[list[Run], Certainty]:
    """The runs that should be alike. Those of listed seeds must be; logs that merely lie there,
    neither listed nor named in the README as a seed's, need not.
    """
    runs = record.used_runs
    if len(record.claimed_seeds) > 1:
        return runs, MISMATCH
    text = record.readme.text if record.readme else ""
    names = [(run, run.file.rsplit("/", 1)[-1]) for run in runs]
    named = [
        run
        for run, name in names
        if name in text and (seed_in_name(name) is not None or name == "train.log")
    ]
    return (named, MISMATCH) if len({run.seed for run in named}) > 1 else (runs, AMBIGUOUS)


def code_size(record: Record, notes: Notes) -> None:
    """The code size that each log states against the scripts as shipped."""
    if not any(record.scripts.values()):
        return
    sizes = shipped(record)
    for name, text in sorted(record.sources.items()):
        if inner := unpacked(text):
            size = Decimal(len(inner.encode()))
            sizes.append(Value(size, None, f"{name}, unpacked", True))
    wrong: dict[int, str] = {}
    for run in record.used_runs:
        for code in run.codes:
            number = Number(str(code.value), Decimal(code.value), 0)
            if not best(number, sizes).holds:
                wrong.setdefault(code.value, run.at(code.line))
    logged = {code.value for run in record.used_runs for code in run.codes}
    if wrong and len(wrong) == len(logged):
        claim = f"code size {', '.join(map(str, sorted(wrong)))}"
        scripts = ", ".join(f"{name} {size}" for name, size in sorted(record.scripts.items()))
        place = wrong[min(wrong)]
        notes.add("code-size", MISMATCH, claim, place, f"shipped: {scripts} bytes")
    elif logged and not wrong:
        notes.confirm("code size", record.name, "the logs state that of the shipped script")


def uncounted(record: Record, notes: Notes) -> None:
    """Files that a script imports from the record, when the code size is the script's alone."""
    logged = {code.value for run in record.used_runs for code in run.codes}
    for name, text in sorted(record.sources.items()):
        if record.scripts[name] not in logged:
            continue
        imported = {match[1].split(".")[0] for match in IMPORT.finditer(text)}
        others = [other for other in sorted(record.scripts) if other != name]
        left = [other for other in others if other.rsplit("/", 1)[-1][:-3] in imported]
        if left:
            total = sum(record.scripts[other] for other in left)
            claim = f"{name} imports {', '.join(left)}"
            evidence = f"the logged code size leaves out {total} bytes"
            notes.add("uncounted-code", AMBIGUOUS, claim, name, evidence)


def embedded(record: Record, notes: Notes) -> None:
    """The source that a log prints against the scripts that ship, or what they unpack to."""
    shipped_texts = {}
    packed = False
    for name, text in sorted(record.sources.items()):
        shipped_texts[name] = plain(text)
        packed = packed or is_packed(text)
        if inner := unpacked(text):
            shipped_texts[f"{name}, unpacked"] = plain(inner)
    if not shipped_texts:
        return
    used = {run.file for run in record.used_runs}
    for log in record.logs:
        if not log.source or log.name not in used:
            continue
        printed = plain(log.source)
        if any(text and text in printed for text in shipped_texts.values()):
            notes.confirm("embedded source", log.name, "it is the shipped script")
            continue
        name, differing = nearest(printed, shipped_texts)
        claim = "the shipped script is the one that ran"
        evidence = f"{name} and the source in the log differ in {differing} lines"
        # What was packed may have been minified too, or is packed in a way that is not opened.
        certainty = AMBIGUOUS if packed else MISMATCH
        notes.add("script-differs", certainty, claim, log.name, evidence)


def plain(text: str) -> str:
    """Source without what an editor or a terminal changes: line ends and outer blank lines."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def nearest(printed: str, texts: dict[str, str]) -> tuple[str, int]:
    """The script with fewest lines that the other does not have, and their number."""
    lines = Counter(printed.split("\n"))
    candidates = []
    for name, text in texts.items():
        own = Counter(text.split("\n"))
        candidates.append((max((own - lines).total(), (lines - own).total()), name))
    count, name = min(candidates)
    return name, count


def settings(record: Record, runs: list[Run], certainty: Certainty, notes: Notes) -> None:
    """The hyperparameters of the runs agree, but for the seed and places."""
    dumps = [run for run in runs if len(run.knobs) >= 3]
    if len(dumps) < 2:
        return
    first = dumps[0]
    for run in dumps[1:]:
        differing = sorted(
            key
            for key in first.knobs.keys() & run.knobs.keys()
            if first.knobs[key] != run.knobs[key] and not is_local(key)
        )
        if differing:
            shown = ", ".join(
                f"{key} {first.knobs[key][:40]} / {run.knobs[key][:40]}"
                for key in differing[:MAX_SHOWN]
            )
            claim = "the seeds ran with one configuration"
            place = f"{first.file} / {run.file}"
            notes.add("settings-differ", certainty, claim, place, shown)
    if not any(f.kind == "settings-differ" for f in notes.findings):
        evidence = f"the same in {len(dumps)} logs"
        notes.confirm("settings", record.name, evidence)


def is_local(key: str) -> bool:
    """Whether a setting is of a place or a moment, and may differ."""
    return key in LOCAL or key.endswith(LOCAL_ENDS)
