"""The vendor's sample answer, as an analyst finds it in DuckDB."""

from datetime import date, datetime, timezone

import pytest
from conftest import TABLES, connect

VIEWER = "+86-19000101106"


@pytest.fixture(scope="module")
def db(sample):
    return connect(sample)


def one(db, query):
    (row,) = db.sql(query).fetchall()
    return row if len(row) > 1 else row[0]


@pytest.mark.parametrize(
    ("table", "rows"),
    [("lives", 3), ("interactions", 1), ("viewer_details", 2), ("events", 1), ("pulls", 1), ("rejects", 0)],
)
def test_each_table_has_the_expected_number_of_rows(db, table, rows):
    assert one(db, f"SELECT count(*) FROM {table}") == rows


def test_the_viewings_of_a_viewer_sum_to_what_the_vendor_says(db):
    viewings = f"SELECT count(*), sum(watch_duration_seconds) FROM lives WHERE mobile = '{VIEWER}'"
    assert one(db, viewings) == (3, 86)
    assert one(db, f"SELECT duration_seconds FROM viewer_details WHERE mobile = '{VIEWER}'") == 86


def test_an_identifier_is_text_in_every_table(db):
    for table in ["lives", "interactions", "viewer_details", "events"]:
        assert one(db, f"SELECT DISTINCT typeof(host_id), host_id FROM {table}") == ("VARCHAR", "88589655")


def test_a_time_is_stored_as_an_instant_a_wall_clock_and_a_day(db):
    first = one(db, "SELECT online_time, online_date, dt FROM lives ORDER BY online_time LIMIT 1")
    instant = datetime(2022, 10, 26, 8, 27, 3, tzinfo=timezone.utc)
    assert first == (instant, datetime(2022, 10, 26, 16, 27, 3), date(2022, 10, 26))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_the_wall_clock_matches_the_day_under_every_session_zone(sample, zone):
    db = connect(sample, zone)
    for table in ["lives", "interactions"]:
        assert one(db, f"SELECT count(*) FILTER (date(online_date) <> dt) FROM {table}") == 0
    assert one(db, "SELECT min(online_date) FROM lives") == datetime(2022, 10, 26, 16, 27, 3)


def test_two_viewers_are_one_person_in_all_tables(db):
    assert one(db, "SELECT count(*), count(DISTINCT person_key) FROM viewer_details") == (2, 1)
    for table in ["lives", "interactions", "viewer_details"]:
        assert one(db, f"SELECT DISTINCT person_key FROM {table}") == "+8619000101106"


def test_every_field_has_its_column(db):
    for table in ["lives", "interactions", "viewer_details"]:
        assert one(db, f"SELECT count(*), count(extra) FROM {table}")[1] == 0


def test_codes_and_labels_become_the_same_words(db):
    assert one(db, "SELECT list(live_type ORDER BY online_time) FROM lives") == ["live", "replay", "replay"]
    assert one(db, "SELECT role, live_type, auth_type FROM interactions") == ("host", "live", None)
    details = one(db, f"SELECT entry, live_type, whitelisted, survey FROM viewer_details WHERE mobile = '{VIEWER}'")
    assert details == ("live", "both", False, False)
    assert one(db, "SELECT DISTINCT auth_type, whitelist_type FROM lives") == ("public", "0")


def test_the_visit_says_that_everything_adds_up(db):
    pulls = "outcome, received, rows, rejects, outside, counted, days_checked, days_differing, owed"
    assert one(db, f"SELECT {pulls} FROM pulls") == ("complete", 12, 6, 0, 0, 6, 1, 0, "[]")
    assert one(db, "SELECT detail_seconds, session_seconds FROM pulls") == (2146, 2146)
    times = "detail_live_times, session_live_times, detail_replay_times, session_replay_times"
    assert one(db, f"SELECT {times} FROM pulls") == (2, 2, 2, 2)


def test_the_event_keeps_no_link_and_no_passcode(sample):
    for path in sample.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            words = [b"joinUrl", b"join_url", b"hostPassword", b"host_password", b"secret-", b"rtmp"]
            assert [word for word in words if word in content] == [], path


def test_every_table_of_every_day_can_be_read(world):
    db = connect(world)
    days = {table: one(db, f"SELECT count(*) FROM glob('{world}/lake/{table}/*/*.parquet')") for table in TABLES}
    assert len(set(days.values())) == 1 and days["lives"] > 20
    assert one(db, "SELECT count(*) FILTER (date(online_date) <> dt) FROM lives") == 0
    assert one(db, "SELECT count(*) FILTER (detail_seconds <> session_seconds OR days_differing > 0) FROM pulls") == 0


def test_the_footer_says_what_the_file_is(sample):
    db = connect(sample)
    footer = dict(
        db.sql(
            "SELECT decode(key), decode(value) FROM "
            f"parquet_kv_metadata('{sample}/lake/lives/dt=2022-10-26/part-0.parquet')"
        ).fetchall()
    )
    assert (footer["rollcall.table"], footer["rollcall.day"]) == ("lives", "2022-10-26")
    assert footer["rollcall.format"] == "1" and footer["rollcall.program"].startswith("rollcall ")
    assert '"event_id":609768' in footer["rollcall.cells"]
