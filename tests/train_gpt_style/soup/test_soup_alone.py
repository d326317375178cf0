"""pytest tests/train_gpt_style/soup/test_soup_alone.py — what a soup is held against."""

import numpy as np
import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.credit.probe_data import idx_bytes
from train_gpt_style.kit.data.experts.alone import alone
from train_gpt_style.kit.data.write_table import one_hot, table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.tables import LABELS, Table
from train_gpt_style.soup import SYSTEM
from train_gpt_style.soup.data import load_data

ROWS = {"train": 6, "t10k": 4}


def rows(width, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(n, width, generator=generator) for n in ROWS.values()]


@pytest.fixture
def out(tmp_path):
    """What `data experts` leaves: six and four images of 5 x 4, two experts, two classes."""
    images, tables = tmp_path / "images", tmp_path / "tables"
    images.mkdir(), tables.mkdir()
    for prefix, count in ROWS.items():
        grey = (np.arange(count * 20) % 251).reshape(count, 5, 4)
        (images / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(grey))
        (images / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(count) % 2))
    about = {"images": images_digest(images)}
    labels = [one_hot(torch.arange(n) % 2, 2) for n in ROWS.values()]
    (tables / LABELS).write_bytes(table_bytes(*labels, about))
    (tables / "a.safetensors").write_bytes(table_bytes(*rows(3, 100.0, 1), about))
    (tables / "b.safetensors").write_bytes(table_bytes(*rows(2, 0.5, 2), about))
    return tmp_path


def test_each_expert_all_side_by_side_and_the_pixels_are_soups_of_one(out):
    alone(out)
    widths = {"a": 3, "b": 2, "concatenated": 5, "pixels": 20}
    for name, width in widths.items():
        chosen = {"EXPERTS": str(out / "alone"), "EXPERT_NAMES": name, "N_EXPERTS": "1"}
        data = load_data(SYSTEM.read({**chosen, "SOUP_BATCH": "2"}))
        assert (data.widths, data.classes, len(data.train)) == ([width], 2, 6)
    joined = Table(out / "alone/concatenated.safetensors").train
    assert joined[:, :3].norm(dim=1).tolist() == pytest.approx([1.0] * 6)
    assert joined[:, 3:].norm(dim=1).tolist() == pytest.approx([1.0] * 6)
    seen = Table(out / "alone/pixels.safetensors").val
    assert seen[2].tolist() == pytest.approx([(40 + i) / 255 for i in range(20)])


def test_a_second_call_writes_the_same_and_refuses_what_is_of_other_tables(out):
    alone(out)
    alone(out)
    about = {"images": images_digest(out / "images")}
    (out / "tables/b.safetensors").write_bytes(table_bytes(*rows(2, 0.5, 3), about))
    with pytest.raises(UsageError, match="made of other tables"):
        alone(out)


def test_images_that_are_not_those_of_the_tables_are_refused(out):
    path = out / "images/train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\7")
    with pytest.raises(UsageError, match="its images are not those of the tables"):
        alone(out)
    assert not (out / "alone").exists()


def test_a_folder_without_experts_is_refused(out):
    for name in "ab":
        (out / f"tables/{name}.safetensors").unlink()
    with pytest.raises(UsageError, match="no table of an expert"):
        alone(out)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"EXPERT_NAMES": "a,a"}, "EXPERT_NAMES=a,a: expected names"),
        ({"EXPERT_NAMES": "a,"}, "EXPERT_NAMES=a,: expected names"),
        ({"EXPERT_NAMES": "a", "EXPERTS": ""}, "EXPERT_NAMES=a needs EXPERTS"),
        ({"EXPERT_NAMES": "d"}, "no table d; there are a, b"),
        ({"EXPERT_NAMES": "a", "N_EXPERTS": "2"}, "1 experts, N_EXPERTS=2"),
    ],
)
def test_names_that_do_not_fit_are_refused_in_one_line(out, chosen, words):
    environ = {"EXPERTS": str(out / "tables"), "N_EXPERTS": "1", **chosen}
    with pytest.raises(UsageError) as caught:
        load_data(SYSTEM.read(environ))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
