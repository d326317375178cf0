"""The whole run, top to bottom: set up, warm up, train, export, and measure what is shipped."""

import sys
from pathlib import Path

import torch

from train_gpt_style.gpt import SYSTEM
from train_gpt_style.gpt.division import division_of
from train_gpt_style.gpt.export import export_model, import_model
from train_gpt_style.gpt.knobs import MICRO_BATCHES
from train_gpt_style.gpt.model import GPT, build_model
from train_gpt_style.gpt.muon import Muon
from train_gpt_style.gpt.optim import build_optimizers
from train_gpt_style.gpt.train import train, warm_up
from train_gpt_style.kit.bfloat16 import note_slow_products
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.seams import Run
from train_gpt_style.kit.shards import DistributedTokenLoader, load_validation, shard_files
from train_gpt_style.kit.start import (
    Log,
    log_settings,
    main_of,
    observers_of,
    resume,
    seed_generators,
    source_of,
    start_of,
    write_weights,
)
from train_gpt_style.kit.tokenizer import ByteCounter, load_tokenizer

__all__ = [
    "GPT",
    "MICRO_BATCHES",
    "SYSTEM",
    "Context",
    "Muon",
    "build_model",
    "build_optimizers",
    "main",
    "run",
]


def seed_everything(settings, ctx):
    """Every global generator, and the precision of matrix products."""
    seed_generators(settings)
    if ctx.cuda:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def run(settings, ctx):
    """One run in the current folder: the log, final_model.safetensors and the artifact."""
    source = source_of(settings.system)
    seed_everything(settings, ctx)  # before anything is built: every later draw follows from it
    # Precision next, since what is built and compiled below depends on it.
    for feature in settings.features:
        feature.prepare(ctx, settings)
    start = start_of(settings, ctx)
    log = Log(ctx, Path("logs") / f"{settings.run_id}.txt", start and start.log)
    log(source, console=False)  # the log alone is enough to repeat the run
    log("=" * 100, console=False)
    log(f"python:{sys.version.split()[0]} torch:{torch.__version__}", console=False)

    # Data is read and checked before the model is built: a broken shard costs no compilation.
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
        # One graph or an error: a break would put Python between kernels at every step. The base
        # model keeps the names that optimizers, features and the export go by.
        model = torch.compile(base_model, dynamic=False, fullgraph=True)
    if ctx.world_size > 1:
        model = division.wrap(model, ctx)
    optimizers = build_optimizers(settings, base_model)
    if ctx.cuda:
        # Many small products for each matrix: uncompiled, launching them takes longer than they do.
        optimizers["matrices"].orthogonalize = torch.compile(optimizers["matrices"].orthogonalize)
    if optimizers["matrices"].product_type == torch.bfloat16:
        note_slow_products(ctx, "Muon", "MUON_PRODUCTS=fp32 takes them in fp32")
    log_settings(settings, log)
    log(f"model_params:{sum(p.numel() for p in base_model.parameters())}")
    log(f"world_size:{ctx.world_size} grad_accum_steps:{ctx.grad_accum_steps}")

    def new_loader():
        return DistributedTokenLoader(
            train_files, ctx.rank, ctx.world_size, ctx.device, settings.vocab_size
        )

    def run_validation():
        return division.validate(settings, model, ctx, val_tokens, byte_counter)

    meter = meter_for(settings, ctx.device)
    header = {"world_size": ctx.world_size}
    seen = Run(settings, ctx, base_model, optimizers, log, start, meter, header)
    observers = observers_of(seen)
    accumulate = division.accumulate_gradients
    # Compilation and first allocations are no training: they must not count towards the cap.
    warm_up(settings, base_model, model, optimizers, ctx, new_loader, accumulate)
    resume(seen, None)  # last: the warm-up moved weights and generators
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
        write_weights(base_model)
        Path("final_model.int8.safetensors.z").write_bytes(blob)
        log(f"Code size: {code_bytes} bytes")
        log(f"Serialized model int8+zlib: {len(blob)} bytes")
        log(f"Total submission size int8+zlib: {code_bytes + len(blob)} bytes")
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


main = main_of(SYSTEM, run, MICRO_BATCHES)
