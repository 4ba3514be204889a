"""One answer of the vendor to three Parquet files with pandas and PyArrow: the answer is parsed,
and each of its arrays becomes a frame of objects, whose columns are then given their types."""

import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa

from columns import ABSENT, EVENT_ID, NO, TABLES, YES

ARROW_TYPES = {
    "text": pa.string(),
    "label": pa.string(),
    "integer": pa.int64(),
    "seconds": pa.int64(),
    "clock": pa.int64(),
    "instant": pa.timestamp("ms", "UTC"),
    "flag": pa.bool_(),
}
FLAGS = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)


def value(sent: pd.Series, kind: str) -> pd.Series:
    match kind:
        case "integer" | "seconds":
            return sent.astype("Int64")
        case "clock":
            return pd.to_timedelta(sent).dt.total_seconds().astype("Int64")
        case "instant":
            return pd.to_datetime(sent.astype("Int64"), unit="s", utc=True)
        case "flag":
            return sent.map(FLAGS).astype("boolean")
    text = sent.astype("string[pyarrow]")
    return text.mask(text.isin(ABSENT))


def main(answer: str, folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    report = json.loads(Path(answer).read_bytes())["data"]["report"]
    for table, (array, columns) in TABLES.items():
        # As objects, so that no type is guessed: whole numbers with nulls would become floats.
        keys = [key for _, key, _ in columns]
        records = pd.DataFrame(report.pop(array), columns=keys, dtype=object)
        values = {name: value(records[key], kind) for name, key, kind in columns}
        types = [("event_id", pa.int64())] + [
            (name, ARROW_TYPES[kind]) for name, _, kind in columns
        ]
        pd.DataFrame({"event_id": EVENT_ID} | values).to_parquet(
            Path(folder, f"{table}.parquet"),
            engine="pyarrow",
            schema=pa.schema(types),
            compression="zstd",
            index=False,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
