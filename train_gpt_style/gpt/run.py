"""The whole run, top to bottom: set up, warm up, train, export, and measure what is shipped."""

import hashlib
import os
import random
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from train_gpt_style.gpt import settings as settings_module
from train_gpt_style.gpt.context import Context
from train_gpt_style.gpt.division import division_of
from train_gpt_style.gpt.export import export_model, import_model
from train_gpt_style.gpt.features import switched_on
from train_gpt_style.gpt.model import GPT, build_model
from train_gpt_style.gpt.muon import Muon, newton_schulz
from train_gpt_style.gpt.optim import build_optimizers
from train_gpt_style.gpt.seams import Run
from train_gpt_style.gpt.settings import BASELINE_KNOBS, MICRO_BATCHES
from train_gpt_style.gpt.train import train, warm_up
from train_gpt_style.kit.numerics import enter_lane
from train_gpt_style.kit.shards import DistributedTokenLoader, load_validation, shard_files
from train_gpt_style.kit.source import files_of
from train_gpt_style.kit.tokenizer import ByteCounter, load_tokenizer
from verify.errors import ContradictedError

__all__ = ["GPT", "Context", "Muon", "build_model", "build_optimizers", "main", "run"]


def main(environ=os.environ):
    """Train as `environ` says.

    Raises UsageError, before anything is loaded, when the settings make no sense.
    """
    settings = settings_module.read(environ)
    enter_lane(environ)  # by now a check: torch is imported, in this lane or in another
    ctx = Context(environ)
    try:
        run(settings, ctx)
        ctx.wait_for_others()
    finally:
        ctx.close()


def source_files():
    """What runs, sorted by path: each file that this system may import; or their bundle."""
    return files_of(__package__)


class Log:
    """Prints lines on rank 0 and keeps them, after the source, in logs/RUN_ID.txt."""

    def __init__(self, path, ctx, kept=None):
        """`kept`: the `position` of an earlier run, whose log `go_on` goes on with.

        Raises ContradictedError when the file is not that log. Until `go_on`, lines are only shown.
        """
        self.path, self.rank, self.kept = path, ctx.rank, kept
        if self.rank != 0:
            return
        if kept is not None:
            data = path.read_bytes()[: kept["bytes"]] if path.is_file() else b""
            if hashlib.sha512(data).hexdigest() != kept["sha512"]:
                raise ContradictedError(
                    f"{path}: its first {kept['bytes']} bytes are not of the checkpoint's run: "
                    "put them back, or start afresh with another CHECKPOINT_DIR or RUN_ID"
                )
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")

    def __call__(self, message, console=True):
        if self.rank != 0:
            return
        if console:
            print(message, flush=True)
        if self.kept is not None:
            return
        with open(self.path, "a", encoding="utf-8") as file:
            print(message, file=file)

    def go_on(self):
        """From here on lines are kept, after those that the checkpoint's run had written."""
        if self.rank == 0:
            os.truncate(self.path, self.kept["bytes"])
        self.kept = None

    def position(self):
        """What `kept` takes: the bytes so far, through to the disk, and their digest."""
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())
            data = file.read()
        return {"bytes": len(data), "sha512": hashlib.sha512(data).hexdigest()}


def seed_everything(settings, ctx):
    """Every global generator, and the precision of matrix products."""
    random.seed(settings.seed)
    np.random.seed(settings.seed % 2**32)
    torch.manual_seed(settings.seed)
    if ctx.cuda:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def log_settings(settings, log):
    """The baseline's knobs, then each feature that is on, on one line."""
    for knob in BASELINE_KNOBS:
        log(f"{knob.name.lower()}:{settings[knob.name]}")
    for feature in switched_on(settings):
        knobs = feature.declaration.all_knobs
        values = " ".join(f"{knob.name.lower()}:{settings[knob.name]}" for knob in knobs)
        log(f"feature {feature.declaration.name} {values}")


def observers_of(settings, ctx, model, optimizers, log=None, source="", start=None):
    """Who is told of the run, on this rank."""
    found = {}
    seen = Run(settings, ctx, model, optimizers, log, source, start, found)
    for feature in switched_on(settings):
        observer = feature.observer(seen)
        if observer is not None:
            found[feature.declaration.name] = observer
    return list(found.values())


def start_of(settings, ctx, source):
    """The checkpoint that the run goes on from; None: it begins."""
    for feature in switched_on(settings):
        start = feature.start(settings, ctx, source)
        if start is not None:
            return start


def run(settings, ctx):
    """One run in the current folder: the log, final_model.safetensors and the artifact."""
    source = "".join(path.read_text(encoding="utf-8") for path in source_files())
    seed_everything(settings, ctx)
    for feature in switched_on(settings):
        feature.prepare(ctx, settings)
    start = start_of(settings, ctx, source)
    log = Log(Path("logs") / f"{settings.run_id}.txt", ctx, start and start.log)
    log(source, console=False)  # the log alone is enough to repeat the run
    log("=" * 100, console=False)
    log(f"python:{sys.version.split()[0]} torch:{torch.__version__}", console=False)

    byte_counter = ByteCounter(
        load_tokenizer(settings.tokenizer_path), settings.vocab_size, ctx.device
    )
    train_files = shard_files(settings.data_path, "train")
    val_files = shard_files(settings.data_path, "val")
    all_val_tokens, val_tokens = load_validation(
        val_files, settings.train_seq_len, settings.vocab_size
    )

    division = division_of(settings)
    base_model = build_model(settings, ctx)
    model = base_model
    if ctx.cuda:
        model = torch.compile(base_model, dynamic=False, fullgraph=True)
    if ctx.world_size > 1:
        model = division.wrap(model, ctx)
    optimizers = build_optimizers(settings, base_model)
    if ctx.cuda:
        optimizers["matrices"].orthogonalize = torch.compile(newton_schulz)
    log_settings(settings, log)
    log(f"model_params:{sum(p.numel() for p in base_model.parameters())}")
    log(f"world_size:{ctx.world_size} grad_accum_steps:{ctx.grad_accum_steps}")

    def new_loader():
        return DistributedTokenLoader(
            train_files, ctx.rank, ctx.world_size, ctx.device, settings.vocab_size
        )

    def run_validation():
        return division.validate(settings, model, ctx, val_tokens, byte_counter)

    if start is not None:
        start.check(base_model, optimizers)
    observers = observers_of(settings, ctx, base_model, optimizers, log, source, start)
    accumulate = division.accumulate_gradients
    warm_up(settings, base_model, model, optimizers, ctx, new_loader, accumulate)
    if start is not None:
        start.restore(base_model, optimizers, ctx)
        log(f"resumed from {start.path}")  # shown, not kept: the log is that of one run
        log.go_on()
    steps = train(
        settings,
        base_model,
        model,
        optimizers,
        ctx,
        new_loader,
        accumulate,
        run_validation,
        log,
        observers,
        start,
    )

    for observer in observers:
        observer.after_training(steps)

    # From here on, what is measured is the very artifact that ships.
    blob = export_model(base_model.state_dict())
    code_bytes = len(source.encode("utf-8"))
    if ctx.rank == 0:
        write_files(base_model, blob, code_bytes, log)
    base_model.load_state_dict(import_model(blob))
    val_loss, val_bpb = run_validation()
    log(f"final_int8_zlib_roundtrip_exact val_loss:{val_loss:.8f} val_bpb:{val_bpb:.8f}")
    ttt_loss, ttt_bpb = division.evaluate_ttt(
        settings, base_model, ctx, all_val_tokens, byte_counter
    )
    log(f"final_int8_ttt_lora_exact val_loss:{ttt_loss:.8f} val_bpb:{ttt_bpb:.8f}")
    for observer in observers:
        observer.at_end(
            {
                "artifact_bytes": len(blob),
                "code_bytes": code_bytes,
                "parameters": sum(p.numel() for p in base_model.parameters()),
                "roundtrip_val_bpb": val_bpb,
                "roundtrip_val_loss": val_loss,
                "steps": steps,
                "tokens": steps * (settings.train_batch_tokens // MICRO_BATCHES) * MICRO_BATCHES,
                "ttt_val_bpb": ttt_bpb,
                "ttt_val_loss": ttt_loss,
            }
        )


def write_files(base_model, blob, code_bytes, log):
    """The trained weights as they are, and the artifact."""
    state = {name: t.detach().cpu().contiguous() for name, t in base_model.state_dict().items()}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state))
    Path("final_model.int8.safetensors.z").write_bytes(blob)
    log(f"Code size: {code_bytes} bytes")
    log(f"Serialized model int8+zlib: {len(blob)} bytes")
    log(f"Total submission size int8+zlib: {code_bytes + len(blob)} bytes")
