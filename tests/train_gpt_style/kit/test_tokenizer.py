import io

import pytest
import sentencepiece as spm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.kit.tokenizer import ByteCounter, load_tokenizer, piece_facts

TEXT = """Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date;
déjà vu, naïve façade, æther and Ægean"""
VOCAB_SIZE, BOS = 330, 1


@pytest.fixture(scope="module")
def model():
    """A tokenizer with a byte fallback, some letters outside ASCII, and an unused piece."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.split("\n") * 3),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCAB_SIZE,
        byte_fallback=True,
        character_coverage=0.995,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        control_symbols=["<ctl>"],
        minloglevel=2,
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def tokenizer(model):
    return spm.SentencePieceProcessor(model_proto=model)


@pytest.fixture(scope="module")
def counter(tokenizer):
    return ByteCounter(tokenizer, VOCAB_SIZE, "cpu")


def count(counter, ids):
    ids = torch.tensor([BOS, *ids])
    return counter(ids[:-1], ids[1:])


@given(
    text=st.text(
        st.one_of(st.sampled_from(TEXT + "é€漢🙂\n"), st.characters(exclude_categories=["Cs"])),
        max_size=60,
    ).filter(lambda text: "\u2581" not in text)
)
@settings(max_examples=200, deadline=None)
def test_the_bytes_of_the_tokens_are_the_bytes_of_the_text(tokenizer, counter, text):
    ids = tokenizer.encode(text)
    assert count(counter, ids).sum().item() == len(text.encode())


def test_the_text_of_the_property_reaches_byte_pieces_and_longer_ones(tokenizer):
    ids = tokenizer.encode("the darling €")
    assert sum(map(tokenizer.is_byte, ids)) == 3
    assert max(len(tokenizer.id_to_piece(i)) for i in ids if not tokenizer.is_byte(i)) > 2


def test_a_space_counts_only_after_a_token_that_is_no_boundary(tokenizer, counter):
    pieces = [tokenizer.id_to_piece(i) for i in range(VOCAB_SIZE)]
    word = next(i for i, piece in enumerate(pieces) if len(piece) == 3 and piece[0] == "\u2581")
    control, unknown = pieces.index("<ctl>"), tokenizer.unk_id()
    counts = count(counter, [word, word, control, word, unknown, word]).tolist()
    assert counts == [2, 3, 0, 2, 0, 2]  # at the start of a text there is a marker but no space


def test_the_shape_of_a_batch_is_kept(counter):
    ids = torch.randint(VOCAB_SIZE, (3, 5), generator=torch.Generator().manual_seed(0))
    assert counter(ids, ids).shape == (3, 5)
    assert counter(ids, ids).dtype == torch.int64


class FakeTokenizer:
    """Four pieces of the kinds that a trained model seldom holds together."""

    pieces = ("<unused>", "<0xE2>", "\u2581", "\u2581é")

    def vocab_size(self):
        return 4

    def is_unused(self, i):
        return i == 0

    def is_byte(self, i):
        return i == 1

    def is_control(self, i):
        return False

    is_unknown = is_control

    def id_to_piece(self, i):
        return self.pieces[i]


def test_each_kind_of_piece_is_counted_by_its_rule():
    facts = [piece_facts(FakeTokenizer(), i) for i in range(4)]
    assert facts == [(0, False, True), (1, False, False), (0, True, False), (2, True, False)]
    counter = ByteCounter(FakeTokenizer(), 4, "cpu")
    previous, target = torch.tensor([0, 1, 2, 1]), torch.tensor([3, 3, 2, 0])
    assert counter(previous, target).tolist() == [2, 3, 1, 0]


def test_a_tokenizer_of_another_size_names_both_numbers_and_the_knob(tokenizer):
    with pytest.raises(UsageError, match=r"VOCAB_SIZE=1024, but the tokenizer has 330 pieces"):
        ByteCounter(tokenizer, 1024, "cpu")


def test_a_model_file_is_loaded(tmp_path, model):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(model)
    assert load_tokenizer(path).vocab_size() == VOCAB_SIZE


def test_a_missing_tokenizer_names_the_knob(tmp_path):
    with pytest.raises(UsageError, match=r"none.model: no such file: set TOKENIZER_PATH"):
        load_tokenizer(tmp_path / "none.model")


def test_a_file_that_is_no_model_is_refused(tmp_path, model):
    vocabulary = tmp_path / "tokenizer.vocab"
    vocabulary.write_bytes(model)
    with pytest.raises(UsageError, match=r"must name a SentencePiece \.model file"):
        load_tokenizer(vocabulary)
    rubbish = tmp_path / "rubbish.model"
    rubbish.write_bytes(b"rubbish")
    with pytest.raises(UsageError, match=r"rubbish.model: not a SentencePiece model"):
        load_tokenizer(rubbish)
