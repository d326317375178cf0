"""One training step: the candidate with its features off, against the frozen baseline.

    python -m benchmarks.step_time                # default size, 2 sequences of 512, fp32, CPU
    python -m benchmarks.step_time --rounds 30 --threads 2 --json

Two processes, one a script, are told in turn to do one step (forward, backward, every optimizer);
the order alternates, so that a slow stretch of the machine hits both. Reported: the median of the
ratios candidate / baseline of neighbouring steps, and their quartiles, in seconds of the wall clock
and of the processor; the second suffers less from whatever else the machine does. With --run-log
the candidate writes its run log as well, and its state digests every --state-every steps.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time

SEQUENCES, LENGTH = 2, 512


def worker(side, threads, features, pipe):
    """Build the script's own model and optimizers, then do a step whenever told to."""
    import torch

    from train_gpt_style.gpt import SYSTEM, run
    from train_gpt_style.gpt.probe import PROBE
    from train_gpt_style.kit.seams import Run, StepReport

    torch.set_num_threads(threads)
    torch.manual_seed(1337)
    observer = None
    if side == "baseline":
        script = PROBE.baseline.load()
        args, context = script.Hyperparameters.from_env({}), script.Context({})
        model = script.build_model(args, context)
        optimizers = script.build_optimizers(args, model)
    else:
        values = SYSTEM.read(features)
        context = run.Context({}, 8)
        model = run.build_model(values, context)
        named = run.build_optimizers(values, model)
        optimizers = list(named.values())
        observers = run.observers_of(Run(values, context, model, named))
        observer = observers[0] if observers else None
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randint(1024, (2, SEQUENCES, LENGTH), generator=generator)
    step = 0
    while pipe.recv():
        start, busy = time.perf_counter(), time.process_time()
        loss = model(x, y)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        step += 1
        if observer is not None:
            lrs = {name: o.param_groups[0]["lr"] for name, o in named.items()}
            observer.after_step(StepReport(step, loss.detach(), {"lr": lrs, "tokens": step}))
        pipe.send((time.perf_counter() - start, time.process_time() - busy, loss.item()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="measured pairs of steps")
    parser.add_argument("--warmup", type=int, default=2, help="pairs before them")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--run-log", action="store_true", help="with RUN_LOG=1 in the candidate")
    parser.add_argument("--state-every", type=int, default=50, help="steps between state digests")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    features = {"RUN_LOG": "1", "RUN_LOG_STATE_EVERY": str(options.state_every)}
    features = features if options.run_log else {}
    spawn = multiprocessing.get_context("spawn")
    pipes, seconds, losses = {}, {"baseline": [], "candidate": []}, {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for side in seconds:
            pipes[side], end = spawn.Pipe()
            arguments = (side, options.threads, features, end)
            spawn.Process(target=worker, args=arguments, daemon=True).start()
        for i in range(options.warmup + options.rounds):
            for side in sorted(seconds, reverse=bool(i % 2)):
                pipes[side].send(True)
                *elapsed, losses[side] = pipes[side].recv()
                seconds[side].append(elapsed)
            if losses["baseline"] != losses["candidate"]:
                raise SystemExit(f"pair {i}: the losses differ, the times mean nothing: {losses}")
        for pipe in pipes.values():
            pipe.send(False)

    figures = {}
    for i, clock in enumerate(("wall", "processor")):
        measured = {side: [e[i] for e in seconds[side][options.warmup :]] for side in seconds}
        pairs = zip(measured["baseline"], measured["candidate"], strict=True)
        low, middle, high = statistics.quantiles([c / b for b, c in pairs], n=4)
        medians = {side: statistics.median(values) for side, values in measured.items()}
        figures[clock] = {"ratio": middle, "quartiles": [low, high], "seconds": medians}
    if options.json:
        print(json.dumps(figures))
        return
    for clock, figure in figures.items():
        medians = figure["seconds"]
        low, high = figure["quartiles"]
        print(
            f"{clock:9}  baseline {1000 * medians['baseline']:.1f} ms a step, "
            f"candidate {1000 * medians['candidate']:.1f} ms, "
            f"ratio {figure['ratio']:.4f}, quartiles {low:.4f} to {high:.4f}"
        )


if __name__ == "__main__":
    main()
