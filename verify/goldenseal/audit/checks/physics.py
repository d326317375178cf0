"""Two checks that need no labels: loss, bits a byte and tokens imply how many bytes were scored."""

import math
import re
from decimal import Decimal

from goldenseal.audit.model import Certainty, Notes, Record, Run, Score

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
LN2 = Decimal(math.log(2))
CANONICAL = Decimal(151_080_000)  # bytes of the canonical validation split, of 50,000 documents
# What is cut off to fill the last sequence costs less than 0.04 %.
SHARE = Decimal("0.001")
# nats a token over bits a byte, on that split: SP1024, SP4096, SP8192, CaseOps, byte260, bytes.
RATIOS = tuple(
    Decimal(r) for r in ("1.68846", "2.30102", "2.58310", "2.18837", "0.69292", "0.69315")
)
TINY = Decimal("1e-9")


def check(record: Record, notes: Notes) -> None:
    """Every run's final scores, and the pair of the submission file."""
    for run in record.used_runs:
        judge_run(run, notes)
    pairs(record, notes)


def ratio(score: Score) -> tuple[Decimal, Decimal] | None:
    """(loss / bpb, relative error that printing them costs)."""
    if score.loss is None or score.bpb is None or min(score.loss.value, score.bpb.value) < TINY:
        return None
    error = sum(Decimal("0.5").scaleb(-n.digits) / n.value for n in (score.loss, score.bpb))
    return score.loss.value / score.bpb.value, Decimal(error)


def judge_run(run: Run, notes: Notes) -> None:
    """The bytes that the final scores imply; without a token count, only the ratio."""
    known = [(score, quotient) for score in run.finals if (quotient := ratio(score)) is not None]
    for score, (value, error) in reversed(known):
        if error > SHARE:
            continue
        near = any(abs(value / r - 1) <= SHARE + error for r in RATIOS)
        where = run.at(score.line)
        shown = f"loss / bpb = {value:.5f}"
        if run.tokens:
            implied = value / LN2 * run.tokens
            if abs(implied / CANONICAL - 1) <= SHARE + error:
                return notes.confirm(shown, where, f"implies {implied:.0f} bytes, the whole split")
            evidence = (
                f"with {run.tokens} tokens it implies {implied:.0f} bytes; the canonical split "
                f"has {CANONICAL}"
            )
            far = abs(implied / CANONICAL - 1) > 3 * SHARE + error
            certainty = MISMATCH if far else AMBIGUOUS
            return notes.add("implied-bytes", certainty, shown, where, evidence)
        if near:
            return notes.confirm(shown, where, "the ratio of a known tokenizer")
        evidence = "no known tokenizer has this ratio on the canonical split"
        return notes.add("implied-bytes", AMBIGUOUS, shown, where, evidence)
    return None


def pairs(record: Record, notes: Notes) -> None:
    """Loss and bpb of one account must have the ratio that the logs show."""
    logged = [
        quotient[0]
        for run in record.used_runs
        for score in run.finals
        if (quotient := ratio(score)) is not None
    ]
    for submission in record.submissions:
        table: dict[tuple[str, int | None, str], dict[str, Decimal]] = {}
        for claim in submission.claims:
            if claim.role in ("bpb", "loss") and claim.statistic in ("", "mean"):
                parent, _, name = claim.place.rpartition("/")
                same = re.sub("bpb|loss|nats", "", name.lower()).strip("_")
                key = (parent, claim.seed, same)
                if claim.number.value > 0 and claim.number.digits >= 3 and not claim.nested:
                    table.setdefault(key, {}).setdefault(claim.role, claim.number.value)
        for (parent, seed, _), pair in sorted(table.items(), key=str):
            if len(pair) < 2:
                continue
            place = parent or submission.name
            value = pair["loss"] / pair["bpb"]
            whose = "" if seed is None else f" of seed {seed}"
            shown = f"val_loss / val_bpb = {value:.5f}{whose}"
            if abs(value - 1) < Decimal("0.01"):
                evidence = "the same quantity stands under both names"
                notes.add("bpb-under-loss", MISMATCH, shown, place, evidence)
            elif any(abs(value / r - 1) <= 2 * SHARE for r in (*logged, *RATIOS)):
                notes.confirm(shown, place, "the ratio that the logs or a known tokenizer have")
            elif logged:
                evidence = f"the logs have {logged[-1]:.5f}"
                notes.add("loss-bpb-ratio", MISMATCH, shown, place, evidence)
            else:
                evidence = "no known tokenizer has this ratio"
                notes.add("loss-bpb-ratio", AMBIGUOUS, shown, place, evidence)
