"""Test-time-training evaluation: TTT_PACKED=1 against the frozen baseline's own loop.

    make data
    python -m benchmarks.ttt                                # width 128, 8 documents in one batch
    python -m benchmarks.ttt --dim 512 --documents 4 --rounds 3
    python -m benchmarks.ttt --documents 24 --batch 4       # batches of about equal documents
    python -m benchmarks.ttt --length 1500                  # every document cut to one length

Both score the same documents of data/shakespeare, spread over the validation split, with the same
weights, moved away from their zeros, and the same draws, in one process and in turn; the order
alternates. Chunk, window and rank are the defaults: 256, 1024, 8. Reported: scored tokens a second
of processor time, the median ratio of neighbouring rounds with its quartiles, on both clocks, and
by how many bits a byte the two results differ; more than 1e-6 ends it with exit code 1.
"""

import argparse
import json
import statistics
import sys
import time

import torch

from train_gpt_style.gpt import SYSTEM, run, ttt, windows
from train_gpt_style.gpt.probe import PROBE
from train_gpt_style.kit.shards import load_validation, shard_files
from train_gpt_style.kit.tokenizer import ByteCounter, load_tokenizer

TOLERANCE = 1e-6  # bits a byte
SPREAD = 0.02  # of what is added to each weight


def chosen_documents(values, count, length):
    """The tokens of `count` documents, spread over the split, each cut to `length` at most."""
    files = shard_files(values.data_path, "val")
    tokens, _ = load_validation(files, values.train_seq_len, values.vocab_size)
    found = [(s, n) for s, n in windows.find_documents(tokens) if length is None or n > length]
    if len(found) < count:
        sys.exit(f"only {len(found)} documents are long enough: ask for fewer, or cut them shorter")
    picked = [found[len(found) * i // count] for i in range(count)]
    return torch.cat([tokens[s : s + (length or n - 1)] for s, n in picked])


def perturb(model):
    """A fresh model's blocks change nothing: a difference in them would not show."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _, p in sorted(model.named_parameters()):
            p.add_(torch.randn(p.shape, generator=generator) * SPREAD)
    return model


def build(options):
    """What evaluates on each side, as a function of no arguments, and the number of targets."""
    environ = {
        "MODEL_DIM": str(options.dim),
        "NUM_LAYERS": str(options.layers),
        "TTT_BATCH_SIZE": str(options.batch),
    }
    values = SYSTEM.read({**environ, "TTT_PACKED": "1"})
    context = run.Context({}, 8)
    tokens = chosen_documents(values, options.documents, options.length)
    tokenizer = load_tokenizer(values.tokenizer_path)
    byte_counter = ByteCounter(tokenizer, values.vocab_size, context.device)
    torch.manual_seed(values.seed)
    model = perturb(run.build_model(values, context))
    script = PROBE.baseline.load()
    args = script.Hyperparameters.from_env(environ)
    frozen = script.build_model(args, context)
    frozen.load_state_dict(model.state_dict())
    sides = {
        "baseline": lambda: script.evaluate_ttt(args, frozen, context, tokens, byte_counter),
        "packed": lambda: ttt.evaluate_ttt(values, model, context, tokens, byte_counter),
    }
    return sides, tokens.numel() - 1


def timed(evaluate):
    """(wall seconds, processor seconds), and bits a byte."""
    torch.manual_seed(0)
    start, busy = time.perf_counter(), time.process_time()
    _, bpb = evaluate()
    return (time.perf_counter() - start, time.process_time() - busy), bpb


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dim", type=int, default=128, help="MODEL_DIM")
    parser.add_argument("--layers", type=int, default=9, help="NUM_LAYERS")
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64, help="TTT_BATCH_SIZE")
    parser.add_argument("--length", type=int, help="cut every document to so many tokens")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sides, targets = build(options)
    seconds, differences = {side: [] for side in sides}, []
    for i in range(options.rounds):
        bpb = {}
        for side in sorted(sides, reverse=bool(i % 2)):
            elapsed, bpb[side] = timed(sides[side])
            seconds[side].append(elapsed)
        differences.append(abs(bpb["packed"] - bpb["baseline"]))

    figures = {"targets": targets, "bpb": bpb, "bpb_difference": max(differences)}
    for i, clock in enumerate(("wall", "processor")):
        pairs = zip(seconds["baseline"], seconds["packed"], strict=True)
        ratios = [b[i] / p[i] for b, p in pairs]
        low, middle, high = (
            statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
        )
        rates = {side: targets / statistics.median(e[i] for e in seconds[side]) for side in sides}
        figures[clock] = {"ratio": middle, "quartiles": [low, high], "tokens_per_second": rates}
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)
    sys.exit(figures["bpb_difference"] > TOLERANCE)


def show(figures):
    """The figures in words."""
    for clock in ("wall", "processor"):
        figure = figures[clock]
        rates, (low, high) = figure["tokens_per_second"], figure["quartiles"]
        print(
            f"{clock:9}  baseline {rates['baseline']:.1f} tokens a second, "
            f"packed {rates['packed']:.1f}, "
            f"ratio {figure['ratio']:.3f}, quartiles {low:.3f} to {high:.3f}"
        )
    print(
        f"{figures['targets']} targets, {figures['bpb']['baseline']:.9f} bits a byte, "
        f"apart by at most {figures['bpb_difference']:.1e}"
    )


if __name__ == "__main__":
    main()
