"""One answer of the vendor to three Parquet files with DuckDB, as its documentation does it: read_json with its
columns given, into a table of one row, and each array unnested into a file."""

import sys
from pathlib import Path

import duckdb

from columns import TABLES
from duckdb_sql import SENT_AS, write

# Larger than any answer; DuckDB's own limit for one value is 16 MB.
LARGEST = 2_000_000_000


def struct(columns):
    fields = {key: SENT_AS.get(kind, "VARCHAR") for _, key, kind in columns}
    return "STRUCT(" + ", ".join(f'"{key}" {sent}' for key, sent in fields.items()) + ")[]"


def main(answer, folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    arrays = ", ".join(f'"{array}" {struct(columns)}' for array, columns in TABLES.values())
    data = f"STRUCT(report STRUCT({arrays}))"
    db = duckdb.connect()
    db.execute(f"""
        CREATE TABLE report AS SELECT unnest(data.report)
        FROM read_json('{answer}', columns = {{data: '{data}'}}, maximum_object_size = {LARGEST})
        """)
    write(db, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
