"""Small real data for the gates: a tokenizer, four training shards and a validation shard.

Made from the few poems of probe_text.txt (public domain; with letters outside ASCII, so that byte
pieces and byte counts are exercised). The same bytes come out on every call.
"""

import io
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import sentencepiece as spm

from train_gpt_style.gpt.constants import PROBE_COVERAGE
from train_gpt_style.gpt.windows import BOS_ID
from train_gpt_style.kit.shards import write_shard

TEXT = Path(__file__).with_name("probe_text.txt")
VOCAB_SIZE = 320
VALIDATION_DOCUMENTS = 6  # the last of the text: from one letter to many chunks long


def write(folder: Path) -> dict[str, str]:
    """Write tokenizer and shards into `folder`; returns the environment that points to them."""
    poems = TEXT.read_text(encoding="utf-8").strip().split("\n\n")
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=(line for poem in poems for line in poem.splitlines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCAB_SIZE,
        byte_fallback=True,
        character_coverage=PROBE_COVERAGE,
        unk_id=0,
        bos_id=BOS_ID,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    tokenizer_path = folder / "tokenizer.model"
    tokenizer_path.write_bytes(model.getvalue())
    tokenizer = spm.SentencePieceProcessor(model_proto=model.getvalue())
    documents = [[BOS_ID, *tokenizer.encode(poem)] for poem in poems]
    validation = list(chain(*documents[-VALIDATION_DOCUMENTS:]))
    # At the end an unknown piece, a byte before a word, and the shortest document there can be.
    byte, (word, *_) = tokenizer.piece_to_id("<0xE9>"), tokenizer.encode("the")
    validation[-5:] = [tokenizer.unk_id(), byte, word, BOS_ID, validation[-1]]
    training = list(chain(*documents[:-VALIDATION_DOCUMENTS]))
    # Four shards, cut inside documents. A micro-batch of `tied` takes 33 tokens: the 21st finds 32
    # in the first shard, and needs one of the next. The last one holds a single token.
    cuts = (0, 20 * 33 + 32, len(training) * 3 // 5, len(training) - 1, len(training))
    shards = {f"train_{i:06}": training[a:b] for i, (a, b) in enumerate(pairwise(cuts))}
    for name, tokens in {**shards, "val_000000": validation}.items():
        write_shard(folder / f"probe_{name}.bin", np.array(tokens, dtype=np.uint16))
    return {
        "DATA_PATH": str(folder),
        "TOKENIZER_PATH": str(tokenizer_path),
        "VOCAB_SIZE": str(VOCAB_SIZE),
    }


# Shapes for which a whole run, with validation, export and test-time training, takes half a second.
TINY = {
    "NUM_LAYERS": "4",
    "MODEL_DIM": "32",
    "NUM_HEADS": "4",
    "NUM_KV_HEADS": "2",
    "TRAIN_SEQ_LEN": "16",
    "TRAIN_BATCH_TOKENS": "256",
    "VAL_BATCH_SIZE": "512",
    "ITERATIONS": "3",
    "WARMUP_STEPS": "1",
    "WARMDOWN_ITERS": "2",
    "VAL_LOSS_EVERY": "2",
    "TRAIN_LOG_EVERY": "1",
    "MAX_WALLCLOCK_SECONDS": "0",
    "MUON_MOMENTUM_WARMUP_STEPS": "4",
    "TTT_CHUNK_SIZE": "16",
    "TTT_EVAL_SEQ_LEN": "64",
    "TTT_BATCH_SIZE": "2",
    "TTT_LORA_RANK": "2",
}


def tiny_environment() -> dict[str, str]:
    """The scenario `tied`: the default model in small.

    Three full batches of documents share one adapter, and the second trains it, so that state left
    over shows in the third.
    """
    return dict(TINY)


def untied_environment() -> dict[str, str]:
    """The scenario `untied`: the paths that `tied` leaves out.

    MLP_MULT makes matrices of just over 65,536 elements, so that the export quantises them. The
    wall-clock cap counts readings of the gates' own clock, one millisecond each: it warms down and
    stops after three steps; under a real clock, after one.
    """
    return {
        **TINY,
        "TIE_EMBEDDINGS": "0",
        "GRAD_CLIP_NORM": "0.5",
        "TRAIN_LOG_EVERY": "0",
        "NUM_LAYERS": "5",
        "NUM_KV_HEADS": "4",
        "MLP_MULT": "65",
        "ITERATIONS": "4",
        "MAX_WALLCLOCK_SECONDS": "0.007",
        "TTT_CHUNK_SIZE": "24",
        "TTT_BATCH_SIZE": "4",  # one full batch, and a smaller one with adapters of its own
        "MATRIX_LR": "0.12",  # moves matrices so far that zlib's levels 8 and 9 differ on them
        "MUON_MOMENTUM_WARMUP_STEPS": "2",  # the momentum's warm-up ends before the run
        "MUON_MOMENTUM_WARMUP_START": "0.75",
        "EMBED_LR": "0.5",
        "HEAD_LR": "0.015625",
        "TRAIN_SEQ_LEN": "14",  # divides all but the first token of the validation split
        "TRAIN_BATCH_TOKENS": "224",
        "SEED": "1597",
    }


def single_environment():
    """The scenario `single`: one layer, one head, no skip, nothing warmed up or down, more steps.

    The stream wraps around, and of the steps after the tenth only the twelfth is printed. Knobs
    that have their default in the other scenarios have another value here.
    """
    return {
        **TINY,
        "SEED": str(2**40 + 2**31 + 1597),  # numpy takes 32 bits of it
        "NUM_LAYERS": "1",
        "NUM_HEADS": "1",  # so that there is a parameter of one number
        "NUM_KV_HEADS": "1",
        "MODEL_DIM": "16",
        "MLP_MULT": "256",  # matrices of exactly 65,536 elements: not yet quantised
        "TRAIN_SEQ_LEN": "9",  # divides the validation split: its last token is only a target
        "TRAIN_BATCH_TOKENS": "288",
        "ITERATIONS": "13",
        "WARMUP_STEPS": "0",
        "WARMDOWN_ITERS": "0",
        "VAL_LOSS_EVERY": "0",
        "TRAIN_LOG_EVERY": "4",
        "MUON_MOMENTUM_WARMUP_STEPS": "0",
        "TTT_CHUNK_SIZE": "64",
        "TTT_BATCH_SIZE": "8",
        "RUN_ID": "single",
        "QK_GAIN_INIT": "1.25",
        "ROPE_BASE": "1000",
        "LOGIT_SOFTCAP": "8",
        "TIED_EMBED_LR": "0.0625",
        "TIED_EMBED_INIT_STD": "0.03125",
        "SCALAR_LR": "0.03125",
        "MUON_MOMENTUM": "0.875",
        "MUON_BACKEND_STEPS": "3",
        "BETA1": "0.75",
        "BETA2": "0.875",
        "ADAM_EPS": "0.0009765625",
        "TTT_LORA_LR": "0.03125",
    }


SCENARIOS = {
    "tied": tiny_environment,
    "untied": untied_environment,
    "single": single_environment,
}
