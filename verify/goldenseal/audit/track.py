"""Which rules a record stands under, as far as its place and its words tell."""

import re
from enum import Enum, auto

from goldenseal.audit.model import Record

OPEN_WORDS = re.compile(
    r"non[-_ ]?record|unlimited|[1-9]\d* ?hours?\b|\b[2-9]\d?h\b", re.IGNORECASE
)


class Track(Enum):
    """Ten minutes on eight GPUs; open, without limit of time; or not said."""

    TEN_MINUTES = auto()
    OPEN = auto()
    UNSAID = auto()


def track_of(record: Record) -> Track:
    """The track, by the folder's path, then by the submission file, then by the budget logged."""
    path = "/".join(record.folder.parts[-4:]).lower()
    if OPEN_WORDS.search(path):
        return Track.OPEN
    if "10min" in path or "10_min" in path:
        return Track.TEN_MINUTES
    for submission in record.submissions:
        for key in ("track", "category", "name", "track_name"):
            value = submission.facts.get(key)
            if isinstance(value, str) and OPEN_WORDS.search(value):
                return Track.OPEN
            if key.startswith("track") and isinstance(value, str) and "10" in value:
                return Track.TEN_MINUTES
    return Track.UNSAID
