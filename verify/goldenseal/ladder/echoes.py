"""What a candidate prints and writes of its new options, taken out of a recording.

A script that prints its arguments, or keeps its configuration in a checkpoint, must say one thing
more once it has one option more. That is text: it is not held against the candidate, and it is no
proof that an option acts.
"""

import re
from collections.abc import Iterable, Mapping

from goldenseal.ladder.events import Event, Option, Recording, is_line

VALUE = r"""(?:'[^']*'|"[^"]*"|\[[^\]]*\]|\([^)]*\)|[^\s,;)}\]]+)"""
EMPTY = re.compile(r"[\s,;:{}()\[\]\"'|=-]*")


def new_options(expected: Mapping[str, Option], actual: Mapping[str, Option]) -> set[str]:
    """Names of options that only the candidate has, as they stand in a configuration."""
    new = (name.rpartition(".")[2].lstrip("-+") for name in actual if name not in expected)
    return {name.replace("-", "_") for name in new if name}


class Echoes:
    """Takes the values of some options out of texts and files.

    known: runs of the baseline; a line that they have too is left alone.
    """

    def __init__(self, names: Iterable[str], known: Iterable[Recording] = ()):
        self.names = set(names)
        self._known = {
            text
            for run in known
            for event in run.events
            if event.where.startswith(("printed line", "file "))
            for name, text in event.facts.items()
            if name.startswith(("text", "line "))
        }
        spellings = sorted({s for n in self.names for s in (n, n.replace("_", "-"))}, key=len)
        either = "|".join(map(re.escape, reversed(spellings)))
        name = rf"""['"]?(?<![\w.-])(?:--)?(?:\w+\.)*(?:{either})['"]?"""
        echo = rf"{name}\s*(?:[=:|]+|\.{{2,}})\s*{VALUE}"
        self._echo = re.compile(rf"[,;]\s*{echo}|{echo}\s*[,;]?\s*")
        self._whole = re.compile(rf"\W*(?:--)?(?:\w+\.)*(?:{either})\W+{VALUE}\W*")
        self._name = re.compile(rf"(?:^|[.\s])(?:{either})(?:$|\.)")

    def applied(self, run: Recording) -> Recording:
        """The recording without them; the same object, changed once and for all."""
        if not self.names or getattr(run, "unechoed", False):
            return run
        vars(run)["unechoed"] = True
        kept, number = list[Event](), 0
        pending, places = tuple[str, ...](), tuple[str, ...]()
        for event in run.events:
            facts = event.facts
            if is_line(event):
                text = self.without(facts.get("text", ""))
                if text is None:
                    pending, places = pending + event.operations, places + event.places
                    continue
                number += 1
                facts = {**facts, "text": text} if "text" in facts else facts
                where = f"printed line {number}"
            elif event.where.startswith("file "):
                where, facts = event.where, self._of_file(facts)
            else:
                where = event.where
            operations, at = pending + event.operations, places + event.places
            kept.append(Event(where, facts, operations, event.place, at))
            pending, places = (), ()
        run.events[:] = kept
        for peer in run.peers:
            self.applied(peer)
        return run

    def without(self, line: str) -> str | None:
        """The line without them; None when it said nothing else."""
        if line in self._known:
            return line
        if self._whole.fullmatch(line):
            return None
        text = self._echo.sub("", line)
        return None if text != line and EMPTY.fullmatch(text) else text

    def _of_file(self, facts: Mapping[str, str]) -> dict[str, str]:
        kept, lines = dict[str, str](), 0
        for name, text in facts.items():
            if name.startswith("line "):
                shorter = self.without(text)
                if shorter is not None:
                    lines += 1
                    kept[f"line {lines}"] = shorter
            elif not self._name.search(name):
                kept[name] = self.without(text) or text
        return kept
