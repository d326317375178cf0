"""`python -m tests.train_gpt_style.toy`: train."""

from tests.train_gpt_style.toy import SYSTEM
from train_gpt_style.kit.entry import command


def train(environ):
    from tests.train_gpt_style.toy.run import main  # needs torch, so not above

    main(environ)


command(SYSTEM, train)
