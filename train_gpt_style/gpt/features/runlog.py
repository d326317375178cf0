"""RUN_LOG: a chained, machine-readable log of the run, and its results as canonical JSON.

Idea: a re-run is compared with the sealed run line by line, and the first line that differs says
where they parted. `train.jsonl` holds one line an optimizer step, validation, and the end; each
carries a hash chained to the line before. Every RUN_LOG_STATE_EVERY steps, and at the end of
training, a line holds digests of all parameters and of the optimizer state: a divergence is then
known to the step range even if no logged loss shows it. `metrics.json` holds the results. Floats
that matter are hex strings, since decimal ones are rounded; readable ones stand beside them.

It observes only: it reads tensors and never draws, writes or times anything of the run. Reading a
loss waits for the device, and digests copy the state to the CPU, so the cost grows with
1 / RUN_LOG_STATE_EVERY. Rank 0 writes; Muon's state is then that rank's share.
Off: nobody observes, nothing is written.
"""

import json
import os

import torch

from train_gpt_style.gpt.seams import GatedFeature, Observer
from verify.digest import tensor_digest
from verify.knobs import Feature, Knob
from verify.runlog import RunLog


class RunLogger(Observer):
    """Writes train.jsonl and metrics.json into the current folder."""

    def __init__(self, run):
        self.run, self.every = run, run.settings.run_log_state_every


class RunLogFeature(GatedFeature):
    declaration = Feature(
        "runlog",
        "x",
        Knob("RUN_LOG", bool, False, "write", on="1"),
        (),
        {"RUN_LOG": "1"},
        "observes",
    )


RUN_LOG = RunLogFeature()
