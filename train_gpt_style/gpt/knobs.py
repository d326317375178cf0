"""The baseline's knobs, and what must not be set together.

Names, defaults and ranges are those of the frozen baseline; a gate holds them there.
"""

import os
from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, Settings
from train_gpt_style.gpt.constants import (
    KNOB_ADAM_EPS,
    KNOB_BETA1,
    KNOB_BETA2,
    KNOB_EMBED_LR,
    KNOB_HEAD_LR,
    KNOB_MATRIX_LR,
    KNOB_MUON_MOMENTUM,
    KNOB_MUON_MOMENTUM_WARMUP_START,
    KNOB_SCALAR_LR,
    KNOB_TIED_EMBED_INIT_STD,
    KNOB_TIED_EMBED_LR,
    KNOB_TTT_LORA_LR,
    LOGIT_SOFTCAP_LEAST,
)

MICRO_BATCHES = 8  # a global batch is eight micro-batches, shared out to the ranks

BASELINE_KNOBS = (
    # data and run
    Knob("DATA_PATH", str, "./data/shakespeare", "folder of the token shards"),
    Knob("TOKENIZER_PATH", str, "./data/shakespeare/tokenizer.model", "SentencePiece model"),
    Knob("RUN_ID", str, "train_gpt", "name of the log file under logs/"),
    Knob("SEED", int, 1337, "seed of every random draw", 0, 2**63 - 1),
    # length, batch and validation cadence
    Knob("VAL_BATCH_SIZE", int, 524288, "one validation pass, over all ranks", 1, unit="tokens"),
    Knob("VAL_LOSS_EVERY", int, 1000, "validate at this cadence; 0: at the end", 0, unit="steps"),
    Knob("TRAIN_LOG_EVERY", int, 200, "print the train loss; 0: never", 0, unit="steps"),
    Knob("ITERATIONS", int, 20000, "length of the run", 0, unit="steps"),
    Knob("WARMDOWN_ITERS", int, 1200, "last steps, with falling learning rates", 0, unit="steps"),
    Knob("WARMUP_STEPS", int, 20, "untimed steps first, then undone", 0, unit="steps"),
    Knob("TRAIN_BATCH_TOKENS", int, 524288, "one step, over all ranks", 1, unit="tokens"),
    Knob("TRAIN_SEQ_LEN", int, 1024, "length of a training sequence", 1, unit="tokens"),
    Knob("MAX_WALLCLOCK_SECONDS", float, 600.0, "stop training; 0: no cap", 0.0, unit="s"),
    # model
    Knob("QK_GAIN_INIT", float, 1.5, "initial gain of each attention head's queries"),
    Knob("VOCAB_SIZE", int, 1024, "pieces of the tokenizer", 1, 65536),
    Knob("NUM_LAYERS", int, 9, "blocks", 1),
    Knob("NUM_KV_HEADS", int, 4, "key and value heads; divides NUM_HEADS", 1),
    Knob("MODEL_DIM", int, 512, "width of the residual stream", 1),
    Knob("NUM_HEADS", int, 8, "query heads", 1),
    Knob("MLP_MULT", int, 2, "hidden width of the MLP, in model widths", 1),
    Knob("TIE_EMBEDDINGS", bool, True, "the embedding is also the head"),
    Knob("ROPE_BASE", float, 10000.0, "base of the rotary frequencies", 1.0),
    Knob(
        "LOGIT_SOFTCAP", float, 30.0, "logits stay within plus and minus this", LOGIT_SOFTCAP_LEAST
    ),
    # optimizers
    Knob("EMBED_LR", float, KNOB_EMBED_LR, "Adam, embedding when not tied", 0.0),
    Knob("HEAD_LR", float, KNOB_HEAD_LR, "Adam, head when not tied", 0.0),
    Knob("TIED_EMBED_LR", float, KNOB_TIED_EMBED_LR, "Adam, embedding when tied", 0.0),
    Knob(
        "TIED_EMBED_INIT_STD",
        float,
        KNOB_TIED_EMBED_INIT_STD,
        "initial spread of a tied embedding",
        0.0,
    ),
    Knob("MATRIX_LR", float, KNOB_MATRIX_LR, "Muon, the blocks' matrices", 0.0),
    Knob("SCALAR_LR", float, KNOB_SCALAR_LR, "Adam, vectors and control parameters", 0.0),
    Knob("MUON_MOMENTUM", float, KNOB_MUON_MOMENTUM, "Muon's momentum after its warm-up", 0.0, 1.0),
    Knob("MUON_BACKEND_STEPS", int, 5, "Newton-Schulz iterations", 1),
    Knob(
        "MUON_MOMENTUM_WARMUP_START",
        float,
        KNOB_MUON_MOMENTUM_WARMUP_START,
        "Muon's momentum at step 0",
        0.0,
        1.0,
    ),
    Knob("MUON_MOMENTUM_WARMUP_STEPS", int, 500, "linear momentum warm-up", 0, unit="steps"),
    Knob("BETA1", float, KNOB_BETA1, "Adam, mean of gradients (also test-time)", 0.0, 1.0),
    Knob("BETA2", float, KNOB_BETA2, "Adam, mean of their squares (also test-time)", 0.0, 1.0),
    Knob("ADAM_EPS", float, KNOB_ADAM_EPS, "Adam, added to the denominator", 0.0),
    Knob("GRAD_CLIP_NORM", float, 0.0, "largest norm of all gradients; 0: no clipping", 0.0),
    # LoRA test-time training, after the run
    Knob("TTT_LORA_RANK", int, 8, "rank of each document's adapters", 1),
    Knob("TTT_LORA_LR", float, KNOB_TTT_LORA_LR, "Adam, adapters; 0: score without adapting", 0.0),
    Knob("TTT_CHUNK_SIZE", int, 256, "targets scored between two adapter steps", 1, unit="tokens"),
    Knob("TTT_EVAL_SEQ_LEN", int, 1024, "longest window of a chunk", 1, unit="tokens"),
    Knob("TTT_BATCH_SIZE", int, 64, "documents adapted side by side", 1, unit="documents"),
)


def data(settings: Settings) -> dict[str, int]:
    """Name and size in bytes of each training shard. Raises UsageError when there is none."""
    from train_gpt_style.kit.shards import shard_files  # needs torch

    files = shard_files(settings.data_path, "train")
    return {Path(path).name: os.path.getsize(path) for path in files}


def check(s: Settings) -> None:
    """Raise UsageError when baseline knobs contradict each other."""
    if s.model_dim % s.num_heads or (s.model_dim // s.num_heads) % 2:
        raise UsageError(
            f"MODEL_DIM={s.model_dim} must be NUM_HEADS={s.num_heads} times an even number"
        )
    if s.num_heads % s.num_kv_heads:
        raise UsageError(f"NUM_KV_HEADS={s.num_kv_heads} must divide NUM_HEADS={s.num_heads}")
    if s.ttt_chunk_size > s.ttt_eval_seq_len:
        raise UsageError(
            f"TTT_CHUNK_SIZE={s.ttt_chunk_size} must not exceed "
            f"TTT_EVAL_SEQ_LEN={s.ttt_eval_seq_len}"
        )
    # What follows the baseline finds out only when it gets there.
    for name in ("BETA1", "BETA2"):
        if s[name] == 1.0:
            raise UsageError(f"{name}=1.0 must be less than 1: Adam would never start to average")
    micro_batch = s.train_batch_tokens // MICRO_BATCHES
    if micro_batch == 0 or micro_batch % s.train_seq_len:
        raise UsageError(
            f"TRAIN_BATCH_TOKENS={s.train_batch_tokens} gives micro-batches of {micro_batch} "
            f"tokens; they must be whole sequences of TRAIN_SEQ_LEN={s.train_seq_len}"
        )
    if s.val_batch_size < MICRO_BATCHES * s.train_seq_len:
        raise UsageError(
            f"VAL_BATCH_SIZE={s.val_batch_size} must be at least "
            f"{MICRO_BATCHES} times TRAIN_SEQ_LEN={s.train_seq_len}"
        )
    if s.run_id in (".", "..") or "/" in s.run_id or "\\" in s.run_id:
        raise UsageError(f"RUN_ID={s.run_id} must be a plain file name, without / or \\")
