"""The knobs of the meter, and which source they come to."""

import time

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.knobs import Knob
from train_gpt_style.kit.energy.meter import Model, NoMeter
from train_gpt_style.kit.energy.nvml import NvmlCounter, NvmlPower
from train_gpt_style.kit.energy.rapl import POWERCAP, Rapl

SOURCES = ("none", "auto", "nvml", "nvml-power", "rapl", "model")

ENERGY = Knob(
    "ENERGY",
    str,
    "none",
    "meter of joules; auto: the GPU's counter, or the CPU's; model: ENERGY_WATTS times the clock",
    choices=SOURCES,
)
ENERGY_WATTS = Knob(
    "ENERGY_WATTS", float, 0.0, "assumed power of ENERGY=model; no measurement", 0.0, unit="W"
)
ENERGY_KNOBS = (ENERGY, ENERGY_WATTS)


def open_meter(
    source, watts=0.0, uuids=(), library=None, powercap=POWERCAP, clock=time.perf_counter
):
    """The meter of a source; `uuids` are the GPUs of this process, none on a CPU.

    `auto` never fails: it measures what computes, the GPUs where there are any and the CPU
    otherwise, or says in `reasons` why nothing is measured. It never chooses the model. Raises
    CannotCheckError when a source that was named cannot be had, UsageError for a source that does
    not exist or a model without watts.
    """
    boards = {"uuids": uuids, "library": library, "clock": clock}
    made = {
        "nvml": lambda: NvmlCounter(**boards),
        "nvml-power": lambda: NvmlPower(**boards),
        "rapl": lambda: Rapl(powercap, clock),
        "model": lambda: Model(watts, clock),
        "none": lambda: NoMeter(clock=clock),
    }
    if source in made:
        return made[source]()
    if source != "auto":
        raise UsageError(f"ENERGY={source}: expected one of {', '.join(SOURCES)}")
    reasons = []
    for name in ("nvml", "nvml-power") if uuids else ("rapl",):
        try:
            return made[name]()
        except CannotCheckError as error:
            reasons.append(f"{name}: {error}")
    return NoMeter(reasons, clock)


def meter_for(settings, device):
    """The meter that the knobs name for a torch device, or None when they name none.

    Raises as `open_meter` does.
    """
    if settings.energy == "none":
        return None
    return open_meter(settings.energy, settings.energy_watts, uuids_of(device))


def check_energy(settings, writers=("RUN_LOG",)):
    """Raise UsageError when the two knobs contradict each other, or nobody would write joules.

    writers: the knobs of which one must be on.
    """
    if (settings.energy == "model") != (settings.energy_watts > 0):
        raise UsageError(
            f"ENERGY={settings.energy} with ENERGY_WATTS={settings.energy_watts}: the model, and "
            "nothing else, takes a power above 0"
        )
    if settings.energy != "none" and not any(settings[name] for name in writers):
        where = "=1 or ".join(writers)
        raise UsageError(f"ENERGY={settings.energy} needs {where}=1: joules are written there")


def uuids_of(device):
    """The UUID of a CUDA device, as NVML spells it; none for another device."""
    if device.type != "cuda":
        return []
    import torch

    text = str(torch.cuda.get_device_properties(device).uuid)
    return [text if text.startswith(("GPU-", "MIG-")) else f"GPU-{text}"]
