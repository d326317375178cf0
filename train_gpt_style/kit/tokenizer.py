"""SentencePiece models, and how many bytes of text a token stands for.

Bits a byte compares models with different tokenizers, so bytes are counted on the original text:
a byte piece is 1; a control, unknown or unused piece is 0 and a boundary; any other piece is its
UTF-8 length without the leading word marker, and the marker is one space more unless the token
before is a boundary (SentencePiece puts a marker, but the text has no space, at the start of text).
"""

from pathlib import Path

import sentencepiece as spm
import torch

from goldenseal.errors import UsageError

WORD_MARKER = "\u2581"  # SentencePiece's visible space


def load_tokenizer(path):
    """The SentencePiece model in the file `path`.

    Raises UsageError when there is no such file, or it is not a SentencePiece model.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path}: no such file: set TOKENIZER_PATH, or run `make data`")
    if path.suffix != ".model":
        raise UsageError(f"{path}: TOKENIZER_PATH must name a SentencePiece .model file")
    try:
        return spm.SentencePieceProcessor(model_proto=path.read_bytes())
    except RuntimeError:
        raise UsageError(f"{path}: not a SentencePiece model") from None


class ByteCounter:
    """UTF-8 bytes that each target token stands for, given the token before it.

    Look-up tables over the V pieces: `base` (int64, bytes), `marker` and `boundary` (bool).
    Raises UsageError when the tokenizer has not `vocab_size` pieces.
    """

    def __init__(self, tokenizer, vocab_size, device):
        if tokenizer.vocab_size() != vocab_size:
            raise UsageError(
                f"VOCAB_SIZE={vocab_size}, but the tokenizer has {tokenizer.vocab_size()} pieces: "
                f"set VOCAB_SIZE={tokenizer.vocab_size()} or another TOKENIZER_PATH"
            )
        rows = [piece_facts(tokenizer, i) for i in range(vocab_size)]
        base, marker, boundary = (torch.tensor(column).to(device) for column in zip(*rows))
        self.base, self.marker, self.boundary = base, marker, boundary

    def __call__(self, previous_ids, target_ids):
        """Bytes of `target_ids`: int64, of the same shape."""
        leading_space = self.marker[target_ids] & ~self.boundary[previous_ids]
        return self.base[target_ids] + leading_space


def piece_facts(tokenizer, i):
    """(bytes without the marker, starts with the marker, is a boundary) of piece `i`."""
    if tokenizer.is_control(i) or tokenizer.is_unknown(i) or tokenizer.is_unused(i):
        return 0, False, True
    if tokenizer.is_byte(i):
        return 1, False, False
    piece = tokenizer.id_to_piece(i)
    return len(piece.removeprefix(WORD_MARKER).encode()), piece.startswith(WORD_MARKER), False
