"""What a system of pyproject.toml can be told, for who launches a run of it."""

from collections.abc import Iterable

from goldenseal.config import System
from goldenseal.knobs import Knob

RUN_LOG = {"RUN_LOG": "1"}


def all_knobs(system: System) -> tuple[Knob, ...]:
    """Every knob of a system: the baseline's, the kit's, the features'."""
    from goldenseal.ladder.probe import load_probe  # with unittest.mock, and that with asyncio

    probe = load_probe(system.probe)
    in_features = (knob for feature in probe.features for knob in feature.all_knobs)
    return (*(probe.baseline_knobs or ()), *probe.kit_knobs, *in_features)


def with_log(declared: Iterable[Knob]) -> dict[str, str]:
    """What makes a system write its run log; nothing where it always writes one."""
    return RUN_LOG if any(knob.name in RUN_LOG for knob in declared) else {}
