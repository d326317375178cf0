"""From the four findings to letters and words. What was not evaluated is never a pass."""

from dataclasses import dataclass

LETTERS = "abcd"
TRUSTWORTHY = "trustworthy"


@dataclass(frozen=True)
class Verdict:
    """fired, missing: letters in order. undercut: below the baseline at all; None: unknown."""

    fired: str
    missing: str
    undercut: bool | None = None

    @property
    def trusted(self):
        """Everything was evaluated, and nothing fired."""
        return not self.fired and not self.missing

    @property
    def words(self):
        """As it is printed."""
        if self.trusted:
            return TRUSTWORTHY
        parts = []
        if self.fired:
            parts.append("walked back via " + "+".join(f"({letter})" for letter in self.fired))
        if self.missing:
            parts.append("not evaluated " + "".join(f"({letter})" for letter in self.missing))
        return "; ".join(parts)

    @property
    def notes(self):
        """What a reader must know besides."""
        if self.fired == "c":
            return ["(c) alone fired: it also fires on healthy networks early in training"]
        return []


def verdict(findings):
    """The verdict of findings, in any order, one of each letter at most; others are missing."""
    known = {finding.letter: finding for finding in findings}
    fired = "".join(letter for letter in LETTERS if letter in known and known[letter].fires)
    missing = "".join(
        letter for letter in LETTERS if letter not in known or known[letter].fires is None
    )
    margin = known["d"].value if "d" in known else None
    return Verdict(fired, missing, None if margin is None else margin < 0)
