"""A sync of many small events: what it asks of the vendor and of the store, and what it takes beside the vendor alone."""

import json
import shutil
from datetime import date, timedelta
from itertools import count

import measure
import vendor
from counting import counting

EVENTS = 2_000
COUNTED = 200
# About 20 lives per event.
VIEWERS = 9
CONCURRENCY = 8
NAMES = count()


def simulated(events, *options):
    """Events that are past their horizon, so that one visit does everything: their replays are over."""
    day = date.today() - timedelta(days=45)
    return ["--events", events, "--viewers", VIEWERS, "--first-day", day, *options]


def words(tools):
    return [tools.rollcall, "sync", "--json", "--concurrency", CONCURRENCY, *vendor.UNPACED]


def sync(tools, url, folder):
    # What was there is kept until the end: a file system that has just deleted many files is slow to make new ones.
    if folder.exists():
        folder.rename(folder.with_name(f"before-{next(NAMES)}"))
    return measure.run(words(tools), environment=vendor.settings(url, folder))


def run(tools, findings):
    folder = tools.folder / "synced"
    rows = []
    # A vendor that answers at once, and one that takes as long as a real one.
    for delay in [0, 50]:
        with vendor.simulator(tools, *simulated(EVENTS, "--latency", delay)) as url:
            synced = sync(tools, url, folder)
            asked = vendor.requests(folder)
            requests = tools.folder / "requests"
            requests.write_text(asked)
            asking = [tools.bench, "ask", url, "--concurrency", CONCURRENCY]
            taken = measure.in_turn(
                1 if delay else tools.runs,
                asked=lambda: measure.run(asking, source=["cat", requests]),
                synced=lambda: sync(tools, url, folder),
            )
        report = json.loads(synced.output)
        for name, one in [("the same requests, dropped", taken["asked"]), ("`rollcall sync`", taken["synced"])]:
            rows.append((f"{delay} ms", name, f"{one.wall:.2f}", f"{one.cpu:.2f}", f"{one.memory:.0f}"))
        findings.ratio(
            f"wall time of a sync of {EVENTS} events, to the vendor alone that thinks for {delay} ms",
            taken["synced"].wall / taken["asked"].wall,
            1.3,
        )
    findings.table(
        f"{report['events']['complete']} events, {report['rows']} rows, a folder as store, {CONCURRENCY} at a time, one core",
        ["the vendor thinks for", "what", "wall, s", "CPU, s", "peak memory, MB"],
        rows,
    )
    made = report["requests"]["requests"]
    findings.note(f"A sync asks the vendor {made / report['events']['complete']:.2f} times an event, roster included.")
    with vendor.simulator(tools, *simulated(COUNTED)) as url, counting(tools.s3) as (relay, counts):
        store = f"s3://rollcall/sync-{next(NAMES)}"
        s3 = ["--s3-path-style", "--s3-endpoint", relay]
        counted = measure.run([*words(tools), *s3], cpus=(0, 1), environment=vendor.settings(url, store))
        of_first = dict(sorted(counts.items()))
    # In a place where nothing has ever been staged: this server lists empty folders, which S3 does not have.
    with vendor.simulator(tools, *simulated(0)) as url, counting(tools.s3) as (relay, counts):
        store = f"s3://rollcall/sync-{next(NAMES)}"
        s3 = ["--s3-path-style", "--s3-endpoint", relay]
        for _ in ["the lake is made", "there is nothing to do"]:
            counts.clear()
            measure.run([*words(tools), *s3], cpus=(0, 1), environment=vendor.settings(url, store))
        of_idle = dict(sorted(counts.items()))
    events = json.loads(counted.output)["events"]["complete"]
    operations = ", ".join(f"{name} {number / events:.2f}" for name, number in of_first.items())
    findings.note(
        f"Its first visits take {sum(of_first.values()) / events:.2f} operations on S3 an event, publish included: {operations}."
    )
    operations = ", ".join(f"{name} {number}" for name, number in of_idle.items())
    findings.note(f"A run that has nothing to do takes {sum(of_idle.values())} operations on S3: {operations}.")
    shutil.rmtree(folder)
