"""`python -m train_gpt_style.vit_rft`: train. Flags are another way to write some of the knobs."""

from train_gpt_style.kit.entry import command
from train_gpt_style.vit_rft import SYSTEM
from train_gpt_style.vit_rft.flags import environ_of


def train(environ):
    """One run; imported late, since the lane is entered before torch is imported."""
    from train_gpt_style.vit_rft.run import main

    main(environ)


command(SYSTEM, train, environ_of)
