"""A run log as a list of events, run by run."""

import codecs
import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal

from goldenseal.audit import log_patterns as p
from goldenseal.audit.measured import to_run
from goldenseal.audit.model import Log, Run, Score, Size, Stage, seed_in_name
from goldenseal.audit.numbers import parse
from goldenseal.audit.reader import PIECE, encoding_of
from goldenseal.audit.series import MLLOG, Metrics
from goldenseal.audit.words import LONG_BPB

MAX_SOURCE = 1 << 22  # characters of an embedded script
MAX_LINE = 2000  # characters; events are far shorter, embedded data far longer
MAX_SCORES = 2000  # of a stage, in a run
MAX_SIZES = 40  # of a kind, in a run
MAX_RUNS = 60  # in a file


def read_log(name: str, data: bytes) -> Log:
    """The runs in a log file that is in memory; a file without any event gives none."""
    return read_pieces(name, [data])


def read_pieces(name: str, pieces: Iterable[bytes]) -> Log:
    """The runs in a log that comes in pieces of whole lines, in the memory of one piece."""
    h = hashlib.sha256()
    decoder, size, first = None, 0, 1
    reading = Reading(name)
    rest = ""
    sources: list[str] = []
    for data in pieces:
        h.update(data)
        size += len(data)
        decoder = decoder or codecs.getincrementaldecoder(encoding_of(data))(errors="replace")
        text = decoder.decode(data).replace("\x00", "")
        if "\x1b" in text:
            text = p.COLOURS.sub("", text)
        text, found, kept = without_source(rest + text, len(data) >= PIECE)
        sources += found[: MAX_RUNS - len(sources)]
        # What may be source, if a rule follows in the next piece, waits for it.
        rest = kept if len(kept) < MAX_SOURCE else ""
        text = text[: len(text) - len(rest)]
        reading.take(first, text)
        first += text.count("\n")
    reading.take(first, rest)
    runs = _merged(reading.end())
    if len(runs) == 1 and runs[0].seed is None:
        runs[0].seed = seed_in_name(name)
    return Log(name, h.hexdigest(), size, runs, tuple(dict.fromkeys(sources)))


def without_source(text: str, goes_on: bool = False) -> tuple[str, list[str], str]:
    """(the log with embedded source blanked, those sources, a tail that may be one): segments
    before a long rule of `=` that are Python, from where the lines of a run before end. Line
    numbers stay.
    """
    borders = [0, *(edge for rule in p.RULE.finditer(text) for edge in rule.span()), len(text)]
    kept, sources, tail = [], [], ""
    for i in range(0, len(borders) - 1):
        part = text[borders[i] : borders[i + 1]]
        ended = i + 2 < len(borders)
        if i % 2 == 0 and (ended or goes_on) and is_python(part):
            begin = source_begin(part)
            if ended:
                sources.append(part[begin:])
                part = part[:begin] + "\n" * part.count("\n", begin)
            else:
                tail = part[begin:]
        kept.append(part)
    return "".join(kept), sources, tail


def source_begin(part: str) -> int:
    """Where, in a segment that holds a script, the lines of a run before it end."""
    python = p.PYTHON_LINE.search(part)
    last = 0
    for match in p.LOG_LINE.finditer(part, 0, python.start() if python else 0):
        last = match.end() + 1
    return last


def is_python(part: str) -> bool:
    """Whether a segment of a log holds a script."""
    words = {m[0].split()[0] for m in p.PYTHON_LINE.finditer(part[:MAX_SOURCE])}
    return len(words) >= 2 or any(word.startswith("exec") for word in words)


class Reading:
    """The runs of a file as far as its lines were taken."""

    def __init__(self, name: str):
        self.runs = [Run(name, 1)]
        self.last: tuple[int, str] | None = None  # the last training line, read when a run ends
        self.heads = 0  # of the present run
        self.metrics = Metrics(name)  # of lines that are objects

    def take(self, first: int, text: str) -> None:
        """Read lines, of which the first has this number."""
        bars = "\r" in text
        for number, raw in enumerate(text.split("\n"), start=first):
            if bars and "\r" in raw:  # one that was drawn over itself, or the ends of lines
                for part in raw.split("\r"):
                    self.line(number, part)
            elif "train_loss" in raw and "val_" not in raw and raw[:1] != "{":
                self.last = (number, raw)
            elif len(raw) > 5:
                self.line(number, raw)

    def line(self, number: int, raw: str) -> None:
        """Take one line. Nearly all are of training, and only the last of those matters."""
        run = self.runs[-1]
        if raw[:1] != "{" and ("train_loss" in raw or ("loss:" in raw[:60] and "val_" not in raw)):
            self.last = (number, raw)
            if len(raw) > MAX_LINE or "val_bpb" not in raw:
                return
        if (raw[:1] == "{" or MLLOG in raw) and self.metrics.take_line(number, raw):
            return
        if len(raw) < 6 or len(raw) > MAX_LINE or "warmup" in raw[:30]:
            return
        line = p.PREFIX.sub("", raw, count=1)
        if len(self.runs) < MAX_RUNS and self.begins(line, run):
            _finish(run, self.last)
            self.last, self.heads = None, 0
            run = Run(run.file, number)
            self.runs.append(run)
        self.heads += line.startswith("Hyperparameters:")
        read_line(run, number, line, self.last is not None)

    def begins(self, line: str, run: Run) -> bool:
        """Whether a line opens a run: one comes after this one has trained or was scored, or
        lists its hyperparameters once more, for it was begun anew.
        """
        return begins_run(line, run, self.last is not None) or (
            self.heads > 0 and line.startswith("Hyperparameters:")
        )

    def end(self) -> list[Run]:
        """All runs, the last one finished."""
        _finish(self.runs[-1], self.last)
        if self.metrics.series and (run := to_run(self.metrics)):
            _join(self.runs[-1], run)
        return self.runs


def _join(run: Run, measured: Run) -> None:
    """Add to a run what its log says in lines that are objects."""
    for name in ("scores", "totals", "models", "codes", "steps", "train_ms", "eval_ms"):
        getattr(run, name).extend(getattr(measured, name))
    for name in ("seed", "params", "world"):
        if getattr(run, name) is None:
            setattr(run, name, getattr(measured, name))
    run.knobs = {**measured.knobs, **run.knobs}


def begins_run(line: str, run: Run, trained: bool) -> bool:
    """Whether a line that opens a run comes after this one has trained or was scored."""
    if not trained and not run.scores:
        return False
    if p.NEW_RUN.match(line):
        return True
    seed = p.SEED.match(line)
    return seed is not None and run.seed is not None and bool(run.finals or trained)


def _merged(runs: list[Run]) -> list[Run]:
    """Runs with events; one that only says how it is evaluated again belongs to the one before,
    and an attempt that was given up before the next one does not count.
    """
    kept: list[Run] = []
    for run in runs:
        if kept and run.seed is None and not run.steps and kept[-1].file == run.file:
            before = kept[-1]
            for name in ("scores", "totals", "models", "codes", "eval_ms"):
                getattr(before, name).extend(getattr(run, name))
        elif run.scores or run.totals or run.steps or run.seed is not None or run.params:
            kept.append(run)
    return [run for i, run in enumerate(kept) if not _given_up(run, kept[i + 1 :])]


def _given_up(run: Run, later: list[Run]) -> bool:
    """Whether a run has no final score, and one that follows trained anew to one."""
    return not run.finals and any(
        other.finals and other.steps and (run.seed in (None, other.seed) or not run.scores)
        for other in later
    )


def _finish(run: Run, last: tuple[int, str] | None) -> None:
    if last is not None and len(last[1]) <= MAX_LINE:
        _read_step(run, p.PREFIX.sub("", last[1], count=1))
    run.steps = sorted(set(run.steps))


def read_line(run: Run, number: int, line: str, trained: bool = False) -> None:
    """Take what one line says. Cheap words first: nearly all lines are of no interest."""
    low = line.lower()
    if "byte" in low and "bit" in low and "bpb" not in low:
        line = LONG_BPB.sub("bpb", line)
        low = line.lower()
    if "bpb" in low:
        _read_score(run, number, line)
    if "step" in low or "train_time" in low or p.STEP.match(line):
        _read_step(run, line)
    if "size" in low or "bytes" in low or "budget" in low or "artifact" in low or "code" in low:
        _read_sizes(run, number, line)
    if "seed" in low and run.seed is None and (match := p.SEED.search(line)):
        run.seed = int(match[1])
    if "param" in low and run.params is None and (match := p.PARAMS.search(line)):
        run.params = _int(match[1])
    if "world_size" in low and (match := p.WORLD.search(line)):
        run.world = int(match[1])
    if "mib" in low and "memory" in low:
        run.memory += [int(found) for found in p.MEMORY.findall(line)][: 8 - len(run.memory)]
    if "tokens" in low and run.tokens is None and (match := p.TOKENS.search(line)):
        run.tokens = _int(match[1])
    if not trained and not run.steps and len(run.knobs) < 1000 and not p.EVENT.search(line):
        _read_knobs(run, line)


def _read_score(run: Run, number: int, line: str) -> None:
    loss = bpb = None
    start = len(line)
    for match in p.SCORE.finditer(line):
        name = match[1].lower()
        if p.NOT_THIS_SCORE.search(name):
            continue
        if name.endswith("bpb") and bpb is None:
            bpb = parse(match[2])
        elif name.endswith(("val_loss", "nats")) or name == "loss":
            loss = loss or parse(match[2])
        else:
            continue
        start = min(start, match.start())
        label_tail = re.sub(r"(?:val_)?(?:bpb|loss)$", "", name)
        if label_tail and start == match.start():
            start = match.start() + len(label_tail)
    label = line[:start].strip(" \t:-|=")
    if bpb is None or p.PROGRESS.search(label):
        return
    step = p.STEP.match(label)
    at = int(next(filter(None, (step[1], step[3])))) if step else None
    seconds = p.EVAL_TIME.search(line)
    taken = _ms(seconds[1], seconds[2]) if seconds else None
    stage = p.stage_of(label)
    run.counts[stage] += 1
    if run.counts[stage] > MAX_SCORES:
        return
    run.scores.append(Score(label, stage, loss, bpb, number, at, taken and taken / 1000))
    if taken is not None and stage is Stage.FINAL:
        run.eval_ms.append(taken)


def _read_step(run: Run, line: str) -> None:
    if line.startswith("stopping_early"):
        step = p.STOP_STEP.search(line)
        if step and len(step[1]) < 12:
            run.steps.append(int(step[1]))
    elif match := p.STEP.match(line):
        step_text, planned = match[1] or match[3], match[2] or match[4]
        if len(step_text) < 12:
            run.steps = [*run.steps[-7:], int(step_text)]
        if planned and len(planned) < 12:
            run.planned = int(planned)
    else:
        return
    if time := p.TRAIN_TIME.search(line):
        # Minutes, to a tenth, are kept apart: they would confirm any time that is near.
        into = run.coarse_ms if time[2] in ("m", "min") else run.train_ms
        into[:] = [*into[-7:], _ms(time[1], time[2] or "ms")]
    if time := p.STEP_TIME.search(line):
        run.step_ms[:] = [*run.step_ms[-7:], _ms(time[1], time[2] or "ms")]
    if "train_time" not in line and (time := p.SHORT_TIME.search(line)):
        run.train_ms[:] = [*run.train_ms[-7:], _ms(time[1], time[2])]


def _read_sizes(run: Run, number: int, line: str) -> None:
    for pattern, into in ((p.TOTAL, run.totals), (p.MODEL, run.models), (p.CODE, run.codes)):
        for match in pattern.finditer(line):
            value = _int(match["value"])
            label = (match["label"] or "").strip(" ()\"'")
            if value is not None and value >= 100 and len(into) < MAX_SIZES:
                if not p.NO_SIZE.search(label):
                    into.append(Size(label, value, number))
    _read_bracketed(run, number, line)


def _read_bracketed(run: Run, number: int, line: str) -> None:
    """`artifact: 15.98 MB (15,981,234 bytes)`."""
    if match := p.BRACKETED.search(line):
        value = _int(match[1])
        if value is not None and len(run.totals) < MAX_SIZES:
            run.totals.append(Size("in bytes", value, number))


def _read_knobs(run: Run, line: str) -> None:
    if dumped := p.DUMP.match(line):
        run.knobs[dumped[1].lower()] = dumped[2].strip()
    elif ":" in line and len(line) < 400:
        pairs = p.INLINE.findall(line)
        if pairs and len(pairs) == len(line.split()):
            run.knobs.update((name.lower(), value) for name, value in pairs)


def _int(text: str) -> int | None:
    digits = text.replace(",", "")
    return int(digits) if len(digits) <= 18 else None


def _ms(text: str, unit: str | None) -> Decimal:
    number = parse(text)
    return (number.value if number else Decimal(0)) * Decimal(p.TEN.get(unit or "s", "1000"))
