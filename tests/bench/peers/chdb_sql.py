"""One answer of the vendor to three Parquet files with chDB, which is ClickHouse as a library: the
answer is read once, with its types given, into a table of one row, and each of its arrays is joined
into a file."""

import sys
from pathlib import Path

from chdb import session

from columns import ABSENT, EVENT_ID, NO, TABLES, YES

SENT_AS = {"integer": "Int64", "seconds": "Int64", "instant": "Int64"}


def texts(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def record(columns: list[tuple[str, str, str]]) -> str:
    types = [f"`{key}` Nullable({SENT_AS.get(kind, 'String')})" for _, key, kind in columns]
    return f"Tuple({', '.join(types)})"


def value(key: str, kind: str) -> str:
    sent = f"r.`{key}`"
    match kind:
        case "text" | "label":
            return f"if({sent} IN ({texts(ABSENT)}), NULL, {sent})"
        case "clock":
            parts = f"splitByChar(':', assumeNotNull({sent}))"
            seconds = f"arraySum((part, unit) -> toInt64(part) * unit, {parts}, [3600, 60, 1])"
            return f"if({sent} IS NULL, NULL, {seconds})"
        case "instant":
            return f"fromUnixTimestamp64Milli({sent} * 1000, 'UTC')"
        case "flag":
            return f"multiIf({sent} IN ({texts(YES)}), true, {sent} IN ({texts(NO)}), false, NULL)"
    return sent


def main(answer: str, folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    arrays = ", ".join(f"`{array}` Array({record(columns)})" for array, columns in TABLES.values())
    db = session.Session()
    # One value cannot be parsed in parallel, and the attempt costs memory.
    db.query(f"""
        CREATE TABLE answer ENGINE = Memory AS
        SELECT data.report AS report
        FROM file('{answer}', JSONEachRow, 'data Tuple(report Tuple({arrays}))')
        SETTINGS input_format_parallel_parsing = 0
        """)
    for table, (array, columns) in TABLES.items():
        values = ", ".join(f"{value(key, kind)} AS {name}" for name, key, kind in columns)
        db.query(f"""
            SELECT toInt64({EVENT_ID}) AS event_id, {values}
            FROM answer ARRAY JOIN report.`{array}` AS r
            INTO OUTFILE '{folder}/{table}.parquet' TRUNCATE FORMAT Parquet
            SETTINGS output_format_parquet_compression_method = 'zstd'
            """)


if __name__ == "__main__":
    main(*sys.argv[1:])
