"""`python -m train_gpt_style.credit`: train; with `audit`, judge a trained network."""

from train_gpt_style.credit import SYSTEM
from train_gpt_style.kit.entry import command


def train(environ):
    """One run; imported late, since the lane is entered before torch is imported."""
    from train_gpt_style.credit.run import main

    main(environ)


command(SYSTEM, train)
