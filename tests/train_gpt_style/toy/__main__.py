"""`python -m tests.train_gpt_style.toy`: train."""

from tests.train_gpt_style.toy import SYSTEM
from train_gpt_style.kit.entry import command

command(SYSTEM)
