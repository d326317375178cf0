"""pytest tests/verify/test_schema.py — one line, with the place and what is legal there."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from goldenseal.config import systems
from goldenseal.errors import UsageError
from goldenseal.schema import CLOSED, parse


@dataclass(frozen=True)
class Part:
    __pydantic_config__ = CLOSED
    size: int
    files: tuple[str, ...] = ()
    kind: Literal["wood", "iron"] = "wood"


@dataclass(frozen=True)
class Whole:
    __pydantic_config__ = CLOSED
    parts: tuple[Part, ...] = ()
    named: dict[str, Part] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)


def test_lists_and_tables_become_tuples_and_dataclasses():
    whole = parse(Whole, {"parts": [{"size": 1, "files": ["a"]}], "free": {"x": 1.5}}, "a.toml")
    assert whole == Whole((Part(1, ("a",)),), {}, {"x": 1.5})


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"parts": 3}, "a.toml: [t] parts must be a list"),
        ({"parts": [{"size": 1}, {"size": "1"}]}, "a.toml: [[t.parts]] 2 size must be an int"),
        ({"parts": [{"size": True}]}, "a.toml: [[t.parts]] 1 size must be an int"),
        ({"parts": [{}]}, "a.toml: [[t.parts]] 1 lacks a key: it needs `size`"),
        ({"parts": [3]}, "a.toml: [t] parts must be a table"),
        (
            {"named": {"x": {"size": 1, "files": ["a", 2]}}},
            "a.toml: [t.named.x] files must be a str",
        ),
        (
            {"named": {"x": {"size": 1, "color": 2}}},
            "a.toml: [t.named.x] has no key `color`; it has `size`, `files`, `kind`",
        ),
        (
            {"parts": [{"size": 1, "kind": "clay"}]},
            "a.toml: [[t.parts]] 1 kind must be 'wood' or 'iron'",
        ),
        ({"named": 3}, "a.toml: [t] named must be a table"),
        (
            {"part": []},
            "a.toml: [t] has no key `part` (did you mean `parts`?); it has `parts`, `named`, "
            "`free`",
        ),
    ],
)
def test_an_error_names_the_place_and_what_is_legal(table, line):
    with pytest.raises(UsageError) as caught:
        parse(Whole, table, "a.toml", "t")
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('module = "m"\n', r"\[tool.goldenseal.systems.toy\] lacks a key: it needs `probe`"),
        ('module = "m"\nprobe = 3\n', r"\[tool.goldenseal.systems.toy\] probe must be a str"),
        ('module = "m"\nprobe = "m:p"\noutputs = "a"\n', "outputs must be a list"),
        ('module = "m"\nprobe = "m:p"\nname = "b"\n', "has no key `name`"),
        ('module = "m"\nprobe = "m:p"\nlocal_knob = []\n', "did you mean `local_knobs`"),
    ],
)
def test_a_system_that_is_ill_formed_is_named(tmp_path, entry, words):
    (tmp_path / "pyproject.toml").write_text(f"[tool.goldenseal.systems.toy]\n{entry}")
    with pytest.raises(UsageError, match=words):
        systems(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.goldenseal]\nclams = []\n", "has no key `clams` .did you mean `claims`"),
        ("[tool.goldenseal]\nsystems = 3\n", "systems must be a table"),
        ("[tool.goldenseal.systems]\na = 3\n", "a must be a table"),
        ("[tool.goldenseal]\nclaims = 3\n", "claims must be a list"),
        ('[tool.goldenseal]\npythonpath = ["\\u0000"]\n', "expected a list of folders"),
        (f"[tool.goldenseal]\nclaims = {'9' * 5000}\n", "pyproject.toml: of .*digits"),
        (f"[tool.goldenseal]\nclaims = {'[' * 3000}\n", "nested too deep"),
        ("[tool.goldenseal]\nclaims = ['\udce9']\n", "'utf-8' codec"),
        ("[tool.goldenseal]\n[tool.goldenseal]\n", "twice"),
    ],
)
def test_a_table_that_is_ill_formed_is_one_line(tmp_path, text, words):
    (tmp_path / "pyproject.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=words) as caught:
        systems(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_error(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xef\xbb\xbf[tool.goldenseal]\r\nclaims = []\r\n")
    assert systems(tmp_path) == []
