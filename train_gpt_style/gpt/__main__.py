"""`python -m train_gpt_style.gpt`: train. Every setting is an environment variable."""

from train_gpt_style.gpt import SYSTEM
from train_gpt_style.kit.entry import command


def train(environ):
    """One run; imported late, since the lane is entered before torch is imported."""
    from train_gpt_style.gpt.run import main

    main(environ)


command(SYSTEM, train)
