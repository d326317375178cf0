"""The published figures of the baseline and of its proposal, recomputed on our real objects."""

import hashlib

import torch

from goldenseal.digest import published_digest, tensor_bytes
from train_gpt_style.gpt import SYSTEM
from train_gpt_style.gpt.constants import SMOKE_STEP, UT_LOOPS_PHI
from train_gpt_style.gpt.features.jepa import SpanLoss, draw_span, longest_span
from train_gpt_style.gpt.features.phinta import PhiNTA, default_rank
from train_gpt_style.gpt.features.ut import LoopedBlocks
from train_gpt_style.gpt.model import build_model
from train_gpt_style.kit.context import Context

SMALL = {"MODEL_DIM": "128", "SEED": "1597"}  # the published shapes; the rest is the default
PRE_HEAD = {"PHINTA_ENABLE": "1"}
PER_BLOCK = {"PHINTA_ENABLE": "1", "PHINTA_PER_BLOCK": "1"}


def figures() -> list[tuple[str, str, str]]:
    """(name, published, computed), as texts. Leaves the global generator as it found it."""
    with torch.random.fork_rng(devices=[]):
        return [
            *baseline_figures(),
            *phinta_figures(),
            *jepa_figures(),
            *loop_figures(),
            *size_figures(),
        ]


def build(environ, device="cpu"):
    """The model of an environment, seeded as a run seeds it, in fp32."""
    settings, context = SYSTEM.read(environ), Context({})
    context.cuda, context.device = False, torch.device(device)
    torch.manual_seed(settings.seed)
    with context.device:
        return build_model(settings, context)


def baseline_figures():
    """Initial weights and loss at the published small shapes."""
    model = build(SMALL)
    torch.manual_seed(42)
    x, y = (torch.randint(0, 1024, (2, 64)) for _ in range(2))
    with torch.no_grad():
        loss = model.eval()(x, y).item()
    published = "511dbc0164e03b1b3aff47ff22406e2fd8ffb095cea89441630e4349418c2e35"
    return [
        ("initial state, SHA-256", published, published_digest(model.state_dict())),
        ("forward loss", "6.929044246674", f"{loss:.12f}"),
    ]


def phinta_figures():
    """PhiNTA at width 64, rank 13, drawn from the global generator."""
    torch.manual_seed(1597)
    module = PhiNTA(64, 13)
    trained = sum(p.numel() for p in module.parameters())
    frozen = sum(b.numel() for b in module.buffers())
    return [
        ("PhiNTA trained parameters", "1664", str(trained)),
        ("PhiNTA frozen numbers", "4096", str(frozen)),
        ("PhiNTA trained / frozen", "0.406", f"{trained / frozen:.3f}"),
        ("PhiNTA W[0,:3]", "-0.02249395 -0.10268663 -0.07155818", first_three(module.W)),
        ("PhiNTA A[0,:3]", "-0.00625812 -0.01619091 0.02265242", first_three(module.A)),
        ("PhiNTA W, SHA-256 prefix", "e2c3095d3e29f081", prefix(module.W)),
        ("PhiNTA A, SHA-256 prefix", "4394eb8d776f492b", prefix(module.A)),
    ]


def jepa_figures():
    """The span loss on Gaussian states, after the draws that the publication made before them."""
    torch.manual_seed(1597)
    PhiNTA(64, 13)
    torch.randn(2, 16, 64)
    h = torch.randn(2, 32, 64)
    a, b = draw_span(32, longest_span(32, 0.5))
    loss = SpanLoss(layer=0)
    loss.ends.copy_(torch.tensor((a - 1, b)))
    return [
        ("JEPA span a, b", "4 14", f"{a} {b}"),
        (
            "JEPA cosines",
            "-0.67804533 -0.70630229",
            " ".join(f"{c:.8f}" for c in loss.cosines(h).tolist()),
        ),
        ("JEPA loss", "1.69217372", f"{loss(h).item():.8f}"),
    ]


def loop_figures():
    """A looped block that adds one per cent, as the model would loop it."""
    torch.manual_seed(1597)
    x = torch.randn(1, 8, 64)
    with torch.no_grad():
        y = LoopedBlocks(UT_LOOPS_PHI, 0, 1)(lambda x: x + SMOKE_STEP * x, 0, x)
    return [("UT norm ratio after the loops", "1.0406", f"{(y.norm() / x.norm()).item():.4f}")]


def size_figures():
    """Parameter counts on the meta device, where nothing is allocated, and default ranks."""
    found = []
    for name, environ, published in (
        ("D512", {}, 17_059_912),
        ("D512, PhiNTA before the head", PRE_HEAD, 17_383_496),
        ("D512, PhiNTA per block", PER_BLOCK, 19_972_168),
        ("D128", SMALL, 1_168_456),
        ("D128, PhiNTA before the head", SMALL | PRE_HEAD, 1_188_680),
        ("D128, PhiNTA per block", SMALL | PER_BLOCK, 1_350_472),
    ):
        parameters = sum(p.numel() for p in build(environ, "meta").parameters())
        found.append((f"parameters, {name}", str(published), str(parameters)))
    for dim, rank in ((64, 40), (128, 79), (512, 316), (768, 475)):
        found.append((f"PhiNTA rank, D{dim}", str(rank), str(default_rank(dim))))
    return found


def first_three(t):
    """The start of the first row, as published."""
    return " ".join(f"{v:.8f}" for v in t[0, :3].tolist())


def prefix(t):
    """Sixteen hex digits of SHA-256 over the float32 bytes."""
    return hashlib.sha256(tensor_bytes(t)).hexdigest()[:16]
