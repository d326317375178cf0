"""What a record says against itself: a thing that is disclosed does not contradict."""

import re

from goldenseal.audit.model import Record
from goldenseal.audit.track import Track, track_of

SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|\s\|\s")
CODE = re.compile(r"\b(?:code|script|source|train\w*\.py)\b", re.IGNORECASE)
# Of runs with other code; and of code that was changed only in how it is written.
OTHER_RUN = re.compile(
    r"\b(?:re-?r[au]n|reruns?)\b.{0,120}?\b(?:code|script|source|train\w*\.py)\b"
    r"|\b(?:code|script|source|train\w*\.py)\b.{0,120}?\b(?:re-?r[au]n|reruns?)\b"
    r"|\b(?:ran|runs?|logs?|produced|measured|trained|logged)\b.{0,80}?\b(?:older|earlier|previous|"
    r"different|other|another|newer|later|slightly|modified|changed|updated)\b.{0,30}?"
    r"\b(?:code|script|source|version|revision|snapshot|train\w*\.py)\b",
    re.IGNORECASE,
)
REWRITTEN = re.compile(
    r"\b(?:un)?minified\b|\b(?:re-?formatted|cleaned[- ]up|stripped|refactored|cosmetic|whitespace|"
    r"comments?|docstrings?|dead code)\b.{0,60}?"
    r"\b(?:after|since|from|removed|added|only|code|script)\b",
    re.IGNORECASE,
)
UNCHANGED = re.compile(r"\b(?:same|identical|unchanged|exact) (?:code|script|source)", re.I)
OVER = re.compile(
    r"\b(?:over|above|exceed\w*|beyond|larger than|bigger than|more than|misses|missed|not under|"
    r"not within|does(?: not|n't) (?:fit|meet)|not (?:fit|eligible|compliant)|"
    r"non-?compliant|fails?)\b",
    re.IGNORECASE,
)
CAP = re.compile(
    r"\b(?:cap|limit|budget|16(?:\.0+)? ?MB|16,000,000|16_?000_?000|size constraint)\b",
    re.IGNORECASE,
)
NEGATED = re.compile(
    r"\b(?:not|never|n't|without|no|none|nothing|don't|doesn't)\b[^.]{0,20}\b(?:over|above|exceed)|"
    r"\bif\b|\bwould\b|\bheadroom\b|\bbaseline\b",
    re.IGNORECASE,
)
LIMIT = 16_000_000  # bytes
MAX_TEXT = 1 << 18


def sentences(record: Record) -> list[str]:
    """The sentences of the README and of the texts of submission files."""
    texts = [record.readme.text[:MAX_TEXT]] if record.readme else []
    for submission in record.submissions:
        texts += [v[:MAX_TEXT] for v in submission.facts.values() if isinstance(v, str)]
    return [s[:2000] for text in texts for s in SENTENCE.split(text) if s]


def other_code(record: Record, rewritten: bool = False) -> str:
    """The sentence that says that other code ran than ships, or with `rewritten` that the code
    was only written otherwise; "" when none does.
    """
    for sentence in sentences(record):
        if not CODE.search(sentence) or UNCHANGED.search(sentence):
            continue
        if OTHER_RUN.search(sentence) or (rewritten and REWRITTEN.search(sentence)):
            return sentence.strip()[:160]
    return ""


def over_the_cap(record: Record) -> str:
    """The sentence, or the field, that says that the artifact is over the cap."""
    for sentence in sentences(record):
        if OVER.search(sentence) and CAP.search(sentence) and not NEGATED.search(sentence):
            return sentence.strip()[:160]
    for submission in record.submissions:
        for claim in submission.claims:
            stated = claim.role == "total" and claim.seed is None
            if stated and claim.number.value > LIMIT and track_of(record) is Track.OPEN:
                return f"{submission.name} states {claim.number} on a track without the cap"
        for key, value in submission.facts.items():
            low = key.lower()
            if value is False and re.search(
                r"under_?(?:the_?)?(?:cap|limit|16)|fits|compliant", low
            ):
                return f"{submission.name} says {key}: false"
            if value is True and re.search(r"over_?(?:the_?)?(?:cap|limit|16)|exceeds", low):
                return f"{submission.name} says {key}: true"
    return ""
