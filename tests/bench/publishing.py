"""One event of a large day has changed: the day is published, and beside it DuckDB writes the same day anew."""

import shutil
import sys

import measure

EVENTS = 500
DUCKDB = """
import duckdb, sys
db = duckdb.connect()
db.execute("SET threads = 1")
db.execute(f"COPY (FROM '{sys.argv[1]}' ORDER BY event_id) TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd)")
"""


def day(tools, viewers):
    """A published day, of which a later visit has staged one event again, with more viewers."""
    store = tools.folder / "day"
    shutil.rmtree(store, ignore_errors=True)
    options = ["--events", EVENTS, "--viewers", viewers]
    measure.run([tools.bench, "day", store, *options], cpus=(0, 1))
    measure.run([tools.rollcall, "publish", "--store", store], cpus=(0, 1))
    measure.run([tools.bench, "day", store, *options, "--again", EVENTS // 2], cpus=(0, 1))
    return store


def publish(tools, store):
    """Publishes a copy, so that it can be done again."""
    copy = tools.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(store, copy)
    return measure.run([tools.rollcall, "publish", "--store", copy], environment=measure.OF_FUNCTIONS)


def rewrite(tools, store):
    (object,) = (store / "lake" / "lives").rglob("*.parquet")
    return measure.run([sys.executable, "-c", DUCKDB, object, tools.folder / "rewritten.parquet"])


def run(tools, findings):
    rows = []
    for name, viewers, runs in [("1,000,000", 890, tools.runs), ("10,000,000", 8_900, 1)]:
        store = day(tools, viewers)
        taken = measure.in_turn(
            runs, publish=lambda: publish(tools, store), rewrite=lambda: rewrite(tools, store)
        )
        for tool, one in [("rollcall", taken["publish"]), ("DuckDB", taken["rewrite"])]:
            rows.append((name, tool, f"{one.cpu:.2f}", f"{one.wall:.2f}", f"{one.memory:.0f}"))
        findings.ratio(
            f"CPU of publishing a day of {name} lives, to DuckDB's", taken["publish"].cpu / taken["rewrite"].cpu, 1 / 2
        )
        findings.limit(f"peak memory of that, in MB", taken["publish"].memory, 128)
        shutil.rmtree(store)
    findings.table(
        f"publishing a day of {EVENTS} events of which one has changed, one core",
        ["lives", "tool", "CPU, s", "wall, s", "peak memory, MB"],
        rows,
    )
    shutil.rmtree(tools.folder / "copy")
    (tools.folder / "rewritten.parquet").unlink()
