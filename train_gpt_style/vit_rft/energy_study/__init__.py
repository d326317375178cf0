"""`make study-energy`: what a step, and what reaching a loss, costs with Adam and with DCLR.

`window` trains one arm and meters it, `runner` runs blocks of windows and can be killed, `pilot`
chooses target and learning rate for a plan on seeds of its own, `finish` writes and seals the
record. Plan, verdicts and plots are in verify/goldenseal/grids/blocks; docs/energy.md is the guide.
"""
