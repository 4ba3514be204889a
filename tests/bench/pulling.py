"""A pull of one large event into S3: how far receiving, decoding, encoding and uploading overlap."""

import json
import shutil
from itertools import count

import measure
import staging
import vendor

SIMULATED = ["--events", 1, "--viewers", staging.VIEWERS, "--viewer-details", "per-range"]
EVENT = 700_001
NAMES = count()


def run(tools, findings):
    folder = tools.folder / "pulled"
    shutil.rmtree(folder, ignore_errors=True)
    answer = tools.folder / "answer.json"
    if not answer.exists():
        with open(answer, "wb") as file:
            tools.write([tools.bench, "answer", "--viewers", staging.VIEWERS], file)
    with vendor.simulator(tools, *SIMULATED) as url:
        words = [tools.rollcall, "sync", "--event", EVENT, "--json", *vendor.UNPACED]
        pulled = measure.run(words, cpus=(0, 1), environment=vendor.settings(url, folder))
        requests = tools.folder / "requests"
        requests.write_text(vendor.requests(folder))

        def download():
            return measure.run([tools.bench, "ask", url, "--concurrency", 1], source=["cat", requests])

        def pull(*more):
            store = f"s3://rollcall/bench-{next(NAMES)}"
            words = [tools.rollcall, "pull", "--event", EVENT, "--s3-path-style", "--s3-endpoint", tools.s3, *more]
            words += vendor.UNPACED
            return measure.run(words, environment=vendor.settings(url, store))

        def archive():
            return pull("--archive")

        taken = measure.in_turn(tools.runs, download=download, pull=pull, archive=archive)
    decoded = measure.median([staging.stage(tools, answer, folder) for _ in range(tools.runs)])
    asked = len(requests.read_text().splitlines())
    megabytes = json.loads(pulled.output)["requests"]["bytes"] / 1e6
    findings.table(
        f"one event in {asked} requests, {megabytes:.0f} MB in all, the client on one core and the vendor on another",
        ["what", "wall, s", "CPU, s", "peak memory, MB"],
        [
            (name, f"{one.wall:.2f}", f"{one.cpu:.2f}", f"{one.memory:.0f}")
            for name, one in [
                ("downloading and dropping it", taken["download"]),
                ("decoding all of it, once", decoded),
                ("`rollcall pull` into SeaweedFS", taken["pull"]),
                ("the same with `--archive`", taken["archive"]),
            ]
        ],
    )
    slower = max(taken["download"].wall, decoded.cpu)
    findings.ratio("wall time of the pull, to the larger of the other two", taken["pull"].wall / slower, 1.5)
    findings.ratio("CPU of the pull that archives, to one that does not", taken["archive"].cpu / taken["pull"].cpu, 1.5)
    shutil.rmtree(folder)
