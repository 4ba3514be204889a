"""One answer of the vendor to three Parquet files with DuckDB: the answer is parsed once, with its
types given, into a table of one row, and each of its arrays is unnested into a file."""

import json
import sys
from pathlib import Path

import duckdb

from columns import ABSENT, EVENT_ID, NO, TABLES, YES

SENT_AS = {"integer": "BIGINT", "seconds": "BIGINT", "instant": "BIGINT"}


def texts(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def value(key: str, kind: str) -> str:
    sent = f'r."{key}"'
    match kind:
        case "text" | "label":
            return f"CASE WHEN {sent} NOT IN ({texts(ABSENT)}) THEN {sent} END"
        case "clock":
            return f"epoch({sent}::INTERVAL)::BIGINT"
        case "instant":
            return f"to_timestamp({sent})"
        case "flag":
            return (
                f"CASE WHEN {sent} IN ({texts(YES)}) THEN true"
                f" WHEN {sent} IN ({texts(NO)}) THEN false END"
            )
    return sent


def write(db: duckdb.DuckDBPyConnection, folder: str) -> None:
    for table, (array, columns) in TABLES.items():
        values = ", ".join(f"{value(key, kind)} AS {name}" for name, key, kind in columns)
        db.execute(f"""
            COPY (
                SELECT {EVENT_ID}::BIGINT AS event_id, {values}
                FROM (SELECT unnest("{array}") AS r FROM report)
            ) TO '{folder}/{table}.parquet' (FORMAT parquet, COMPRESSION zstd)
            """)


def main(answer: str, folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    arrays = {
        array: [{key: SENT_AS.get(kind, "VARCHAR") for _, key, kind in columns}]
        for array, columns in TABLES.values()
    }
    db = duckdb.connect()
    types = json.dumps({"data": {"report": arrays}})
    # Not read_json, which needs several times as long for one large value; and without parameters, because the client
    # would import pandas for them.
    db.execute(f"""
        CREATE TABLE report AS
        SELECT unnest(from_json(content, '{types}').data.report) FROM read_text('{answer}')
        """)
    write(db, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
