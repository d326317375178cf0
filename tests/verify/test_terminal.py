"""pytest tests/verify/test_terminal.py"""

import subprocess
import sys

import pytest

from goldenseal.terminal import say, wide_console


def test_a_line_number_between_colons_is_no_emoji(capsys):
    wide_console().print("data.py:100: not run")
    assert capsys.readouterr().out == "data.py:100: not run\n"


@pytest.mark.parametrize("forced", [False, True])
def test_a_line_is_said_as_it_stands(capsys, monkeypatch, forced):
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1" if forced else "")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    say("  [red]a.py[/]:100: x\r\\[b]", "FAIL", "red")
    out = capsys.readouterr().out
    assert out.endswith("  [red]a.py[/]:100: x\\[b]\n")
    assert out.startswith("FAIL  ") is not forced  # a terminal gets the colour before it
    assert "FAIL" in out


def test_a_pipe_waits_for_no_rich():
    code = (
        "import sys\nfrom goldenseal.terminal import say\nsay('x')\n"
        "from goldenseal.records import command\nfrom goldenseal.claims import command\n"
        "sys.exit('rich.console' in sys.modules or 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "x\n"
