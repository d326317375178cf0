"""Claims from lists and blocks of code of a README, for forms that write no reader of their own.

def read(self, folder):
    record = super().read(folder)
    add_claims(record, lists={"bpb": "bpb"}, blocks={r"^final bpb: (\\d+\\.\\d+)$": "bpb"})
    return record
"""

import re
from collections.abc import Iterator, Mapping

from goldenseal.audit.model import Claim, Readme, Record, Submission
from goldenseal.audit.numbers import parse
from goldenseal.errors import UsageError

ROLES = ("bpb", "loss", "total", "model", "code", "params", "steps", "train", "evaluation")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
MAX_CLAIMS = 1000


def add_claims(
    record: Record,
    lists: Mapping[str, str] | None = None,
    blocks: Mapping[str, str] | None = None,
    seeds: tuple[int, ...] = (),
) -> None:
    """Add to a record what its README states in lists and in blocks of code.

    `lists` gives the role of a list by its name, in lower case: each number of it becomes the claim
    of one run, of the seed at the same place in `seeds` where that is as long. `blocks` gives the
    role of what the first group of a regular expression finds in a line of a block of code. Roles
    are those of `Claim`. Raises UsageError for another role or a pattern without a group.
    """
    for role in (*(lists or {}).values(), *(blocks or {}).values()):
        if role not in ROLES:
            raise UsageError(f"no role {role!r} of a claim; one of {', '.join(ROLES)}")
    patterns = {compiled(text): role for text, role in (blocks or {}).items()}
    readme = record.readme
    if readme is None:
        return
    claims = [*of_lists(readme, lists or {}, seeds), *of_blocks(readme, patterns)][:MAX_CLAIMS]
    listed = list(dict.fromkeys(c.seed for c in claims if c.seed is not None))
    if claims:
        record.submissions.append(Submission(readme.name, {}, claims, listed))


def compiled(text: str) -> re.Pattern[str]:
    """A pattern with one group."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(f"pattern {text!r}: {error}") from None
    if pattern.groups < 1:
        raise UsageError(f"pattern {text!r} has no group for the number")
    return pattern


def of_lists(readme: Readme, roles: Mapping[str, str], seeds: tuple[int, ...]) -> Iterator[Claim]:
    """A claim a number of each list whose name has a role."""
    for listed in readme.lists:
        role = roles.get(listed.name.lower(), "")
        own = seeds if len(seeds) == len(listed.numbers) else (None,) * len(listed.numbers)
        for number, seed in zip(listed.numbers, own, strict=True) if role else ():
            yield Claim(f"{readme.name}:{listed.line}", role, number, seed, "run")


def of_blocks(readme: Readme, roles: Mapping[re.Pattern[str], str]) -> Iterator[Claim]:
    """A claim a line of code that a pattern fits."""
    for line, text in code_lines(readme.text):
        for pattern, role in roles.items():
            match = pattern.search(text[:1000])
            number = parse(match[1]) if match and match[1] else None
            if number is not None:
                yield Claim(f"{readme.name}:{line}", role, number)


def code_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of every line within a fenced block."""
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        match = FENCE.match(line)
        if fence and match and match[1].startswith(fence):
            fence = ""
        elif fence:
            yield number, line
        elif match:
            fence = match[1]
