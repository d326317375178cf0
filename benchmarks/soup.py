"""The soup's linear algebra and the student's step, each beside the plain or public way, in turn.

    python -m benchmarks.soup                    # 6,000 rows of 1280 columns, three experts
    python -m benchmarks.soup --rows 1000 --columns 256 --plain-rounds 20 --steps 0

Consensus: GPA and the calibration of three experts, one thread. `ours` makes the D x D products
once and reduces to EXPERT_DIM columns first; `plain` multiplies the rows anew in each round and
takes a float64 SVD for each expert, at full width, then whitens and fits by geometry.procrustes.
`plain` is timed for --plain-rounds rounds, and what one costs is multiplied to the rounds that ours
took; both figures are printed. Step: forward, backward and Adam of the student at 224 pixels
against `transformers`' ViT of the same sizes with the same head; memory is torch's own count of
what a step allocates. Ratios are of processor time.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.procrustes import orthogonal_procrustes, whitened_procrustes
from train_gpt_style.soup.consensus import calibrate, make
from train_gpt_style.soup_student import SYSTEM, run


def experts(rows, columns, seed=0):
    """Three clouds that see one hidden cloud, unit rows, spectra that fall as a power."""
    draw = torch.Generator().manual_seed(seed)
    hidden = torch.randn(rows, 128, generator=draw)
    scale = torch.arange(1, columns + 1).pow(-0.5)
    clouds = []
    for _ in range(3):
        seen = hidden @ torch.randn(128, columns, generator=draw)
        turned = (seen + 8 * torch.randn(rows, columns, generator=draw)) * scale
        turn = torch.linalg.qr(torch.randn(columns, columns, generator=draw))[0]
        clouds.append(unit(turned @ turn))
    return clouds


def ours(clouds, width, output):
    """Rounds of GPA."""
    found = make(clouds, [c[:8] for c in clouds], width, output, (20, 1e-6))
    for part, cloud in zip(found.parts, found.clouds, strict=True):
        calibrate(part, cloud, found.train)
    return len(found.objectives) - 1


def plain(clouds, rounds, output):
    """(seconds of one round, seconds of all else), processor time."""
    began = time.process_time()
    clouds = [c.double() - c.double().mean(dim=0) for c in clouds]
    centre = sum(clouds) / len(clouds)
    before = time.process_time()
    for _ in range(rounds):
        turned = [c @ orthogonal_procrustes(c, centre) for c in clouds]
        centre = sum(turned) / len(turned)
    after = time.process_time()
    _, _, vh = torch.linalg.svd(centre, full_matrices=False)
    assert len(unit(centre @ vh[:output].T)) == len(centre)
    for cloud in clouds:
        whitened_procrustes(cloud, centre)
    end = time.process_time()
    return (after - before) / rounds, end - after + before - began


class Public(nn.Module):
    """transformers' ViT of the student's sizes, with the student's head."""

    def __init__(self, s):
        super().__init__()
        from transformers import ViTConfig, ViTModel

        config = ViTConfig(
            image_size=s.img_size,
            patch_size=s.patch_size,
            hidden_size=s.dim,
            num_hidden_layers=s.depth,
            num_attention_heads=s.heads,
            intermediate_size=s.ffn_dim,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.body = ViTModel(config, add_pooling_layer=False)
        sizes = nn.Linear(s.dim, s.dim), nn.GELU(), nn.LayerNorm(s.dim)
        self.head = nn.Sequential(*sizes, nn.Linear(s.dim, s.output_dim))
        self.channels, self.auxiliary = s.channels, {}
        self.weighed = (s.nce_weight, s.nce_temp, s.mse_weight)

    def forward(self, images):
        """(B, 3, S, S) to unit rows (B, O)."""
        return unit(self.head(self.body(images).last_hidden_state[:, 0]))


def step(model, optimizer, images, targets):
    """One step, as the loop does it."""
    optimizer.zero_grad()
    loss = run.loss_of(model, images, targets)
    loss.backward()
    optimizer.step()


def peak(work):
    """Bytes that are allocated at most, beyond what was there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


def steps(options):
    """Print the student's step against the public one."""
    s = SYSTEM.read({"BATCH": str(options.batch)})
    torch.manual_seed(0)
    models = {"ours": run.build_model(s, run.Context({})), "public": Public(s)}
    images = torch.randint(0, 256, (s.batch, 3, s.img_size, s.img_size), dtype=torch.uint8)
    targets = unit(torch.randn(s.batch, s.output_dim))
    work = {}
    for name, model in models.items():
        adam = torch.optim.Adam(model.parameters(), lr=s.lr, fused=True)
        work[name] = lambda model=model, adam=adam: step(model, adam, images, targets)
        work[name]()
    times = {name: [] for name in work}
    for number in range(options.steps):
        for name in ("ours", "public") if number % 2 else ("public", "ours"):
            began = time.process_time()
            work[name]()
            times[name].append(time.process_time() - began)
    ratios = [a / b for a, b in zip(times["ours"], times["public"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    ratio = f"{middle:.3f} (quartiles {low:.3f} {high:.3f})"
    print(f"student's step against the public one: {ratio}")
    for name, model in models.items():
        mib = peak(work[name]) / 2**20
        count = sum(p.numel() for p in model.parameters())
        print(f"{name}: {statistics.median(times[name]):.3f} s, {mib:.0f} MiB, {count} parameters")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--columns", type=int, default=1280)
    parser.add_argument("--width", type=int, default=768, help="EXPERT_DIM")
    parser.add_argument("--output", type=int, default=128)
    parser.add_argument("--plain-rounds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    clouds = experts(options.rows, options.columns)
    taken = []
    for _ in range(options.repeats):
        began, busy = time.perf_counter(), time.process_time()
        rounds = ours(clouds, options.width, options.output)
        taken.append((time.perf_counter() - began, time.process_time() - busy))
    wall, busy = (statistics.median(each) for each in zip(*taken, strict=True))
    print(f"ours: {wall:.2f} s, {busy:.2f} s of the processor, {rounds} rounds")
    if options.plain_rounds:
        one, rest = plain(clouds, options.plain_rounds, options.output)
        whole = one * rounds + rest
        print(f"plain: {one:.2f} s a round, {rest:.2f} s besides; {rounds} rounds: {whole:.1f} s")
        print(f"plain / ours: {whole / busy:.1f}")
    if options.steps:
        steps(options)


if __name__ == "__main__":
    main()
