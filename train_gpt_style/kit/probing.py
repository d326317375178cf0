"""The probe of a system: what is the same in every one is said here, once.

A system's `probe.py` names what is its own. What needs its data or its figures is found under fixed
names and imported when it is asked for:

    probe_data.py       write(folder): small real data; the variables that point to it
    probe_refusals.py   REFUSALS, and spoil(kind, folder, data): bad input, if any; OWN_REFUSALS are
                        what only the candidate refuses, beside those of every system
    figures.py          figures(): (name, published, computed) of each published figure, if any

No run imports any of them, and so no bundle holds one.
"""

from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from goldenseal.ladder.probe import Probe, Script, load_object
from train_gpt_style.kit.system import KIT_KNOBS
from train_gpt_style.kit.unreached import UNREACHED

# What every candidate refuses, and no baseline knows: by kind, the settings that are wrong, and
# words of the error, with the features that write joules.
ENERGY = {
    "a model of no power": ({"ENERGY": "model"}, "takes a power above 0"),
    "power without a model": ({"ENERGY_WATTS": "5"}, "takes a power above 0"),
    "joules that nobody writes": (
        {"ENERGY": "model", "ENERGY_WATTS": "5"},
        "needs {joules}: joules are written there",
    ),
}
ROOT = Path(__file__).parents[2]
BASELINE_BUILD = "build_model(Hyperparameters.from_env(os.environ), Context(os.environ))"


def probe_of(
    system,
    baseline,
    scenarios,
    *,
    model_class,
    loss="model(x, y)",
    parts="None",
    baseline_build=BASELINE_BUILD,
    joules="RUN_LOG=1",
    unreached=None,
    **more,
):
    """The Probe of a system against a frozen script, a path below the repository's root.

    model_class, loss: of both scripts; see `Script`. parts: an expression for the parts of a global
    batch. baseline_build: an expression for the baseline's model. joules: which features write what
    ENERGY measures, as the error that there is none says it. unreached: excuses of the system's
    own, besides those of every system. more: other fields of Probe.
    """

    def late(module, name):
        """That function of that module of the system, looked for when it is called."""
        if find_spec(f"{system.package}.{module}") is None:
            return None
        return lambda *arguments: load_object(f"{system.package}.{module}:{name}")(*arguments)

    def spoil(kind, folder, data):
        if kind in ENERGY:
            return ENERGY[kind][0]
        return late("probe_refusals", "spoil")(kind, folder, data)

    own = {kind: words.format(joules=joules) for kind, (_, words) in ENERGY.items()}
    if parts == "None":  # a launcher's variable, which a system of one process does not follow
        *scenarios, last = scenarios
        scenarios.append(replace(last, environment={**last.environment, "RANK": "0"}))
    refusals = f"{system.package}.probe_refusals"
    refusals = import_module(refusals) if find_spec(refusals) else None
    script = {"model_class": model_class, "entry": "main()", "loss": loss}
    return Probe(
        name=system.name,
        baseline=Script(
            "baseline",
            str(ROOT / baseline),
            build=baseline_build,
            **script,
        ),
        candidate=Script(
            "candidate",
            f"{system.package}.run",
            build=f"build_model(SYSTEM.read(os.environ), Context(os.environ, {parts}))",
            **script,
        ),
        scenarios=tuple(scenarios),
        features=tuple(feature.declaration for feature in system.features),
        baseline_knobs=system.baseline_knobs,
        kit_knobs=KIT_KNOBS,
        unreached=UNREACHED | (unreached or {}),
        **{
            "prepare": late("probe_data", "write"),
            "smoke": late("figures", "figures"),
            "refusals": getattr(refusals, "REFUSALS", {}),
            "own_refusals": own | getattr(refusals, "OWN_REFUSALS", {}),
            "spoil": spoil,
            **more,
        },
    )
