"""What a run is at a step, as files of a checkpoint; and a run put back to where one was."""

import hashlib
import random

import numpy as np
import safetensors.torch
import torch
import torch.distributed as dist

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from train_gpt_style.kit import optimizers as told
from train_gpt_style.kit.checkpoints import SCHEMA, STATE, check_tensors, tensors
from train_gpt_style.kit.numerics import numeric_class
from train_gpt_style.kit.start import source_of

# Features that only watch: what they are set to is not what is computed.
FREE_FEATURES = ("checkpoint", "finite")


def free_knobs(system):
    """Knobs that say where things lie, or what is watched."""
    watching = [f.declaration for f in system.features if f.declaration.name in FREE_FEATURES]
    return {*system.paths, *(knob.name for each in watching for knob in each.all_knobs)}


def identity(settings, ctx, source):
    """What a checkpoint and the run that goes on from it must share, as JSON."""
    knobs = settings.as_environment()
    return {
        "data": dict(settings.system.data(settings)),
        "knobs": {name: knobs[name] for name in sorted(set(knobs) - free_knobs(settings.system))},
        "numeric_class": numeric_class(),
        "source": hashlib.sha512(source.encode()).hexdigest(),
        "world_size": "any" if any(f.any_world for f in settings.features) else ctx.world_size,
    }


def check_identity(found, expected, where):
    """Raise UsageError, naming the first difference, unless the checkpoint is of the same run."""
    for part in expected:
        ours, theirs = expected[part], found.get(part)
        if ours == theirs:
            continue
        name = part
        if isinstance(ours, dict) and isinstance(theirs, dict):
            key = min(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
            name, ours, theirs = f"{part}: {key}", ours.get(key), theirs.get(key)
        ours, theirs = (str(value)[:60] for value in (ours, theirs))
        raise UsageError(
            f"{where}: {name} was {theirs}, here it is {ours}: set it back, "
            "or start afresh with another CHECKPOINT_DIR"
        )


def parameters_of(optimizer):
    """Number and parameter, in the order of the groups, as `state_dict` numbers them."""
    return enumerate(p for group in optimizer.param_groups for p in group["params"])


def optimizer_tensors(optimizers, rank, world_size):
    """Every optimizer's state by GROUP.INDEX.KEY, the same on each rank: they all must call it.

    What an optimizer shares out comes from the rank that owns it; where it was never used it is
    zero, as it is when it is first used. Raises UsageError when an optimizer keeps something else
    than it tells: a run that went on from that would not be the same.
    """
    found = {}
    for group, optimizer in optimizers.items():
        for i, p in parameters_of(optimizer):
            state, owner = optimizer.state.get(p, {}), told.owner_of(optimizer, i, world_size)
            if owner is not None:
                state = {k: state.get(k, torch.zeros_like(p)) for k in told.kept_for(optimizer, p)}
                if world_size > 1:
                    for t in state.values():
                        dist.broadcast(t, src=owner)
            found |= {f"{group}.{i}.{key}": value for key, value in state.items()}
        found |= {f"{group}.{key}": value for key, value in told.own_state(optimizer).items()}
    for name in sorted(set(found) - set(expected_tensors(optimizers))):
        raise UsageError(
            f"CHECKPOINT_EVERY: an optimizer keeps {name} and does not tell: kit/optimizers.py"
        )
    return found


def expected_tensors(optimizers):
    """Tensors of the shapes and dtypes that the state has once every parameter was updated."""
    expected = {}
    for group, optimizer in optimizers.items():
        for i, p in parameters_of(optimizer):
            kept = told.kept_for(optimizer, p)
            expected |= {f"{group}.{i}.{key}": like for key, like in kept.items()}
        expected |= {f"{group}.{key}": t for key, t in told.own_state(optimizer).items()}
    return expected


def without_untouched(optimizers, expected, found):
    """`expected` less the state of parameters of which `found` has nothing at all.

    A parameter that no loss has reached yet has no state: it begins with the first gradient.
    """
    untouched = {
        f"{group}.{i}.{key}"
        for group, optimizer in optimizers.items()
        for i, p in parameters_of(optimizer)
        for key in told.kept_for(optimizer, p)
        if not any(f"{group}.{i}.{each}" in found for each in told.kept_for(optimizer, p))
    }
    return {name: t for name, t in expected.items() if name not in untouched}


def put_optimizers_back(optimizers, found, rank, world_size):
    """The inverse of `optimizer_tensors`: each rank keeps its own share of what is shared out."""
    for group, optimizer in optimizers.items():
        optimizer.state.clear()
        for i, p in parameters_of(optimizer):
            if told.owner_of(optimizer, i, world_size) not in (None, rank):
                continue
            state = below(found, f"{group}.{i}.")
            optimizer.state[p] = {key: t.to(p.device, copy=True) for key, t in state.items()}
        names = told.own_state(optimizer)
        told.put_own_state(optimizer, {name: found[f"{group}.{name}"] for name in names})


def below(found, prefix):
    """What is named with this prefix, without it."""
    return {k.removeprefix(prefix): t for k, t in found.items() if k.startswith(prefix)}


def generators():
    """(tensors, JSON): where every global generator stands."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    version, words, gauss = random.getstate()
    state = np.random.get_state(legacy=False)
    return states, {
        "python": {"version": version, "words": list(words), "gauss": hex_or_none(gauss)},
        "numpy": {
            "key": state["state"]["key"].tolist(),
            "pos": int(state["state"]["pos"]),
            "has_gauss": int(state["has_gauss"]),
            "gauss": float(state["gauss"]).hex(),
        },
    }


def hex_or_none(value):
    """A float as an exact text."""
    return None if value is None else float(value).hex()


def put_generators_back(states, facts):
    """The inverse of `generators`."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    python, numpy = facts["python"], facts["numpy"]
    gauss = None if python["gauss"] is None else float.fromhex(python["gauss"])
    random.setstate((python["version"], tuple(python["words"]), gauss))
    key, gauss = numpy["key"], float.fromhex(numpy["gauss"])
    np.random.set_state(("MT19937", key, numpy["pos"], numpy["has_gauss"], gauss))


def snapshot(run, report, named, optimizers):
    """The files of a checkpoint after the step of `report`: model and optimizer tensors by name."""
    states, facts = generators()
    state = {
        "schema": SCHEMA,
        "step": report.step,
        "train_ms": report.train_ms.hex(),
        "capped": report.capped,
        "loader": list(report.position),
        "log": run.log.position(),
        "observers": {name: each.position() for name, each in run.observers.items()},
        "generators": facts,
        **identity(run.settings, run.ctx, source_of(run.settings.system)),
    }

    def pack(values):
        return safetensors.torch.save(
            {name: t.detach().cpu().contiguous() for name, t in values.items()}
        )

    return {
        "model.safetensors": pack(named),
        "optimizers.safetensors": pack(optimizers),
        "rng.safetensors": pack(states),
        STATE: canonical.dumps(state),
    }


class Resumed:
    """A checkpoint from which this run goes on; its place in the run, and its tensors.

    Raises UsageError, one line, when its state is none, or of another run.
    """

    def __init__(self, path, files, expected):
        self.path = path
        where = f"{path}/{STATE}"
        state = canonical.loads(files[STATE], where)
        if not isinstance(state, dict) or state.get("schema") != SCHEMA:
            raise UsageError(f"{where}: not the state of a checkpoint, schema {SCHEMA}")
        check_identity(state, expected, path)
        try:
            self.step, self.capped = int(state["step"]), bool(state["capped"])
            self.train_ms = float.fromhex(state["train_ms"])
            self.loader = tuple(int(number) for number in state["loader"])
            self.log, self.observers = state["log"], dict(state["observers"])
            self.generators = state["generators"]
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{where}: no state of a run: {error}") from None
        self.model, self.optimizers, self.states = (
            tensors(files[name], f"{path}/{name}")
            for name in ("model.safetensors", "optimizers.safetensors", "rng.safetensors")
        )

    def check(self, model, optimizers):
        """Raise UsageError unless every tensor has its place in this run."""
        check_tensors(self.model, model.state_dict(), f"{self.path}/model.safetensors")
        expected = without_untouched(optimizers, expected_tensors(optimizers), self.optimizers)
        check_tensors(self.optimizers, expected, f"{self.path}/optimizers.safetensors")

    def restore(self, model, optimizers, ctx):
        """Put weights, optimizers and generators back."""
        model.load_state_dict(self.model, strict=True)
        put_optimizers_back(optimizers, self.optimizers, ctx.rank, ctx.world_size)
        put_generators_back(self.states, self.generators)
