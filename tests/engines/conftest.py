"""A lake made by the real program from the simulator's world, and DuckDB over its files."""

import os
import subprocess
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parent.parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
TABLES = ["lives", "interactions", "viewer_details", "events", "pulls", "rejects"]
TOKEN = "5d41c4ac806c6440eb6aa8e071115f2b"


@pytest.fixture(scope="session")
def api():
    """The URL of a simulator that ends with the tests."""
    command = [BINARIES / "simulator", "--token", TOKEN, "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
        yield simulator.stdout.readline().strip()
        simulator.stdin.close()


def sync(api, store, *words):
    environment = {"ROLLCALL_TOKEN": TOKEN, "ROLLCALL_API_URL": api, "ROLLCALL_STORE": str(store)}
    subprocess.run([BINARIES / "rollcall", "sync", *words], env=environment, check=True, capture_output=True)


@pytest.fixture(scope="session")
def sample(api, tmp_path_factory):
    """A lake with the vendor's sample alone."""
    store = tmp_path_factory.mktemp("sample")
    sync(api, store, "--event", "609768")
    return store


@pytest.fixture(scope="session")
def world(api, tmp_path_factory):
    """A lake with every event of the simulator's world."""
    store = tmp_path_factory.mktemp("world")
    sync(api, store, "--from", "2022-10-01", "--to", "2022-12-01")
    return store


def connect(store, zone="UTC"):
    """DuckDB with a view for each table."""
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{zone}'")
    for table in TABLES:
        files = f"{store}/lake/{table}/*/*.parquet"
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{files}', union_by_name = true)")
    return connection
