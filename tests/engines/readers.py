"""Six engines over the objects of one table: what each calls a column's type, and what it computes from the column."""

import re
from datetime import date, datetime

import chdb
import datafusion
import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

# The session zone of every engine that has one: with an hour that comes twice, and one that never comes.
ZONE = "America/New_York"

# Kinds of columns, by Arrow's names; the partition column is a kind of its own.
TEXT, NUMBER, FLAG, DAY, PARTITION = "string", "int64", "bool", "date32[day]", "dt"
INSTANT, WALL_CLOCK = "timestamp[ms, tz=UTC]", "timestamp[ms]"


def objects(folder):
    return sorted(folder.glob("*/*.parquet"))


def plain(value):
    """One value for what engines return as different Python types: times as text without a zone, None as 0."""
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=None))
    if isinstance(value, date):
        return str(value)
    return 0 if value is None else value


class Sql:
    """An engine that is asked in SQL about `t`; `millis` is its expression for a column's milliseconds since 1970."""

    FIGURES = {
        TEXT: ["sum(character_length({0}))", "min({0})", "max({0})"],
        NUMBER: ["sum({0})"],
        FLAG: ["sum(CASE WHEN {0} THEN 1 ELSE 0 END)"],
        DAY: ["min({0})", "max({0})"],
        INSTANT: ["min({millis})", "max({millis})", "sum({millis})"],
        WALL_CLOCK: ["min({0})", "max({0})", "sum({millis})"],
        PARTITION: ["min({0})", "max({0})"],
    }

    def figures(self, kind, column):
        figures = ["count(*)", "count(*) - count({0})", *self.FIGURES[kind]]
        return [figure.format(column, millis=self.millis.format(column)) for figure in figures]

    def profile(self, kinds):
        """For each column, how many rows and nulls there are, and the figures of its kind."""
        asked = {column: self.figures(kind, column) for column, kind in kinds.items()}
        selected = [f"{figure} AS f{at}" for at, figure in enumerate(sum(asked.values(), []))]
        values = iter(self.row(f"SELECT {', '.join(selected)} FROM t"))
        return {column: [plain(next(values)) for _ in figures] for column, figures in asked.items()}


class DuckDB(Sql):
    millis = "epoch_ms({0})"

    def __init__(self, folder):
        self.db = duckdb.connect()
        self.db.execute(f"SET TimeZone = '{ZONE}'")
        self.db.execute(f"CREATE VIEW t AS FROM read_parquet('{folder}/*/*.parquet', union_by_name = true)")

    def types(self):
        return {name: kind for name, kind, *_ in self.db.sql("DESCRIBE t").fetchall()}

    def row(self, query):
        return self.db.sql(query).fetchone()


class Pyarrow:
    FIGURES = {
        TEXT: lambda column: [pc.sum(pc.utf8_length(column)), pc.min(column), pc.max(column)],
        NUMBER: lambda column: [pc.sum(column)],
        FLAG: lambda column: [pc.sum(column)],
        DAY: lambda column: [pc.min(column), pc.max(column)],
        INSTANT: lambda column: [of(column.cast("int64")) for of in [pc.min, pc.max, pc.sum]],
        WALL_CLOCK: lambda column: [pc.min(column), pc.max(column), pc.sum(column.cast("int64"))],
        PARTITION: lambda column: [pc.min(column), pc.max(column)],
    }

    def __init__(self, folder):
        schema = pa.unify_schemas([pq.read_schema(path) for path in objects(folder)])
        schema = schema.append(pa.field("dt", pa.string()))
        self.table = ds.dataset(folder, schema=schema, partitioning="hive").to_table()

    def types(self):
        return {field.name: str(field.type) for field in self.table.schema}

    def profile(self, kinds):
        return {name: self.column(kind, self.table[name]) for name, kind in kinds.items()}

    @classmethod
    def column(cls, kind, column):
        figures = [figure.as_py() for figure in cls.FIGURES[kind](column)]
        return [plain(value) for value in [len(column), column.null_count, *figures]]


class Polars:
    FIGURES = {
        TEXT: lambda column: [column.str.len_chars().sum(), column.min(), column.max()],
        NUMBER: lambda column: [column.sum()],
        FLAG: lambda column: [column.sum()],
        DAY: lambda column: [column.min(), column.max()],
        INSTANT: lambda column: [getattr(column.dt.epoch("ms"), of)() for of in ["min", "max", "sum"]],
        WALL_CLOCK: lambda column: [column.min(), column.max(), column.dt.epoch("ms").sum()],
        PARTITION: lambda column: [column.min(), column.max()],
    }

    def __init__(self, folder):
        options = {"schema": {}, "missing_columns": "insert", "hive_partitioning": True}
        for path in objects(folder):
            options["schema"] |= polars.read_parquet_schema(path)
        self.frame = polars.scan_parquet(folder, **options)

    def types(self):
        return {name: str(kind) for name, kind in self.frame.collect_schema().items()}

    def profile(self, kinds):
        frame = self.frame.collect()
        return {name: self.column(kind, frame[name]) for name, kind in kinds.items()}

    def column(self, kind, column):
        return [plain(value) for value in [len(column), column.null_count(), *self.FIGURES[kind](column)]]


class DataFusion(Sql):
    millis = "arrow_cast({0}, 'Int64')"

    def __init__(self, folder):
        config = datafusion.SessionConfig().set("datafusion.execution.time_zone", ZONE)
        self.context = datafusion.SessionContext(config)
        self.context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{folder}/'")

    def types(self):
        return {row["column_name"]: row["data_type"] for row in self.context.sql("DESCRIBE t").to_pylist()}

    def row(self, query):
        return [column[0].as_py() for column in self.context.sql(query).to_arrow_table().columns]


class ClickHouse(Sql):
    millis = "toUnixTimestamp64Milli({0})"

    def __init__(self, folder):
        self.source = f"file('{folder}/*/*.parquet', Parquet)"

    def ask(self, query):
        settings = f"schema_inference_mode = 'union', session_timezone = '{ZONE}'"
        return chdb.query(f"{query} SETTINGS {settings}", "ArrowTable")

    def types(self):
        """Without the `Nullable(…)` around the type of a column that may be null."""
        columns = self.ask(f"DESCRIBE {self.source}").to_pylist()
        return {column["name"]: re.sub(r"^Nullable\((.*)\)$", r"\1", column["type"]) for column in columns}

    def row(self, query):
        answer = self.ask(query.replace("FROM t", f"FROM {self.source}"))
        return [column[0].as_py() for column in answer.columns]


class Spark(Sql):
    millis = "unix_millis({0})"

    def __init__(self, folder):
        session = SparkSession.getActiveSession()
        self.frame = session.read.option("mergeSchema", True).parquet(str(folder))
        self.frame.createOrReplaceTempView("t")

    def types(self):
        return dict(self.frame.dtypes)

    def row(self, query):
        return self.frame.sparkSession.sql(query).first()
