"""Steps, parameters and times: as claimed and as logged; the limits of the ten-minute track."""

import re
from decimal import Decimal

from goldenseal.audit.match import Match, Value, best
from goldenseal.audit.model import Certainty, Claim, Notes, Record, Run, one_a_seed
from goldenseal.audit.numbers import Number, plain
from goldenseal.audit.track import Track, track_of

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
LIMIT_MS = Decimal(600_000)
TOLERANCE_MS = Decimal(1500)  # the step that is under way when the clock runs out is finished
GPUS = 8
GPU_KEYS = frozenset("world_size num_gpus n_gpus gpus gpu_count nproc_per_node nproc".split())
GPUS_STATED = re.compile(
    r"\b(\d{1,3})\s*[x×]\s*(?:NVIDIA\s*)?(?:[HAB]\d00|GH200|RTX|L40|A\d{1,2}\b|T4|V100)"
)
NPROC = re.compile(r"nproc[_-]per[_-]node[= ](\d{1,3})\b")
OTHER_HARDWARE = re.compile(
    r"\bRTX|\b[2345]0[5-9]0\b|\bMPS\b|\bMac|\bM[1-5]\b|\bDGX|\bGB\d|\bMI\d{3}|\bT4\b|\bL4\b|\bCPU\b|"
    r"\b(?:single|one)[ -](?:GPU|[HAB]\d00)",
    re.IGNORECASE,
)


def check(record: Record, notes: Notes) -> None:
    """Claims of steps, parameters and times, then the limits."""
    for submission in record.submissions:
        for claim in submission.claims:
            if claim.role in ("steps", "params", "train", "evaluation") and not claim.nested:
                judge(record, claim, notes)
    limits(record, notes)
    hardware(record, notes)


def judge(record: Record, claim: Claim, notes: Notes) -> None:
    """One claim against the runs of its seed, or of all."""
    runs = record.runs_of(claim.seed)
    if claim.number.value <= 0 or not runs:
        return
    values = candidates(runs, claim.role)
    shown = str(claim) if claim.seed is None else f"{claim} of seed {claim.seed}"
    if not values:
        return
    nearest = best(claim.number, [*values, *average(record, claim)], claim.scale)
    if nearest.holds or allowed(claim, runs):
        return notes.confirm(shown, claim.place, nearest.how)
    certainty = AMBIGUOUS if is_open(claim, nearest, runs) else MISMATCH
    kind = {"train": "train-time", "evaluation": "evaluation-time"}.get(claim.role, claim.role)
    return notes.add(kind, certainty, shown, claim.place, nearest.how)


def is_open(claim: Claim, nearest: Match, runs: list[Run]) -> bool:
    """Whether the files allow another reading of a claim that no logged value supports."""
    if claim.role == "evaluation" or claim.statistic or nearest.value is None:
        return True  # which parts of an evaluation count differs between records
    value, logged = claim.number.value * claim.scale, nearest.value.value
    if claim.role == "train":  # of a whole session; or in seconds, by another clock
        short = claim.scale >= 1000 and claim.number.digits < 2
        return value > 2 * LIMIT_MS or (short and abs(value - logged) < 1000)
    if claim.role == "steps":  # counted from nought
        return abs(value - logged) <= 1 or between_lines(value, runs)
    coarse = claim.number.is_integer and claim.number.value % 100_000 == 0
    return coarse and abs(value - logged) * 100 <= logged  # parameters in round millions


def between_lines(value: Decimal, runs: list[Run]) -> bool:
    """Whether a run may have gone on to this step after its last line: one that prints only every
    so many steps ends at a round one.
    """
    for run in runs:
        last = Decimal(run.steps[-1] if run.steps else 0)
        every = next((n for n in (1000, 500, 250, 200, 100, 50) if last and last % n == 0), 0)
        if last < value < last + every:
            return True
    return False


def allowed(claim: Claim, runs: list[Run]) -> bool:
    """Whether the claim names a setting of the run: the budget, or the planned steps."""
    value = claim.number.value * claim.scale
    if claim.role == "train":
        limits = {as_ms(run.knobs.get("max_wallclock_seconds", "")) for run in runs}
        if any(limit is not None and limit == value for limit in limits):
            return True
        near = [abs(ms - value) for run in runs for ms in [*run.train_ms, *run.coarse_ms]]
        whole = claim.scale >= 1000 and claim.number.digits == 0
        return whole and bool(near) and min(near) <= 1000
    return claim.role == "steps" and any(run.planned == value for run in runs)


def as_ms(text: str) -> Decimal | None:
    """Seconds as text, in milliseconds."""
    match = re.fullmatch(r"(\d{1,7}(?:\.\d{1,3})?)", text)
    return Decimal(match[1]) * 1000 if match else None


def candidates(runs: list[Run], role: str) -> list[Value]:
    """Every logged value that may stand behind a claim of this role."""
    values: list[Value] = []
    for run in runs:
        if role == "steps":
            values += [Value(Decimal(n), None, f"step {n} in {run.file}") for n in run.steps[-3:]]
        elif role == "params" and run.params:
            values.append(Value(Decimal(run.params), None, f"parameters in {run.file}"))
        elif role == "train":
            times = run.train_ms or run.coarse_ms
            values += [Value(ms, None, f"training time, ms, in {run.file}") for ms in times[-4:]]
        elif role == "evaluation":
            values += [Value(ms, None, f"evaluation, ms, in {run.file}") for ms in run.eval_ms]
            for i in range(len(run.eval_ms)):
                tail = sum(run.eval_ms[i:], Decimal(0))
                values.append(Value(tail, None, f"sum of evaluations, ms, in {run.file}"))
            unlike = sum({ms // 1000: ms for ms in run.eval_ms}.values(), Decimal(0))
            values.append(Value(unlike, None, f"sum of different evaluations, ms, in {run.file}"))
    return values


def average(record: Record, claim: Claim) -> list[Value]:
    """The mean over the runs, where a record states one number for all."""
    per_run = []
    for run in one_a_seed(record.used_runs):
        alone = (candidates([one], claim.role) for one in record.with_siblings(run))
        values = next(filter(None, alone), None)
        if values is None:
            return []
        per_run.append(values[-1].value if claim.role == "steps" else values[0].value)
    if claim.seed is not None or len(per_run) < 2:
        return []
    mean = sum(per_run, Decimal(0)) / len(per_run)
    what = f"mean over {len(per_run)} runs"
    return [Value(mean, None, what), Value(mean // 1, None, what)]


def limits(record: Record, notes: Notes) -> None:
    """Training and evaluation within ten minutes each, where the track demands it."""
    track = track_of(record)
    if track is Track.OPEN:
        return
    certainty = MISMATCH if track is Track.TEN_MINUTES else AMBIGUOUS
    for run in record.used_runs:
        longest = max(run.train_ms or run.coarse_ms, default=Decimal(0))
        if longest > LIMIT_MS + TOLERANCE_MS:
            claim = f"training took {plain(longest / 1000, 3)} s"
            notes.add("over-time", certainty, claim, run.file, "at most 600 s, and the last step")
        evaluation = max(run.eval_ms, default=Decimal(0))
        if evaluation > LIMIT_MS + TOLERANCE_MS:
            claim = f"evaluation took {plain(evaluation / 1000, 3)} s"
            notes.add("over-time", certainty, claim, run.file, "at most 600 s")


def hardware(record: Record, notes: Notes) -> None:
    """The number of processes that ran, against eight, and against what is stated."""
    worlds = sorted({run.world for run in record.used_runs if run.world})
    if not worlds:
        return
    stated = stated_gpus(record)
    wrong = [world for world in worlds if stated and world not in stated]
    if wrong:
        claim = f"{min(stated)} GPUs are stated"
        evidence = f"the logs say world_size {', '.join(map(str, worlds))}"
        place = record.submissions[0].name if record.submissions else record.name
        sure = track_of(record) is not Track.OPEN and not other_hardware(record)
        notes.add("world-size", MISMATCH if sure else AMBIGUOUS, claim, place, evidence)
    elif track_of(record) is Track.TEN_MINUTES and worlds != [GPUS]:
        claim = f"world_size {', '.join(map(str, worlds))}"
        place = record.used_runs[0].file
        notes.add("world-size", MISMATCH, claim, place, "the track is run on 8 GPUs")


def texts(record: Record) -> str:
    """All prose of the record."""
    parts = [str(v) for s in record.submissions for v in s.facts.values() if isinstance(v, str)]
    return "\n".join([*parts, record.readme.text if record.readme else ""])


def stated_gpus(record: Record) -> set[int]:
    """Every number of GPUs that the record states, as `world_size` or as in `8xH100`."""
    fields = {
        int(value.value)
        for submission in record.submissions
        for key, value in submission.facts.items()
        if key.lower() in GPU_KEYS and isinstance(value, Number) and value.is_integer
    }
    prose = texts(record)
    return fields or {int(n) for n in (*GPUS_STATED.findall(prose), *NPROC.findall(prose))}


def other_hardware(record: Record) -> bool:
    """Whether the texts also name hardware without saying how many."""
    return bool(OTHER_HARDWARE.search(texts(record)))
