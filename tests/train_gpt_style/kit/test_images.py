"""pytest tests/train_gpt_style/kit/test_images.py — image folders, IDX files, order, bad input."""

import gzip
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from goldenseal.errors import UsageError
from train_gpt_style.kit import images
from train_gpt_style.vit_rft import probe_data
from train_gpt_style.vit_rft.probe_data import idx_bytes
from train_gpt_style.vit_rft.probe_refusals import FOLDERS


@pytest.fixture
def folder(tmp_path):
    """Six training and three validation images of each of three classes."""
    probe_data.write(tmp_path / "images")
    return tmp_path / "images"


def test_labels_follow_the_sorted_names_of_the_classes(folder):
    shutil.rmtree(folder / "val" / "circle")
    (folder / "train" / ".hidden").mkdir()
    (folder / "train" / "cross" / ".DS_Store").write_text("x")
    train, val = images.load_splits(str(folder), 16)
    assert train.names == ["circle", "cross", "stripes"]
    assert train.labels.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert val.labels.tolist() == [1] * 3 + [2] * 3  # as in training, though circle is missing
    x = train.images(torch.tensor([17, 0]))
    assert x.shape == (2, 3, 16, 16)
    assert x.dtype == torch.uint8
    expected = images.read_image(folder / "train" / "stripes" / "005.png", 16)
    assert np.array_equal(x[0].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize(("width", "height"), [(8, 8), (8, 20), (31, 16), (5, 400), (16, 3)])
@pytest.mark.parametrize("size", [1, 8, 16])
def test_an_image_of_any_shape_is_scaled_and_its_middle_cut_out(width, height, size):
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2] = 255
    found = images.fit(Image.fromarray(pixels), size)
    assert found.shape == (size, size, 3)
    if (width, height) == (size, size):
        assert np.array_equal(found, pixels)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_other_kinds_of_pixels_become_three_channels(tmp_path, mode):
    path = tmp_path / "image.png"
    Image.fromarray(np.full((4, 4), 200, dtype=np.uint8)).convert(mode).save(path)
    images.check_image(path)
    assert images.read_image(path, 4).shape == (4, 4, 3)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_bad_folder_is_refused_with_one_line_that_names_the_place(folder, kind):
    change, words = FOLDERS[kind]
    change(folder)

    def read_all():
        for split in images.load_splits(str(folder), 16):
            split.images(torch.arange(len(split)))

    with pytest.raises(UsageError) as caught:
        read_all()
    assert words in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_folder_and_what_is_too_large_is_refused(folder, monkeypatch):
    with pytest.raises(UsageError, match="is no folder"):
        images.load_splits(str(folder / "nowhere"), 16)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UsageError, match="more than 200 pixels"):
        images.load_splits(str(folder), 16)


# -- IDX ------------------------------------------------------------------------------------------


@pytest.fixture
def mnist(tmp_path):
    """Four grey training images, gzipped, and two for validation."""
    rng = np.random.default_rng(0)
    for prefix, count, name, pack in (
        ("train", 4, ".gz", gzip.compress),
        ("t10k", 2, "", bytes),
    ):
        pixels = rng.integers(0, 256, (count, 6, 6))
        for kind, array in ((images.IDX_IMAGES, pixels), (images.IDX_LABELS, np.arange(count) % 2)):
            (tmp_path / f"{prefix}-{kind}{name}").write_bytes(pack(idx_bytes(array)))
    return tmp_path


def test_idx_files_plain_or_gzipped_give_grey_images_of_three_channels(mnist):
    train, val = images.load_splits(str(mnist), 6)
    assert (len(train), len(val), train.kind) == (4, 2, "idx")
    assert train.labels.tolist() == [0, 1, 0, 1]
    x = train.images(torch.tensor([2]))
    assert x.shape == (1, 3, 6, 6)
    assert torch.equal(x[0, 0], x[0, 2])
    assert np.array_equal(x[0, 0].numpy(), train.pixels[2])
    assert images.load_splits(str(mnist), 12)[0].images(torch.tensor([0, 1])).shape[-1] == 12


GOOD = idx_bytes(np.zeros((2, 3, 3)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no IDX file"),
        (GOOD[:7], "no IDX file"),
        (idx_bytes(np.zeros((2, 3, 3)), kind=9), "no IDX file"),
        (idx_bytes(np.zeros(5)), "no IDX file"),
        (GOOD[:-1], "less than 18 bytes"),
        (GOOD + b"\0", "more than 18 bytes"),
        (GOOD[:4] + b"\xff" * 12, "says that it holds .* more than 4294967296"),
    ],
    ids=str,
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_that_is_no_whole_idx_is_refused(tmp_path, data, words, suffix):
    path = tmp_path / f"x-idx3-ubyte{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    with pytest.raises(UsageError, match=words):
        images.read_idx(path, 3)


def test_a_damaged_gzip_is_refused(tmp_path):
    whole = gzip.compress(idx_bytes(np.random.default_rng(0).integers(0, 256, (9, 9, 9))))
    path = tmp_path / "x.gz"
    for data in (
        GOOD,
        whole[:-300],
        whole[:40] + b"\xff\xff\xff" + whole[43:],
        whole[:-8] + b"x" * 8,
    ):
        path.write_bytes(data)
        with pytest.raises(UsageError, match=r"x\.gz"):
            images.read_idx(path, 3)


def test_idx_files_that_do_not_fit_each_other_are_refused(mnist):
    labels = mnist / f"t10k-{images.IDX_LABELS}"
    for data, words in (
        (np.arange(3), "2 val images, 3 labels"),
        (np.zeros(2), "one class"),
        (np.array([0, 4]), "class 2 is in val"),
    ):
        labels.write_bytes(idx_bytes(data))
        with pytest.raises(UsageError, match=words):
            images.load_splits(str(mnist), 6)
    labels.unlink()
    with pytest.raises(UsageError, match="there is no t10k-labels"):
        images.load_splits(str(mnist), 6)


# -- order ----------------------------------------------------------------------------------------


def test_each_epoch_draws_its_own_order_and_no_image_twice():
    split = images.SyntheticSplit(10, 3, 2, seed=1)
    loader = images.Loader(split, 3, seed=5, device="cpu")
    epochs = []
    for _ in range(4):
        drawn = []
        for _ in range(3):
            x, y = loader.next_batch()
            assert torch.equal(x, split.pixels[loader.indices])
            assert torch.equal(y, split.labels[loader.indices])
            drawn += loader.indices.tolist()
        assert len(set(drawn)) == 9
        epochs.append(drawn)
    assert len({tuple(e) for e in epochs}) == 4
    again = images.Loader(split, 3, seed=5, device="cpu")
    again.next_batch()
    assert again.indices.tolist() == epochs[0][:3]


@pytest.mark.parametrize("batches", range(9))
def test_a_loader_goes_on_from_any_place(batches):
    """Ten images in batches of four: two an epoch, and two images left out."""
    split = images.SyntheticSplit(10, 3, 4, seed=1)

    def loader():
        return images.Loader(split, 4, seed=5, device="cpu")

    whole, again = loader(), loader()
    for _ in range(batches):
        whole.next_batch()
    again.restore(whole.position)
    assert again.position == whole.position
    for _ in range(5):
        assert whole.next_rows().tolist() == again.next_rows().tolist()


@pytest.mark.parametrize("place", [(), (1, 11), (-1,), (1,)])
def test_a_place_that_is_none_is_refused(place):
    """Nor can a loader go back."""
    loader = images.Loader(images.SyntheticSplit(10, 3, 4, seed=1), 4, seed=5, device="cpu")
    loader.next_rows(), loader.next_rows()
    with pytest.raises(UsageError, match="is no place of a loader"):
        loader.restore(place)
    assert loader.position == (2,)
