"""Folders of the Hugging Face Trainer: the card against the state and the results beside it.

The card (README.md) states final results as a list and as metadata, a table of results by step, and
the hyperparameters. `trainer_state.json` holds what was logged; `all_results.json` and
`eval_results.json` what the last evaluation gave. The pickled arguments are never opened.
"""

import re
from pathlib import Path
from typing import Any

from goldenseal.audit import reader
from goldenseal.audit.evidence import problem
from goldenseal.audit.forms.trainer_card import Evaluation, State
from goldenseal.audit.model import Certainty, Log, Notes, Record, Run, Score, Stage
from goldenseal.audit.numbers import Number
from goldenseal.audit.readme_tables import read_readme

STATE = "trainer_state.json"
RESULTS = ("all_results.json", "eval_results.json", "train_results.json", "test_results.json")
MAX_STATE = 1 << 26
CHECKPOINT = re.compile(r"checkpoint-(\d{1,9})/trainer_state\.json")
MARKS = (b"generated_from_trainer", b"Training hyperparameters")


class TrainerForm:
    """Reads and checks folders of this form."""

    name = "trainer"

    def matches(self, folder: Path) -> bool:
        """A Trainer's state, here or in a checkpoint; or a card that it wrote."""
        names = reader.scan(folder, depth=1)
        if STATE in names or any(CHECKPOINT.fullmatch(name) for name in names):
            return True
        if "README.md" not in names or any(reader.is_submission(n) for n in names if "/" not in n):
            return False
        return any(mark in reader.ends(folder, "README.md") for mark in MARKS)

    def read(self, folder: Path) -> Record:
        """The card, the state and the results."""
        record = Record(folder, folder.name or str(folder))
        files = reader.scan(folder, depth=1)
        if "README.md" in files:
            data = reader.read(folder, "README.md", reader.MAX_README)
            record.readme = read_readme("README.md", reader.decode(data)) if data else None
        states = [n for n in files if n == STATE]
        steps = sorted((int(m[1]), n) for n in files if (m := CHECKPOINT.fullmatch(n)))
        name = (states or [n for _, n in steps[-1:]] or [""])[0]
        facts = self.load(record, name, MAX_STATE) if name else None
        state = state_of(name, facts or {})
        for results in RESULTS:
            if results in files and (held := self.load(record, results, reader.MAX_JSON)):
                state.results[results] = {
                    key: value for key, value in held.items() if isinstance(value, Number)
                }
        record.facts["state"] = state
        if state.evaluations or state.losses or state.results:
            record.logs.append(as_log(state))
        return record

    def load(self, record: Record, name: str, limit: int) -> dict[str, Any] | None:
        """A JSON object of the folder; a problem of the record where it is none."""
        data = reader.read(record.folder, name, limit)
        value, why = reader.parse_json(data) if data is not None else (None, "too large or a link")
        if not isinstance(value, dict):
            problem(record, "log", Certainty.AMBIGUOUS, name, why)
            return None
        return value

    def check(self, record: Record, notes: Notes) -> None:
        """The card's results, its table and its settings."""
        from goldenseal.audit.checks import impossible
        from goldenseal.audit.forms import trainer_card, trainer_prose, trainer_settings

        state: State = record.facts["state"]
        if record.readme is not None:
            trainer_card.check(record.readme, state, notes)
            trainer_settings.check(record.readme, state, notes)
            if not any(mark.decode() in record.readme.text for mark in MARKS):
                trainer_prose.check(record.readme, state, notes)
        trainer_card.results(state, notes)
        impossible.check(record, notes)

    def unsupported(self, record: Record, notes: Notes) -> str:
        """Why the folder is not consistent, though nothing contradicts it; "" when it is."""
        if notes.scored:
            return ""
        state: State = record.facts["state"]
        if record.readme is None:
            return "no card: nothing is stated"
        if not state.evaluations and not state.results:
            return "neither trainer_state.json nor results lie beside the card"
        return "no result of the card could be held against the log"


def state_of(name: str, facts: dict[str, Any]) -> State:
    """What a state file says, in order."""
    state = State(name, facts)
    history = facts.get("log_history")
    for entry in history[:100_000] if isinstance(history, list) else ():
        if not isinstance(entry, dict) or not isinstance(step := entry.get("step"), Number):
            continue
        epoch = entry.get("epoch")
        at = epoch.value if isinstance(epoch, Number) else None
        metrics = {
            key.removeprefix("eval_"): value
            for key, value in entry.items()
            if key.startswith("eval_") and isinstance(value, Number)
        }
        if metrics:
            state.evaluations.append(Evaluation(int(step.value), at, metrics))
        if isinstance(loss := entry.get("loss"), Number):
            state.losses.append((int(step.value), loss))
        if isinstance(rate := entry.get("learning_rate"), Number):
            state.rates.append((int(step.value), rate))
    best = facts.get("best_model_checkpoint")
    match = re.search(r"checkpoint-(\d{1,9})/?$", best) if isinstance(best, str) else None
    state.best_step = int(match[1]) if match else None
    return state


def as_log(state: State) -> Log:
    """The state as the rest of the audit knows a log."""
    run = Run(state.name or "results", 1)
    for evaluation in state.evaluations[-200:]:
        for key, number in evaluation.metrics.items():
            stage = Stage.FINAL if evaluation is state.evaluations[-1] else Stage.STEP
            run.scores.append(Score(f"eval_{key}", stage, number, None, 1, evaluation.step))
    for name, held in state.results.items():
        for key, number in held.items():
            run.scores.append(Score(f"{key} in {name}", Stage.FINAL, number, None, 1))
    run.steps = [e.step for e in state.evaluations[-1:]]
    return Log(run.file, run.file, len(run.scores), [run])
