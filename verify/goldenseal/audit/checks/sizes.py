"""Bytes: of the artifact, its model and its code; and the cap on them."""

from decimal import Decimal
from itertools import combinations

from goldenseal.audit.disclosed import over_the_cap
from goldenseal.audit.match import Value, best, means, score_values
from goldenseal.audit.model import (
    Certainty,
    Claim,
    Notes,
    Record,
    Run,
    Size,
    Stage,
    Submission,
    one_a_seed,
)
from goldenseal.audit.numbers import Number, plain

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
CAP = 16_000_000  # bytes: a megabyte of the rules is a million
ROUND = 1000
RAW = 24_000_000  # a model above is not what fits under the cap
MEBI = Decimal(2**20) / 10**6


def check(record: Record, notes: Notes) -> None:
    """All byte claims of the submission files, then the cap on every run."""
    for submission in record.submissions:
        for claim in submission.claims:
            if claim.role in ("total", "model", "code") and claim.number.value > 0:
                judge(record, claim, notes)
        sums(submission, notes)
        copied(record, submission, notes)
    cap(record, notes)


def judge(record: Record, claim: Claim, notes: Notes) -> None:
    """One claim: of one seed against its log, else against every run, their mean and extremes."""
    runs = record.runs_of(claim.seed) if claim.seed is not None else record.runs
    if claim.seed is not None and not runs:
        return
    values = candidates(record, runs, claim.role)
    if claim.seed is None:
        values += spreads(record, record.used_runs, claim.role)
    shown = f"{claim.role} {claim.number} bytes" if claim.scale == 1 else str(claim)
    if not values:
        return notes.add("bytes", NOTE, shown, claim.place, "no log states a size to compare")
    if claim.before:  # said to be of the raw model
        values += of_raw(runs)
    nearest = best(claim.number, values, claim.scale)
    if nearest.holds and (other := of_another_run(record, claim)):
        return notes.add("bytes-of-another-seed", MISMATCH, shown, claim.place, other)
    if nearest.holds:
        return notes.confirm(shown, claim.place, nearest.how)
    if claim.role == "model" and (total := best(claim.number, of_totals(runs), claim.scale)).holds:
        evidence = f"it is the artifact with its code: {total.how}"
        return notes.add("bytes", AMBIGUOUS, shown, claim.place, evidence)
    if claim.nested:
        return notes.add("second-account", AMBIGUOUS, shown, claim.place, nearest.how)
    kind, evidence = reason(record, claim, runs, nearest.how)
    return notes.add(kind, MISMATCH, shown, claim.place, evidence)


def of_another_run(record: Record, claim: Claim) -> str:
    """What a size for the whole record is of, when the headline is one run's and it another's."""
    plain = claim.seed is None and not claim.statistic and not claim.nested and not claim.before
    scores = [c for c in record.headlines if c.role == "bpb"]
    runs = [run for run in record.runs if run.scores]
    if not plain or claim.role == "code" or not scores or len({run.seed for run in runs}) < 2:
        return ""
    stages = (Stage.FINAL,)
    used = record.used_runs if len(record.used_runs) > 1 else runs
    if any(best(c.number, means(used, "bpb", stages, c.number.digits)).holds for c in scores):
        return ""
    own = [
        run
        for run in runs
        if any(best(c.number, score_values([run], "bpb", stages)).holds for c in scores)
    ]
    held = [*own, *(one for run in own for one in record.with_siblings(run))]
    values = candidates(record, held, claim.role)
    if not own or not values or best(claim.number, values, claim.scale).holds:
        return ""
    spread = best(claim.number, spreads(record, runs, claim.role), claim.scale)
    theirs = best(claim.number, candidates(record, runs, claim.role), claim.scale)
    return (
        ""
        if spread.holds or not theirs.holds
        else (f"the score is of {own[0].file}; it is {theirs.how}")
    )


def reason(record: Record, claim: Claim, runs: list[Run], nearest: str) -> tuple[str, str]:
    """The name of the mistake, when it is a known one."""
    number, scale = claim.number, claim.scale
    if claim.role == "total":
        if (model := best(number, of_model(runs), scale)).holds:
            return "bytes-without-code", f"it is the model alone: {model.how}"
        if (raw := best(number, of_raw(runs), scale)).holds:
            return "raw-model-size", f"it is the uncompressed model: {raw.how}"
    if claim.role == "model" and (raw := best(number, of_raw(runs), scale)).holds:
        return "raw-model-size", f"it is the uncompressed model: {raw.how}"
    values = candidates(record, runs, claim.role)
    if scale == 10**6 and best(number, values, scale * MEBI).holds:
        return "mib-as-mb", "it fits only if a megabyte is 1,048,576 bytes; " + nearest
    if claim.seed is not None:
        others = [run for run in record.runs if run.seed != claim.seed]
        if (other := best(number, candidates(record, others, claim.role), scale)).holds:
            return "bytes-of-another-seed", f"it is of another seed: {other.how}"
    if scale == 1 and is_round(number):
        return "round-bytes", "a round number with nothing behind it; " + nearest
    return "bytes", nearest


def is_round(number: Number) -> bool:
    """Whether an integer is a multiple of a thousand, as measured sizes hardly ever are."""
    return number.is_integer and number.value >= ROUND and number.value % ROUND == 0


def candidates(record: Record, runs: list[Run], role: str) -> list[Value]:
    """Every value that a claim of this role may be, from each run and the shipped scripts."""
    codes = shipped(record)
    if role == "code":
        return [*of_code(runs), *codes]
    if role == "model":
        values = of_model(runs)
        for total in of_totals(runs):
            for code in [*of_code(runs), *codes]:
                what = f"{total.what} minus {code.what}"
                values.append(Value(total.value - code.value, None, what))
        return values
    values = of_totals(runs)
    for model in of_model(runs):
        for code in codes:
            values.append(Value(model.value + code.value, None, f"{model.what} plus {code.what}"))
    return values


def spreads(record: Record, runs: list[Run], role: str) -> list[Value]:
    """Mean and extremes over the runs, of what each run's artifact is."""
    per_run = []
    for run in one_a_seed(runs):
        real = next(filter(None, (logged(one, role) for one in record.with_siblings(run))), None)
        if real is None:
            return []
        per_run.append(real[-1].value)
    if len(per_run) < 2:
        return []
    exact = Decimal(sum(per_run)) / len(per_run)
    what = f"mean of {len(per_run)} runs' {role}"
    return [
        Value(exact, None, what),
        Value(exact // 1, None, f"{what}, whole bytes"),
    ]


def logged(run: Run, role: str) -> list[Size]:
    """The sizes of this role that a run logs, without those of the uncompressed model."""
    if role == "code":
        return run.codes
    return compressed(run.totals if role == "total" else run.models)


def compressed(sizes: list[Size]) -> list[Size]:
    """The sizes that have a label; without any, those small enough to be an artifact."""
    return [s for s in sizes if s.label] or [s for s in sizes if s.value < RAW]


def of_totals(runs: list[Run]) -> list[Value]:
    """Logged totals, without those of the raw model where others exist."""
    return [
        Value(Decimal(s.value), None, f"total {s.label} at {run.at(s.line)}".replace("  ", " "))
        for run in runs
        for s in compressed(run.totals)
    ]


def of_model(runs: list[Run]) -> list[Value]:
    """Logged sizes of the compressed model, or total minus code where only those are logged."""
    values = []
    for run in runs:
        for size in compressed(run.models):
            values.append(
                Value(Decimal(size.value), None, f"model {size.label} at {run.at(size.line)}")
            )
        for total in compressed(run.totals):
            for code in run.codes:
                what = f"total minus code at {run.at(total.line)}"
                values.append(Value(Decimal(total.value - code.value), None, what))
    return values


def of_raw(runs: list[Run]) -> list[Value]:
    """Logged sizes of the uncompressed model, with and without code."""
    return [
        Value(Decimal(s.value), None, f"uncompressed size at {run.at(s.line)}")
        for run in runs
        for s in [*run.models, *run.totals]
        if not s.label
    ]


def of_code(runs: list[Run]) -> list[Value]:
    """Logged sizes of the code."""
    return [
        Value(Decimal(s.value), None, f"code {s.label} at {run.at(s.line)}".replace("  ", " "))
        for run in runs
        for s in run.codes
    ]


def shipped(record: Record) -> list[Value]:
    """The size of each script as shipped, and of all and any few of them together."""
    scripts = sorted(record.scripts.items())[:6]
    values = []
    for count in range(1, len(scripts) + 1):
        for chosen in combinations(scripts, count):
            names = " + ".join(name for name, _ in chosen)
            total = sum(size for _, size in chosen)
            if total:
                values.append(Value(Decimal(total), None, f"{names} as shipped"))
    for name, text in sorted(record.sources.items()):
        values.append(Value(Decimal(len(text)), None, f"{name} as shipped, in characters", True))
        crlf = record.scripts[name] + text.count("\n")
        values.append(Value(Decimal(crlf), None, f"{name} as shipped, with CRLF", True))
    return values


def sums(submission: Submission, notes: Notes) -> None:
    """Within one file: total = model + code."""
    for seed in {claim.seed for claim in submission.claims}:
        own: dict[str, list[Claim]] = {"total": [], "model": [], "code": []}
        for claim in submission.claims:
            if claim.role in own and claim.seed == seed and claim.scale == 1 and not claim.nested:
                own[claim.role].append(claim)
        if not all(own.values()):
            continue
        pairs = [(t, m, c) for t in own["total"] for m in own["model"] for c in own["code"]]
        if any(t.number.value == m.number.value + c.number.value for t, m, c in pairs):
            continue
        total, model, code = pairs[0]
        if any(c.statistic for c in pairs[0]):
            continue
        gap = total.number.value - model.number.value - code.number.value
        claim_text = f"total {total.number} = model {model.number} + code {code.number}"
        evidence = f"the sum differs by {plain(abs(gap))} bytes"
        notes.add("bytes-do-not-add-up", AMBIGUOUS, claim_text, total.place, evidence)


def copied(record: Record, submission: Submission, notes: Notes) -> None:
    """One seed's bytes under the name of all of them."""
    totals = {c.seed: c for c in submission.claims if c.role == "total" and c.seed is not None}
    values = {c.number.value for c in totals.values()}
    logged = {
        seed: {s.value for run in record.runs_of(seed) for s in compressed(run.totals)}
        for seed in totals
    }
    if (
        len(totals) > 1
        and len(values) == 1
        and len({tuple(sorted(v)) for v in logged.values()}) > 1
    ):
        place = submission.name
        claim = f"every seed has {next(iter(values))} bytes"
        notes.add("bytes-copied", MISMATCH, claim, place, "the logs of the seeds differ")


def cap(record: Record, notes: Notes) -> None:
    """Every artifact within the cap: as claimed, as logged, and with the code as shipped."""
    said = over_the_cap(record)
    sure = NOTE if said else MISMATCH
    said = f"; the record says so: {said}" if said else ""
    if not record.submissions and not record.readme:
        sure = AMBIGUOUS  # nothing is claimed of these logs
    for submission in record.submissions:
        for claim in submission.claims:
            value = claim.number.value * claim.scale
            if claim.role == "total" and CAP < value < RAW and not claim.nested:
                over = plain(value - CAP)
                claim_text, evidence = f"total {claim.number}", f"{over} bytes over the cap"
                notes.add("over-the-cap", sure, claim_text, claim.place, evidence + said)
    for run in record.used_runs:
        totals = [s.value for s in compressed(run.totals) if s.value < RAW]
        logged = min(totals, default=0)
        if logged > CAP:
            evidence = f"{logged - CAP} bytes over the cap of {CAP}"
            notes.add("over-the-cap", sure, f"total {logged}", run.file, evidence + said)
            continue
        models = [s.value for s in compressed(run.models) if s.value < RAW]
        main = max((size for name, size in record.scripts.items() if "train" in name), default=0)
        if models and main and logged and min(models) + main > CAP:
            evidence = f"the log says {logged}, the script as shipped is larger than the one logged"
            claim_text = f"model and shipped script are {min(models) + main} bytes, over the cap"
            notes.add("over-the-cap", AMBIGUOUS, claim_text, run.file, evidence)
