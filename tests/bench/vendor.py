"""The simulated vendor, and the requests that a run sent to it."""

import contextlib
import json
import subprocess
import sys

import measure

# The token that the simulator is started with.
TOKEN = "bench"
# Requests are not paced.
UNPACED = ["--requests-per-second", 1_000_000]

REQUESTS = """
import duckdb, json, sys
rows = duckdb.sql(f"SELECT event_id, windows, days_checked FROM '{sys.argv[1]}/lake/pulls/*/*.parquet' ORDER BY event_id")
for event, windows, checked in rows.fetchall():
    asked = [{}] * (checked is not None) + [{"startTime": a, "endTime": b} for a, b in json.loads(windows)]
    for window in asked:
        print(json.dumps({"token": sys.argv[2], "eventId": event, **window}))
"""


@contextlib.contextmanager
def simulator(tools, *options):
    """The URL of a vendor that runs on the second processor if there is one."""
    words = [tools.simulator, "--token", TOKEN, "--until-stdin-closes", *options]
    words = ["taskset", "-c", str(tools.other_cpu), *map(str, words)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def settings(url, store):
    """The environment of a run, with the memory settings that `infra` makes for the functions."""
    return {
        "ROLLCALL_TOKEN": TOKEN,
        "ROLLCALL_API_URL": url,
        "ROLLCALL_STORE": str(store),
        **measure.OF_FUNCTIONS,
    }


def requests(folder):
    """The bodies of the requests for reports that a sync into a folder made, one per line."""
    words = [sys.executable, "-c", REQUESTS, str(folder), TOKEN]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
