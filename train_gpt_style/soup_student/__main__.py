"""`python -m train_gpt_style.soup_student`: train."""

from train_gpt_style.kit.entry import command
from train_gpt_style.soup_student import SYSTEM


def train(environ):
    """One run; imported late, since the lane is entered before torch is imported."""
    from train_gpt_style.soup_student.run import main

    main(environ)


command(SYSTEM, train)
