"""pytest tests/train_gpt_style/dual_stream/test_dual_model.py — counts, embeddings, data."""

import numpy as np
import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.data import PaddedIdx, load_data, own_generator, two_views
from train_gpt_style.dual_stream.features.cross import direction_of_sum
from train_gpt_style.dual_stream.figures import COUNTS, part_of, parts
from train_gpt_style.dual_stream.presets import PRESETS, PUBLISHED
from train_gpt_style.dual_stream.probe_data import idx_files
from train_gpt_style.dual_stream.run import lr_factor


@pytest.mark.parametrize("name", COUNTS)
def test_every_part_of_each_shape_has_the_published_number(name):
    counted = parts(PRESETS[name])
    expected = dict(COUNTS[name])
    assert sum(counted.values()) == expected.pop("all") == PUBLISHED[name]
    assert expected.items() <= counted.items()


def test_presets_of_one_shape_have_one_number():
    assert PUBLISHED["v3"] == PUBLISHED["v2"]
    assert PUBLISHED["run10"] == PUBLISHED["run11"] == PUBLISHED["v6"] == 16_876_740 + 2570
    assert parts(PRESETS["v2"]) == {**parts({}), "geo_output_proj": 24960}
    with pytest.raises(KeyError, match="weight is in no part"):
        part_of("other.weight")


def test_the_published_geometric_route_is_a_sum_of_whole_parts():
    v2 = parts(PRESETS["v2"])
    fused_attention, norms = 4 * 263_296, 4 * 512
    route = v2["geo stream"] + v2["fuse"] + fused_attention + norms
    route += v2["output_proj"] + v2["anchors"] + v2["patchwork"]
    assert (route, sum(v2.values()) - route) == (2_552_764, 3_768_778)


def test_the_tiny_configuration_has_the_specified_number():
    tiny = {"EMBED_DIM": "48", "STREAM_DIM": "24", "FUSED_DIM": "32", "N_DUAL_BLOCKS": "1"}
    tiny |= {"N_FUSED_BLOCKS": "1", "N_HEADS": "4", "OUTPUT_DIM": "16", "N_ANCHORS": "8"}
    tiny |= {"N_COMP": "4", "D_COMP": "8", "IMG_SIZE": "16"}
    assert sum(parts(tiny).values()) == 44_040


@pytest.mark.parametrize("name", ["v2", "v5-bidir"])
def test_every_embedding_is_a_unit_row(model_of, name):
    shape = {k: "1" for k in PRESETS[name] if k == "N_CROSS_BLOCKS"}
    model = model_of(**{**PRESETS[name], **shape}).eval()
    emb, logits = model(torch.randn(5, 3, 8, 8))
    assert logits.shape == (5, 2)
    for rows in (emb, model.seen.geo, model.seen.std):
        if rows is not None:
            assert torch.allclose(rows.norm(dim=1), torch.ones(5), atol=1e-6)
    assert (model.seen.std is None) == (name == "v2")


def test_streams_that_cancel_have_the_geometric_direction():
    geo = torch.eye(3)
    std = -geo.clone()
    std[2] = geo[0]
    found = direction_of_sum(geo, std)
    assert found[:2].equal(geo[:2])
    assert found[2].equal(geo[0] + geo[2])


def test_the_rate_rises_in_a_line_and_falls_to_nothing_only_past_the_end():
    factors = [lr_factor(step, 10, 4) for step in range(1, 11)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4:] == sorted(factors[4:], reverse=True)
    assert factors[-1] > 0
    assert lr_factor(11, 10, 4) == pytest.approx(0)


# -- data -----------------------------------------------------------------------------------------


@pytest.fixture
def idx(tmp_path):
    for name, content in idx_files().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_small_grey_images_stand_in_the_middle_of_zeros(idx):
    split = PaddedIdx(idx, "train", 10)
    found = split.images(torch.tensor([2, 0]))
    assert found.shape == (2, 3, 10, 10)
    assert np.array_equal(found[0, 1, 2:8, 1:8].numpy(), split.pixels[2])
    assert found.sum() == 3 * (split.pixels[2].astype(int) + split.pixels[0]).sum()


def test_images_that_do_not_fit_are_refused(idx):
    with pytest.raises(UsageError, match="images of 7 x 6, but IMG_SIZE=4"):
        load_data(SYSTEM.read({"DATA_DIR": str(idx), "IMG_SIZE": "4", "BATCH": "4"}))


def test_views_depend_on_seed_and_step_alone_and_stay_within_the_jitter():
    images = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8)
    before = torch.get_rng_state()
    views = two_views(images, 7, 3)
    assert views.shape == (12, 3, 8, 8)
    assert views.equal(two_views(images, 7, 3))
    assert not views.equal(two_views(images, 7, 4))
    assert not views.equal(two_views(images, 8, 3))
    assert not views[:6].equal(views[6:])
    assert torch.get_rng_state().equal(before)
    white = two_views(torch.full((4, 3, 32, 32), 255, dtype=torch.uint8), 0, 1)
    inside = white[:, :, 8:24, 8:24]
    assert inside.min() >= 0.875 - 0.125
    assert inside.max() <= 1.125 + 0.125


def test_generators_of_other_uses_and_steps_are_other_ones():
    drawn = {
        float(torch.rand(1, generator=own_generator(*key)))
        for key in [(0, 0), (0, 1), (1, 0), (0, 0, 1), (0, 0, 2), (2**63 - 1, 5, 3)]
    }
    assert len(drawn) == 6
