"""One answer of the vendor to Parquet files, in a folder for each table, with dlt: each array of
the answer is a resource with typed columns, which is normalized and loaded into a folder."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ANSWER, FOLDER = sys.argv[1], Path(sys.argv[2]).resolve()
# Set before dlt is imported, because it may read them then.
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "DLT_DATA_DIR": str(FOLDER / "work"),
    "DATA_WRITER__COMPRESSION": "zstd",
    # Compression of the files between the steps, which are gone at the end.
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
}

import dlt
from dlt.common import json

from columns import ABSENT, EVENT_ID, NO, TABLES, YES

PAGE = 5000
NULLS = (None, *ABSENT)
FLAGS = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)


def clock(sent: str) -> int:
    hours, minutes, seconds = sent.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def instant(sent: int) -> datetime:
    return datetime.fromtimestamp(sent, UTC)


READ = {"clock": clock, "instant": instant, "flag": FLAGS.get}
TYPES = {
    "text": {"data_type": "text"},
    "label": {"data_type": "text"},
    "integer": {"data_type": "bigint"},
    "seconds": {"data_type": "bigint"},
    "clock": {"data_type": "bigint"},
    "instant": {"data_type": "timestamp", "precision": 3},
    "flag": {"data_type": "bool"},
}


def pages(records: list[dict], columns: list[tuple[str, str, str]]) -> Iterator[list[dict]]:
    """The rows without their nulls, which return because the columns have types."""
    if not records:
        yield dlt.mark.materialize_table_schema()
    readers = [(name, key, READ.get(kind)) for name, key, kind in columns]
    for start in range(0, len(records), PAGE):
        yield [
            {"event_id": EVENT_ID}
            | {
                name: read(sent) if read else sent
                for name, key, read in readers
                if (sent := record.get(key)) not in NULLS
            }
            for record in records[start : start + PAGE]
        ]


def main() -> None:
    report = json.loadb(Path(ANSWER).read_bytes())["data"]["report"]
    resources = [
        dlt.resource(
            pages(report[array], columns),
            name=table,
            write_disposition="replace",
            # Copies, because dlt writes each column's name into its hints.
            columns={"event_id": {"data_type": "bigint"}}
            | {name: dict(TYPES[kind]) for name, _, kind in columns},
        )
        for table, (array, columns) in TABLES.items()
    ]
    folder = dlt.destinations.filesystem(str(FOLDER))
    pipeline = dlt.pipeline("answer", destination=folder, dataset_name="tables")
    pipeline.run(resources, loader_file_format="parquet")


if __name__ == "__main__":
    main()
