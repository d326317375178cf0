"""What a page shows of the repository's claims: those that rest on this record, with evidence."""

from pathlib import Path

from goldenseal.claims.judge import Verdict
from goldenseal.claims.judgement import judge_documents
from goldenseal.config import repository
from goldenseal.errors import GoldensealError
from goldenseal.grids.analysis import p_text
from goldenseal.report.table import Table

COLUMNS = ("where", "printed", "statistic", "evidence", "from", "holds")


def claims_on(root: Path, folder: Path) -> Table:
    """Every bound number whose evidence lies in `folder`, as `goldenseal claims` judges it."""
    rows = []
    try:
        report = judge_documents(repository(root), (), fix=False)
        inside = folder.resolve().relative_to(root.resolve()).as_posix()
    except (GoldensealError, ValueError):  # no repository with claims, or a record outside of it
        return Table("Claims", COLUMNS, [])
    for document, verdicts, _ in report.documents:
        for verdict in verdicts:
            facts = verdict.to_json()
            places = [place for place in facts["places"] if place.startswith(f"{inside}/")]
            if places:
                where = f"{document.name}:{facts['line']}"
                short = "; ".join(place.removeprefix(f"{inside}/") for place in places)
                holds = "yes" if facts["holds"] else "NO"
                evidence = str(facts["evidence"])
                if facts["stat"] == "p" and isinstance(verdict, Verdict) and verdict.outcome:
                    evidence = p_text(float(verdict.outcome.exact))
                rows.append((where, facts["printed"], facts["stat"], evidence, short, holds))
    return Table("Claims that rest on this record", COLUMNS, rows)
