"""Measures everything that docs/benchmarks.md states, and writes that file. Run by `make bench`, beside a real S3 server.

`bench.py [PART…]` measures only these parts, and prints their figures.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import growing
import measure
import profiling
import publishing
import pulling
import shipping
import staging
import syncing

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PARTS = {
    "staging": staging,
    "profiling": profiling,
    "pulling": pulling,
    "publishing": publishing,
    "syncing": syncing,
    "growing": growing,
    "shipping": shipping,
}


class Tools:
    """What is measured, and where."""

    here = HERE
    root = ROOT
    runs = 5
    # The slowest take a minute and a half each.
    peer_runs = 3
    s3 = os.environ.get("ROLLCALL_TEST_S3")
    other_cpu = min(1, (os.cpu_count() or 1) - 1)

    def __init__(self, folder, docs):
        self.folder = folder
        self.docs = docs
        programs = (measure.BINARIES / name for name in ["rollcall", "simulator", "bench"])
        self.rollcall, self.simulator, self.bench = programs

    def write(self, command, file):
        subprocess.run([str(word) for word in command], stdout=file, check=True)

    def plot(self, name, unit, *points):
        file = f"{name}.svg"
        words = [sys.executable, HERE / "plot.py", self.docs / file, unit, json.dumps(points)]
        subprocess.run([str(word) for word in words], check=True)
        return file


class Findings:
    """What was measured, as Markdown."""

    def __init__(self):
        self.lines = []
        self.targets = []

    def heading(self, part):
        title = PARTS[part].__doc__.replace("\n", " ").strip()
        self.lines += ["", f"## {part.capitalize()}", "", title, ""]

    def note(self, text):
        self.lines += [text, ""]

    def table(self, title, columns, rows):
        self.lines += [f"{title[0].upper()}{title[1:]}:", ""]
        self.lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        self.lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]

    def ratio(self, what, found, target):
        self.limit(what, found, target, "at most {:.3g} times")

    def limit(self, what, found, target, form="at most {:.3g}"):
        word = "yes" if found <= target else "**no**"
        self.targets.append((what, f"{found:.3g}", form.format(target), word))


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors, {platform.system()}"


def main(parts):
    findings = Findings()
    docs = ROOT / "docs" if not parts else Path(tempfile.mkdtemp())
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as folder:
        tools = Tools(Path(folder), docs)
        for part in parts or PARTS:
            print(f"== {part}", flush=True)
            findings.heading(part)
            PARTS[part].run(tools, findings)
            print("\n".join(f"  {what}: {found} ({target}: {met})" for what, found, target, met in findings.targets), flush=True)
    head = [
        "# What it takes",
        "",
        f"Measured by `make bench` on {machine()}, on {date.today()}. Each figure is the operating",
        f"system's own accounting of a whole process, the median of {Tools.runs} runs ({Tools.peer_runs} of the other tools, one of what",
        "takes minutes), in turn where two are compared. rollcall runs with the functions' settings of memory",
        f"({', '.join(f'`{name}={value}`' for name, value in measure.OF_FUNCTIONS.items())}). MB are millions of bytes. What misses",
        "its target says so.",
        "",
        "| what | found | target | met |",
        "|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in findings.targets),
    ]
    text = "\n".join(head + findings.lines).replace("\n\n\n", "\n\n").rstrip() + "\n"
    print(text)
    if not parts:
        (docs / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
