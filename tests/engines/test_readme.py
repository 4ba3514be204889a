"""What README tells a reader to ask, asked."""

import re

import duckdb
from conftest import ROOT


def test_every_query_of_the_readme_answers(world):
    (block,) = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    queries = [query for query in block.replace("rollcall-data", str(world)).split(";") if query.strip()]
    answers = [duckdb.sql(query).fetchall() for query in queries]
    viewings, people, incomplete = answers
    assert [row[0] for row in viewings] == ["网友1009", "网友1010", "网友1011"]
    assert ("+8619000101106", 2117, 29) in people
    assert incomplete == []
