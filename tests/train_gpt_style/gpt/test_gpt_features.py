"""pytest tests/train_gpt_style/gpt/test_gpt_features.py — what each feature does when it is on."""

import hashlib

import pytest
import torch
import torch.nn.functional as F

from train_gpt_style.gpt import SYSTEM, figures, run, ttt
from train_gpt_style.gpt.constants import INV_PHI, PHI_LR_SCALE_VALUE
from train_gpt_style.gpt.features import phinta, ut


def test_the_published_figures_come_out_of_the_real_objects():
    assert [(name, computed) for name, _, computed in figures.figures()] == [
        (name, expected) for name, expected, _ in figures.figures()
    ]


def test_computing_the_figures_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    figures.figures()
    assert torch.equal(before, torch.get_rng_state())


# -- looped blocks -------------------------------------------------------------------------------


def calls_per_block(model, batch):
    counts = [0] * len(model.blocks)
    for i, block in enumerate(model.blocks):
        block.register_forward_hook(lambda *_, i=i: counts.__setitem__(i, counts[i] + 1))
    model(*batch())
    return counts


@pytest.mark.parametrize(
    ("loops", "start", "end", "expected"),
    [
        (4, 3, 6, [1, 1, 1, 4, 4, 4, 1, 1, 1]),
        (4, 0, 9, [4] * 9),
        (4, 0, 1, [4, 1, 1, 1, 1, 1, 1, 1, 1]),
        (2, 8, 9, [1, 1, 1, 1, 1, 1, 1, 1, 2]),
        (1, 5, 3, [1] * 9),
        (1, 0, 0, [1] * 9),
    ],
)
def test_each_looped_block_is_called_that_often(build, batch, loops, start, end, expected):
    model = build(
        NUM_LAYERS="9", UT_LOOPS=str(loops), UT_LAYER_START=str(start), UT_LAYER_END=str(end)
    )
    assert calls_per_block(model, batch) == expected


def test_looping_a_block_equals_a_longer_stack_with_shared_weights(build, batch, perturb):
    """Looped (4 blocks, the last twice) against a plain stack of five that shares the last."""
    looped = perturb(build(UT_LOOPS="2", UT_LAYER_START="3", UT_LAYER_END="4"))
    plain = build(NUM_LAYERS="5")
    plain.load_state_dict(looped.state_dict(), strict=False)
    plain.blocks[4].load_state_dict(looped.blocks[3].state_dict())
    # Same skips: two pushes, two pops in reverse, then the shared block without any.
    assert plain.num_encoder_layers == looped.num_encoder_layers == 2
    assert torch.equal(looped(*batch()), plain(*batch()))


def test_blocks_loop_one_by_one_and_not_as_a_unit(build, batch, perturb):
    model = perturb(build(UT_LOOPS="2", UT_LAYER_START="0", UT_LAYER_END="2"))
    order = []
    for i, block in enumerate(model.blocks):
        block.register_forward_hook(lambda *_, i=i: order.append(i))
    model(*batch())
    assert order == [0, 0, 1, 1, 2, 3]


def test_a_range_across_the_skip_boundary_counts_each_skip_once(build, batch, perturb):
    """Blocks 1 (which pushes) and 2 (which pops) both loop; the sum is done by hand beside it."""
    model = perturb(build(UT_LOOPS="3", UT_LAYER_START="1", UT_LAYER_END="3")).eval()
    ids, targets = batch()
    dim = model.tok_emb.weight.size(1)
    x = x0 = F.rms_norm(model.tok_emb(ids), (dim,))
    first = x = model.blocks[0](x, x0)
    for _ in range(3):
        x = model.blocks[1](x, x0)
    x = x + model.skip_weights[0] * x  # pushed once, after the last pass; popped at once
    for _ in range(3):
        x = model.blocks[2](x, x0)
    x = model.blocks[3](x + model.skip_weights[1] * first, x0)
    logits = F.linear(F.rms_norm(x, (dim,)), model.tok_emb.weight)
    logits = model.logit_softcap * torch.tanh(logits / model.logit_softcap)
    expected = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    assert torch.equal(model(ids, targets), expected)


def test_every_pass_sees_the_same_embedding_and_the_same_adapters(build, batch, perturb):
    model = perturb(build(UT_LOOPS="3", UT_LAYER_START="1", UT_LAYER_END="2"))
    seen = []
    model.blocks[1].register_forward_pre_hook(lambda _, args: seen.append(args[1:]))
    lora = ttt.DocumentLoRA(2, model, 2)
    model(*batch(), lora=lora)
    assert len(seen) == 3
    assert all(a is b for args in seen[1:] for a, b in zip(args, seen[0], strict=True))


def test_a_fresh_looped_model_has_the_loss_of_an_unlooped_one_and_a_perturbed_has_not(
    build, batch, perturb
):
    environ = {"UT_LOOPS": "4", "UT_LAYER_START": "1", "UT_LAYER_END": "3"}
    plain, looped = build(), build(**environ)
    assert torch.equal(plain(*batch()), looped(*batch()))
    assert not torch.equal(perturb(plain)(*batch()), perturb(looped)(*batch()))


def test_the_looped_wrapper_multiplies_a_one_per_cent_step():
    x = torch.ones(3)
    looped = ut.LoopedBlocks(4, 0, 1)
    assert torch.allclose(looped(lambda x: x + 0.01 * x, 0, x), torch.full((3,), 1.01**4))
    assert torch.equal(looped(lambda x: x + 0.01 * x, 1, x), x + 0.01 * x)


# -- PhiNTA --------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_block", ["0", "1"])
def test_phinta_leaves_every_baseline_tensor_and_the_global_generator_alone(build, per_block):
    off = build()
    after = torch.get_rng_state()
    on = build(PHINTA_ENABLE="1", PHINTA_PER_BLOCK=per_block)
    assert torch.equal(after, torch.get_rng_state())
    state = on.state_dict()
    assert all(torch.equal(t, state[name]) for name, t in off.state_dict().items())


def test_phinta_sites_are_named_and_the_frozen_map_is_not_stored(build):
    off = set(build().state_dict())
    added = set(build(PHINTA_ENABLE="1").state_dict()) - off
    assert added == {"before_head.phinta.A", "before_head.phinta.B"}
    per_block = build(PHINTA_ENABLE="1", PHINTA_PER_BLOCK="1")
    assert set(per_block.state_dict()) - off == {
        f"around_block.phinta.{i}.{name}" for i in range(4) for name in "AB"
    }
    maps = [module.W for module in per_block.around_block["phinta"]]
    assert not any(torch.equal(maps[0], other) for other in maps[1:])


def test_the_frozen_map_depends_on_seed_and_site_and_comes_back_when_built_again(build):
    first, again, other = (build(PHINTA_ENABLE="1", SEED=s) for s in ("1", "1", "2"))
    W = [m.before_head["phinta"].W for m in (first, again, other)]
    assert torch.equal(W[0], W[1])
    assert not torch.equal(W[0], W[2])


def test_a_sites_generator_is_seeded_by_63_bits_of_a_digest_of_seed_and_site():
    for seed, site in ((1337, "head"), (1337, "block 0"), (0, "block 12")):
        digest = hashlib.sha256(f"phinta {site} {seed}".encode()).hexdigest()
        assert phinta.site_generator(seed, site).initial_seed() == int(digest[:16], 16) // 2


def test_the_rows_of_the_frozen_map_have_norm_one_over_phi():
    module = phinta.PhiNTA(64, 3, generator=torch.Generator().manual_seed(3))
    norms = module.W.norm(dim=1)
    assert torch.allclose(norms, torch.full_like(norms, INV_PHI), atol=1e-6, rtol=0)


def test_phinta_computes_its_formula(perturb):
    module = perturb(phinta.PhiNTA(16, 3, generator=torch.Generator().manual_seed(3)))
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(4))
    expected = x @ module.W.T + (x @ module.A) @ module.B
    assert torch.equal(module(x), expected)
    head = phinta.BeforeHead(16, 3, generator=torch.Generator().manual_seed(3))
    head.load_state_dict(module.state_dict())
    assert torch.equal(head(x), x + expected)


def test_phinta_computes_in_the_type_of_its_input_and_keeps_its_own(perturb):
    module = perturb(phinta.PhiNTA(16, 3, gated=True))
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(4))
    rounded = module(x.bfloat16())
    assert rounded.dtype == torch.bfloat16
    assert torch.allclose(rounded.float(), module(x), atol=0.1)
    assert {t.dtype for t in (module.W, *module.parameters())} == {torch.float32}


def test_the_published_start_moves_the_model_and_the_identity_start_does_not(build, batch):
    off = build()(*batch())
    frozen = build(PHINTA_ENABLE="1")(*batch())
    assert not torch.equal(off, frozen)
    for per_block in ("0", "1"):
        model = build(PHINTA_ENABLE="1", PHINTA_START="identity", PHINTA_PER_BLOCK=per_block)
        loss = model(*batch())
        assert torch.equal(off, loss)
        loss.backward()
        gains = [p for name, p in model.named_parameters() if name.endswith(".gain")]
        assert gains
        if per_block == "0":
            assert all(p.grad.any() for p in gains)


def test_the_low_rank_branch_starts_silent_and_wakes_with_its_first_step(build, batch):
    environ = {"PHINTA_ENABLE": "1"}
    model = build(**environ)
    module = model.before_head["phinta"]
    optimizers = run.build_optimizers(SYSTEM.read(environ), model)
    model(*batch()).backward()
    assert not module.A.grad.any()
    assert module.B.grad.any()
    for optimizer in optimizers.values():
        optimizer.step()
        optimizer.zero_grad()
    model(*batch()).backward()
    assert module.A.grad.any()


def test_the_heads_adapter_sees_what_phinta_made(build, batch, perturb):
    model = perturb(build(PHINTA_ENABLE="1"))
    lora, seen = ttt.DocumentLoRA(2, model, 2), []
    model.before_head["phinta"].register_forward_hook(lambda m, a, out: seen.append(out))
    lora.head.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    model(*batch(), lora=lora)
    assert len(seen) == 2
    assert seen[0] is seen[1]


def test_a_blocks_module_is_repeated_with_the_block(build, batch):
    model = build(
        PHINTA_ENABLE="1", PHINTA_PER_BLOCK="1", UT_LOOPS="3", UT_LAYER_START="1", UT_LAYER_END="2"
    )
    calls = []
    for i, module in enumerate(model.around_block["phinta"]):
        module.register_forward_hook(lambda *_, i=i: calls.append(i))
    model(*batch())
    assert calls == [0, 1, 1, 1, 2, 3]


def test_the_rank_knob_sets_the_rank(build):
    assert build(PHINTA_ENABLE="1", PHINTA_RANK="3").before_head["phinta"].A.shape == (32, 3)
    assert build(PHINTA_ENABLE="1").before_head["phinta"].A.shape == (32, 20)


# -- learning rate -------------------------------------------------------------------------------


def test_phi_lr_scales_muon_and_nothing_else(build):
    plain, scaled = (
        run.build_optimizers(SYSTEM.read(environ), build())
        for environ in ({}, {"PHI_LR_SCALE": str(PHI_LR_SCALE_VALUE)})
    )
    for name in plain:
        for key in ("lr", "base_lr"):
            factor = PHI_LR_SCALE_VALUE if name == "matrices" else 1.0
            before, after = (o[name].param_groups[0][key] for o in (plain, scaled))
            assert after == before * factor
    assert scaled["matrices"].param_groups[0]["lr"] == pytest.approx(0.1180339887, abs=1e-10)


@pytest.mark.parametrize(
    "environ",
    [
        {"UT_LOOPS": "2", "UT_LAYER_END": "1"},
        {"PHINTA_ENABLE": "1"},
        {"PHINTA_ENABLE": "1", "PHINTA_PER_BLOCK": "1", "PHINTA_START": "identity"},
        {"PHI_LR_SCALE": "2"},
        {"PHINTA_ENABLE": "1", "UT_LOOPS": "2", "UT_LAYER_END": "4", "PHI_LR_SCALE": "2"},
    ],
    ids=" ".join,
)
def test_a_run_with_features_on_says_so_and_trains_otherwise(tiny, perform, environ):
    environ = {**environ, "ITERATIONS": "2", "VAL_LOSS_EVERY": "0"}
    on, off = perform(run.main, {**tiny, **environ}), perform(run.main, {**tiny, "ITERATIONS": "2"})
    assert any(line.startswith("feature ") for line in on.lines)
    assert not any(line.startswith("feature ") for line in off.lines)
    assert on.files["final_model.safetensors"] != off.files["final_model.safetensors"]
    assert on.lines[-1] != off.lines[-1]


# -- together ------------------------------------------------------------------------------------

EVERYTHING = {
    "PHINTA_ENABLE": "1",
    "PHINTA_PER_BLOCK": "1",
    "PHINTA_START": "identity",
    "UT_LOOPS": "2",
    "UT_LAYER_END": "2",
}


@pytest.mark.parametrize("environ", [{}, EVERYTHING], ids=["off", "everything on"])
def test_the_model_compiles_into_one_graph_as_a_cuda_run_needs(build, batch, perturb, environ):
    model = perturb(build(**environ))
    compiled = torch.compile(model, backend="eager", dynamic=False, fullgraph=True)
    assert torch.equal(compiled(*batch()), model(*batch()))
