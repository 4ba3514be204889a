"""What `rollcall schema` prints, run by the engines that are installed here: it makes tables and views that agree."""

import json
import subprocess

import chdb.session
import duckdb
import pyarrow.parquet as pq
import pytest
import sqlglot
from conftest import BINARIES, ROOT, TABLES
from pyspark.sql import SparkSession

VIEWS = ["sessions", "people", "sessions_zh", "people_zh"]
# The figures that every engine must agree on, in SQL that all of them know.
FIGURES = {
    "sessions": "count(*), count(DISTINCT person_key), sum(duration_seconds), sum(online_minute), count(title), "
    "sum(CASE WHEN is_host THEN 1 ELSE 0 END), min(dt), max(dt)",
    "people": "count(*), sum(sessions), sum(live_seconds), sum(replay_seconds), sum(chats), min(devices), max(locations), "
    "sum(CASE WHEN is_host THEN 1 ELSE 0 END)",
    "sessions_zh": "count(*)",
    "people_zh": "count(*)",
}


def schema(engine, store="s3://bucket/prefix"):
    """The statements for an engine, with Chinese labels beside the others."""
    command = [BINARIES / "rollcall", "schema", engine, "--labels", "zh", "--store", str(store)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def statements(engine, store="s3://bucket/prefix"):
    return [statement for statement in schema(engine, store).split(";\n") if statement.strip()]


def plain(row):
    return tuple(str(value) for value in row)


def in_duckdb(store):
    connection = duckdb.connect()
    connection.execute(schema("duckdb", store))
    return lambda query: plain(connection.sql(query).fetchone())


def in_clickhouse(store):
    session = chdb.session.Session()
    for statement in statements("clickhouse", store):
        session.query(statement)
    return lambda query: plain(json.loads(str(session.query(query, "JSONCompactStrings")))["data"][0])


def in_spark(store):
    settings = {
        "spark.sql.session.timeZone": "America/New_York",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    for statement in statements("spark", store):
        spark.sql(statement)
    return lambda query: plain(spark.sql(query).first())


@pytest.mark.parametrize("engine", [in_clickhouse, in_spark])
def test_tables_and_views_are_the_same_in_every_engine(world, engine):
    reference, engine = in_duckdb(world), engine(world)
    for table in TABLES:
        count = f"SELECT count(*), count(DISTINCT dt) FROM {table}"
        assert engine(count) == reference(count), table
    for view in VIEWS:
        figures = f"SELECT {FIGURES[view]} FROM {view}"
        assert engine(figures) == reference(figures), view


def test_sessions_are_the_rows_of_both_tables_and_people_sum_them_up(world):
    ask = in_duckdb(world)
    both = ask("SELECT (SELECT count(*) FROM lives) + (SELECT count(*) FROM interactions)")
    assert ask("SELECT count(*) FROM sessions") == both == ask("SELECT sum(sessions) FROM people")
    assert ask("SELECT count(*) FROM (SELECT DISTINCT event_id, person FROM people)") == ask("SELECT count(*) FROM people")
    assert ask("SELECT sum(seconds) - sum(live_seconds) - sum(replay_seconds) FROM people") == ("0",)
    assert ask("SELECT count(*) FROM sessions WHERE title IS NULL OR viewer_key IS NULL") == ("0",)


def test_chinese_labels_name_the_same_columns(world):
    connection = duckdb.connect()
    connection.execute(schema("duckdb", world))
    for view in ["sessions", "people"]:
        shown, labelled = connection.sql(f"FROM {view}"), connection.sql(f"FROM {view}_zh")
        assert labelled.types == shown.types
        assert not any(label.isascii() for label in labelled.columns if label != "IP")
        assert len(set(labelled.columns)) == len(labelled.columns)


def test_athena_parses_every_statement_and_each_replaces_what_is_there():
    parsed = [sqlglot.parse_one(statement, dialect="athena") for statement in statements("athena")]
    done = [(type(statement), statement.find(sqlglot.exp.Table).name) for statement in parsed]
    made = [name for kind, name in done if kind is sqlglot.exp.Create]
    assert sorted(made) == sorted(TABLES + VIEWS)
    for place, (statement, (kind, name)) in enumerate(zip(parsed, done)):
        if kind is sqlglot.exp.Create and not statement.args["replace"]:
            assert done[place - 1] == (sqlglot.exp.Drop, name)


def test_glue_and_the_dictionary_have_the_columns_of_the_files(world):
    types = {
        "string": "string",
        "int64": "bigint",
        "bool": "boolean",
        "date32[day]": "date",
        "timestamp[ms, tz=UTC]": "timestamp",
        "timestamp[ms]": "timestamp",
    }
    glue = json.loads((ROOT / "infra/catalog.json").read_text())["tables"]
    dictionary = (ROOT / "docs/tables.md").read_text()
    for table in TABLES:
        file = next((world / "lake" / table).rglob("*.parquet"))
        columns = [(field.name, types[str(field.type)]) for field in pq.read_schema(file)]
        assert [(column["name"], column["type"]) for column in glue[table]] == columns
        section = dictionary.split(f"\n## {table}\n")[1].split("\n## ")[0]
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == [
            name for name, _ in columns
        ]
