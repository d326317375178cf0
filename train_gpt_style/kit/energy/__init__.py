"""Energy over windows of a run: joules that were measured, or null; docs/energy.md is the guide.

`meter` holds what every source shares, `nvml` and `rapl` the sources that measure, `choose` the
knobs and the choice. Windows, not steps: a counter that is renewed ten times a second says nothing
about a step of ten milliseconds. What was not measured is null, never a filled-in guess.
"""

from train_gpt_style.kit.energy.choose import ENERGY_KNOBS, meter_for, open_meter
from train_gpt_style.kit.energy.meter import Meter, Model, NoMeter, Window

__all__ = ["ENERGY_KNOBS", "Meter", "Model", "NoMeter", "Window", "meter_for", "open_meter"]
