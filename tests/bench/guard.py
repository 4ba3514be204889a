"""What a small answer costs in instructions and in bytes of memory, counted under valgrind: figures that neither a clock nor
the load of the machine changes. `guard.py` compares them with `guard.json`; `guard.py --write` stores the new ones there. The
build of the tests is counted, whose own code is not optimised: this finds work that was added, not work that became slower, for
which there is `make bench`."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
STORED = HERE / "guard.json"
BENCH = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/bench"
# Hash maps are seeded anew in each process, and libraries use different instructions on different processors.
TOLERANCE = 1.1
# Enough for more lives than a batch holds, so that the full path is taken.
VIEWERS = 1_200


def count(tool, pattern, folder):
    answer = folder / "answer.json"
    if not answer.exists():
        with open(answer, "wb") as file:
            subprocess.run([BENCH, "answer", "--viewers", str(VIEWERS)], stdout=file, check=True)
    words = ["valgrind", f"--tool={tool}", f"--{tool}-out-file=/dev/null", BENCH, "stage", answer, folder / tool]
    # The same number of threads on every machine: each has memory of its own.
    environment = {**os.environ, "TOKIO_WORKER_THREADS": "2"}
    said = subprocess.run(list(map(str, words)), env=environment, stderr=subprocess.PIPE, text=True)
    if said.returncode:
        sys.exit(f"valgrind failed:\n{said.stderr[-3000:]}")
    return int(re.search(pattern, said.stderr).group(1).replace(",", ""))


def main(arguments):
    with tempfile.TemporaryDirectory(prefix="rollcall-guard-") as folder:
        found = {
            "instructions": count("callgrind", r"Collected : (\d+)", Path(folder)),
            "peak_heap_bytes": count("dhat", r"At t-gmax: ([\d,]+) bytes", Path(folder)),
        }
    stored = json.loads(STORED.read_text())
    worse = [name for name in found if found[name] > stored[name] * TOLERANCE]
    for name, number in found.items():
        print(f"{name}: {number:,}, {number / stored[name]:.3f} times the stored figure")
    if "--write" in arguments:
        STORED.write_text(json.dumps(found, indent=2) + "\n")
    elif worse:
        sys.exit(f"{' and '.join(worse)} grew: find out why, or run `make guard` and say why in the commit")


if __name__ == "__main__":
    main(sys.argv[1:])
