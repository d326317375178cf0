"""pytest tests/verify/ladder/test_script.py

A script is opened in its own surroundings, and left.
"""

import sys

import pytest

from goldenseal.errors import UsageError
from goldenseal.ladder import script as scripts
from goldenseal.ladder.script import (
    LoadError,
    MixedError,
    ProbeError,
    Script,
    ended_well,
    forget,
    in_words,
)


def written(folder, files):
    """Write files by name; the path of train.py."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder / "train.py")


def script(location, other="", **fields):
    return Script("candidate", location, **{"build": "", "entry": "", **fields}, other=other)


def test_a_scripts_folder_is_first_on_the_path_and_gone_afterwards(tmp_path):
    path = written(tmp_path, {"train.py": "import sys\nPATH = list(sys.path)\n"})
    before = list(sys.path)
    with script(path).opened() as module:
        assert module.PATH == [str(tmp_path), *before]
    assert sys.path == before


def test_a_script_sees_itself_as_the_only_argument(tmp_path):
    path = written(tmp_path, {"train.py": "import sys\nARGV = list(sys.argv)\n"})
    before = list(sys.argv)
    with script(path).opened() as module:
        assert module.ARGV == [path]
        assert module.__file__ == path
    assert sys.argv == before


def test_modules_of_both_folders_are_forgotten_before_a_script_is_loaded(tmp_path):
    mine = written(tmp_path / "mine", {"train.py": "import net\n", "net.py": "VALUE = 1\n"})
    theirs = written(tmp_path / "theirs", {"train.py": "import net\n", "net.py": "VALUE = 2\n"})
    for here, there, value in ((mine, theirs, 1), (theirs, mine, 2), (mine, theirs, 1)):
        with script(here, there).opened() as module:
            assert module.net.VALUE == value
    forget(str(tmp_path))


def test_a_module_is_read_anew_each_time(tmp_path):
    path = written(tmp_path, {"train.py": "import net\n", "net.py": "VALUE = 1\n"})
    with script(path).opened() as module:
        assert module.net.VALUE == 1
    (tmp_path / "net.py").write_text("VALUE = 2\n")  # same size, same second
    with script(path).opened() as module:
        assert module.net.VALUE == 2
    forget(str(tmp_path))


def test_what_is_installed_below_the_scripts_folder_is_not_forgotten(tmp_path, monkeypatch):
    installed = tmp_path / ".venv" / "lib" / "site-packages"
    path = written(
        tmp_path,
        {
            "train.py": "import installed_here\nimport own\n",
            "own.py": "",
            ".venv/lib/site-packages/installed_here.py": "",
        },
    )
    monkeypatch.setattr(scripts, "INSTALLED", (str(installed),))
    monkeypatch.syspath_prepend(str(installed))
    with script(path).opened():
        first = sys.modules["installed_here"], sys.modules["own"]
    with script(path).opened():
        assert sys.modules["installed_here"] is first[0]
        assert sys.modules["own"] is not first[1]
    del sys.modules["installed_here"]
    forget(str(tmp_path))


def test_goldenseal_itself_is_never_forgotten(root, monkeypatch):
    monkeypatch.setattr(sys, "modules", dict(sys.modules))  # the tests lie below the root, too
    before = {name: module for name, module in sys.modules.items() if name.startswith("goldenseal")}
    forget(str(root))
    after = {name: module for name, module in sys.modules.items() if name.startswith("goldenseal")}
    assert after == before


@pytest.mark.parametrize("form", ["beside.py", "beside/__init__.py", "beside/inner.py"])
def test_a_module_of_the_other_script_is_named(tmp_path, form):
    theirs = written(tmp_path / "theirs", {"train.py": "", form: ""})
    name = "beside.inner" if form.endswith("inner.py") else "beside"
    text = f"import sys\nsys.path.append({str(tmp_path / 'theirs')!r})\nimport {name}\n"
    mine = written(tmp_path / "mine", {"train.py": text})
    with pytest.raises(MixedError, match="the candidate ran with beside"):
        with script(mine, theirs).opened():
            pass
    sys.path.remove(str(tmp_path / "theirs")) if str(tmp_path / "theirs") in sys.path else None
    forget(str(tmp_path))


def test_a_script_beside_the_other_may_share_its_modules(tmp_path):
    path = written(tmp_path, {"train.py": "import net\n", "other.py": "", "net.py": ""})
    with script(path, str(tmp_path / "other.py")).opened() as module:
        assert module.net
    forget(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\nsys.exit(0)\n", r"ends while it is imported \(SystemExit: 0 \(train.py:2\)"),
        ("raise SystemExit", r"ends while it is imported \(SystemExit \(train.py:1\)"),
        ("1 / 0\n", r"cannot be imported: ZeroDivisionError: division by zero \(train.py:1\)"),
        ("import no_such_module\n", "cannot be imported: ModuleNotFoundError: No module named"),
        ("def (:\n", "cannot be imported: SyntaxError"),
        ("\x00", "cannot be imported: (SyntaxError|ValueError)"),  # before Python 3.11.4 the latter
        ("raise ValueError('a\\nb')\n", "ValueError: a b"),
    ],
)
def test_a_script_that_cannot_be_imported_is_one_line_with_the_place(tmp_path, text, words):
    path = written(tmp_path, {"train.py": text})
    with pytest.raises(LoadError, match=words) as caught, script(path).opened():
        pass
    assert "\n" not in str(caught.value)


def test_a_script_that_is_not_there_is_bad_usage(tmp_path):
    with (
        pytest.raises(UsageError, match="there is no script"),
        script(str(tmp_path / "no.py")).opened(),
    ):
        pass


def test_a_module_is_opened_by_its_dotted_name_and_keeps_its_state():
    with script("goldenseal.digest").opened() as module:
        assert module is sys.modules["goldenseal.digest"]
    with pytest.raises(LoadError, match="No module named 'no_such'"), script("no_such").opened():
        pass


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("main(", "`entry` of the probe is no expression"),
        ("x = 1", "`entry` of the probe is no expression"),
        ("mian()", "`entry` of the probe does not fit the candidate: NameError"),
        ("VALUE.shape", "does not fit the candidate: AttributeError"),
        ("VALUE[0]", "does not fit the candidate: TypeError"),
    ],
)
def test_a_wrong_expression_is_the_probes_fault(tmp_path, expression, words):
    path = written(tmp_path, {"train.py": "VALUE = 7\n"})
    opened = script(path, entry=expression)
    with opened.opened() as module, pytest.raises(ProbeError, match=words):
        opened.evaluate(module, "entry")


def test_what_the_script_raises_is_its_own(tmp_path):
    text = "def main():\n    return {}['key']\n\ndef fails():\n    exec('def (:')\n"
    for expression, kind in (("main()", KeyError), ("fails()", SyntaxError)):
        opened = script(written(tmp_path, {"train.py": text}), entry=expression)
        with opened.opened() as module, pytest.raises(kind):
            opened.evaluate(module, "entry")


@pytest.mark.parametrize("code", [None, 0, False])
def test_these_are_normal_ends(code):
    assert ended_well(SystemExit(code))


@pytest.mark.parametrize("code", [1, -1, True, "", "0", "done", 0.0, [], ()])
def test_these_are_errors(code):
    assert not ended_well(SystemExit(code))


def test_an_error_in_words_has_kind_text_and_place():
    with pytest.raises(ValueError, match="two") as caught:
        raise ValueError("two\nlines")
    assert in_words(caught.value).startswith("ValueError: two lines (test_script.py:")
    assert in_words(KeyError()) == "KeyError"
