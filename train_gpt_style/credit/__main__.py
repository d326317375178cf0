"""`python -m train_gpt_style.credit`: train; with `audit`, judge a trained network."""

from train_gpt_style.credit import SYSTEM
from train_gpt_style.kit.entry import command

command(SYSTEM)
