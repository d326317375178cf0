"""The lines of run logs: what each kind looks like."""

import re

from goldenseal.audit.model import Stage

NUM = r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?"
INT = r"\d[\d,]*\d(?!\.?\d)|\d(?![\d,.])"

RULE = re.compile(r"^={60,}[ \t\r]*$", re.MULTILINE)
# A log prints its script whole; these begin lines of Python and of nothing that a run prints.
PYTHON_LINE = re.compile(
    r"^(?:import \w|from [\w.]+ import |def \w+\(|class \w+|@\w|if __name__|exec\()", re.MULTILINE
)

PREFIX = re.compile(
    r"^(?:\[?\d{9,11}(?:\.\d+)?\]?[ \t:|]+"  # unix time
    r"|\[[^\]\n]{1,60}\]:?[ \t]*"  # [rank0]: [JEPA] [2026-03-18 01:02:03]
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,\d]*Z?[ \t]*(?:[A-Z]+[ \t:]+)?)+"
)
STEP = re.compile(
    r"^(?:(?:train_)?(?:step|iter|iteration)\s*[:=]?\s*(\d+)(?:\s*/\s*(\d+))?|(\d+)/(\d+))(?![\d.])",
    re.IGNORECASE,
)
SCORE = re.compile(
    r"([A-Za-z_][\w.+-]*)(?:[\"']?\s*[:=]\s*|\s+)([-+]?\d+\.\d+(?:[eE][-+]?\d+)?)(?![\w.])"
)
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SEED = re.compile(r"(?:^|[\s,])seed\s*[:=]\s*(\d{1,18})\b", re.IGNORECASE)
PARAMS = re.compile(
    r"^(?:.*\bmodel_params|(?:total |num_|model |total_|n_)?param(?:s|eters)(?: count)?)"
    rf"\s*[:=]\s*({INT})",
    re.IGNORECASE,
)
WORLD = re.compile(r"\bworld_size\s*[:=]\s*(\d{1,6})\b")
TOKENS = re.compile(rf"(?:\bval_tokens\s*[:=]|\bval_loader:.*?\btokens:)\s*({INT})")
TRAIN_TIME = re.compile(rf"\btrain(?:ing)?_time\s*[:=]\s*({NUM})\s*(ms|m\b|min|s)?")
SHORT_TIME = re.compile(rf"\bt\s*[:=]\s*({NUM})\s*(ms|s)\b")
STEP_TIME = re.compile(rf"\bstep_avg\s*[:=]\s*({NUM})\s*(ms|s)?")
EVAL_TIME = re.compile(rf"\b(?:eval_time|elapsed|eval_seconds)\s*[:=]\s*({NUM})\s*(ms|m\b|min|s)?")
STOP_STEP = re.compile(r"\bstep\s*[:=]?\s*(\d+)(?:\s*/\s*(\d+))?")
TOTAL = re.compile(
    r"(?:\btotal submission size|\btotal[ _](?:artifact|size|bytes)(?:[ _](?:size|bytes))?"
    r"|\bartifact(?:[ _](?:size|bytes))*|\bsubmission[ _](?:size|bytes)(?:[ _]bytes)?"
    r"|^budget(?=\s*:))"
    rf"(?P<label>[^:=|\n]{{0,60}}?)\s*[:=|]\s*(?P<value>{INT})",
    re.IGNORECASE,
)
MODEL = re.compile(
    r"(?:serialized model|compressed model|model[ _](?:size|bytes)|(?<![\w])model(?=\s*:))"
    rf"(?P<label>[^:=|\n]{{0,60}}?)\s*[:=|]\s*(?P<value>{INT})",
    re.IGNORECASE,
)
CODE = re.compile(
    r"\bcode(?:[ _](?:size|bytes))?(?P<label>\s*\([^)\n]{0,40}\))?\s*[:=|]\s*"
    rf"(?P<value>{INT})",
    re.IGNORECASE,
)
MEMORY = re.compile(r"\b(?:allocated|reserved|memory)\s*[:=]\s*(\d{2,7})\s*MiB", re.IGNORECASE)
BRACKETED = re.compile(
    r"\b(?:artifact|submission)\b.{0,60}?\d\.\d+\s*M(?:i)?B\s*\(\s*([\d,]{8,12})\s*bytes", re.I
)
# A limit on a size, or the name of a file.
NO_SIZE = re.compile(r"/|cap\b|limit|budget|headroom|max\b|remaining", re.IGNORECASE)
DUMP = re.compile(r"^[ \t]+([A-Za-z_]\w{0,60})\s*[:=]\s*(\S.*)$")
INLINE = re.compile(r"([A-Za-z_]\w{0,60}):(\S+)")
NEW_RUN = re.compile(r"^(?:Hyperparameters:|train_loader:|val_loader:|model_params\s*:)")
# A line of these says what happens at a moment of the run; it sets nothing.
EVENT = re.compile(
    r"(?:^|[\s,_])(?:step|steps_done|stage|phase|progress|elapsed|epoch|iter|eta|loss|train_loss|"
    r"grad_norm|tok_s|tokens_per_second|memory|mem|peak)\s*[:=]|^\w*(?:stage|phase|event)\b",
    re.IGNORECASE,
)
# Lines of a log that stand before the source of the next run in the same file.
LOG_LINE = re.compile(
    r"^(?:\d+/\d+ .*|(?:train_)?(?:step|iter)\w*\s*[:=]?\s*\d.*|[\w+-]+(?: [\w+-]+){0,3}:\s?[\d(].*"
    r"|final.*|.*\bval_\w+\s*[:=].*\d.*|peak memory.*|stopping_early.*)$",
    re.MULTILINE,
)

NOT_THIS_SCORE = re.compile(
    r"running|train|delta|gain|gap|improv|baseline|best|target|sota|threshold|std|running", re.I
)
PROGRESS = re.compile(r"\d\s*%|\bchunks? ?\[?\d|\bwindows\b|\[\d+/\d+\]|\bbatch(?:es)? ?\d+/", re.I)
BEFORE = re.compile(
    r"pre[-_ ]?quant|prequant|post[-_ ]?ema|\braw\b|\bfp32\b|\bbf16\b"
    r"|\bunquantized\b|\bema_eval|\bswa_eval|before[ _]quant",
    re.IGNORECASE,
)
AFTER = re.compile(r"roundtrip|(?<!pre)(?<!pre[-_ ])quantized|int[4-8]|ttt", re.IGNORECASE)
TEN = {"ms": "1", "s": "1000", "m": "60000", "min": "60000"}  # milliseconds


def stage_of(label: str) -> Stage:
    """Where a score with this label was measured. Labels lie, so this is a first guess only."""
    if STEP.match(label):
        return Stage.STEP
    if BEFORE.search(label) and not AFTER.search(BEFORE.sub("", label)):
        return Stage.BEFORE
    return Stage.FINAL
