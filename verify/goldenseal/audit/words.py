"""What a key or a column heading means, by its words: `zstd` does not contain the word `std`."""

import re
from dataclasses import dataclass
from decimal import Decimal

SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")
# Bits a byte by their long name.
LONG_BPB = re.compile(r"bits?[-_ ]*(?:/|per)[-_ ]*byte(?![a-z])", re.IGNORECASE)
CASED = re.compile(r"\bm?IoU|\bmAP")
SETTING = re.compile(r"\b\w{1,12}\s*=\s*[\w.]+")  # as in `sliding (s=64)`
SEED_KEY = re.compile(r"(?<![A-Za-z])seed[-_ ]?(\d{1,10})(?!\d)", re.IGNORECASE)
BARE_SEED = re.compile(r"s?(\d{1,10})")
PER_SEED = re.compile(r"(?:_|\b)(?:by|per)[-_ ]seeds?(?:_|\b)", re.IGNORECASE)

# A key with one of these describes something else than this record's own runs.
ELSEWHERE = frozenset(
    """base baseline baselines comparison compared delta deltas gain gains improvement improvements
    improve improved improves vs versus prev previous prior sota ref reference references parent
    merged target threshold diff difference gap margin margins penalty limit cap headroom remaining
    leaderboard original upstream estimated estimate projected expected ci lower upper bound
    attribution ablation ablations sweep budget under below reduction cost degradation drop lineage
    tolerance change changes contribution contributions tapering oracle theoretical over max_allowed
    allowed record naive frontier beats nats_delta historical history control public anchor
    """.split()
)
SPREAD = frozenset("std stdev stddev sd sigma deviation".split())
VARIANCE = frozenset("variance range spread ratio per pct percent frac fraction".split())
BEFORE = frozenset(
    """pre prequant prequantization unquantized uncompressed raw ema before fp32 bf16 float
    precision""".split()
)
ERRORS = frozenset("sem stderr se".split())
# Places of a sample that no log is asked for: neither a mean nor the score of a run.
NOT_MEANS = frozenset("median geometric geo harmonic trimmed weighted iqr quantile".split())
MEANS = frozenset("mean avg average".split())
# Steps, parameters and times of a run go by few names; every other word makes them another thing.
STEPS = frozenset(
    """step steps stop stopped total train training num number n final last completed reached at max
    count trained taken done""".split()
)
PARAMS = frozenset(
    "param params parameters model num number n total count m million millions".split()
)
TRAIN = frozenset("train training wallclock wall clock time duration elapsed".split())
NOT_BYTES = frozenset(
    """memory mem peak payload ratio val train token tokens tokenizer vocab gpu vram dataset data
    allocated reserved max_bytes cache sidecar canonical split eval corpus headroom""".split()
)
MILLION = Decimal(10**6)
MEGA = {"mb": Decimal(10**6), "mib": Decimal(2**20), "kb": Decimal(1000), "kib": Decimal(1024)}
TIME = {
    "ms": Decimal(1),
    "s": Decimal(1000),
    "sec": Decimal(1000),
    "secs": Decimal(1000),
    "second": Decimal(1000),
    "seconds": Decimal(1000),
    "min": Decimal(60000),
    "minutes": Decimal(60000),
    "h": Decimal(3_600_000),
}


@dataclass(frozen=True)
class Meaning:
    """What a number under a key is; role "" when it is nothing that a log could support."""

    role: str = ""
    statistic: str = ""
    before: bool = False
    scale: Decimal = Decimal(1)


def in_one_case(text: str) -> str:
    """Names whose capitals stand within a word, `mIoU` and `mAP`, in small letters."""
    return CASED.sub(lambda match: match[0].lower(), text)


def words(key: str) -> list[str]:
    """The words of a key in lower case: `bytes_model_int6_zstd`, `valBpb`, `Post-EMA BPB`."""
    if "yte" in key:
        key = LONG_BPB.sub("bpb", key)
    if "=" in key:
        key = SETTING.sub(" ", key)
    return [word.lower() for word in SPLIT.findall(key)]


def seed_of_key(key: str, within_seeds: bool) -> int | None:
    """The seed that a key names: `seed_300` anywhere, a bare `1337` only within seeds."""
    if match := SEED_KEY.search(key):
        return int(match[1])
    bare = BARE_SEED.fullmatch(key) if within_seeds else None
    return int(bare[1]) if bare else None


def meaning(key: str) -> Meaning:
    """The meaning of one key, by its words alone."""
    known = set(words(PER_SEED.sub("_", key)))
    if known & ELSEWHERE or known & VARIANCE - {"per", "range", "ratio"} or known & NOT_MEANS:
        return Meaning()
    statistic = _statistic(known)
    after = re.search(r"post[-_ ]?quant", key, re.IGNORECASE)
    before = bool(known & BEFORE) and not after
    if "pre" in known and "ttt" in known:
        before = True  # before adaptation: any event of the log may be meant
    if "bpb" in known or "bpbs" in known:
        return Meaning("bpb", statistic, before)
    losses = known & {"loss", "nats", "losses"} and not known & {"train", "sum", "total", "count"}
    if losses:
        return Meaning("loss", statistic, before)
    if role := _bytes(known):
        return Meaning(role, statistic, before, _scale(known, MEGA))
    if known & {"params", "parameters", "param"} and known - MEANS <= PARAMS:
        return Meaning("params", statistic, False, MILLION if "m" in known else Decimal(1))
    timed = "step" in known and known & MEANS  # `step_avg` is a time
    if known & {"step", "steps"} and not timed and known - MEANS <= STEPS:
        return Meaning("steps", statistic)
    return _time(known, statistic)


def _statistic(known: set[str]) -> str:
    if known & ERRORS or (known & {"error", "err"} and known & {"standard", "std"}):
        return "standard error"
    if known & SPREAD:
        return "std"
    if known & MEANS:
        return "mean"
    for word, name in (("min", "min"), ("best", "min"), ("max", "max"), ("worst", "max")):
        if word in known:
            return name
    return ""


def _bytes(known: set[str]) -> str:
    if known & NOT_BYTES or "per" in known:
        return ""
    sized = bool(known & {"bytes", "size", "mb", "mib", "kb", "kib"})
    if not sized:
        return ""
    if "code" in known or "script" in known:
        return "code"
    if known & {"artifact", "submission", "total"}:
        return "total"
    if known & {"model", "weights", "compressed", "quantized", "checkpoint"}:
        return "" if known & {"dim", "context"} else "model"
    return ""


def _time(known: set[str], statistic: str) -> Meaning:
    scale = _scale(known, TIME) if known & set(TIME) else Decimal(0)
    if "step" in known or known & {
        "reserve",
        "reserved",
        "max",
        "warmup",
        "compile",
        "calibration",
    }:
        return Meaning()
    if not scale:
        return Meaning()
    if known & {"ttt", "eval", "evaluation", "inference", "val", "sliding"}:
        return Meaning("evaluation", statistic, False, scale)
    if known & {"train", "training", "wallclock"} and known - MEANS - set(TIME) <= TRAIN:
        return Meaning("train", statistic, False, scale)
    return Meaning()


def _scale(known: set[str], units: dict[str, Decimal]) -> Decimal:
    for word, factor in units.items():
        if word in known:
            return factor
    return Decimal(1)
