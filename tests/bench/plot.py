"""Draws CPU and memory over a number that grows: `plot.py FILE UNIT JSON`."""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "rollcall"
import matplotlib.pyplot as plt


def main(file, unit, points):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for axis, what, points in zip(axes, [f"CPU per {unit}, µs", "peak memory, MB"], json.loads(points)):
        numbers, values = zip(*points)
        axis.semilogx(numbers, values, marker="o", color="#1f6f8b")
        axis.set_ylim(bottom=0, top=max(values) * 1.25)
        axis.set_xlabel(f"{unit}s")
        axis.set_title(what, loc="left", fontsize=10)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
