"""pytest tests/train_gpt_style/vit_rft/test_vit_model.py — size, a public ViT, the baseline."""

import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.kit.context import Context
from train_gpt_style.vit_rft import SYSTEM, figures, probe_data
from train_gpt_style.vit_rft.model import ViT, build_model


@pytest.mark.parametrize("classes", [2, 10, 100, 1000])
def test_the_number_of_parameters_is_the_published_one(classes):
    assert figures.parameters(classes)[0] == 5_524_416 + 193 * classes


def test_the_published_figures_hold():
    for name, published, computed in figures.figures():
        assert published == computed, name


def weights_of_public_model(public, ours):
    """Our state dict with the weights of a `transformers` ViT, which splits q, k and v."""
    names = {
        "cls": "vit.embeddings.cls_token",
        "position": "vit.embeddings.position_embeddings",
        "patch.weight": "vit.embeddings.patch_embeddings.projection.weight",
        "patch.bias": "vit.embeddings.patch_embeddings.projection.bias",
        "norm.weight": "vit.layernorm.weight",
        "norm.bias": "vit.layernorm.bias",
        "head.weight": "classifier.weight",
        "head.bias": "classifier.bias",
    }
    inner = {
        "norm1": "layernorm_before",
        "attention.proj": "attention.o_proj",
        "norm2": "layernorm_after",
        "up": "mlp.fc1",
        "down": "mlp.fc2",
    }
    theirs, found = dict(public.state_dict()), {}
    for name in ours.state_dict():
        _, _, rest = name.partition("blocks.")
        if not rest:
            found[name] = theirs.pop(names[name])
            continue
        number, part = rest.split(".", 1)
        part, kind = part.rsplit(".", 1)
        if part == "attention.qkv":
            found[name] = torch.cat(
                [theirs.pop(f"vit.layers.{number}.attention.{p}_proj.{kind}") for p in "qkv"]
            )
        else:
            found[name] = theirs.pop(f"vit.layers.{number}.{inner[part]}.{kind}")
    assert not theirs, "weights of the public model that ours has no place for"
    return found


@pytest.mark.parametrize("size", [32, 224])
def test_with_the_same_weights_the_outputs_are_those_of_a_public_implementation(size):
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        image_size=size,
        patch_size=16,
        hidden_size=192,
        num_hidden_layers=12,
        num_attention_heads=3,
        intermediate_size=768,
        layer_norm_eps=1e-6,
        num_labels=1000,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(1597)
    public = ViTForImageClassification(config).eval()
    ours = ViT(size, 16, 192, 12, 3, 1000).eval()
    with torch.no_grad():
        for p in public.parameters():  # no zero hides what lies behind it
            p.add_(0.1 * torch.randn(p.shape))
        ours.load_state_dict(weights_of_public_model(public, ours), strict=True)
        x = torch.randn(2, 3, size, size)
        expected, found = public(x).logits, ours(x)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scenario", probe_data.SCENARIOS.values(), ids=probe_data.SCENARIOS)
def test_a_fresh_model_has_the_baselines_names_bytes_and_random_draws(baseline, scenario):
    context = Context({})
    states = []
    for args, make in (
        (baseline.Hyperparameters.from_env(scenario), baseline.build_model),
        (SYSTEM.read(scenario), build_model),
    ):
        torch.manual_seed(1)
        states.append((make(args, context).state_dict(), torch.get_rng_state()))
    (theirs, after), (ours, after_ours) = states
    assert list(theirs) == list(ours)
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    assert torch.equal(after, after_ours)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"IMAGE_SIZE": "30"}, "PATCH_SIZE=16 must divide IMAGE_SIZE=30"),
        ({"HEADS": "5"}, "HEADS=5 must divide DIM=192"),
        ({"BETA2": "1"}, "BETA2=1.0 must be less than 1"),
        ({"ADAM_PATH": "slow"}, "one of for-loop, foreach, fused"),
        ({"DCLR_GAINS": "0.5"}, "did you mean DCLR_GAIN"),
        ({"DCLR_GAIN": "1"}, "less than 1"),
        ({"DCLR_GAIN": "-0.5"}, "at least 0"),
        ({"DCLR_GAIN": "0.5", "DCLR_SCALE_MAX": "0.5"}, "DCLR_GAIN=0.5: scale bounds [0.5, 0.5]"),
        ({"DCLR_GAIN": "0.5", "DCLR_LR_MIN": "2", "DCLR_LR_MAX": "1"}, "DCLR_GAIN=0.5: rate b"),
        ({"COUPLER_STRENGTH": "2.5"}, "at most 2"),
    ],
)
def test_a_bad_setting_is_one_line_that_says_what_is_legal(environ, words):
    with pytest.raises(UsageError) as caught:
        SYSTEM.read(environ)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
