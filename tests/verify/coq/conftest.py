"""Small Coq projects in a folder of their own, and the installed Coq where there is one."""

import shutil

import pytest

from goldenseal.coq import project, toolchain


@pytest.fixture
def make_project(tmp_path):
    """Writes sources in build order and loads them; `extra` files are not listed."""

    def make(sources, extra=(), flags="-Q . Small"):
        folder = tmp_path / "theorems"
        folder.mkdir(exist_ok=True)
        for name, text in {**dict(sources), **dict(extra)}.items():
            (folder / name).write_text(text, "utf-8")
        (folder / "_CoqProject").write_text("\n".join([flags, *dict(sources)]) + "\n")
        return project.load(folder)

    return make


@pytest.fixture(scope="session")
def tools():
    if shutil.which("coqc") is None:
        pytest.skip(f"coqc is not installed; type: {toolchain.INSTALL}")
    return toolchain.find()
