"""`python -m train_gpt_style.soup`: train the soup; `embed` asks a trained student instead."""

from train_gpt_style.kit.entry import command
from train_gpt_style.soup import SYSTEM


def train(environ):
    """One run; imported late, since the lane is entered before torch is imported."""
    from train_gpt_style.soup.run import main

    main(environ)


command(SYSTEM, train)
