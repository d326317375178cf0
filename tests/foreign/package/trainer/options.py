"""Options by argparse."""

import argparse


def parser():
    made = argparse.ArgumentParser(prog="trainer")
    made.add_argument("--epochs", type=int, default=10)
    made.add_argument("--batch-size", type=int, default=8)
    made.add_argument("--lr", type=float, default=0.1)
    made.add_argument("--momentum", type=float, default=0.9)
    made.add_argument("--workers", type=int, default=2)
    made.add_argument("--seed", type=int, default=1)
    return made
