"""The demo: a simulated vendor, a real pull of its events into a folder, and a look at the tables with DuckDB."""

import os
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb

ROOT = Path(__file__).parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
# Never the reader's own lake.
STORE = ROOT / "rollcall-demo"
TABLES = ["lives", "interactions", "viewer_details", "events", "pulls", "rejects"]


def main():
    # A token of the simulator's own making: nothing here is secret.
    command = [BINARIES / "simulator", "--token", "demo", "--events", "24", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
        url = simulator.stdout.readline().strip()
        say(f"a simulated vendor at {url}, with the sample event and 24 more, two of them cancelled; now `rollcall sync`")
        environment = {**os.environ, "ROLLCALL_TOKEN": "demo", "ROLLCALL_API_URL": url, "ROLLCALL_STORE": str(STORE)}
        # As far back as there are events: the sample is of 2022.
        sync = [BINARIES / "rollcall", "sync", "--lookback", f"{(date.today() - date(2022, 10, 1)).days}d"]
        status = subprocess.run(sync, env=environment).returncode
        simulator.stdin.close()
    if status:
        sys.exit(status)
    look()


def look():
    # So that no sign in the folder's name means anything to DuckDB.
    os.chdir(ROOT)
    db = duckdb.connect()
    db.execute("SET TimeZone = 'Asia/Shanghai'")
    for table in TABLES:
        db.execute(f"CREATE VIEW {table} AS FROM '{STORE.name}/lake/{table}/*/*.parquet'")
    say("what the lake now holds")
    counts = " UNION ALL ".join(
        f"SELECT '{table}' AS \"table\", count(DISTINCT dt) AS days, count(*) AS rows FROM {table}" for table in TABLES
    )
    db.sql(counts).show()
    db.sql(
        "SELECT count(DISTINCT person_key) AS people, count(DISTINCT event_id) AS events, "
        "round(sum(duration_seconds) / 3600, 1) AS hours_watched FROM viewer_details"
    ).show()
    say("the viewings of the vendor's sample event, 609768")
    db.sql(
        "SELECT name, live_type, online_date, watch_duration_seconds AS seconds, device_type, location "
        "FROM lives WHERE event_id = 609768 ORDER BY online_time"
    ).show(max_width=160)
    say("look for yourself, with DuckDB's own command or in Python")
    files = f"'{STORE.name}/lake/lives/*/*.parquet'"
    print(f"""  duckdb -c "FROM {files}"\n  {shlex.quote(sys.executable)} -c "import duckdb; duckdb.sql(\\"FROM {files}\\").show()" """)


def say(text):
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    main()
