"""`python -m train_gpt_style.soup`: train the soup; `embed` asks a trained student instead."""

from train_gpt_style.kit.entry import command
from train_gpt_style.soup import SYSTEM
from train_gpt_style.soup.commands import environ_of

command(SYSTEM, environ_of)
