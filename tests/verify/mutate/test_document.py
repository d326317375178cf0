"""pytest tests/verify/mutate/test_document.py"""

from pathlib import Path

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.mutate.document import PAGE, page_with, path_of, read_reasons, tables
from goldenseal.mutate.operators import mutants_of

ROOT = Path(__file__).parents[3]


LABELS = sorted(path.stem for path in (ROOT / "docs/mutation").glob("*.json"))


@pytest.mark.parametrize("label", LABELS)
def test_the_tables_of_the_page_are_those_of_the_document(label):
    path = path_of(ROOT, label)
    found = canonical.read(path, str(path))
    page = (ROOT / PAGE).read_text("utf-8")
    assert page == page_with(page, label, tables(found))
    assert path.read_bytes() == canonical.dumps(found)
    if label != "proofs":
        assert found["killed"] + len(found["survivors"]) == found["sampled"]


def test_the_reasons_of_the_repository_can_be_read():
    assert all(read_reasons(ROOT).values())


@pytest.mark.parametrize(
    "text",
    [
        "equivalent = 3 = 4",
        '[[equivalent]]\nkey = "a"\n',
        '[[equivalent]]\nkey = "a"\nreason = ""\n',
        '[[equivalent]]\nkey = "a"\nreason = "b"\n[[equivalent]]\nkey = "a"\nreason = "b"\n',
    ],
)
def test_reasons_that_say_nothing_are_refused(tmp_path, text):
    (tmp_path / "docs/mutation").mkdir(parents=True)
    (tmp_path / "docs/mutation/equivalent.toml").write_text(text)
    with pytest.raises(UsageError, match=r"equivalent\.toml"):
        read_reasons(tmp_path)


def test_every_reason_belongs_to_an_edit_that_can_be_planted_today():
    known = {}
    for key in read_reasons(ROOT):
        file = key.partition(":")[0]
        if file not in known:
            known[file] = {m.key for m in mutants_of((ROOT / file).read_bytes(), file)}
        assert key in known[file]
