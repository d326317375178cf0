"""pytest tests/verify/bundle/test_imports.py

What a run may import is followed, and nothing else is.
"""

import subprocess
import sys

import pytest

from goldenseal.bundle.imports import entry_of, needs_of
from goldenseal.errors import UsageError


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def follow(tmp_path):
    """follow(text, **files): the modules that `own.__main__` of this text needs, by stem."""

    def follow(text, module="own.__main__", **files):
        base = dict.fromkeys(["own/__init__.py", "own/sub/__init__.py"], "")
        more = {f"own/{name.replace('__in__', '/')}.py": body for name, body in files.items()}
        write(tmp_path, {**base, **more, "own/__main__.py": text})
        found = needs_of(tmp_path, module)
        stems = {name.removeprefix("own/").removesuffix(".py") for name in found.files}
        return stems - {"__init__", "__main__", "sub/__init__"}

    return follow


SUB = {"a": "", "sub__in__b": ""}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import own.a", {"a"}),
        ("import own.a as x, own.sub.b", {"a", "sub/b"}),
        ("from own import a", {"a"}),
        ("from own.a import name", {"a"}),
        ("from . import a", {"a"}),
        ("from .sub import b as c", {"sub/b"}),
        ("from .sub.b import *", {"sub/b"}),
        ("def late():\n    from own import a", {"a"}),
        ("class C:\n    def m(self):\n        import own.sub.b", {"sub/b"}),
        ("try:\n    import fast\nexcept ImportError:\n    import own.a", {"a"}),
        ("if condition():\n    import own.a\nelse:\n    import own.sub.b", {"a", "sub/b"}),
        ("x = [__import__('own.a') for _ in ()]", {"a"}),
        ("import importlib\nimportlib.import_module('own.a')", {"a"}),
        ("import importlib\nimportlib.import_module(name='own.a')", {"a"}),
        ("from importlib import import_module as load\nload('own.a')", {"a"}),
        ("from importlib import import_module\nimport_module('.a', 'own')", {"a"}),
        ("from importlib import import_module\nimport_module('.a', __package__)", {"a"}),
        ("from importlib import import_module\nimport_module('.sub.b', package='own')", {"sub/b"}),
        ("from importlib import import_module\nimport_module('..a', 'own.sub')", {"a"}),
        ("if __name__ == '__main__':\n    import own.a", {"a"}),
        ("if __name__ != '__main__':\n    import own.a", {"a"}),
    ],
)
def test_every_form_of_an_import_is_followed(follow, text, needed):
    assert follow(text, **SUB) == needed


@pytest.mark.parametrize(
    "text",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import own.a",
        "import typing\nif typing.TYPE_CHECKING:\n    from own import a",
        "import typing\nif not typing.TYPE_CHECKING:\n    pass\nelse:\n    from own import a",
        "text = 'import own.a'  # import own.a",
        "from own import name",
    ],
)
def test_what_no_run_imports_is_left_out(follow, text):
    assert follow(text, **SUB) == set()


def test_the_main_part_of_a_module_that_is_imported_is_never_run(follow):
    part = "if __name__ == '__main__':\n    from own.sub import b\n"
    assert follow("import own.a", a=part, sub__in__b="") == {"a"}
    assert follow("import own.a", a=part + "else:\n    import own.sub.b", sub__in__b="") == {
        "a",
        "sub/b",
    }


def test_what_is_imported_for_types_and_again_at_run_time_counts(follow):
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import own.a\n"
        "def late():\n    import own.a\n"
    )
    assert follow(text, **SUB) == {"a"}


def test_a_star_brings_in_the_modules_that_all_names(follow):
    assert follow("from own.sub import *", **SUB) == set()
    assert follow(
        "from own.sub import *", **{**SUB, "sub__in____init__": "__all__ = ['b', 'x']"}
    ) == {"sub/b"}


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import own.missing\nexcept ImportError:\n    pass",
        "try:\n    from own.missing import x\nexcept (ValueError, ModuleNotFoundError):\n    x = 1",
        "try:\n    import own.missing\nexcept:\n    pass",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import own.missing",
    ],
)
def test_a_module_that_the_code_goes_on_without_may_be_missing(follow, text):
    assert follow(text) == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import own.missing", "there is no module own.missing"),
        ("try:\n    import own.missing\nexcept ValueError:\n    pass", "there is no module"),
        ("import importlib\nimportlib.import_module(name)", "__main__.py:2: the name of the"),
        ("for n in 'ab':\n    __import__(f'own.{n}')", "__main__.py:2: the name of the"),
        ("from importlib import import_module as f\nf('.a')", "is computed"),
        ("from importlib import import_module as f\nf('.a', parent())", "is computed"),
        (
            "import goldenseal.ladder.probe",
            "own.__main__ > goldenseal.ladder.probe: goldenseal.ladder.probe serves the checks",
        ),
        ("from goldenseal.ladder import suite", "serves the checks"),
        ("import (", "not Python"),
    ],
)
def test_what_cannot_be_followed_is_one_line(follow, text, words):
    with pytest.raises(UsageError, match=r".") as refused:
        follow(text, **SUB)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_modules_that_import_each_other_are_followed_once(follow):
    assert follow("import own.a", a="import own.sub.b", sub__in__b="import own.a") == {"a", "sub/b"}


def test_only_the_named_packages_are_followed(tmp_path):
    """Beside an installed project lies whatever else is installed."""
    write(tmp_path, {"own/__init__.py": "import other", "other.py": "import missing_from_here"})
    needs = needs_of(tmp_path, "own", ("own",))
    assert list(needs.files) == ["own/__init__.py"]
    assert needs.packages == {"other"}
    assert sorted(needs_of(tmp_path, "own").files) == ["other.py", "own/__init__.py"]


def test_what_is_started_is_a_module_or_the_main_of_a_package(tmp_path):
    write(tmp_path, {"own/__init__.py": "", "own/one.py": ""})
    assert entry_of(tmp_path, "own") == "own.__main__"
    assert entry_of(tmp_path, "own.one") == "own.one"


def test_python_itself_agrees(tmp_path):
    """The example with every form at once, run for real: what it loads is what was found."""
    write(
        tmp_path,
        {
            "own/__init__.py": "",
            "own/__main__.py": (
                "from typing import TYPE_CHECKING\n"
                "import importlib, sys\n"
                "from . import a\n"
                "if TYPE_CHECKING:\n    from own import types_only\n"
                "importlib.import_module('.b', __package__)\n"
                "a.late()\n"
                "print(sorted(n for n in sys.modules if n.partition('.')[0] == 'own'))\n"
            ),
            "own/a.py": (
                "def late():\n    import own.deep.c\n"
                "if __name__ == '__main__':\n    from own import types_only\n"
            ),
            "own/b.py": "from .deep import *\n",
            "own/deep/__init__.py": "__all__ = ['d']\n",
            "own/deep/c.py": "",
            "own/deep/d.py": "",
            "own/types_only.py": "",
        },
    )
    done = subprocess.run(
        [sys.executable, "-m", "own"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = needs_of(tmp_path, "own.__main__").chains
    assert done.stdout.strip() == str(sorted(set(found) - {"own.__main__"}))
