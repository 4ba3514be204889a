"""Runs a command, and tells what it took, by the operating system's own accounting of the whole process.

This module imports nothing large: a process is charged with the memory of the one that started it.
"""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass

# What `infra` sets for the functions' memory.
OF_FUNCTIONS = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}


@dataclass
class Taken:
    """What a run took: seconds of CPU and of wall time, and the most memory, in MB of a million bytes."""

    cpu: float
    wall: float
    memory: float
    output: str = ""


def run(command, cpus=(0,), environment=None, source=None, check=True):
    """One run on these processors. `source` is a command whose output the run reads."""
    feeder = None
    stdin = subprocess.DEVNULL
    if source:
        feeder = subprocess.Popen([str(word) for word in source], stdout=subprocess.PIPE)
        stdin = feeder.stdout
    begin = time.monotonic()
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
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begin
    if feeder:
        feeder.wait()
    if check and process.returncode:
        raise SystemExit(f"failed with status {process.returncode}: {' '.join(map(str, command))}\n{output[-2000:]}")
    return Taken(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024 / 1e6, output)


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
