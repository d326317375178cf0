"""`python -m train_gpt_style.gpt`: train. Every setting is an environment variable."""

from train_gpt_style.gpt import SYSTEM
from train_gpt_style.kit.entry import command

command(SYSTEM)
