"""pytest tests/verify/test_terminal.py"""

from goldenseal.terminal import wide_console


def test_a_line_number_between_colons_is_no_emoji(capsys):
    wide_console().print("data.py:100: not run")
    assert capsys.readouterr().out == "data.py:100: not run\n"
