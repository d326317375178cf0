"""What the energy meter itself costs, and what it disturbs.

    python -m benchmarks.energy_meter            # 2,000 windows of each source, 200 steps in blocks
    python -m benchmarks.energy_meter --json

First, microseconds of processor time for one start and one stop of each source: none, the model,
RAPL on a folder of plain files as the kernel makes it (4 zones), and NVML on a stand-in that
answers at once, so that what is timed is ours and not the driver's; where a real source is there,
that one too. Then a training step of a small ViT without a meter, with one window over all steps,
and with the thread of RAPL reading a thousand times as often as it does: neighbouring blocks of
steps, in an order that changes, the median of their ratios in processor time.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import torch

from train_gpt_style.kit.energy import Model, NoMeter, open_meter
from train_gpt_style.kit.energy.nvml import NvmlCounter
from train_gpt_style.kit.energy.rapl import Rapl
from train_gpt_style.kit.images import SyntheticSplit
from train_gpt_style.vit_rft import run
from train_gpt_style.vit_rft.energy_study.window import Arm, Held, Trainer

KNOBS = {"IMAGE_SIZE": "16", "PATCH_SIZE": "4", "DIM": "48", "DEPTH": "2", "BATCH": "64"}


class Answers:
    """NVML that answers at once."""

    NVMLError, NVML_TEMPERATURE_GPU, NVML_CLOCK_SM = OSError, 0, 1

    def __init__(self):
        self.energy = 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        self.energy += 1000
        return self.energy

    def __getattr__(self, name):
        if name.endswith(("Init", "Shutdown", "ByUUID")):
            return lambda *arguments: SimpleNamespace()
        if name.endswith("Processes"):
            return lambda *arguments: [1]
        if name.endswith("MigMode"):
            return lambda *arguments: [0, 0]
        if name.endswith("PowerLimit"):
            return lambda *arguments: 700_000
        return lambda *arguments: 0


def powercap(folder):
    """Four zones with two power limits each, in plain files."""
    for i, name in enumerate(("package-0", "dram", "package-1", "dram")):
        zone = Path(folder) / f"intel-rapl:{i}"
        zone.mkdir()
        (zone / "name").write_text(name)
        (zone / "max_energy_range_uj").write_text("262143328850")
        (zone / "energy_uj").write_text("1000000")
        (zone / "enabled").write_text("1")
        for number, constraint in enumerate(("long_term", "short_term")):
            (zone / f"constraint_{number}_name").write_text(constraint)
            (zone / f"constraint_{number}_power_limit_uw").write_text("250000000")
    return Path(folder)


def cost(meter, windows):
    """Microseconds of processor time of one start and one stop: the median of ten tenths."""
    found = []
    for _ in range(10):
        start = time.process_time()
        for _ in range(windows // 10):
            meter.start()
            meter.stop()
        found.append((time.process_time() - start) / (windows // 10))
    return 1e6 * statistics.median(found)


def disturbance(folder, rounds, steps):
    """Ratios of a metered block of steps to one without: {name: quartiles}."""
    ctx = run.Context({})
    train = Held(SyntheticSplit(1024, 10, 16, 0), 1024, ctx.device)
    trainer = Trainer(Arm.of("base", KNOBS), 1, train, ctx)
    trainer.steps(steps)
    often = 262143 / 4000 / 2 / 1000  # seconds; the pause that Rapl chooses for this range, / 1000
    ways = ("none", "one window", "busy thread")
    times = {way: [] for way in ways}
    for number in range(rounds):
        order = ways[number % 3 :] + ways[: number % 3]
        for way in order if number % 2 else order[::-1]:
            pause = often if way == "busy thread" else 0
            meter = NoMeter() if way == "none" else Rapl(folder, sample=pause)
            start = time.process_time()
            if way != "none":
                meter.start()
            trainer.steps(steps)
            if way != "none":
                meter.stop()
            times[way].append(time.process_time() - start)
            meter.close()
    return {
        way: statistics.quantiles(
            [a / b for a, b in zip(times[way], times["none"], strict=True)], n=4
        )
        for way in ways[1:]
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=20, help="of a block")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        zones = powercap(folder)
        meters = {
            "none": NoMeter(),
            "model": Model(100.0),
            "rapl, 4 files": Rapl(zones, sample=0),
            "nvml stand-in": NvmlCounter(["GPU-0"], Answers()),
        }
        real = open_meter("auto")
        if real.source != "none":
            meters[f"{real.source}, real"] = real
        costs = {name: cost(meter, options.windows) for name, meter in meters.items()}
        ratios = disturbance(zones, options.rounds, options.steps)
    found = {"microseconds": costs, "ratios": ratios, "real": real.source}
    if options.json:
        print(json.dumps(found, sort_keys=True))
        return
    for name, microseconds in costs.items():
        print(f"{name:16} {microseconds:8.1f} us for a start and a stop")
    for name, (low, middle, high) in ratios.items():
        print(f"{name:16} {middle:.4f} of a step without a meter, quartiles {low:.4f} {high:.4f}")
    print(f"real source here: {real.source} {'; '.join(getattr(real, 'reasons', []))}")


if __name__ == "__main__":
    main()
