"""Significance tests: recomputed where the files hold what they need."""

from verify.audit.model import Certainty, Notes, Record


def check(record: Record, notes: Notes) -> None:
    """Every stated t, df and p."""
    for submission in record.submissions:
        for claim in submission.claims:
            if claim.role in ("t", "df", "p"):
                evidence = "not verifiable from the files: the other side's runs are not there"
                notes.add("test", Certainty.NOTE, claim, claim.place, evidence)
