"""A lake full of the vendor's quirks, as every engine reads it: the same rows, types, sums and instants."""

import shutil
import subprocess
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import BINARIES, TABLES, TOKEN, sync
from pyspark.sql import SparkSession
from quirks import quirky
from readers import DAY, FLAG, INSTANT, NUMBER, PARTITION, TEXT, WALL_CLOCK, ZONE
from readers import ClickHouse, DataFusion, DuckDB, Polars, Pyarrow, Spark, objects

# What each engine calls a column of each kind; `dt` is the partition column.
ENGINES = [DuckDB, Pyarrow, Polars, DataFusion, ClickHouse, Spark]
TYPES = {
    TEXT: ["VARCHAR", "string", "String", "Utf8View", "String", "string"],
    NUMBER: ["BIGINT", "int64", "Int64", "Int64", "Int64", "bigint"],
    FLAG: ["BOOLEAN", "bool", "Boolean", "Boolean", "Bool", "boolean"],
    DAY: ["DATE", "date32[day]", "Date", "Date32", "Date32", "date"],
    INSTANT: [
        "TIMESTAMP WITH TIME ZONE",
        "timestamp[ms, tz=UTC]",
        "Datetime(time_unit='ms', time_zone='UTC')",
        'Timestamp(ms, "UTC")',
        "DateTime64(3, 'UTC')",
        "timestamp",
    ],
    WALL_CLOCK: [
        "TIMESTAMP",
        "timestamp[ms]",
        "Datetime(time_unit='ms', time_zone=None)",
        "Timestamp(ms)",
        "DateTime64(3, 'UTC')",
        "timestamp_ntz",
    ],
    PARTITION: ["DATE", "string", "Date", "Dictionary(UInt16, Utf8)", "Date", "date"],
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """What a run makes of everything odd that the vendor can send."""
    store = tmp_path_factory.mktemp("odd")
    command = [BINARIES / "simulator", "--token", TOKEN, "--events", "8", "--viewers", "8..24"]
    command += ["--shuffled", "--wrong-types", "--unknown-fields", "3", "--unplaceable", "5", "--envelope", "after"]
    command += ["--range-ends", "half-open", "--viewer-details", "per-range", "--public-list", "object"]
    command += ["--fault", "status=503@every:11", "--fault", "html@every:13", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
        with quirky(simulator.stdout.readline().strip()) as api:
            sync(api, store, "--from", "2022-10-01", "--to", "2022-12-01")
        simulator.stdin.close()
    return store / "lake"


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """One Spark for all tables."""
    settings = {
        "spark.sql.session.timeZone": ZONE,
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # Each query runs once: compiling it well takes longer than running it.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.ui.enabled": "false",
    }
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.__name__)
def engine(request):
    if request.param is Spark:
        request.getfixturevalue("spark")
    return request.param


def kinds_of(folder):
    """The kind of each column, from the objects themselves."""
    schema = pa.unify_schemas([pq.read_schema(path) for path in objects(folder)])
    return {**{field.name: str(field.type) for field in schema}, "dt": PARTITION}


def types_of(engine, kinds):
    """What the engine calls columns of these kinds."""
    return {column: TYPES[kind][ENGINES.index(engine)] for column, kind in kinds.items()}


def rows_of(folder):
    """All rows, from the objects read one by one."""
    tables = []
    for path in objects(folder):
        rows = pq.ParquetFile(path).read()
        day = path.parent.name.removeprefix("dt=")
        tables.append(rows.append_column("dt", pa.array([day] * len(rows), pa.string())))
    return pa.concat_tables(tables, promote_options="default")


def profile_of(folder):
    """What every engine should say of each column."""
    table = rows_of(folder)
    return {name: Pyarrow.column(kind, table[name]) for name, kind in kinds_of(folder).items()}


def test_the_lake_of_these_tests_holds_the_most_extreme_values_of_its_columns(lake):
    profiles = {table: profile_of(lake / table) for table in TABLES}
    assert all(profile["dt"][0] > 0 for profile in profiles.values())
    rows, nulls, *figures = profiles["lives"]["offline_time"]
    assert nulls > 0 and figures[:2] == [1000, 253370764799000]
    clocks = profiles["lives"]["offline_date"]
    assert clocks[2:4] == ["1970-01-01 08:00:01", "9999-01-01 07:59:59"]
    assert clocks[4] - figures[2] == (rows - nulls) * 8 * 3600 * 1000
    skipped, twice = datetime(2022, 3, 13, 2, 30), datetime(2022, 11, 6, 1, 30)
    assert {skipped, twice} <= {*rows_of(lake / "lives")["offline_date"].to_pylist()}
    assert profiles["lives"]["company"][4] == "\U0010ffff"
    assert profiles["lives"]["praise_num"][2] > 2**53
    assert 0 < profiles["lives"]["extra"][1] < rows
    assert profiles["rejects"]["reason"][3:] == ["no_time", "not_an_object"]
    assert any(pq.read_metadata(path).num_rows == 0 for path in objects(lake / "lives"))


@pytest.mark.parametrize("table", TABLES)
def test_each_column_has_the_type_that_the_docs_name(engine, lake, table):
    assert engine(lake / table).types() == types_of(engine, kinds_of(lake / table))


@pytest.mark.parametrize("table", TABLES)
def test_every_engine_finds_the_rows_nulls_sums_and_instants_that_the_objects_hold(engine, lake, table):
    assert engine(lake / table).profile(kinds_of(lake / table)) == profile_of(lake / table)


@pytest.mark.parametrize("which", ["first", "last", "all but one"])
def test_an_older_object_has_nulls_for_what_it_lacks_and_nothing_else_changes(engine, lake, which, tmp_path):
    lives = shutil.copytree(lake / "lives", tmp_path / "lives")
    before, kinds = profile_of(lives), kinds_of(lives)
    filled = [path for path in objects(lives) if pq.ParquetFile(path).read()["extra"].drop_null()]
    others = [path for path in objects(lives) if path != filled[-1]]
    lost = 0
    for path in {"first": filled[:1], "last": filled[-1:], "all but one": others}[which]:
        rows = pq.ParquetFile(path).read()
        lost += len(rows["extra"].drop_null())
        pq.write_table(rows.drop_columns("extra"), path)

    found = engine(lives)
    profile = found.profile(kinds)
    assert profile == profile_of(lives)
    assert profile["extra"][1] == before["extra"][1] + lost
    assert {**profile, "extra": None} == {**before, "extra": None}
    assert found.types() == types_of(engine, kinds)
