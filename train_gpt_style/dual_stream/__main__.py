"""`python -m train_gpt_style.dual_stream`: train; or `presets`, `scan`, `scalars`: --help tells."""

from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.kit.entry import command


def train(environ):
    """One run; imported late, since the lane is entered before torch is imported."""
    from train_gpt_style.dual_stream.run import main

    main(environ)


command(SYSTEM, train)
