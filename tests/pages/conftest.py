"""Pages that the real program draws from a lake of the simulator's world, in a real browser."""

import os
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest
import pyarrow.parquet as parquet
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
TOKEN = "5d41c4ac806c6440eb6aa8e071115f2b"
# So that it opens no connection of its own.
ARGUMENTS = """--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update
    --disable-sync""".split()


def draw(store, *words):
    """Runs `rollcall report`; the lake is all that it is given."""
    subprocess.run([BINARIES / "rollcall", "report", *words], env={"ROLLCALL_STORE": str(store)}, check=True)


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    """A lake with every event of the simulator's world."""
    store = tmp_path_factory.mktemp("lake")
    command = [BINARIES / "simulator", "--token", TOKEN, "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
        api = simulator.stdout.readline().strip()
        environment = {"ROLLCALL_TOKEN": TOKEN, "ROLLCALL_API_URL": api, "ROLLCALL_STORE": str(store)}
        sync = [BINARIES / "rollcall", "sync", "--from", "2022-10-01", "--to", "2022-12-01", "-q"]
        subprocess.run(sync, env=environment, check=True, capture_output=True)
        simulator.stdin.close()
    return store


@pytest.fixture(scope="session")
def copied(lake, tmp_path_factory):
    """Makes copies of the tables alone, as somebody takes them from a bucket, with rows of `lives` as a query says."""

    def copy(query):
        store = tmp_path_factory.mktemp("copy")
        shutil.copytree(lake / "lake", store / "lake")
        # These files have no index of cells: it is built again from their rows.
        for file in sorted((store / "lake/lives").glob("*/*.parquet")):
            schema = parquet.read_schema(file).remove_metadata()
            rows = duckdb.sql(query.format(file=file)).to_arrow_table()
            parquet.write_table(rows.select(schema.names).cast(schema), file, compression="zstd")
        return store

    return copy


@pytest.fixture(scope="session")
def pages(lake, tmp_path_factory):
    """The pages of all events."""
    folder = tmp_path_factory.mktemp("pages")
    draw(lake, "--all", "--output", folder)
    return folder


@pytest.fixture(scope="session")
def sql(lake):
    """DuckDB with the tables and views that the program describes."""
    schema = [BINARIES / "rollcall", "schema", "duckdb", "--store", lake]
    connection = duckdb.connect()
    connection.execute(subprocess.run(schema, check=True, capture_output=True, text=True).stdout)
    return connection


@pytest.fixture(scope="session")
def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no page is looked at, for there is no Chromium: install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Opens a page, and fails where it says anything on the console, breaks, or asks for anything but itself."""
    opened = []
    wrong = []

    def open_page(path, width=1200, height=900, locale="en-GB"):
        page = chromium.new_page(viewport={"width": width, "height": height}, locale=locale)
        opened.append(page)
        url = path.as_uri()
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else wrong.append(request.url))
        page.goto(url)
        return page

    yield open_page
    for page in opened:
        page.close()
    assert wrong == []
