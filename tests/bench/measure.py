"""Runs a command, and tells what it took, by the operating system's own accounting of the whole process."""

import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parent.parent.parent / "target")) / "release"
# What `infra` sets for the functions' memory.
OF_FUNCTIONS = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}


@dataclass
class Taken:
    """What a run took: seconds of CPU and of wall time, and the most memory, in MB of a million bytes."""

    cpu: float
    wall: float
    memory: float
    output: str = ""


def run(command, cpus=(0,), environment=None, source=None):
    """One run on these processors. `source` is a command whose output the run reads."""
    feeder = None
    stdin = subprocess.DEVNULL
    if source:
        feeder = subprocess.Popen([str(word) for word in source], stdout=subprocess.PIPE)
        stdin = feeder.stdout
    with tempfile.NamedTemporaryFile("r") as taken:
        # Linux charges a process with the memory of the one that starts it, and this one is large.
        command = [BINARIES / "bench", "take", taken.name, *command]
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
        if feeder:
            feeder.stdout.close()
        output, _ = process.communicate()
        if feeder:
            feeder.wait()
        figures = taken.read().split()
    if process.returncode:
        raise SystemExit(f"failed with status {process.returncode}: {' '.join(map(str, command))}\n{output[-2000:]}")
    cpu, wall, memory = map(float, figures)
    return Taken(cpu, wall, memory * 1024 / 1e6, output)


def median(runs):
    """The median of each figure."""
    return Taken(
        statistics.median(run.cpu for run in runs),
        statistics.median(run.wall for run in runs),
        statistics.median(run.memory for run in runs),
        runs[-1].output,
    )


def in_turn(runs, **kinds):
    """The medians of several kinds of run, each kind once in each round, so that a slow moment of the machine affects all."""
    taken = {name: [] for name in kinds}
    for _ in range(runs):
        for name, kind in kinds.items():
            taken[name].append(kind())
    return {name: median(runs) for name, runs in taken.items()}
