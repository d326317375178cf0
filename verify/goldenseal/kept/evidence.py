"""What of the gates of one call is kept: found before they are run, and added to afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from goldenseal.kept.inputs import REST_NS, States
from goldenseal.kept.machine import machine
from goldenseal.kept.reads import reading
from goldenseal.kept.store import Entry, Passed, Store, now
from goldenseal.result import GateResult, Verdict

OFF = ("", "0", "false", "no")  # values of CI that say this is no such machine


def is_ci(variables: Mapping[str, str]) -> bool:
    """Whether this is a machine of continuous integration, which reuses nothing."""
    return variables.get("CI", "").lower() not in OFF


class Evidence:
    """The kept judgements that a call may use; none of them when it is `fresh`.

    known: SHA-512 by path below `root` of what was hashed just now. rest_ns: see States.
    """

    def __init__(
        self,
        root: Path,
        fresh: bool = False,
        known: Mapping[str, str] | None = None,
        rest_ns: int = REST_NS,
    ):
        self.root, self._fresh = root, fresh
        self.states, self._store = States(root, known, rest_ns), Store(root)
        self._machine = machine()
        self.facts: Mapping[str, str] = {}  # of the environment, as the last judgement saw it

    def find(self, subject: str) -> Entry | None:
        """What is kept of a subject, on this machine, and still stands."""
        for entry in () if self._fresh else self._store.entries(subject):
            if entry.machine == self._machine and self.states.stand(entry.inputs):
                self.facts = entry.facts or self.facts
                return entry
        return None

    def keep(
        self,
        subject: str,
        results: Iterable[GateResult],
        inputs: Mapping[str, str] | None,
        rungs: Sequence[str],
        facts: Mapping[str, str],
        older: Entry | None = None,
    ) -> None:
        """Keep the gates that passed, beside those of `older`; without `inputs` none of them."""
        self.facts, time = facts or self.facts, now()
        passed = {
            result.gate: Passed(result.summary, tuple(result.evidence.items()), time)
            for result in results
            if result.verdict is Verdict.PASS
        }
        before = older.inputs if older else {}
        if not passed or inputs is None or any(inputs.get(p, t) != t for p, t in before.items()):
            return
        gates = {**(older.gates if older else {}), **passed}
        everything = {**before, **inputs}
        self._store.add(Entry(subject, self._machine, everything, gates, tuple(rungs), dict(facts)))

    def judged(self, name: str, judge: Callable[[], GateResult]) -> GateResult:
        """A gate of the repository, run in this process unless it is kept."""
        subject = f"gate {name}"
        entry = self.find(subject)
        if entry and name in entry.gates:
            return as_result(name, entry.gates[name])
        with reading() as reads:
            result = judge()
        self.keep(subject, [result], self.states.inputs(reads), (name,), {})
        return result


def as_result(name: str, passed: Passed) -> GateResult:
    """A kept gate as it was judged, and when."""
    return GateResult(name, Verdict.PASS, passed.summary, (), dict(passed.evidence), passed.when)
