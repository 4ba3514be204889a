"""How CPU and memory grow with the records of one event, and with the events of a run: not at all, it should be."""

import shutil

import measure
import staging
import syncing
import vendor

RECORDS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
EVENTS = [10, 100, 1_000, 10_000]
# How many records a viewer has, in all arrays together.
RECORDS_A_VIEWER = 3.25


def of_records(tools):
    points = []
    for records in RECORDS:
        source = [tools.bench, "answer", "--viewers", round(records / RECORDS_A_VIEWER)]
        taken = [
            staging.stage(tools, "/dev/stdin", tools.folder / "grown", source=source) for _ in range(tools.runs)
        ]
        points.append((records, measure.median(taken)))
    return points


def of_events(tools):
    points = []
    for events in EVENTS:
        with vendor.simulator(tools, *syncing.simulated(events)) as url:
            runs = tools.runs if events < 1_000 else 1
            taken = [syncing.sync(tools, url, tools.folder / "grown") for _ in range(runs)]
        points.append((events, measure.median(taken)))
    return points


def run(tools, findings):
    for unit, points in [("record", of_records(tools)), ("event", of_events(tools))]:
        # What it takes to start the process is not counted.
        start = measure.median([measure.run([tools.rollcall, "--version"]) for _ in range(tools.runs)]).cpu
        each = [(number, max(one.cpu - start, 0) / number * 1e6) for number, one in points]
        findings.table(
            f"growth by {unit}s",
            [f"{unit}s", f"CPU per {unit}, µs", "peak memory, MB"],
            [(f"{number:,}", f"{cpu:.2f}", f"{one.memory:.0f}") for (number, cpu), (_, one) in zip(each, points)],
        )
        file = tools.plot(f"growth-{unit}s", unit, each, [(number, one.memory) for number, one in points])
        findings.note(f"![CPU and memory by {unit}s]({file})")
        findings.ratio(f"CPU per {unit}, the most of them to a tenth", each[-1][1] / each[-2][1], 1.2)
        findings.ratio("peak memory, likewise", points[-1][1].memory / points[-2][1].memory, 1.1)
    shutil.rmtree(tools.folder / "grown")
