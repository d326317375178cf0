"""Documents to files: train the tokenizer, write the shards, put the folder in place whole."""

import io
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rfc8785
import sentencepiece as spm

from goldenseal.errors import UsageError
from train_gpt_style.kit.constants import CORPUS_COVERAGE
from train_gpt_style.kit.data.corpus import archive, pins
from train_gpt_style.kit.data.corpus.documents import SPLITS, Document, read_works, split_documents

PREFIX = "shakespeare"
TOKENIZER = "tokenizer.model"
SHARD_TOKENS = 2**20
UNK, BOS, EOS = 0, 1, 2  # a document starts at every BOS, and evaluation finds it by this id
SHARD_NAMES = {"train": "train", "validation": "val"}

# Everything that moves the outcome is written out, so that a changed default changes nothing.
# Text is not rewritten (identity, no whitespace removed): bytes a token are bytes of the text.
TRAINER = {
    "model_type": "bpe",
    "byte_fallback": True,
    "character_coverage": CORPUS_COVERAGE,
    "normalization_rule_name": "identity",
    "remove_extra_whitespaces": False,
    "add_dummy_prefix": True,
    "split_by_unicode_script": True,
    "split_by_number": True,
    "split_by_whitespace": True,
    "split_digits": False,
    "max_sentencepiece_length": 16,
    "max_sentence_length": 1 << 16,
    "input_sentence_size": 0,
    "shuffle_input_sentence": False,
    "num_threads": 1,
    "hard_vocab_limit": True,
    "unk_id": UNK,
    "bos_id": BOS,
    "eos_id": EOS,
    "pad_id": -1,
    "minloglevel": 2,
}


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> bytes:
    """A SentencePiece model of `vocab_size` pieces, learned line by line.

    Raises UsageError when the text does not allow that many, or so few.
    """
    model = io.BytesIO()
    lines = (line for text in texts for line in text.split("\n") if line)
    try:
        spm.SentencePieceTrainer.train(
            sentence_iterator=lines, model_writer=model, vocab_size=vocab_size, **TRAINER
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"no tokenizer of {vocab_size} pieces from this text: {reason}") from None
    return model.getvalue()


def encode(tokenizer: spm.SentencePieceProcessor, documents: Iterable[Document]) -> np.ndarray:
    """BOS and the tokens of each document, end to end: uint16, (tokens,).

    Raises UsageError when a text does not come back from its tokens: its bytes would be miscounted.
    """
    stream: list[int] = []
    for document in documents:
        tokens = tokenizer.encode(document.text)
        if tokenizer.decode(tokens) != document.text:
            start = document.text[:40]
            raise UsageError(f"{document.work}: {start!r}... does not survive the tokenizer")
        stream.append(BOS)
        stream += tokens
    return np.array(stream, dtype=np.uint16)


def write_files(
    folder: Path, splits: Mapping[str, list[Document]], vocab_size: int, say: Callable[[str], Any]
) -> dict[str, dict[str, int]]:
    """Tokenizer and shards into the empty `folder`. Returns counts by split."""
    from train_gpt_style.kit.shards import write_shard  # imports torch

    say(f"training a tokenizer of {vocab_size} pieces")
    model = train_tokenizer((d.text for d in splits["train"]), vocab_size)
    (folder / TOKENIZER).write_bytes(model)
    tokenizer = spm.SentencePieceProcessor(model_proto=model)
    ids = tokenizer.unk_id(), tokenizer.bos_id(), tokenizer.eos_id()
    if ids != (UNK, BOS, EOS):
        raise UsageError(f"{TOKENIZER}: unk, bos, eos are {ids}, expected {(UNK, BOS, EOS)}")
    summary = {}
    for split in SPLITS:
        say(f"encoding the {split} split")
        documents = splits[split]
        tokens = encode(tokenizer, documents)
        for number, first in enumerate(range(0, len(tokens), SHARD_TOKENS)):
            name = f"{PREFIX}_{SHARD_NAMES[split]}_{number:06d}.bin"
            write_shard(folder / name, tokens[first : first + SHARD_TOKENS])
        summary[split] = {
            "works": len({document.work for document in documents}),
            "documents": len(documents),
            "tokens": len(tokens),
            "text_bytes": sum(len(document.text.encode()) for document in documents),
        }
    return summary


def build(
    source: Path,
    out: Path,
    vocab_size: int,
    accept: Callable[[Path], Any],
    say: Callable[[str], Any] = lambda stage: None,
) -> None:
    """Make the data folder `out` from the archive `source`, replacing one that is there.

    Everything is made beside it; only when `accept` (which raises if it does not) has seen the new
    folder, it takes the old one's place.
    """
    works = read_works()
    say("reading the archive")
    files = {file for split in works.values() for listed in split.values() for file in listed}
    splits, duplicates = split_documents(archive.read(source, files), works)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()
        summary: dict[str, Any] = dict(write_files(new, splits, vocab_size, say))
        summary |= {"duplicates_left_out": duplicates, "vocab_size": vocab_size}
        record = {"files": pins.digests(new), "summary": summary}
        (new / pins.RECORD).write_bytes(rfc8785.dumps(record))
        accept(new)
        if out.exists():
            os.rename(out, Path(beside) / "old")
        os.rename(new, out)
