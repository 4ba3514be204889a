"""Bytes of an answer to the three staged files: beside skipping through the same bytes, and beside the tools one would take
instead."""

import json
import shutil
import statistics
import sys

import measure

PEERS = {
    "duckdb_sql": "DuckDB, `from_json`",
    "duckdb_read_json": "DuckDB, `read_json`",
    "polars_frame": "Polars",
    "pandas_frame": "pandas",
    "chdb_sql": "chDB",
    "dlt_load": "dlt",
}
# 300,000 records of lives, 9,000 of interactions, 128,000 of viewer details.
VIEWERS = 135_000


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6


def stage(tools, answer, folder, **options):
    shutil.rmtree(folder, ignore_errors=True)
    return measure.run([tools.bench, "stage", answer, folder], environment=measure.OF_FUNCTIONS, **options)


def run(tools, findings):
    answer = tools.folder / "answer.json"
    with open(answer, "wb") as file:
        tools.write([tools.bench, "answer", "--viewers", VIEWERS], file)
    ours = tools.folder / "ours"
    seconds = []

    def skip():
        taken = measure.run([tools.bench, "skip", answer])
        seconds.append(float(taken.output))
        return taken

    def read():
        return measure.run([tools.bench, "read", answer])

    taken = measure.in_turn(tools.runs, skip=skip, read=read, stage=lambda: stage(tools, answer, ours))
    skipped = statistics.median(seconds)
    megabytes = answer.stat().st_size / 1e6
    findings.note(f"The answer has {megabytes:.0f} MB. Skipping through it with sonic-rs takes {skipped:.2f} s once it is in memory; reading it from its file in pieces, {taken['read'].cpu:.2f} s.")
    rows = [("rollcall", taken["stage"], size(ours))]
    folders = [ours]
    for peer in PEERS:
        folder = tools.folder / peer
        script = tools.here / "peers" / f"{peer}.py"

        def work():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            return measure.run([sys.executable, script, answer, folder])

        rows.append((PEERS[peer], measure.median([work() for _ in range(tools.peer_runs)]), size(folder)))
        folders.append(folder)
    checked = measure.run([sys.executable, tools.here / "peers" / "check.py", *folders], cpus=(0, 1))
    findings.note("All tools found the same rows and sums: " + json.dumps(json.loads(checked.output)[str(ours)]) + ".")
    findings.table(
        "one answer to three Parquet files, one core",
        ["tool", "CPU, s", "wall, s", "peak memory, MB", "output, MB"],
        [(name, f"{t.cpu:.2f}", f"{t.wall:.2f}", f"{t.memory:.0f}", f"{mb:.1f}") for name, t, mb in rows],
    )
    peers = {name: t.cpu for name, t, _ in rows[1:]}
    ours = taken["stage"]
    findings.ratio("CPU of staging, to that of skipping (the parser's time alone)", ours.cpu / skipped, 4)
    findings.ratio("the same, less what reading the file takes", (ours.cpu - taken["read"].cpu) / skipped, 4)
    findings.ratio("the same, to the whole process that skips", ours.cpu / taken["skip"].cpu, 4)
    findings.ratio("CPU of staging, to that of the fastest peer", ours.cpu / min(peers.values()), 1 / 8)
    findings.ratio("the same, to DuckDB's `read_json`", ours.cpu / peers[PEERS["duckdb_read_json"]], 1 / 20)
    findings.ratio("the same, to dlt's", ours.cpu / peers[PEERS["dlt_load"]], 1 / 50)
    # An answer of ten times the size comes through a pipe, so that it need not be on disk.
    large = stage(
        tools,
        "/dev/stdin",
        tools.folder / "large",
        source=[tools.bench, "answer", "--viewers", VIEWERS * 10],
    )
    findings.limit(f"peak memory of staging {megabytes:.0f} MB, in MB", ours.memory, 96)
    findings.limit(f"peak memory of staging {megabytes * 10:.0f} MB, in MB", large.memory, 96)
    findings.ratio("the one to the other", large.memory / ours.memory, 1.1)
    for folder in [*folders, tools.folder / "large"]:
        shutil.rmtree(folder)
