"""One answer of the vendor to three Parquet files with Polars: the answer is read with its types
given, and each of its arrays becomes a frame, whose columns are expressions of what was sent."""

import sys
from pathlib import Path

import polars as pl

from columns import ABSENT, EVENT_ID, NO, TABLES, YES

SENT_AS = {"integer": pl.Int64, "seconds": pl.Int64, "instant": pl.Int64}
FLAGS = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)


def value(key: str, kind: str) -> pl.Expr:
    sent = pl.col(key)
    match kind:
        case "text" | "label":
            return pl.when(~sent.is_in(ABSENT)).then(sent)
        case "clock":
            part = sent.str.split_exact(":", 2).struct
            hours, minutes, seconds = (part.field(f"field_{i}").cast(pl.Int64) for i in range(3))
            return hours * 3600 + minutes * 60 + seconds
        case "instant":
            return (sent * 1000).cast(pl.Datetime("ms", "UTC"))
        case "flag":
            return sent.replace_strict(FLAGS, default=None, return_dtype=pl.Boolean)
    return sent


def main(answer: str, folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    arrays = {
        array: pl.List(pl.Struct({key: SENT_AS.get(kind, pl.String) for _, key, kind in columns}))
        for array, columns in TABLES.values()
    }
    schema = {"data": pl.Struct({"report": pl.Struct(arrays)})}
    report = pl.read_json(answer, schema=schema)["data"].struct.field("report")
    for table, (array, columns) in TABLES.items():
        records = report.struct.field(array).item().struct.unnest()
        values = [value(key, kind).alias(name) for name, key, kind in columns]
        rows = records.select(pl.lit(EVENT_ID, pl.Int64).alias("event_id"), *values)
        rows.write_parquet(Path(folder, f"{table}.parquet"), compression="zstd")


if __name__ == "__main__":
    main(*sys.argv[1:])
