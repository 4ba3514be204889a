"""The queries that README.md suggests, run."""

import re

import duckdb
from conftest import ROOT


def test_every_query_of_the_readme_gives_the_expected_answer(world):
    (block,) = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    queries = [query for query in block.replace("rollcall-demo", str(world)).split(";") if query.strip()]
    answers = [duckdb.sql(query).fetchall() for query in queries]
    viewings, people, incomplete = answers
    assert [row[0] for row in viewings] == ["网友1009", "网友1010", "网友1011"]
    assert ("+8619000101106", 2117, 29) in people
    assert incomplete == []


def test_the_query_for_incomplete_events_goes_by_the_last_visit_of_each_event(world, tmp_path):
    visits = f"read_parquet('{world}/lake/pulls/*/*.parquet', union_by_name = true)"
    owing = "SELECT * EXCLUDE (dt) REPLACE ('[\"snapshot\"]' AS owed, 'failed' AS outcome, 'no answer' AS error"
    (tmp_path / "lake/pulls/dt=2022-11-30").mkdir(parents=True)
    duckdb.sql(f"""
        COPY (
            {owing}) FROM {visits} WHERE event_id = 700001
            UNION ALL SELECT * EXCLUDE (dt) FROM {visits} WHERE event_id IN (700002, 700003)
            UNION ALL {owing}, pulled_at - INTERVAL 1 HOUR AS pulled_at) FROM {visits} WHERE event_id = 700002
        ) TO '{tmp_path}/lake/pulls/dt=2022-11-30/part-0.parquet'""")
    (block,) = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    *_, lacking = [query for query in block.replace("rollcall-demo", str(tmp_path)).split(";") if query.strip()]
    assert duckdb.sql(lacking).fetchall() == [(700001, "failed", '["snapshot"]', "no answer")]
