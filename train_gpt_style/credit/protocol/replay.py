"""The temporal replay: at which epoch of a log each diagnostic first fires.

A row holds `epoch`, and what is known of: `hidden` (median norms of h_0..h_L), `gradient` (of each
example's own loss, at h_L), `stability` with `batches` and `size`, `accuracy` with `baseline`.
What is None or not finite in a row tells nothing there; the other rows still do.
"""

import math

from train_gpt_style.credit.protocol.diagnostics import Thresholds, depth, floor, growth, stability

NEVER, NOT_EVALUATED = "never", "not evaluated"


def findings_at(row, thresholds, setting=None, baseline_setting=None):
    """The four findings of one row."""

    def known(name):
        value = row.get(name)
        values = value if isinstance(value, list | tuple) else [value]
        return value if all(v is not None and math.isfinite(v) for v in values) else None

    batches, size = row.get("batches", 0), row.get("size", 0)
    return [
        growth(known("hidden"), thresholds),
        floor(known("gradient"), thresholds),
        stability(known("stability"), batches, size, thresholds),
        depth(known("accuracy"), known("baseline"), setting, baseline_setting, thresholds),
    ]


def first_epochs(rows, thresholds=None, setting=None, baseline_setting=None):
    """By letter: the first epoch that fires, NEVER, or NOT_EVALUATED where no row could tell."""
    found = {}
    for row in sorted(rows, key=lambda each: each["epoch"]):
        findings = findings_at(row, thresholds or Thresholds(), setting, baseline_setting)
        for finding in findings:
            before = found.get(finding.letter, NOT_EVALUATED)
            if before not in (NEVER, NOT_EVALUATED) or finding.fires is None:
                found.setdefault(finding.letter, NOT_EVALUATED)
                continue
            found[finding.letter] = row["epoch"] if finding.fires else NEVER
    return found
