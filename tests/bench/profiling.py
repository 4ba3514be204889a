"""Where the instructions of staging go: those of each function, counted by callgrind, summed by what the function is for."""

import re
import shutil
import subprocess

import measure

# Enough for several row groups' worth of pages; callgrind is some fifty times slower than the processor.
VIEWERS = 20_000
# The first pattern that a function's name matches decides. A function that the compiler has merged into its caller counts
# there: the digest of rows into the writer of cells.
PURPOSES = {
    "compressing pages (LZ4)": r"lz4",
    "digests of rows": r"twox_hash|staging::CellWriter::write|transform::(digest|totals)",
    "dictionaries of texts": r"interner|ahash|hashbrown",
    "encoding columns as Parquet": r"parquet::",
    "finding records and their fields": r"json::(record|scan|key_cache)|extract::body|^<?bench::",
    "checking UTF-8": r"simdutf8",
    "reading values into columns": r"rollcall::(transform|json|calendar)|arrow_|jiff|core::str|core::num",
    "copying, comparing and clearing memory": r"mem(cpy|move|cmp|set)|bcmp",
    "allocating memory": r"malloc|free|alloc|unlink_chunk|raw_vec",
}
REST = "everything else, the start of the process included"
LINE = re.compile(r"^ *([\d,]+) \( *[\d.]+%\)  (.*)$")


def count(tools, answer):
    """The instructions of each function."""
    counted, staged = tools.folder / "callgrind.out", tools.folder / "profiled"
    valgrind = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={counted}"]
    measure.run([*valgrind, tools.bench, "stage", answer, staged], environment=measure.OF_FUNCTIONS, cpus=(0, 1))
    shutil.rmtree(staged)
    words = ["callgrind_annotate", "--threshold=100", "--auto=no", "--tree=none", str(counted)]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = filter(None, map(LINE.match, said.splitlines()))
    found = [(name, int(number.replace(",", ""))) for number, name in (line.groups() for line in lines)]
    # Each is `file:function [object]`.
    return [(re.sub(r"^.*?:(?!:)| \[[^]]*\]$", "", name), number) for name, number in found if "PROGRAM TOTALS" not in name]


def run(tools, findings):
    answer = tools.folder / "profiled.json"
    with open(answer, "wb") as file:
        tools.write([tools.bench, "answer", "--viewers", VIEWERS], file)
    sums = dict.fromkeys([*PURPOSES, REST], 0)
    for function, number in count(tools, answer):
        purpose = next((what for what, pattern in PURPOSES.items() if re.search(pattern, function)), REST)
        sums[purpose] += number
    total, size = sum(sums.values()), answer.stat().st_size
    findings.note(
        f"An answer of {size / 1e6:.0f} MB takes {total / size:.1f} instructions a byte. What the kernel does to read and write "
        "the files is not counted."
    )
    findings.table(
        "what the instructions are for",
        ["what", "instructions a byte", "share"],
        [
            (what, f"{number / size:.2f}", f"{number / total:.0%}")
            for what, number in sorted(sums.items(), key=lambda one: (one[0] == REST, -one[1]))
        ],
    )
