"""The published numbers of the audited project, held against each other: the table of the guide."""

from pathlib import Path

from goldenseal.claims.sourced.table import judged
from goldenseal.claims.sourced.table import read as read_table
from goldenseal.errors import UsageError

TABLE = Path(__file__).parents[1] / "published.toml"


def read(path=TABLE):
    """The claims of a table, with their sources. Raises UsageError for a name that is none."""
    return read_table(Path(path)).claims


def rows(claims):
    """A row a claim, as a table of Markdown: incident, what was said, what is wrong."""
    found = ["| incident | said | found |", "|---|---|---|"]
    for claim in claims:
        wrong = "; ".join(f"{each.kind}: {each.words}" for each in judged(claim)) or "holds"
        found.append(f"| {claim.incident or ''} | {claim.says} | {wrong} |")
    return "\n".join(found)


def main(arguments):
    """`published`: the table. Exit code 1: claims are contradicted."""
    if arguments:
        raise UsageError(f"published takes no arguments: {arguments[0]}")
    claims = read()
    print(rows(claims))
    wrong = {claim.incident for claim in claims if claim.incident and judged(claim)}
    print(f"\n{len(wrong)} incidents found among {len(claims)} claims")
    return 1 if any(judged(claim) for claim in claims) else 0
