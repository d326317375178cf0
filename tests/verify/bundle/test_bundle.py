"""pytest tests/verify/bundle/test_bundle.py

Many files become one that runs alone, and hides nothing.
"""

import ast
import json
import os
import subprocess
import sys
import tracemalloc
import zlib
from base64 import b85encode

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from goldenseal.bundle import make as bundle
from goldenseal.bundle.imports import needs_of
from goldenseal.config import system
from goldenseal.errors import GoldensealError, UsageError

TOY = {
    "pyproject.toml": '[tool.goldenseal.systems.toy]\nmodule = "toy"\nprobe = "toy.checks:PROBE"\n',
    "toy/__init__.py": '"""A toy with a quoted \'\'\' in it, and a backslash \\\\."""\n',
    "toy/__main__.py": (
        "import sys\n"
        "from pathlib import Path\n"
        "from toy.parts.greet import greet\n"
        'print(greet("world"), sys.argv[1:])\n'
        "loader = __spec__.loader\n"
        "shipped = Path(loader.bundle) if hasattr(loader, 'bundle') else None\n"
        "print(shipped and shipped.read_bytes() == Path(sys.argv[0]).read_bytes())\n"
        'if "fail" in sys.argv:\n'
        "    from toy.parts import wrong\n"
        "    wrong.boom()\n"
    ),
    "toy/parts/__init__.py": "",
    "toy/parts/greet.py": (
        "import pkgutil\n"
        "def greet(name):\n"
        "    from . import late\n"
        '    return late.word() + pkgutil.get_data(__package__, "words.txt").decode() + name\n'
    ),
    "toy/parts/late.py": 'from ..other import WORD\n\n\ndef word():\n    return WORD + "é"\n',
    "toy/parts/words.txt": "lo '''there''' ",
    "toy/parts/unread.txt": "nobody names this",
    "toy/parts/wrong.py": "def boom():\n    # a comment\n    raise RuntimeError('as planned')\n",
    "toy/other.py": "WORD = 'hel'\n",
    "toy/checks.py": "import typer\n",
}
NEEDED = sorted(
    f"toy/{name}"
    for name in (
        *("__init__.py", "__main__.py", "other.py", "parts/__init__.py", "parts/greet.py"),
        *("parts/late.py", "parts/words.txt", "parts/wrong.py"),
    )
)


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def toy(tmp_path):
    return write(tmp_path / "repository", TOY)


def made(root):
    return bundle.make_bundle(root, system(root, "toy"))


def alone(folder, *arguments, environ=None):
    """Run Python in `folder` with nothing but the standard library."""
    return subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)],
        cwd=folder,
        env=environ or {},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
def test_a_bundle_runs_alone_in_an_empty_folder_and_knows_its_own_file(toy, tmp_path, compress):
    out = tmp_path / "train.py"
    report = bundle.write_bundle(made(toy), out, compress)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = alone(empty, "-X", "utf8", out, "a", "b")
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["helélo '''there''' world ['a', 'b']", "True"]
    assert report["bytes"] == out.stat().st_size
    assert report["files"] == NEEDED
    assert report["packages"] == []
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
def test_a_traceback_names_module_line_and_source_line(toy, tmp_path, compress):
    out = tmp_path / "train.py"
    bundle.write_bundle(made(toy), out, compress)
    done = alone(tmp_path, "-X", "utf8", out, "fail")
    assert done.returncode == 1
    where = f'File "{out}/toy/parts/wrong.py", line 3, in boom\n    raise RuntimeError('
    assert where in done.stderr
    assert done.stderr.endswith("RuntimeError: as planned\n")


def test_its_modules_come_from_the_bundle_and_from_nowhere_else(toy, tmp_path):
    bundle.write_bundle(made(toy), tmp_path / "train.py")
    write(tmp_path / "elsewhere", {"toy/__init__.py": "raise SystemExit('the wrong toy')\n"})
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'elsewhere')!r})\n"
        f"sys.path.insert(0, {str(toy)!r})\n"
        f"import runpy; runpy.run_path({str(tmp_path / 'train.py')!r})\n"
        "import toy.other; print(toy.other.__file__, toy.other.__spec__.loader.is_package('toy'))\n"
        "try:\n    import toy.checks\n"
        "except ModuleNotFoundError as error:\n    print(error, error.name)\n"
        "import json\n"
    )
    done = alone(tmp_path, "-c", script)
    assert done.stderr == ""
    shipped = tmp_path / "train.py"
    assert done.stdout.splitlines() == [
        f"{shipped}/toy/other.py True",
        f"toy.checks is not in {shipped} toy.checks",
    ]


def test_the_bytes_depend_on_the_sources_alone(toy, tmp_path):
    """Not on the folder, the line ends of a checkout, the order of files, or Python's hash seed."""
    shuffled = {name: TOY[name].replace("\n", "\r\n") for name in sorted(TOY, reverse=True)}
    other = write(tmp_path / "elsewhere" / "other", shuffled)
    assert made(other).plain() == made(toy).plain()
    seen = set()
    for seed in ("0", "1", "4242"):
        out = tmp_path / f"{seed}.py"
        command = [sys.executable, "-m", "goldenseal", "bundle", "toy", "-o", str(out)]
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(command, cwd=toy, env=environ, check=True, capture_output=True)
        seen.add(out.read_bytes())
    assert seen == {made(toy).plain()}
    (toy / "toy" / "other.py").write_text("WORD = 'HEL'\n")
    assert made(toy).plain() not in seen


def test_a_module_that_is_no_package_is_bundled_too(tmp_path):
    table = '[tool.goldenseal.systems.toy]\nmodule = "tool"\nprobe = "x:y"\n'
    root = write(
        tmp_path / "r", {"pyproject.toml": table, "tool.py": "import json\nprint('ran')\n"}
    )
    bundle.write_bundle(made(root), tmp_path / "train.py")
    assert alone(tmp_path, "train.py").stdout == "ran\n"


def test_the_compressed_form_is_smaller(toy):
    (toy / "toy" / "other.py").write_text("WORD = 'hel'\n" + "# the same words again\n" * 500)
    made_now = made(toy)
    assert len(made_now.compressed()) < len(made_now.plain()) / 3


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"toy/other.py": "def f():\n    from toy import checks\nWORD = ''\n"},
            "toy.other > toy.checks > typer: typer serves the checks",
        ),
        ({"toy/other.py": "import rich.table\n"}, "toy.other > rich.table: rich.table serves"),
        ({"toy/other.py": "import toy.gone\n"}, "> toy.gone: there is no module toy.gone under"),
        (
            {"toy/other.py": "import importlib\nx = importlib.import_module('a' + 'b')\n"},
            "other.py:2: the name of the imported module is computed",
        ),
        ({"toy/other.py": "__import__('.x')\n"}, "other.py:1: the name of the imported module"),
        ({"toy/other.py": "WORD =\n"}, "other.py: not Python: invalid syntax"),
        ({"toy/__main__.py": None}, "there is no module toy.__main__ under"),
        ({"toy/__init__.py": None, "toy/__main__.py": None}, "there is no module toy under"),
    ],
)
def test_what_cannot_be_bundled_is_named_with_the_way_to_it(toy, changed, message):
    for name, text in changed.items():
        (toy / name).unlink() if text is None else (toy / name).write_text(text)
    with pytest.raises(UsageError) as refused:
        made(toy)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_module_imported_by_a_written_name_is_followed(toy):
    (toy / "toy/other.py").write_text("import importlib\nimportlib.import_module('toy.extra')\n")
    (toy / "toy/extra.py").write_text("")
    assert "toy/extra.py" in needs_of(toy, "toy.other").files


def test_a_data_file_that_is_no_text_is_refused(toy):
    (toy / "toy" / "parts" / "words.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"words\.txt: not a file of UTF-8 text"):
        made(toy)


def test_nothing_but_a_bundle_is_overwritten(toy, tmp_path):
    out = tmp_path / "train.py"
    out.write_text("print('mine')\n")
    with pytest.raises(UsageError, match="exists and is no bundle"):
        bundle.write_bundle(made(toy), out)
    assert out.read_text() == "print('mine')\n"
    out.unlink()
    for compress in (True, False, True):
        bundle.write_bundle(made(toy), out, compress)
    with pytest.raises(UsageError, match="cannot be written"):
        bundle.write_bundle(made(toy), tmp_path / "no" / "such" / "folder.py")


def test_the_command_reports_size_files_and_packages(toy, tmp_path):
    def goldenseal(*arguments):
        command = [sys.executable, "-m", "goldenseal", "bundle", *arguments]
        return subprocess.run(command, cwd=toy, capture_output=True, text=True, check=False)

    out = str(tmp_path / "train.py")
    report = json.loads(goldenseal("toy", "-o", out, "--json").stdout)
    assert report["bytes"] == os.path.getsize(out)
    assert report["files"] == NEEDED
    size = os.path.getsize(out)
    assert goldenseal("toy", "-o", out).stdout == (
        f"{out}: {size:,} bytes of code from 8 files; imports no other package\n"
    )
    wrong = goldenseal("vit", "-o", out)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


# ---- reading a bundle ------------------------------------------------------------------------


@examples(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.sampled_from("ab'\"\\\n\r\t{}é#\0\f"), max_size=20))
@example("'''")
@example("''''''''")
@example("ends with a backslash \\")
@example("ends with a quote '")
def test_any_text_is_embedded_exactly(text):
    assert ast.literal_eval(bundle.literal(text)) == text


@examples(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}/[a-z]{1,5}\.py", fullmatch=True), st.text()))
def test_a_bundle_is_read_back_as_it_was_made_without_being_run(files):
    files = {name: text.encode("utf-8", "ignore").decode() for name, text in files.items()}
    whole = bundle.Bundle("a.b", files)
    for data in (whole.plain(), whole.compressed()):
        found = bundle.read_bundle(data, "train.py")
        assert (found.entry, found.files) == ("a.b", files)


def test_code_beside_the_files_is_refused(toy):
    plain = made(toy).plain()
    hidden = b"import os\n"
    for place in (0, plain.index(b"FILES = {}"), len(plain)):
        with pytest.raises(UsageError, match="bundle them again"):
            bundle.read_bundle(plain[:place] + hidden + plain[place:], "train.py")
    packed = bundle.SQUEEZED % b85encode(zlib.compress(hidden + plain))
    with pytest.raises(UsageError, match="bundle them again"):
        bundle.read_bundle(packed, "train.py")
    with pytest.raises(UsageError):
        bundle.read_bundle(made(toy).compressed() + hidden, "train.py")


@examples(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), compress=st.booleans())
def test_an_edited_bundle_is_refused_or_shows_the_edit(toy, data, compress):
    whole = made(toy)
    original = whole.compressed() if compress else whole.plain()
    edited = bytearray(original)
    position = data.draw(st.integers(0, len(edited) - 1))
    edited[position] = data.draw(st.integers(0, 255).filter(lambda b: b != original[position]))
    try:
        found = bundle.read_bundle(bytes(edited), "train.py")
    except GoldensealError as error:
        refusal = str(error)
    else:
        refusal = None
        # Padding of the compressed stream may differ; then nothing else does.
        assert (found.entry, found.files) != (whole.entry, whole.files) or compress
    assert refusal is None or "\n" not in refusal


def test_a_packed_bomb_and_noise_are_refused_in_one_line(monkeypatch):
    packer = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(64)) + packer.flush()
    for data in (
        bundle.SQUEEZED % b85encode(bomb),
        bundle.SQUEEZED % b"no base85 \x00",
        b"\xff\xfe",
        b"",
        b"(" * 100_000,
        b"x = [" + b"-" * 50_000,
    ):
        with pytest.raises(UsageError) as refused:
            bundle.read_bundle(data, "train.py")
        assert "\n" not in str(refused.value)
    monkeypatch.setattr(bundle, "MAX_BYTES", 1 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="cut short, too large, or followed by more"):
            bundle.read_bundle(bundle.SQUEEZED % b85encode(bomb), "train.py")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20  # of 64 MiB
    finally:
        tracemalloc.stop()
