"""Prints, for each folder, the figures by which the tables of the tools are compared, and exits with 1
if a folder has other figures than the first. A table is a file of its name, or all Parquet files
anywhere in a folder of its name."""

import json
import sys
from pathlib import Path

import duckdb

FIGURES = {
    "lives": "sum(watch_duration_seconds), sum(chat_num), sum(praise_num)",
    "interactions": "sum(online_duration_seconds), sum(chat_num)",
    "viewer_details": (
        "sum(duration_seconds), sum(times), sum(live_times), sum(watch_duration_seconds),"
        " count(mobile)"
    ),
}


def files_of(folder: Path, table: str) -> list[str]:
    one = folder / f"{table}.parquet"
    if one.exists():
        return [str(one)]
    nested = folder.rglob("*.parquet")
    return sorted(str(path) for path in nested if table in path.relative_to(folder).parts[:-1])


def figures(folder: Path) -> dict[str, dict[str, int | None] | str]:
    result = {}
    for table, sums in FIGURES.items():
        files = files_of(folder, table)
        if not files:
            result[table] = "no files"
            continue
        query = duckdb.sql(f"SELECT count(*) AS rows, {sums} FROM read_parquet({files})")
        values = query.fetchone()
        # A sum of whole numbers may come back as another type, and as None if every value is null.
        numbers = [None if value is None else int(value) for value in values]
        result[table] = dict(zip(query.columns, numbers))
    return result


def main(folders: list[str]) -> int:
    found = {folder: figures(Path(folder)) for folder in folders}
    print(json.dumps(found, indent=2))
    reference = found[folders[0]]
    return int(any(of_folder != reference for of_folder in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
