"""Logs that a script printed for people: `epoch 3 | loss 0.12 | acc 91.2%` and its many kin.

Of a line the quantities are taken whose name holds a word for a metric, with the epoch and the step
that the line, or a heading above it, says. A bar that was drawn over itself counts as what it last
showed of an epoch. A meter that prints its mean in brackets, `Loss 0.12 (0.13)`, gives both.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from goldenseal.audit.log_patterns import PREFIX
from goldenseal.audit.numbers import Number, parse
from goldenseal.audit.series import Metrics, Point
from goldenseal.audit.words import in_one_case, words

MAX_LINE = 2000  # characters of a line, or of one drawing of a bar
METRICS = frozenset(
    """loss losses acc accuracy error err perplexity ppl nll bpb bpc bleu rouge meteor f1 auc auroc
    precision recall prec acc1 acc5 prec1 prec5 mse rmse mae mape psnr ssim fid dice iou miou map
    wer cer top1 top5 em exactmatch mrr ndcg kappa mcc score reward return r2 elbo dsc chrf ap
    """.split()
)
# A line with one of these speaks of another run, of a goal, or of what is loaded.
ELSEWHERE = re.compile(
    r"\b(?:baselines?|targets?|thresholds?|previous(?:ly)?|prior|loading|loaded|load|resum\w+|"
    r"restor\w+|expected|reported|paper|published|patience|improved?|warm[- ]?up)\b",
    re.IGNORECASE,
)
SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
          "eval": "val", "evaluation": "val", "dev": "val", "test": "test", "testing": "test",
          "validating": "val", "evaluating": "val"}  # fmt: skip
HEAD = re.compile(rf"^\W*(?:(?:INFO|DEBUG)\W+)?({'|'.join(SPLITS)})\b", re.IGNORECASE)
NAMED = re.compile(rf"(?<![A-Za-z])({'|'.join(SPLITS)})(?![A-Za-z])", re.IGNORECASE)
BATCHES = re.compile(r"^\W*epoch\W*\[?\d+\]?\W*\[\s*\d+\s*/\s*\d+", re.IGNORECASE)  # of training
NUM = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
PAIR = re.compile(
    r"(?P<name>[A-Za-z][\w@/-]*(?:[ ][A-Za-z][\w@/-]*){0,4})['\"]?"
    rf"(?:\s*[:=]\s*|\s+)['\"]?(?P<value>{NUM})(?![\w@]|\.\d)"
    rf"(?:\s*/\s*(?P<of>\d+))?\s*(?P<unit>%?)(?:\s*\((?P<mean>{NUM})\s*(?P<share>%?)\))?"
)
EPOCH = re.compile(
    r"\bepochs?\b['\"]?\s*[:=#]?\s*\[?\s*(\d{1,7})(?:\.0+)?(?![\d.]*\d)", re.IGNORECASE
)
COUNT = re.compile(r"\bepochs?\b['\"]?\s*[:=#]?\s*\[?\s*\d+(?:\s*/\s*\d+)?\]?", re.IGNORECASE)
# `Accuracy of the network on the 10000 test images: 55 %`
IMAGES = re.compile(
    r"(?: of the \w+)? on (?:the )?\d+ (test|val\w*|train\w*)(?: \w+)?(?=\s*[:=])", re.IGNORECASE
)
STEP = re.compile(
    r"(?:\b(?:global_?step|step|iter(?:ation)?|update|batch)s?\b['\"]?|^s)\s*[:=#]?\s*\[?\s*"
    r"(\d{1,12})(?![\d.]*\d)",
    re.IGNORECASE,
)
SEED = re.compile(r"\b(?:random_?)?seed\b['\"]?\s*(?:[:=]|\bis\b|\bto\b|\s)\s*(\d{1,10})\b", re.I)
DUMP = re.compile(r"^\W*(?:\w+\W+)?(?:Namespace|Config|Args|TrainConfig|Arguments)\((.*)\)\s*$")
SETTING = re.compile(r"(\w+)=('[^']*'|\"[^\"]*\"|[^\s,()\[\]]+)")
# What a program of one's own prints under letters alone: llm.c.
SHORT = {"tel": "val loss", "trl": "train loss"}
SHORT_PAIR = re.compile(rf"\b({'|'.join(SHORT)}):({NUM})")
BACK = re.compile(r"[\x08]+")


@dataclass
class Moment:
    """Where in a run the reading is: which epoch, which step, which split of the data."""

    epoch: Decimal | None = None
    step: int | None = None
    split: str = ""


@dataclass
class ProseLog:
    """The quantities of one log, read line by line."""

    metrics: Metrics
    moment: Moment = field(default_factory=Moment)
    seed: int | None = None

    def take(self, line: int, raw: str) -> None:
        """One line, which may hold many drawings of a bar."""
        if "\x08" in raw:
            raw = BACK.sub("\r", raw)
        if "\r" not in raw:
            for name, point in self.read(line, raw):
                self.metrics.add(name, point)
            return
        shown: dict[str, Point] = {}
        for part in raw.split("\r"):
            for name, point in self.read(line, part):
                if name in shown and shown[name].epoch != point.epoch:
                    self.metrics.add(name, shown[name])
                shown[name] = point
        for name, point in shown.items():
            self.metrics.add(name, point)

    def read(self, line: int, raw: str) -> Iterable[tuple[str, Point]]:
        """The quantities of a line; and what it says of where the run is."""
        if len(raw) > MAX_LINE or len(raw) < 4 or not any(c.isdigit() for c in raw):
            return
        text = PREFIX.sub("", raw, count=1).strip()
        if dumped := DUMP.match(text):
            for key, value in SETTING.findall(dumped[1]):
                self.metrics.set(key, value.strip("'\""))
            return
        if self.seed is None and "seed" in text.lower() and (match := SEED.search(text)):
            self.seed = int(match[1])
        if ELSEWHERE.search(text):
            return
        moment = self.at(text)
        for match in SHORT_PAIR.finditer(text):
            if number := parse(match[2]):
                yield SHORT[match[1]], Point(number, moment.step, line, moment.epoch)
        for name, number in quantities(text, moment.split):
            yield name, Point(number, moment.step, line, moment.epoch)

    def at(self, text: str) -> Moment:
        """Where the run is; a heading such as `Epoch 3/10` stays so for the lines below it."""
        epoch, step = EPOCH.search(text), STEP.search(text)
        if epoch:
            number = Decimal(epoch[1])
            if number != self.moment.epoch:
                self.moment = Moment(number)
        if step:
            self.moment = Moment(self.moment.epoch, int(step[1]))
        head = HEAD.match(text)
        split = SPLITS[head[1].lower()] if head else "train" if BATCHES.match(text) else ""
        return Moment(self.moment.epoch, self.moment.step, split)


def quantities(text: str, split: str) -> Iterable[tuple[str, Number]]:
    """(name, value) of each quantity in a line. `split` is of those that name none themselves."""
    text = IMAGES.sub(r" on \1", COUNT.sub(" | ", text))
    splits = [(m.start(), SPLITS[m[1].lower()]) for m in NAMED.finditer(text)]
    several = len({each for _, each in splits}) > 1
    for match in PAIR.finditer(text):
        name, number = match["name"], parse(match["value"])
        if several:  # `Train Loss: 0.45 Acc: 0.83 | Test Loss: 0.32 Acc: 0.87`
            split = next((each for at, each in reversed(splits) if at < match.start("value")), "")
        known = set(words(in_one_case(name.replace("@", " "))))
        if number is None or not known & METRICS:
            continue
        own = known & set(SPLITS)
        full = name if own or not split else f"{split} {name}"
        if match["of"]:  # 9913/10000 (99%)
            whole = Decimal(match["of"])
            if whole >= number.value and whole > 0 and not number.digits:
                share = parse(f"{number.value / whole:.10f}".rstrip("0"))
                yield from [(full, share)] if share else []
            continue
        yield full, number
        if match["mean"] and not match["share"] and (mean := parse(match["mean"])):
            yield f"{full} avg", mean
