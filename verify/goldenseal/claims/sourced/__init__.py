"""Numbers of others, as they were printed, and what was said of them.

numbers   a printed number, exactly; a source: its values by seed, epochs, examples, setting
tables    rows of epochs or of experiments, and what goes back to what
claim     what was said, and what is found wrong with it
seeds     the checks of claims about sources: means, deviations, differences, orders
rows      the checks of claims about tables: one row, the best of a column, a trend
table     a TOML file of all this, read and judged

Nothing of it is sealed: a table says what others printed and where, and the checks ask whether it
agrees with itself. No check knows a claim by name.
"""
