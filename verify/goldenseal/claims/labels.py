"""The words by which a text calls a statistic: mean, median, standard error, 95 % interval, p.

A statistic is of one of three kinds: where values lie, how far they are spread, or what a test
says. A name is `loose` when it is a common word besides; it counts only right beside a number or in
the head of its column.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

LOCATION, SPREAD, TEST = "location", "spread", "test"
MULTIPLE = "multiple of the standard deviation"
BOUND = "\ue002"  # stands for a digit of a bound numeral, which is no part of a name

_SD = (
    r"(?:(?:standard|std\.?|st\.?)[\s-]*(?:deviation|dev\b\.?)s?|stds?\b\.?|sds?\b|s\.\s?d\.(?!\w))"
)
_PERCENT = r"\d{2}(?:\.\d+)?\s*(?:%|percent|per cent)[\s-]*(?:\w+[\s-]+)?"
_OF_MEAN = (
    r"(?:[\s-]+(?:of|for|on|about|around)\s+(?:(?:the|its|their)\s+)?(?:paired\s+)?"
    r"(?:means?|medians?|averages?|differences?))?"
)
_ONE_TO_TEN = "one|two|three|four|five|six|seven|eight|nine|ten"
_OF_RUNS = rf"(?:[\s-]+of[\s-]+(?:the[\s-]+)?(?:n\b|\d+|{_ONE_TO_TEN}))"
_THINGS = (  # the best of these is no statistic
    r"(?![\s-]+(?:(?:\w+[\s-]+)?|of[\s-]+(?:\w+[\s-]+){0,3}?)(?:config|variant|model|arm\b|setting"
    r"|feature|system|method|baseline|recipe|schedule|checkpoint|known|published|choice|practice"
    r"|learning|rates?\b|width|depth|size|loop|weight))"
)
_MOMENTS = (  # the last of these is no statistic either
    r"(?![\s-]+(?:steps?|epochs?|lines?|validation|evaluation|layers?|blocks?|batch|tokens?|digits?"
    r"|iterations?|checkpoint|column|row|section|paragraph|week|year|time)\b)"
)

# name, kind, loose, pattern without regard to case, pattern with. The longer names come first; a
# name that is empty is of no statistic, though it has a word of one.
NAMES: tuple[tuple[str, str, bool, str, str], ...] = (
    ("", "", False, r"\b(?:root[\s-]+)?mean[\s-]+(?:squared?|absolute)[\s-]+(?:percentage[\s-]+)?"
     r"errors?\b", ""),
    ("", "", False, r"\b(?:moving|running|exponential|ema|weight|model|checkpoint)[\s-]+"
     r"averag(?:e|es|ing)\b|\b(?:mean|average|max)[\s-]+pool\w*", ""),
    ("", "", False, r"\b(?:that|which|this|it|what|also|no|by)\s+means?\b|\bmeans (?:that|to)\b"
     r"|\bmean ?time\b", ""),
    ("median absolute deviation", SPREAD, False, r"\bmedian[\s-]+absolute[\s-]+deviations?\b",
     r"\bMAD\b"),
    ("mean absolute deviation", SPREAD, False, r"\b(?:mean|average)[\s-]+absolute[\s-]+"
     r"deviations?\b", ""),
    ("standard error", SPREAD, False,
     rf"(?:(?:(?<![\d.,{BOUND}])\d(?:\.\d+)?[\s×-]*(?=\w+[\s-]*errors\b|SE\b))?"
     rf"\b(?:standard|std\.?)[\s-]*err(?:ors?|s)?\b\.?|\bstderrs?\b|\bsems?\b|\bs\.\s?e\.\s?m\b\.?"
     rf"|\bs\.\s?e\.(?!\w)){_OF_MEAN}"
     rf"|\b{_SD}[\s-]+of[\s-]+the[\s-]+means?\b|(?:\b{_SD}|σ)\s*/\s*(?:√|sqrt\b)\s*\(?n\b\)?"
     r"|\berrors?[\s-]+of[\s-]+the[\s-]+means?\b|\bstandard[\s-]+uncertaint(?:y|ies)\b",
     r"\bSEs?\b"),
    ("confidence interval", SPREAD, False,
     rf"(?:(?:{_PERCENT})?\b(?:confidence|credib(?:le|ility)|prediction|bootstrap)[\s-]+"
     rf"(?:interval|limit|bound|band|region)s?\b|{_PERCENT}(?:intervals?|limits|c\.?i\.?)(?!\w)"
     rf"|\bci ?9\d\b|\bhalf[\s-]+width\b|\bconf\.?[\s-]+int\b\.?|\bmargins?[\s-]+of[\s-]+error\b)"
     rf"{_OF_MEAN}", ""),
    ("confidence interval", SPREAD, True, r"\bintervals?\b|\bc\.i\.", r"\bCIs?\b"),
    ("trimmed mean", LOCATION, False, r"\b(?:trimmed|truncated|winsori[sz]ed|interquartile)[\s-]+"
     r"(?:mean|average)s?\b", r"\bIQM\b"),
    ("interquartile range", SPREAD, False, r"\binter-?\s?quartile(?:[\s-]+range)?s?\b|\biqrs?\b",
     ""),
    ("coefficient of variation", SPREAD, False, rf"\bcoefficients? of variation\b|\brelative[\s-]+"
     rf"{_SD}", r"\bRSD\b"),
    (MULTIPLE, SPREAD, False,
     rf"(?:(?<![\d.,{BOUND}])(?:[2-9]|[1-9]\.\d+)|\b(?:two|three|twice|half)(?:[\s-]+(?:the|of|a))*)[\s×-]*"
     rf"(?:\b{_SD}|\bsigmas?\b|σ)", ""),
    ("root mean square deviation", SPREAD, False, r"\broot[\s-]+mean[\s-]+squared?[\s-]+deviation"
     r"s?\b|\brmsd\b", ""),
    ("variance", SPREAD, False, rf"\bvariances?\b{_OF_MEAN}", r"\b[Vv]ar\b\.?(?=\s*[=:(]|\s*$)"),
    ("population standard deviation", SPREAD, False, rf"\bpopulation[\s-]+(?:{_SD}|deviations?\b)",
     ""),
    ("sample standard deviation", SPREAD, False, rf"\bsample[\s-]+(?:{_SD}|deviations?\b)", ""),
    ("standard deviation", SPREAD, False, rf"\b{_SD}|\bdeviations?\b|\bsigmas?\b", "σ"),
    ("range", SPREAD, False, r"\bmin(?:imum)?\.?\s*(?:-|–|—|to)\s*max(?:imum)?\b\.?", ""),
    ("range", SPREAD, True, r"\branges?\b", ""),
    ("difference of means", LOCATION, False, r"\bunpaired[\s-]+(?:mean[\s-]+)?differences?\b"
     r"|\bdifferences?[\s-]+(?:of|between|in)[\s-]+(?:(?:the|their|two)[\s-]+)*(?:means|averages)\b",
     ""),
    ("paired difference", LOCATION, False, r"\b(?:(?:mean|average)[\s-]+(?:of[\s-]+the[\s-]+)?)?"
     r"paired[\s-]+(?:mean[\s-]+)?differences?\b", ""),
    ("geometric mean", LOCATION, False, r"\b(?:geometric|geom\.?)[\s-]+(?:mean|average)s?\b"
     r"|\bgeo-?means?\b", ""),
    ("harmonic mean", LOCATION, False, r"\bharmonic[\s-]+(?:mean|average)s?\b", ""),
    ("weighted mean", LOCATION, False, r"\bweighted[\s-]+(?:mean|average)s?\b", ""),
    ("median", LOCATION, False, r"\bmedians?\b", ""),
    ("midrange", LOCATION, False, r"\bmid-?ranges?\b", ""),
    ("percentile", LOCATION, False, r"\b(?:percentile|quantile|quartile|decile)s?\b", ""),
    ("mean", LOCATION, False, r"\b(?:arithmetic[\s-]+|grand[\s-]+|sample[\s-]+)?"
     r"(?:means?|averaged?|averages|avg\b\.?)\b", "x̄"),
    ("best", LOCATION, False, rf"\bbest{_OF_RUNS}(?:[\s-]+(?:seeds?|runs?))?\b", ""),
    ("worst", LOCATION, False, rf"\bworst{_OF_RUNS}(?:[\s-]+(?:seeds?|runs?))?\b", ""),
    ("best", LOCATION, True, rf"\bbest\b{_THINGS}|\btop[\s-]+(?:run|seed|score)s?\b", ""),
    ("worst", LOCATION, True, rf"\bworst\b{_THINGS}", ""),
    ("minimum", LOCATION, True, rf"\b(?:minim(?:um|a|al)|lowest|smallest)\b{_THINGS}"
     rf"|(?<![\d{BOUND}])(?<![\d{BOUND}]\s)\bmin\b\.?", ""),
    ("maximum", LOCATION, True, rf"\b(?:maxim(?:um|a|al)|highest|largest|peak|max)\b\.?"
     rf"{_THINGS}", ""),
    ("last value", LOCATION, True, rf"\blast\b{_MOMENTS}", ""),
    ("sum", LOCATION, True, r"\bsum\b", ""),
    ("corrected p", TEST, False,
     r"\b(?:corrected|adjusted|holm(?:'s)?|bonferroni|fdr)\b[^.;:|]{0,24}?\bp\b(?:[\s-]*values?\b)?"
     r"|\bp\b(?:[\s-]*values?\b)?[\s,(]*(?:(?:after|adjusted|corrected|by|with)[\s-]+)*"
     r"(?:holm|bonferroni|fdr|corrected|adjusted|correction)\b(?:'s)?(?:[\s-]+correction)?"
     r"|\bq[\s-]+values?\b", ""),
    ("p", TEST, False, r"\bp\b(?:[\s-]*values?\b)?", ""),
    ("t", TEST, False, r"\bt[\s-]+(?:statistic|value)s?\b|\bt(?=\s*=)", ""),
    ("effect size", TEST, False, r"\beffect[\s-]+sizes?\b|\bcohen's d\b|\bhedges'? g\b", ""),
    ("degrees of freedom", TEST, False, r"\bdegrees? of freedom\b|\bdf(?=\s*=)", ""),
    ("significance level", TEST, False, r"\bsignificance[\s-]+levels?\b|\balpha\b|α", ""),
)  # fmt: skip
_PATTERN = re.compile(
    "|".join(
        f"(?P<n{index}>" + "|".join(part for part in (f"(?i:{any_case})" if any_case else "", case)
        if part) + ")"
        for index, (_, _, _, any_case, case) in enumerate(NAMES)
    )
)  # fmt: skip
KINDS = {name: kind for name, kind, _, _, _ in NAMES if name}
# What stands before a name that is mentioned only to say that it is another.
_OTHER = re.compile(
    r"(?i:\b(?:not|no|nor|neither|never|rather than|instead of|unlike|without|than|versus|vs\.?"
    r"|compared (?:to|with)|opposed to)"
    r"(?:\s+(?:given?|report|show|state|compute|use|quote|mean|print))?"
    r"(?:\s+(?:the|a|an|its|their|any|twice|half|one))*\s*)\Z"
)


@dataclass(frozen=True)
class Mention:
    """A name of a statistic in a text."""

    name: str
    start: int
    end: int
    loose: bool
    said: str  # as it stands there

    @property
    def kind(self) -> str:
        """What kind of statistic it is."""
        return KINDS[self.name]


@lru_cache(maxsize=1 << 12)  # a column's head is read once for each number below it
def mentions(text: str) -> tuple[Mention, ...]:
    """Every statistic that a text names, in order, without those it says it does not mean.

    An underscore parts words: `val_bpb_sd` names a standard deviation.
    """
    spaced = text.replace("_", " ").replace("’", "'")
    mentioned = []
    for match in _PATTERN.finditer(spaced):
        name, _, loose, _, _ = NAMES[int(str(match.lastgroup)[1:])]
        if name and not _OTHER.search(spaced[max(0, match.start() - 60) : match.start()]):
            mentioned.append(Mention(name, match.start(), match.end(), loose, match[0].strip()))
    return tuple(mentioned)
