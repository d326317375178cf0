"""What is audited: a checkpoint of this system, or any network that a function describes."""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.data import load_data
from train_gpt_style.credit.features.method import method_of
from train_gpt_style.credit.metrics import measured, with_credits
from train_gpt_style.credit.protocol.diagnostics import Setting
from train_gpt_style.credit.run import build_model, evaluate
from train_gpt_style.kit import checkpoints
from train_gpt_style.kit.context import Context

DRAWN = ("feedback.", "bridge.")  # prefixes of what a method drew or learned


@dataclass
class Subject:
    """A network with its answers. missing: why there are no credits, in words.

    accuracy: on the whole test split; chance: 1 / classes. method: what its credits come from.
    inputs: those that `seen` answers. baseline_setting: of the baseline that a function states.
    """

    name: str
    seen: Any
    accuracy: float | None
    chance: float
    setting: Setting | None = None
    method: Any = None
    missing: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    inputs: torch.Tensor | None = None
    baseline_setting: Setting | None = None


def of_checkpoint(path, examples, data_dir, ep_credit="displacement"):
    """The newest whole checkpoint in a folder, or the one that the folder is.

    Raises UsageError, one line, for what is none, and for data that is not what it was trained on.
    """
    folder, files = found_in(Path(path))
    where = f"{folder}/{checkpoints.STATE}"
    state = canonical.loads(files[checkpoints.STATE], where)
    knobs = state.get("knobs") if isinstance(state, dict) else None
    if not isinstance(knobs, dict) or "CREDIT_METHOD" not in knobs:
        raise UsageError(
            f"{where}: no checkpoint of this system, whose knobs are CREDIT_METHOD ..."
        )
    settings = SYSTEM.read({**knobs, "DATA_DIR": data_dir, "CHECKPOINT_EVERY": "0"})
    if state.get("data") != SYSTEM.data(settings):
        names = ", ".join(sorted(state.get("data", {}))) or "the synthetic teacher"
        raise UsageError(f"{folder} was trained on {names}: name that folder by --data-dir")
    train, test = load_data(settings)
    context = Context({})
    model = build_model(settings, context, train.shape, train.classes)
    weights = checkpoints.tensors(files["model.safetensors"], f"{folder}/model.safetensors")
    missing = put(model, weights, folder)
    count = within(examples, len(test))
    step = int(state["step"])
    x, y = test.inputs(slice(count)).to(context.device), test.labels[:count].to(context.device)
    seen = measured(model, x, y, step, step / max(1, settings.steps))
    method = method_of(settings)
    if method is None:
        missing = "backpropagation's credit is the gradient itself"
    elif not missing:
        kind = {"kind": ep_credit} if settings.credit_method == "ep" else {}
        seen = with_credits(seen, method, **kind)
        if seen.credits is None:
            missing = f"{settings.credit_method} has no credit but the gradient"
    _, accuracy = evaluate(settings, model, context, test)
    return Subject(
        folder.as_posix(),
        seen,
        accuracy,
        1 / train.classes,
        setting_of(settings, state, model),
        method,
        missing,
        {
            **{"method": settings.credit_method, "step": step, "steps": settings.steps},
            "steps_an_epoch": len(train) // settings.batch,
            **{"knobs": knobs, **(finite_facts(method) if method is not None else {})},
        },
        folder,
        x,
    )


def finite_facts(method):
    """What the method says of its last credits, as JSON has it: what is not finite is None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in method.facts.items()
    }


def found_in(path):
    """(folder, files) of a checkpoint, or of the newest in a folder of them or of a run."""
    if (path / checkpoints.MANIFEST).is_file():
        return path, checkpoints.read(path)
    for home in (path, path / "checkpoints"):
        found = checkpoints.newest_good(home, lambda problem: print(problem, file=sys.stderr))
        if found is not None:
            return found
    raise UsageError(
        f"{path}: no checkpoint in it; a run with CHECKPOINT_EVERY=100 writes some, and a network "
        "of your own is named as module:function"
    )


def put(model, weights, folder):
    """Load the weights; returns why there are no credits, if what they need is not there."""
    state = model.state_dict()
    absent = [name for name in state if name.startswith(DRAWN) and name not in weights]
    expected = {name: t for name, t in state.items() if name not in absent}
    checkpoints.check_tensors(weights, expected, f"{folder}/model.safetensors")
    model.load_state_dict(weights, strict=False)
    return f"the checkpoint lacks {absent[0]}" if absent else ""


def within(examples, available):
    """The number asked for. Raises UsageError when there are fewer."""
    if examples > available:
        raise UsageError(f"--examples {examples}: the test split has {available}")
    return examples


# Knobs of the method, of where data lies, and of how a run is watched, by how their names begin.
OF_THE_METHOD = (
    *("CREDIT_METHOD", "CREDIT_FEEDBACK", "CREDIT_FA", "CREDIT_BRIDGE", "CREDIT_EP"),
    *("CREDIT_MEASURE", "CREDIT_PENALTY", "CHECKPOINT", "RUN_LOG", "DATA_DIR", "SEED"),
    *("EVAL_EVERY", "LOG_EVERY", "STOP_NONFINITE", "RESUME", "ENERGY", "NUMERICS"),
)


def of_the_method(name):
    """Whether runs whose values of a knob differ may be compared by (d)."""
    return name.startswith(OF_THE_METHOD)


def setting_of(settings, state, model):
    """What (d) compares: all knobs but those of the method itself."""
    s, knobs = settings, settings.as_environment()
    named = ("DIM", "DEPTH", "STEPS", "SCHEDULE", "ROLL", "AUGMENT", "TEACHER")
    rest = {
        name: text
        for name, text in knobs.items()
        if not of_the_method(name) and not name.startswith(named)
    }
    data = {**state.get("data", {}), "roll": s.roll, "augment": s.augment}
    if not s.data_dir:
        data["teacher"] = [s.teacher_alpha, s.teacher_train, s.teacher_test]
    return Setting(
        s.dim,
        len(model.blocks),
        json.dumps([data, rest], sort_keys=True),
        state["step"],
        (s.seed,),
        f"{s.schedule} over {s.steps} steps",
    )
