"""`python -m train_gpt_style.soup_student`: train."""

from train_gpt_style.kit.entry import command
from train_gpt_style.soup_student import SYSTEM

command(SYSTEM)
