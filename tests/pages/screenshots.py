"""Draws the pictures of the pages that the docs show, and prints what a page of a hundred thousand viewers takes.

Run by `make screenshots`.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conftest import ARGUMENTS, BINARIES, ROOT, TOKEN, draw
from playwright.sync_api import sync_playwright

PICTURES = ROOT / "docs/pages"
EVENT = 700006
# Name, file, width and height of what is seen, language, and how much of a long page is shown.
VIEWS = [
    ("event-desktop", f"{EVENT}.html", 1200, 900, "zh-CN", 2350),
    ("event-phone", f"{EVENT}.html", 390, 844, "en-GB", 1900),
    ("lake-desktop", "index.html", 1200, 900, "en-GB", 1500),
    ("lake-phone", "index.html", 390, 844, "zh-CN", 1500),
]


def sync(store, *simulator, words=("--from", "2022-10-01", "--to", "2022-12-01")):
    command = [BINARIES / "simulator", "--token", TOKEN, "--until-stdin-closes", *simulator]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor:
        api = vendor.stdout.readline().strip()
        environment = {"ROLLCALL_TOKEN": TOKEN, "ROLLCALL_API_URL": api, "ROLLCALL_STORE": str(store)}
        subprocess.run([BINARIES / "rollcall", "sync", "-q", *words], env=environment, check=True, stdout=subprocess.DEVNULL)
        vendor.stdin.close()


def take(browser, folder):
    sync(folder / "lake")
    draw(folder / "lake", "--all", "-o", folder / "pages")
    PICTURES.mkdir(exist_ok=True)
    for name, file, width, height, locale, shown in VIEWS:
        page = browser.new_page(viewport={"width": width, "height": height}, locale=locale)
        page.goto((folder / "pages" / file).as_uri())
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(shown, whole)})
        page.screenshot(path=PICTURES / f"{name}.png")
        page.close()


def measure(browser, folder):
    """One event of a hundred thousand viewers: how large its page is, and how fast."""
    sync(folder / "large", "--events", "1", "--viewers", "100000", words=("--event", "700001"))
    began = time.monotonic()
    draw(folder / "large", "700001", "-o", folder / "large.html")
    drawn = time.monotonic() - began
    page = browser.new_page()
    began = time.monotonic()
    page.goto((folder / "large.html").as_uri())
    page.locator("#viewers-body tr").first.wait_for()
    opened = time.monotonic() - began
    search = "() => { const began = performance.now(); const input = document.getElementById('viewers-search'); " \
        "input.value = 'acme'; input.dispatchEvent(new Event('input')); return performance.now() - began; }"
    first, second = page.evaluate(search), page.evaluate(search)
    size = (folder / "large.html").stat().st_size / 1e6
    print(f"a page of {page.inner_text('#people')} viewers: {size:.1f} MB, drawn in {drawn:.1f} s, opened in {opened:.1f} s, "
          f"searched in {first:.0f} ms, then in {second:.0f} ms")


def main():
    program = shutil.which("chromium")
    if not program:
        sys.exit("there is no Chromium: install it")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        take(browser, Path(folder))
        measure(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
