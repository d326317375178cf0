"""RUN_LOG: a chained, machine-readable log of the run, and its results as canonical JSON.

Idea: a re-run is compared with the sealed run line by line, and the first line that differs says
where they parted. `train.jsonl` holds a header, then one line an optimizer step, a validation, and
the end; each carries a hash chained to the line before. Every RUN_LOG_STATE_EVERY steps, and at the
end of training, a step's line also holds digests of the parameters and of the optimizer state, so
that a divergence is pinned to a few steps even if no logged loss shows it. `metrics.json` holds the
results. Floats that matter are hex strings, since decimals are rounded; readable ones are beside.

It observes only: it reads tensors, and never draws, changes or times anything of the run. Reading a
loss waits for the device, and a digest copies the state to the CPU. Rank 0 writes; Muon's state is
then that rank's share.
Off: nobody observes, nothing is written.
"""

from pathlib import Path

import torch

from train_gpt_style.gpt.seams import GatedFeature, Observer
from verify.digest import tensor_digest
from verify.knobs import Feature, Knob


class RunLogger(Observer):
    """Writes train.jsonl and metrics.json into the current folder."""

    def __init__(self, run):
        from verify.runlog import RunLog

        self.run, self.every = run, run.settings.run_log_state_every


class RunLogFeature(GatedFeature):
    """Fills one seam: an observer of the loop."""

    declaration = Feature(
        name="runlog",
        summary="write a chained log of the run and its results",
        master=Knob("RUN_LOG", bool, False, "write train.jsonl and metrics.json", on="1"),
        knobs=(
            Knob(
                "RUN_LOG_STATE_EVERY",
                int,
                50,
                "digest of all state at this cadence; 0: only at the end",
                0,
                unit="steps",
                on="2",
            ),
        ),
        example={"RUN_LOG": "1"},
        kind="observes",
    )

    def observer(self, run):
        """The logger of this run."""
        return RunLogger(run)


RUN_LOG = RunLogFeature()
