"""What a deployment costs: figures that `make bench` measured, times prices that AWS and others state. Prints two tables, or
with `--write` puts them where README.md beside has them.

Prices are those of us-east-1 on 2026-11-23, in US dollars, without free tiers.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = (HERE.parent / "docs/benchmarks.md").read_text()
README = HERE / "README.md"
# From the head of the one table to the last line of the other.
TABLES = re.compile(r"\| what \| US dollars \|.*?(?=\n\n[^|])", re.S)

GB_SECOND = 0.0000133334  # Lambda, arm64: https://aws.amazon.com/lambda/pricing/
INVOCATION = 0.20 / 1e6
PUT = 0.005 / 1000  # S3, and LIST: https://aws.amazon.com/s3/pricing/
GET = 0.0004 / 1000
# DELETE costs nothing; HEAD is a GET.
PRICES = {"DELETE": 0, "GET": GET, "HEAD": GET, "LIST": PUT, "PUT": PUT}
TRANSITION = 0.025 / 1000  # Step Functions: https://aws.amazon.com/step-functions/pricing/
SECRET = 0.40  # a month: https://aws.amazon.com/secrets-manager/pricing/
METRIC, ALARM, DASHBOARD = 0.30, 0.10, 3.00  # a month: https://aws.amazon.com/cloudwatch/pricing/

MEMORY_GB = 0.5
# What `infra` sets for a fan-out unless told otherwise.
REQUESTS_PER_SECOND, PARALLEL_PULLS = 20, 20
# A function has one processor with 1,769 MB, and a part of it with less:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
PROCESSOR_GB = 1769 / 1024
# An alarm is paid for each metric that it looks at: eleven look at one, one at two, one at three.
METRICS, ALARMS = 21, 16


def found(pattern):
    """The numbers of the line that fits."""
    return [float(number.replace(",", "")) for number in re.search(pattern, BENCHMARKS).groups()]


def compute(processor_seconds, waiting_seconds=0.0):
    """What so much work costs in a function of that size, and waiting for others."""
    return (processor_seconds * PROCESSOR_GB / MEMORY_GB + waiting_seconds) * MEMORY_GB * GB_SECOND


def tables():
    """Both, as Markdown."""
    (processor,) = found(r"\| rollcall \| ([\d.]+) \| [\d.]+ \| \d+ \| [\d.]+ \|")
    rows = sum(int(rows) for rows in re.findall(r'"rows": (\d+)', BENCHMARKS))
    million = 1e6 / rows * processor
    (requests,) = found(r"asks the vendor ([\d.]+) times an event")
    deletes, gets, heads, lists, puts = found(
        r"DELETE ([\d.]+), GET ([\d.]+), HEAD ([\d.]+), LIST ([\d.]+), PUT ([\d.]+\d)"
    )
    (event_processor,) = found(r"\n\| 1,000 \| ([\d.]+) \| \d+ \|\n\| 10,000 \|[^\n]*\n\n!\[CPU and memory by events")
    store = (gets + heads) * GET + (lists + puts) * PUT
    idle = dict(re.findall(r"([A-Z]+) (\d+)", re.search(r"nothing to do takes (.*)", BENCHMARKS).group(1)))
    idle_store = sum(int(number) * PRICES[name] for name, number in idle.items())
    thinking = requests * 0.5 / 4
    event = compute(event_processor / 1e6, thinking)
    # A worker of a fan-out waits until it may ask again.
    paced = compute(event_processor / 1e6, max(thinking, requests * PARALLEL_PULLS / REQUESTS_PER_SECOND))
    fan_out = 6 * TRANSITION / 10 + paced - event
    lines = [
        ("a million rows: decoding and staging", compute(million), f"{million:.1f} s of a processor"),
        ("an event, first visit: time", event, f"{event_processor / 1000:.0f} ms of a processor, {requests} requests"),
        ("an event, first visit: S3", store, f"{gets + heads:.0f} reads, {lists + puts:.0f} writes and lists"),
        ("an event in the fan-out, besides", fan_out, "at most 6 transitions for 10 events; a request a second"),
        ("a backfill of 10,000 events", 10_000 * (event + store + fan_out + INVOCATION / 10), "20 rows each"),
        ("a month: 720 runs without an event", 720 * (compute(0.1, 2) + INVOCATION + idle_store), "2 s each"),
        ("a month: two secrets", 2 * SECRET, "a third one with a key for pseudonyms"),
        (
            "a month: metrics, alarms, dashboard",
            METRICS * METRIC + ALARMS * ALARM + DASHBOARD,
            f"{METRICS}, {ALARMS} and one",
        ),
    ]
    text = ["| what | US dollars | of |", "|---|---|---|"]
    for what, dollars, of in lines:
        text.append(f"| {what} | {dollars:.7f} | {of} |" if dollars < 0.001 else f"| {what} | {dollars:.2f} | {of} |")
    gigabytes = 393e6 / rows / 1e3
    others = [
        ("Airbyte Cloud", "15 for a million rows of an API", 15.0, "https://docs.airbyte.com/platform/cloud/managing-airbyte-cloud/manage-credits"),
        ("AppFlow", "0.02 for a GB, 0.001 for a run", gigabytes * 0.02 + 0.001, "https://aws.amazon.com/appflow/pricing/"),
        ("Glue, 2 workers", "0.44 for a worker's hour, at least a minute", 2 * 0.44 / 60, "https://aws.amazon.com/glue/pricing/"),
    ]
    text += ["", "| instead | states | for a million rows |", "|---|---|---|"]
    text.append(f"| rollcall | the first line above | {compute(million):.5f} |")
    text += [f"| [{name}]({address}) | {states} | {dollars:.4f} |" for name, states, dollars, address in others]
    return "\n".join(text)


def main(arguments):
    if arguments == ["--write"]:
        README.write_text(TABLES.sub(lambda _: tables(), README.read_text(), count=1))
    else:
        print(tables())


if __name__ == "__main__":
    main(sys.argv[1:])
