"""The stated rules of the closed world: which sections are results, which numerals are exempt.

Closed are all tables, captions and what is said of pictures, and the sections whose heading holds
one of RESULTS as a word, with their subsections. There a numeral must be bound, exempt by a rule of
EXEMPT, or exempted with a reason.
"""

import re
from functools import lru_cache

RESULTS = (
    "result",
    "measured",
    "measurement",
    "benchmark",
    "score",
    "ablation",
    "comparison",
)
RESULTS_HEADING = re.compile(rf"\b(?:{'|'.join(RESULTS)})s?\b", re.IGNORECASE)

# What no numeral of a result looks like: name, pattern. Code, link targets, images and comments
# are no prose, and never reach these rules.
EXEMPT: tuple[tuple[str, str], ...] = (
    ("date", r"\b\d{4}-\d{2}-\d{2}\b"),
    ("clock time", r"\b\d{1,2}:\d{2}(?::\d{2})?\b"),
    (
        "version",
        r"\bv\d+(?:\.\d+)*\b|\b\d+\.\d+\.\d+(?:[.+-]\w+)*\b"
        r"|\b(?:versions?|format|schema) \d+(?:\.\d+)*\b",
    ),
    ("standard", r"\b(?:RFC|ISO|IEEE|PEP) \d+(?:[-.]\d+)*\b"),
    ("reference", r"#\d+\b|§ ?\d+(?:\.\d+)*\b|\b(?:section|chapter) \d+(?:\.\d+)*\b"),
    ("figure", r"\b(?i:figure|table) \d+\b(?![.,]\d)"),
    ("ordinal", r"\b\d+(?:st|nd|rd|th)\b"),
    (
        "part of a name",
        r"(?a:(?<![\w.,])[a-zA-Z_]\w*(?:-\w+)*)",
    ),  # int8, fp16, AVX-512, x86-64, SHA-512
)
EXEMPT_PATTERN = re.compile("|".join(f"(?:{pattern})" for _, pattern in EXEMPT))
# A paragraph that is the caption of a figure or a table is closed wherever it stands.
CAPTION = re.compile(r"[*_\s]*(?:figure|fig\.?|table)\s+\d+[*_\s]*[.:|—–]", re.IGNORECASE)
HEADING_NUMBER = re.compile(r"\s*\d+(?:\.\d+)*\.?\s")

NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), start=1
    )
}
SEED_LABEL = re.compile(
    rf"\b(\d+|single|multi|multiple|several|many|{'|'.join(NUMBER_WORDS)})"
    r"[\s-]*(?:random |different |independent )?seeds?\b",
    re.IGNORECASE,
)
# "n = 3", and "over three runs": runs are told apart by their seeds.
_NUMBER = rf"(\d+|{'|'.join(NUMBER_WORDS)})"
N_LABEL = re.compile(
    rf"\bn\s*=\s*(\d+)\b(?![.,]\d)"
    rf"|(?i:\b(?:over|of|across|from)[\s-]+{_NUMBER}[\s-]+(?:independent |repeated )?"
    r"(?:runs|trials|repeats|repetitions|replicates)\b)"
)
SEVERAL = 0  # a label such as multi-seed: more than one


@lru_cache(maxsize=1 << 12)
def seed_labels(text: str) -> tuple[tuple[str, int], ...]:
    """(label, number) for each number of seeds that a text speaks of; SEVERAL for multi-seed."""
    labels = []
    for match in SEED_LABEL.finditer(text):
        word = match[1].lower()
        if word.isdigit():
            number = int(word)
        else:
            number = 1 if word == "single" else NUMBER_WORDS.get(word, SEVERAL)
        labels.append((match[0], number))
    for match in N_LABEL.finditer(text):
        word = (match[1] or match[2]).lower()
        labels.append((match[0], int(word) if word.isdigit() else NUMBER_WORDS[word]))
    return tuple(labels)


def best_of(text: str, count: int) -> bool:
    """Whether a text says that a number is the best, or worst, of `count`."""
    word = next((word for word, number in NUMBER_WORDS.items() if number == count), "")
    number = rf"(?:{count}|{word})" if word else str(count)
    said = rf"\b(?:best|worst|lowest|highest|minimum|maximum|min|max)\b[^.;]*?\bof {number}\b"
    return re.search(said, text, re.IGNORECASE) is not None
