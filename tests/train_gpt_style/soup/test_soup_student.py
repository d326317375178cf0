"""pytest tests/train_gpt_style/soup/test_soup_student.py — the student, its soup, its targets."""

import json
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from goldenseal.digest import tensor_digest
from goldenseal.errors import ContradictedError, UsageError
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.procrustes import whitened_procrustes
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.tables import Table
from train_gpt_style.soup import targets
from train_gpt_style.soup_student import SYSTEM, embed, figures
from train_gpt_style.soup_student.data import load_data
from train_gpt_style.soup_student.features.align import Queue
from train_gpt_style.soup_student.frozen import Frozen, soup_of
from train_gpt_style.soup_student.model import build_model, loss_of
from train_gpt_style.soup_student.probe_data import TINY


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.sampled_from([1, 3]), st.integers(1, 3), st.integers(1, 9))
def test_the_general_formula_counts_every_student(side, channels, depth, ffn):
    sizes = {"IMG_SIZE": 4 * side, "PATCH_SIZE": 4, "CHANNELS": channels, "DEPTH": depth}
    sizes |= {"DIM": 6, "HEADS": 2, "FFN_DIM": ffn, "OUTPUT_DIM": 5}
    model = figures.on_paper({name: str(value) for name, value in sizes.items()})
    assert figures.count(model) == figures.formula(4 * side, 4, channels, depth, 6, ffn, 5)


def test_the_squared_error_of_unit_rows_is_their_cosine():
    e, t = unit(torch.randn(9, 7)), unit(torch.randn(9, 7))
    cosine = (e * t).sum(dim=1)
    assert torch.allclose((e - t).square().mean(dim=1), 2 * (1 - cosine) / 7, atol=1e-6)


def installed(images, **more):
    s = SYSTEM.read({**TINY, **images, **more})
    data = load_data(s)
    torch.manual_seed(0)
    model = build_model(s, Context({}))
    for feature in s.features:
        feature.install(model, s, data, Context({}))
    return s, data, model


def test_the_frozen_soup_gets_no_gradient_is_in_no_optimizer_and_does_not_change(images):
    _, data, model = installed(images, BCE_WEIGHT="0.5", ENABLE_AUTOGRAD="1")
    readout, before = data.soup.readout, tensor_digest(data.soup.state)
    adam = torch.optim.Adam(model.parameters(), lr=0.1)
    for start in range(0, 12, 4):
        rows = torch.arange(start, start + 4)
        adam.zero_grad()
        loss_of(model, data.train.images(rows), data.train_targets[rows], rows).backward()
        adam.step()
    assert not readout.training
    owned = {id(p) for group in adam.param_groups for p in group["params"]}
    for p in readout.parameters():
        assert p.grad is None
        assert not p.requires_grad
        assert id(p) not in owned
    assert tensor_digest(data.soup.state) == before
    data.soup.check_unchanged()
    readout.up.bias.add_(1)
    with pytest.raises(ContradictedError, match="has changed"):
        data.soup.check_unchanged()
    readout.train()
    with pytest.raises(ContradictedError, match="being trained"):
        data.soup.check_unchanged()


def test_a_soup_of_other_sizes_is_refused(images):
    _, data, _ = installed(images)
    other = SYSTEM.read({"OUTPUT_DIM": "6"})
    with pytest.raises(UsageError, match="a sphere of 4, OUTPUT_DIM=6"):
        soup_of(other, data, Context({}))
    s = SYSTEM.read({**TINY, **images})
    with pytest.raises(UsageError, match="3 classes, the images have 4"):
        soup_of(s, data, Context({}), 4)


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_weights_that_are_no_soup_are_refused(tmp_path, shape):
    path = tmp_path / "w.safetensors"
    for names in (
        ["norm.weight"],
        ["constellation.anchors", "norm.weight", "patchwork.parts.0.norm.weight", "down.weight"],
    ):
        state = {f"readout.{name}": torch.ones(shape) for name in names}
        path.write_bytes(safetensors.torch.save(state))
        with pytest.raises(UsageError, match="holds no readout of a soup"):
            _ = Frozen(str(path)).readout
        with pytest.raises(UsageError, match="no soup"):
            targets.soup_in(str(path))


NEEDS = {
    "a judge without a soup": ({"JUDGE": "1", "SOUP": ""}, "JUDGE=1 needs SOUP"),
    "labels without a soup": ({"BCE_WEIGHT": "1", "SOUP": ""}, "BCE_WEIGHT=1.0 needs SOUP"),
    "anchors without a soup": ({"ENABLE_AUTOGRAD": "1", "SOUP": ""}, "AUTOGRAD_SEP=1.0 needs SOUP"),
    "a queue of too few rows": (
        {"ALIGN_WEIGHT": "1", "ALIGN_MODE": "queue", "ALIGN_ROWS": "31"},
        "must be at least 32, 8 OUTPUT_DIM",
    ),
}


@pytest.mark.parametrize(("wrong", "words"), NEEDS.values(), ids=NEEDS)
def test_a_feature_without_what_it_needs_is_refused_at_the_start(images, wrong, words):
    with pytest.raises(UsageError, match=words):
        SYSTEM.read({**TINY, **images, **wrong})


def test_a_queue_finds_the_rotation_once_it_is_full():
    draw = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=draw))[0]
    queue = Queue(40, 4, every=1, whiten=False)
    for step in range(6):
        e = unit(torch.randn(10, 4, generator=draw))
        assert bool(queue.fitted) == (step >= 4)
        queue.push(e, e @ turn)
    assert torch.allclose(queue.turn, turn, atol=1e-5)
    assert torch.equal(queue.embeddings[-10:], e)
    assert int(queue.filled) == 40


def test_the_cosine_on_rows_outside_the_fit_is_told(perform):
    on = {"ALIGN_WEIGHT": "0.5", "ALIGN_MODE": "queue", "ALIGN_ROWS": "32", "ALIGN_EVERY": "1"}
    done = perform("student", **on)
    told = [line for line in done.printed if "val_cos_turned:" in line]
    assert len(told) == 1  # the queue is full in the second epoch alone
    for words in ("_fit:", "_permuted:", "_n:32 ", "_D:4"):  # never a fit alone
        assert f"val_cos_turned{words}" in told[0] + " "
    assert "alignment.turn" in safetensors.torch.load_file(done.weights)


@pytest.mark.parametrize("whiten", [True, False])
def test_what_was_fitted_is_what_is_applied(whiten):
    draw = torch.Generator().manual_seed(0)
    common = torch.tensor([1.0, 0, 0, 0])  # rows that share a mean, as a trained student's do
    turn = torch.linalg.qr(torch.randn(4, 4, generator=draw))[0]
    e = unit(common + torch.randn(200, 4, generator=draw))
    t = unit(e @ turn + 0.1 * torch.randn(200, 4, generator=draw))
    queue = Queue(100, 4, every=1, whiten=whiten)
    queue.push(e[:100], t[:100])
    told = queue.judged(e[100:], t[100:])
    turned = unit(e[100:] @ queue.turn + queue.shift)
    assert float((turned * t[100:]).sum(dim=1).mean()) == pytest.approx(told.held_out, abs=1e-5)
    assert told.held_out > 0.97
    assert told.held_out > told.permuted + 0.05
    assert (told.rows, told.columns) == (100, 4)
    by_fit = queue.fit(queue.targets)
    if whiten:
        found = whitened_procrustes(e[:100], t[:100]).apply(e)
        assert torch.allclose(e.double() @ by_fit[0] + by_fit[1], found, atol=1e-9)


def test_two_models_in_one_process_have_each_their_own(images):
    on = {"ALIGN_WEIGHT": "0.5", "ALIGN_MODE": "queue", "ALIGN_ROWS": "32", "BCE_WEIGHT": "0.5"}
    (_, data, first), (s, other, second) = (installed(images, **on) for _ in range(2))
    rows = torch.arange(5)
    loss_of(first, data.train.images(rows), data.train_targets[rows], rows)
    assert [int(m.alignment.steps) for m in (first, second)] == [1, 0]
    assert data.alignment is first.alignment
    data.soup.readout.up.bias.add_(1)  # of the first run alone
    embedding = unit(torch.randn(6, 4))
    for feature in s.features:
        feature.judge(other, embedding)


def test_a_soup_whose_anchors_alone_are_read_is_named_and_watched(images):
    s, data, model = installed(images, ENABLE_AUTOGRAD="1")
    (feature,) = (f for f in s.features if f.declaration.name == "autograd")
    assert feature.header(data) == {"soup": data.soup.digest}
    assert feature.judge(data, None) == {}
    data.soup.check_outside({"adam": torch.optim.Adam(model.parameters())})
    held = torch.optim.Adam([*model.parameters(), data.soup.anchors])
    with pytest.raises(ContradictedError, match="in the optimizer adam"):
        data.soup.check_outside({"adam": held})
    data.soup.anchors.add_(1)
    with pytest.raises(ContradictedError, match="has changed"):
        feature.judge(data, None)


def test_a_run_says_whose_targets_it_learns(perform):
    done = perform("student", RUN_LOG="1", SOUP="")
    (first,) = (line for line in done.lines("train.jsonl") if "targets_soup" in line)
    assert len(first["targets_soup"]) == 128


def test_the_soup_judges_validations_without_training_anything(perform):
    plain = perform("student", "plain", RUN_LOG="1")
    judged = perform("student", "judged", RUN_LOG="1", JUDGE="1", SCAN_EVERY="1")
    assert judged.weights.read_bytes() == plain.weights.read_bytes()
    before, after = (
        json.loads((run.folder / "metrics.json").read_text()) for run in (plain, judged)
    )
    assert "val_top" not in before
    assert before["val_cos"] == after["val_cos"]
    assert 0 <= after["val_top"] <= 1
    last = judged.lines("scan.jsonl")[-1]
    for name in ("cv", "cv_targets", "effective_dimension", "active"):
        assert after[name] == last[name]


def test_a_scan_is_a_line_an_epoch(perform):
    lines = perform("student", SCAN_EVERY="1").lines("scan.jsonl")
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[0]["anchors"] == 6


# -- targets --------------------------------------------------------------------------------------


def test_targets_are_the_trained_soups_embedding_and_others_are_refused(
    perform, tables, tmp_path, capsys
):
    done = perform("soup", "soup")
    out = tmp_path / "targets.safetensors"
    arguments = [str(done.weights), tables["EXPERTS"], "-o", str(out)]
    assert targets.main(arguments) == 0
    found = Table(out)
    assert torch.allclose(found.train.norm(dim=1), torch.ones(13), atol=1e-5)
    assert found.about["soup"] == tensor_digest(safetensors.torch.load_file(done.weights))
    assert targets.main(arguments) == 0
    assert "is there already" in capsys.readouterr().out
    other = perform("soup", "other", SEED="5")
    assert targets.main([str(other.weights), *arguments[1:]]) == 2
    assert "another soup" in capsys.readouterr().err
    assert targets.main([tables["EXPERTS"] + "/first.safetensors", *arguments[1:]]) == 2
    assert "no soup" in capsys.readouterr().err


# -- embed ----------------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    """Five pictures of one colour each, two of them alike."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, colour in enumerate(("red", "#ee0000", "blue", "green", "white")):
        Image.new("RGB", (9 + i, 12), colour).save(folder / f"{i}.png")
    return folder


def test_a_student_embeds_images_and_shows_their_neighbours(perform, photos, tmp_path):
    done = perform("student", "trained", ALIGN_WEIGHT="0.5", **{"ALIGN_MODE": "identity"})
    out, html = tmp_path / "t.safetensors", tmp_path / "near.html"
    command = [sys.executable, "-m", "train_gpt_style.soup", "embed", str(photos)]
    command += ["-o", str(out), "--student", str(done.weights), "--html", str(html)]
    ran = subprocess.run(
        command,
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    with safetensors.safe_open(str(out), "pt") as file:
        told = json.loads(file.metadata()["about"])
        rows = file.get_tensor("embedding")
    assert [name[-5:] for name in told["names"]] == [f"{i}.png" for i in range(5)]
    assert torch.allclose(rows.norm(dim=1), torch.ones(5), atol=1e-5)
    text = html.read_text("utf-8")
    assert text.count("<tr>") == 6
    assert text.count("data:image/png;base64,") == 5 + 5 * 4
    assert "http" not in text  # nothing is fetched
    again = embed.main(
        [str(photos), "-o", str(tmp_path / "u.safetensors"), "--student", str(done.weights)]
    )
    assert again == 0
    assert (tmp_path / "u.safetensors").read_bytes() == out.read_bytes()


def test_the_nearest_neighbour_is_the_nearest():
    rows = unit(torch.tensor([[1.0, 0], [0.9, 0.1], [0, 1]]))
    places, cosines = embed.neighbours(rows)
    assert places.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert bool((cosines.diff(dim=1) <= 0).all())
    assert embed.neighbours(rows[:1])[0].shape == (1, 0)


BAD = {
    "no such image": (["nowhere.png"], "there is no such image"),
    "a text": (["notes.txt"], "not an image"),
    "an empty folder": (["empty"], "no image in it"),
}


@pytest.mark.parametrize(("names", "words"), BAD.values(), ids=BAD)
def test_what_is_no_image_is_one_line_and_nothing_is_written(
    perform, tmp_path, monkeypatch, capsys, names, words
):
    done = perform("student")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    assert embed.main([*names, "-o", "t.safetensors", "--student", str(done.weights)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "t.safetensors").exists()


def test_weights_that_are_no_student_and_other_names_are_refused(images, tmp_path, capsys):
    arguments = [images["DATA_DIR"], "-o", str(tmp_path / "t.safetensors")]
    assert embed.main([*arguments, "--student", images["SOUP"]]) == 2
    assert "no student" in capsys.readouterr().err
    assert embed.main([*arguments, "--student", images["DATA_DIR"]]) == 2
    assert "no weights" in capsys.readouterr().err
    path = tmp_path / "odd.safetensors"
    for told in ("[]", "3", '{"heads": []}'):
        path.write_bytes(safetensors.torch.save({"w": torch.ones(1)}, {"about": told}))
        assert embed.main([*arguments, "--student", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    state = {"patch.weight": torch.ones(2, 3, 4, 4), "position": torch.ones(5)}
    path.write_bytes(safetensors.torch.save(state))
    assert embed.main([*arguments, "--student", str(path)]) == 2
    assert "no student" in capsys.readouterr().err
    assert embed.main([images["DATA_DIR"], "-o", "t.txt"]) == 2
    assert "must end in .safetensors" in capsys.readouterr().err
