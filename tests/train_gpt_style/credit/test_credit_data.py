"""pytest tests/train_gpt_style/credit/test_credit_data.py — readers, the roll, the teacher."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from goldenseal.errors import UsageError
from train_gpt_style.credit import SYSTEM, data
from train_gpt_style.credit.probe_data import FILES, pictures
from train_gpt_style.kit.images import IDX_IMAGES


def placed(folder, name):
    """A folder of that kind of files, and its settings."""
    for file, content in FILES[name]().items():
        (folder / file).write_bytes(content)
    return SYSTEM.read({"DATA_DIR": str(folder), "BATCH": "4"})


def test_cifar_10_is_read_in_the_published_layout(tmp_path):
    """A record is a label byte and 3,072 bytes: red, green, blue, each by rows."""
    train, test = data.load_data(placed(tmp_path, "cifar10"))
    assert (len(train), len(test), train.classes, train.shape) == (20, 4, 10, (3, 32, 32))
    assert train.labels.tolist() == [i % 10 for i in range(20)]
    raw = (tmp_path / "data_batch_1.bin").read_bytes()
    second = np.frombuffer(raw[3073 + 1 : 2 * 3073], np.uint8)
    assert torch.equal(train.values[1].flatten(), torch.from_numpy(second.copy()))
    assert int(train.values[1, 2, 5, 7]) == second[2 * 1024 + 5 * 32 + 7]
    x = train.inputs(torch.tensor([1]))
    expected = (int(train.values[1, 0, 3, 4]) / 255 - 0.4914) / 0.2470
    assert float(x[0, 0, 3, 4]) == pytest.approx(expected, abs=1e-6)


def test_cifar_100_takes_the_fine_label(tmp_path):
    train, test = data.load_data(placed(tmp_path, "cifar100"))
    assert (len(train), len(test), train.classes) == (100, 100, 100)
    assert train.labels.tolist() == list(range(100))  # the coarse one would be i // 5
    raw = (tmp_path / "train.bin").read_bytes()
    assert raw[0] == 0
    assert raw[3074 * 7 : 3074 * 7 + 2] == bytes([1, 7])
    assert train.values[7].flatten().tolist() == list(raw[3074 * 7 + 2 : 3074 * 8])


def folders(root, val="test", size=(6, 6)):
    """Two classes of two image files each, and one of each in the second split."""
    for split, count in (("train", 2), (val, 1)):
        for label, name in enumerate(("cat", "dog")):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                image = Image.new("RGB", size, (10 * label, 20 * i, 30))
                image.save(root / split / name / f"{i}.png")
    return SYSTEM.read({"DATA_DIR": str(root), "BATCH": "2"})


@pytest.mark.parametrize("val", ["val", "test"])
def test_image_files_are_read_by_their_class_folders(tmp_path, val):
    train, test = data.load_data(folders(tmp_path, val))
    assert (len(train), len(test), train.classes, train.shape) == (4, 2, 2, (3, 6, 6))
    assert train.labels.tolist() == [0, 0, 1, 1]
    assert train.values[3, :, 5, 5].tolist() == [10, 20, 30]
    assert float(train.inputs([3])[0, 1, 0, 0]) == pytest.approx((20 / 255 - 0.4822) / 0.2435, 1e-5)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r: Image.new("RGB", (6, 7)).save(r / "test/dog/1.png"), "6 x 7 pixels, not 6 x 6"),
        (lambda r: (r / "test").rename(r / "exam"), "there is no folder test/ in it"),
        (lambda r: (r / "test/dog").rename(r / "test/eel"), "class eel is in test/ and not in"),
        (lambda r: (r / "train/cat/0.png").write_bytes(b"GIF89a"), "corrupt"),
    ],
)
def test_image_files_that_do_not_fit_are_one_line(tmp_path, spoil, words):
    settings = folders(tmp_path)
    spoil(tmp_path)
    with pytest.raises(UsageError, match=words) as caught:
        data.load_data(settings)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 2**20), st.integers(1, 5), st.integers(1, 6), st.integers(1, 3))
def test_a_roll_is_that_of_the_library_by_the_draws_of_its_generator(seed, height, width, channels):
    pixels = torch.randint(0, 256, (4, channels, height, width), dtype=torch.uint8)
    found = data.rolled(pixels, torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed)
    dx = torch.randint(0, height, (4, 1), generator=generator)
    dy = torch.randint(0, width, (4, 1), generator=generator)
    for image, rolled, i, j in zip(pixels, found, dx, dy, strict=True):
        assert torch.equal(rolled, image.roll((int(i), int(j)), (1, 2)))


def test_images_are_rolled_once_by_seed_seven_train_before_test(tmp_path):
    plain = data.load_data(placed(tmp_path, "idx"))
    settings = SYSTEM.read({"DATA_DIR": str(tmp_path), "ROLL": "1", "BATCH": "4", "SEED": "9"})
    rolled = data.load_data(settings)
    generator = torch.Generator().manual_seed(7)
    for before, after in zip(plain, rolled, strict=True):
        assert torch.equal(data.rolled(before.values, generator), after.values)
        assert torch.equal(before.labels, after.labels)
    assert not torch.equal(plain[0].values, rolled[0].values)


def test_plain_images_are_scaled_and_normalised(tmp_path):
    train, _ = data.load_data(placed(tmp_path, "idx"))
    value = int(train.values[2, 0, 1, 3])
    expected = (value / 255 - 0.2860) / 0.3530
    assert float(train.inputs([2])[0, 0, 1, 3]) == pytest.approx(expected, abs=1e-6)
    assert any(tmp_path.glob(f"train-{IDX_IMAGES}*"))


@pytest.mark.parametrize("alpha", ["0", "0.5", "1"])
def test_the_teachers_classes_are_balanced_and_seeded_apart(alpha):
    environ = {"TEACHER_ALPHA": alpha, "TEACHER_TRAIN": "4000", "TEACHER_TEST": "400"}
    train, test = data.load_data(SYSTEM.read(environ))
    counts = torch.bincount(train.labels, minlength=10).tolist()
    assert min(counts) > 0.8 * 400
    assert max(counts) < 1.2 * 400
    assert (train.shape, len(test)) == ((128,), 400)
    again, _ = data.load_data(SYSTEM.read(environ))
    assert torch.equal(again.labels, train.labels)
    other, _ = data.load_data(SYSTEM.read({**environ, "SEED": "43"}))
    assert not torch.equal(other.values, train.values)
    assert not torch.equal(
        torch.randn(8, generator=torch.Generator().manual_seed(42)), train.values.flatten()[:8]
    )


def test_a_teacher_with_no_tanh_is_linear_and_a_linear_map_learns_it():
    assert data.phi(torch.tensor(2.0), 0.0) == 2.0
    assert float(data.phi(torch.tensor(2.0), 1.0)) == pytest.approx(np.tanh(2.0))


def test_a_crop_is_a_window_of_the_padded_image_and_a_mirror_its_reverse():
    x = torch.arange(2 * 3 * 5 * 6, dtype=torch.float32).view(2, 3, 5, 6)
    offsets, flips = torch.tensor([[4, 4], [0, 8]]), torch.tensor([True, False])
    found = data.cropped(x, offsets, flips)
    assert torch.equal(found[0], x[0].flip(2))
    assert torch.equal(found[1, :, 4:, :2], x[1, :, :1, 4:])  # four rows down, four to the left
    assert float(found[1, :, :4].abs().max()) == 0.0


def test_a_loader_that_is_put_back_goes_on_with_the_same_crops():
    split = data.Split(torch.from_numpy(pictures(12, 3, 8, 8)), torch.arange(12), 12, data.CIFAR)
    loader = data.Loader(split, 5, 3, "cpu", True)
    for _ in range(3):
        loader.next_batch()
    position = loader.position
    expected = [loader.next_batch() for _ in range(3)]
    other = data.Loader(split, 5, 3, "cpu", True)
    other.restore(position)
    for x, y in expected:
        again_x, again_y = other.next_batch()
        assert torch.equal(x, again_x)
        assert torch.equal(y, again_y)


def test_a_class_without_an_example_is_refused(tmp_path):
    settings = SYSTEM.read({"TEACHER_TRAIN": "8", "BATCH": "4"})
    with pytest.raises(UsageError, match="has no training example"):
        data.load_data(settings)
