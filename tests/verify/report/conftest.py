"""Pages in a real browser."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a page; returns its tab, and what the browser says and asks for while it is open."""

    def show(page, **options):
        (tmp_path / "page.html").write_text(page)
        tab, said = browser.new_page(**options), []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on(
            "request",
            lambda request: said.append(request.url) if "page.html" not in request.url else None,
        )
        tab.goto((tmp_path / "page.html").as_uri())
        return tab, said

    return show
