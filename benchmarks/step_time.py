"""One training step: the candidate with its features off, against the frozen baseline.

    python benchmarks/step_time.py                # default size, 2 sequences of 512, fp32, CPU
    python benchmarks/step_time.py --rounds 30 --threads 2 --json

Two processes, one a script, are told in turn to do one step (forward, backward, every optimizer);
the order alternates, so that a slow stretch of the machine hits both. Reported: the median of the
ratios candidate / baseline of neighbouring steps, and their quartiles. A run log, when asked for
with --run-log, is part of the candidate's step, one state digest every 50 steps included.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time

SEQUENCES, LENGTH = 2, 512


def worker(side, threads, run_log, pipe):
    """Build the script's own model and optimizers, then do a step whenever told to."""
    import torch

    from train_gpt_style.gpt import run, settings
    from train_gpt_style.gpt.probe import PROBE
    from train_gpt_style.gpt.train import report

    torch.set_num_threads(threads)
    torch.manual_seed(1337)
    observer = None
    if side == "baseline":
        script = PROBE.baseline.load()
        args, context = script.Hyperparameters.from_env({}), script.Context({})
        model = script.build_model(args, context)
        optimizers = script.build_optimizers(args, model)
    else:
        values = settings.read({"RUN_LOG": "1"} if run_log else {})
        context = run.Context({})
        model = run.build_model(values, context)
        named = run.build_optimizers(values, model)
        optimizers = list(named.values())
        observers = run.observers_of(values, context, model, named)
        observer = observers[0] if observers else None
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randint(1024, (2, SEQUENCES, LENGTH), generator=generator)
    step = 0
    while pipe.recv():
        start = time.perf_counter()
        loss = model(x, y)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        step += 1
        if observer is not None:
            observer.after_step(report(values, named, step, loss.detach(), None))
        pipe.send((time.perf_counter() - start, loss.item()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="measured pairs of steps")
    parser.add_argument("--warmup", type=int, default=2, help="pairs before them")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--run-log", action="store_true", help="with RUN_LOG=1 in the candidate")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    spawn = multiprocessing.get_context("spawn")
    pipes, seconds, losses = {}, {"baseline": [], "candidate": []}, {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for side in seconds:
            pipes[side], end = spawn.Pipe()
            arguments = (side, options.threads, options.run_log, end)
            spawn.Process(target=worker, args=arguments, daemon=True).start()
        for i in range(options.warmup + options.rounds):
            for side in sorted(seconds, reverse=bool(i % 2)):
                pipes[side].send(True)
                elapsed, losses[side] = pipes[side].recv()
                seconds[side].append(elapsed)
            if losses["baseline"] != losses["candidate"]:
                raise SystemExit(f"pair {i}: the losses differ, the times mean nothing: {losses}")
        for pipe in pipes.values():
            pipe.send(False)

    measured = {side: values[options.warmup :] for side, values in seconds.items()}
    ratios = [c / b for b, c in zip(measured["baseline"], measured["candidate"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    medians = {side: statistics.median(values) for side, values in measured.items()}
    if options.json:
        print(json.dumps({"ratio": middle, "quartiles": [low, high], "seconds": medians}))
        return
    print(f"baseline   {1000 * medians['baseline']:8.1f} ms a step (median of {options.rounds})")
    print(f"candidate  {1000 * medians['candidate']:8.1f} ms a step")
    print(f"ratio      {middle:8.4f}  quartiles {low:.4f} to {high:.4f}")


if __name__ == "__main__":
    main()
