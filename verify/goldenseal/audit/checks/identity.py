"""Is what ships what ran: the script, its size, and the same settings for every seed."""

import re
from collections import Counter
from decimal import Decimal

from goldenseal.audit.checks.sizes import shipped
from goldenseal.audit.disclosed import other_code
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
# Where a loader begins and how it strides is often drawn from the seed; how an evaluation strides
# never is.
DRAWN = re.compile(r"stride|offset|shuffle|perm|rng|start|order|salt|nonce|hash")
FIXED = re.compile(
    r"eval|sliding|window|ttt|conv|val|start_(?:step|frac|layer)|layer|hash_(?:size|dim)"
)
LOCAL_ENDS = ("_path", "_dir", "_file", "_files", "_id", "_time", "_name", "_ms")
IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_][\w.]*)", re.MULTILINE)
MAX_SHOWN = 4


def check(record: Record, notes: Notes) -> None:
    """Code, settings and parameters of the runs that the claims are about."""
    empty(record, notes)
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
            said = other_code(record) if kind == "code-differs" else ""
            listed += f"; the record says so: {said}" if said else ""
            notes.add(kind, NOTE if said else certainty, claim, record.name, listed)


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
    used = [one for run in record.used_runs for one in record.with_siblings(run)]
    logged = {code.value for run in used for code in run.codes}
    if not has_trainer(record, logged):
        if any(record.scripts.values()) and logged:
            evidence = "the script that was trained with is not in the folder"
            notes.add("code-size", NOTE, "code size", record.name, evidence)
        return
    sizes = shipped(record)
    for name, text in sorted(record.sources.items()):
        if inner := unpacked(text):
            size = Decimal(len(inner.encode()))
            sizes.append(Value(size, None, f"{name}, unpacked", True))
    wrong: dict[int, str] = {}
    for run in used:
        for code in run.codes:
            number = Number(str(code.value), Decimal(code.value), 0)
            if not best(number, sizes).holds:
                wrong.setdefault(code.value, run.at(code.line))
    if wrong and len(wrong) == len(logged):
        claim = f"code size {', '.join(map(str, sorted(wrong)))}"
        scripts = ", ".join(f"{name} {size}" for name, size in sorted(record.scripts.items()))
        place = wrong[min(wrong)]
        certainty, said = certain(record)
        largest = max(record.scripts.values())
        if certainty is MISMATCH and not record.sources and largest * 2 < min(wrong):
            certainty, said = AMBIGUOUS, "; what ships may be packed, and its text is not here"
        notes.add("code-size", certainty, claim, place, f"shipped: {scripts} bytes{said}")
    elif logged and not wrong:
        notes.confirm("code size", record.name, "the logs state that of the shipped script")


def empty(record: Record, notes: Notes) -> None:
    """Scripts of zero bytes: where nothing else ships, no code size can be theirs."""
    stated = [c for s in record.submissions for c in s.claims if c.role == "code"]
    logged = {code.value for run in record.used_runs for code in run.codes}
    alone = not has_trainer(record, logged)
    for name in record.empty:
        sized = next((c for c in stated if c.number.value > 0), None)
        if alone and (sized or logged):
            claim = sized or f"code size {max(logged)}"
            place = sized.place if sized else name
            notes.add("empty-script", MISMATCH, claim, place, f"{name} as shipped has no bytes")
        else:
            notes.add("empty-script", NOTE, name, name, "it has no bytes")


def has_trainer(record: Record, logged: set[int]) -> bool:
    """Whether a shipped script may be the one that was trained with, and not only a helper."""
    return any(
        size and ("train" in name.rsplit("/", 1)[-1].lower() or any(near(size, n) for n in logged))
        for name, size in record.scripts.items()
    )


def near(size: int, logged: int) -> bool:
    """Whether two sizes may be of two states of one script."""
    return abs(size - logged) * 10 <= logged


def certain(record: Record) -> tuple[Certainty, str]:
    """How sure a difference of code contradicts: not where the record says itself that it is so."""
    said = other_code(record, rewritten=True)
    return (NOTE, f"; the record says so: {said}") if said else (MISMATCH, "")


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
        if not log.sources or log.name not in used:
            continue
        printed = [plain(source) for source in log.sources]
        if any(text and text in one for text in shipped_texts.values() for one in printed):
            notes.confirm("embedded source", log.name, "it is the shipped script")
            continue
        name, differing = min((nearest(one, shipped_texts) for one in printed), key=lambda n: n[1])
        claim = "the shipped script is the one that ran"
        evidence = f"{name} and the source in the log differ in {differing} lines"
        # What was packed may have been minified too, or is packed in a way that is not opened.
        certainty, said = (AMBIGUOUS, "") if packed else certain(record)
        notes.add("script-differs", certainty, claim, log.name, evidence + said)


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
            if first.knobs[key] != run.knobs[key]
            and not is_local(key)
            and not is_drawn(key, first, run)
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


def is_drawn(key: str, one: Run, other: Run) -> bool:
    """Whether a setting is the seed under a name of its own, or was drawn from the seed."""
    if [one.knobs[key], other.knobs[key]] == [str(one.seed), str(other.seed)]:
        return True
    if "/" in one.knobs[key] and "/" in other.knobs[key]:
        return True  # paths
    drawn = DRAWN.search(key) and not FIXED.search(key)
    return bool(drawn) and one.seed != other.seed


def is_local(key: str) -> bool:
    """Whether a setting is of a place or a moment, and may differ."""
    return key in LOCAL or key.endswith(LOCAL_ENDS)
