"""A card that a person wrote, in a folder of the Hugging Face Trainer."""

from decimal import Decimal

from goldenseal.audit.forms import claims_of_text
from goldenseal.audit.forms.metric_runs import MetricRun
from goldenseal.audit.forms.trainer_card import State
from goldenseal.audit.model import Notes, Readme
from goldenseal.audit.numbers import Number
from goldenseal.audit.series import Point, Series

SETTINGS = {
    "epochs": "num_train_epochs",
    "num_epochs": "num_train_epochs",
    "num_train_epochs": "num_train_epochs",
    "train_batch_size": "train_batch_size",
    "max_steps": "max_steps",
    "training_steps": "max_steps",
}
DONE = Decimal("0.99")  # of the planned steps; a run that stopped early had fewer epochs


def check(readme: Readme, state: State, notes: Notes) -> None:
    """Its tables, sentences and settings against the state and the results."""
    run = run_of(state)
    if run.series:
        claims_of_text.check(readme, [run], notes)


def run_of(state: State) -> MetricRun:
    """The state and the results as one run with metrics."""
    run = MetricRun(state.name or "the results")
    for evaluation in state.evaluations:
        for key, number in evaluation.metrics.items():
            add(run, f"eval_{key}", number, evaluation.step)
    for step, loss in state.losses:
        add(run, "train_loss", loss, step)
    for held in state.results.values():
        for key, number in held.items():
            add(run, key, number, None)
    for name, key in SETTINGS.items() if is_done(state) else ():
        setting = state.facts.get(key)
        if isinstance(setting, Number):
            run.settings[name] = setting.text
    return run


def add(run: MetricRun, name: str, number: Number, step: int | None) -> None:
    """One value of a metric; the last one is added last."""
    run.series.setdefault(name, Series()).add(Point(number, step, 1))


def is_done(state: State) -> bool:
    """Whether the run came to its planned end."""
    made, planned = state.facts.get("global_step"), state.facts.get("max_steps")
    if not isinstance(made, Number) or not isinstance(planned, Number):
        return False
    return made.value >= planned.value * DONE
