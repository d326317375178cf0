"""The published command line: flags are another way to write some of the knobs."""

import argparse

from goldenseal.errors import UsageError

EXPERIMENT_GAIN = "0.25"  # of --mode RFT, where DCLR_GAIN names no other
KNOB_OF_FLAG = {"steps": "STEPS", "batch": "BATCH", "lr": "LR", "data_dir": "DATA_DIR"}


def parser():
    """The published command line."""
    found = argparse.ArgumentParser(
        prog="python -m train_gpt_style.vit_rft",
        description="Train ViT-Tiny with Adam (BASE) or with the reconstructed DCLR (RFT). Without "
        "--data_dir the images and labels are synthetic, and accuracy is chance.",
        epilog="Every other setting is an environment variable: `goldenseal knobs "
        "vit_rft` lists them. --mode also sets TELEMETRY=1, which writes stage4_vit_tiny.jsonl. "
        "Example: IMAGE_SIZE=32 PATCH_SIZE=8 CLASSES=10 python -m train_gpt_style.vit_rft "
        "--mode RFT --steps 20 --batch 32",
    )
    found.add_argument("--mode", choices=("RFT", "BASE"), help="the optimizer: DCLR or Adam")
    found.add_argument("--steps", metavar="N", help="length of the run (STEPS, 1000)")
    found.add_argument("--batch", metavar="N", help="images a step (BATCH, 256)")
    found.add_argument("--lr", metavar="X", help="learning rate (LR, 5e-4)")
    found.add_argument("--data_dir", metavar="DIR", help="train/ and val/ folders (DATA_DIR)")
    return found


def merge(environ, flags):
    """The environment with the flags written as knobs.

    Raises UsageError when a flag and a variable that is set contradict each other.
    """
    merged = dict(environ)

    def put(flag, name, text):
        if merged.get(name, "") != "" and not same(merged[name], text):
            raise UsageError(f"--{flag} means {name}={text}, but {name}={merged[name]} is set")
        merged[name] = text

    for flag, name in KNOB_OF_FLAG.items():
        if flags.get(flag) is not None:
            put(flag, name, flags[flag])
    mode, gain = flags.get("mode"), merged.get("DCLR_GAIN", "")
    if mode is None:
        return merged
    put("mode " + mode, "TELEMETRY", "1")
    if mode == "RFT":
        merged["DCLR_GAIN"] = gain or EXPERIMENT_GAIN
    if is_zero(merged.get("DCLR_GAIN", "")) == (mode == "RFT"):
        need = "above 0" if mode == "RFT" else "0"
        raise UsageError(f"--mode {mode} needs a DCLR_GAIN of {need}, but DCLR_GAIN={gain} is set")
    return merged


def same(a, b):
    """Whether two texts are the same text or the same number."""
    try:
        return a == b or float(a) == float(b)
    except ValueError:
        return False


def is_zero(text):
    """Whether a knob's text means 0; what is no number is refused later, with its range."""
    try:
        return float(text or 0) == 0
    except ValueError:
        return False


def environ_of(arguments, environ):
    """The environment that flags and variables mean together. Raises SystemExit for --help."""
    return merge(environ, vars(parser().parse_args(arguments)))
