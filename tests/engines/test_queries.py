"""What analysts ask, as in samples/queries, answered a second time from the vendor's own answers."""

import json
import math
import re
import subprocess
import urllib.request
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import duckdb
import pytest
import sqlglot
from conftest import BINARIES, ROOT, TOKEN
from sqlglot import exp

QUERIES = {path.stem: path.read_text() for path in sorted((ROOT / "samples" / "queries").glob("*.sql"))}
ZONES = ["UTC", "Asia/Shanghai", "America/New_York"]
# Functions that DuckDB and Athena both have, with the same meaning as far as the queries use them.
COMMON = """avg coalesce count date date_diff greatest length lower max min min_by nullif round row_number split_part substr
    sum translate trim""".split()
# The customers in customers-who-came: name, mobile as in person_key, mail in lower case, own identifier.
CUSTOMERS = [
    ("by mobile", "+8619014051405", None, None),
    ("by mail", None, "marketing120625@example.com", None),
    ("by our own identifier", None, None, "crm-81736038"),
    ("never came", "+12125550100", "nobody@example.com", "crm-0"),
]


class Event(NamedTuple):
    """An event as the vendor lists it."""

    id: int
    title: str
    start: int
    end: int


class Viewing(NamedTuple):
    """A record of lives or interactions."""

    event: Event
    person: str
    key: str | None
    identifiers: set
    is_host: bool
    is_live: bool
    online: int
    offline: int
    seconds: int
    record: dict

    def minute(self, seconds):
        """Whole minutes from the event's start."""
        return (seconds - self.event.start) // 60


class Vendor(NamedTuple):
    """All events that were held, and all viewings."""

    events: list
    viewings: list

    def attending(self, live=None):
        """The viewings of those who did not host the event; only the live ones or only the replays, if asked."""
        hosts = {(viewing.event, viewing.person) for viewing in self.viewings if viewing.is_host}
        viewings = [viewing for viewing in self.viewings if (viewing.event, viewing.person) not in hosts]
        return [viewing for viewing in viewings if live in (None, viewing.is_live)]

    def people(self):
        """The viewings of each event's viewers, by event and person."""
        return grouped(self.attending(), lambda viewing: (viewing.event, viewing.person))


def grouped(viewings, key):
    """Lists of viewings, by the `key` of each."""
    groups = defaultdict(list)
    for viewing in viewings:
        groups[key(viewing)].append(viewing)
    return groups


def ask(api, path, **parameters):
    """The data of the vendor's answer."""
    body = json.dumps({"token": TOKEN, **parameters}).encode()
    with urllib.request.urlopen(f"{api}/eventopenapi/event/{path}", body) as answer:
        return json.load(answer)["data"]


def sent(record, key):
    """A value as text, as sent; None for each of the vendor's ways to say that there is none."""
    value = record.get(key)
    return None if value in (None, "", "-") else str(value)


def person_key(record):
    """The mobile number as plus and digits, else the mail address in lower case, else the user's own identifier."""
    mobile, email = sent(record, "mobile"), sent(record, "email")
    if mobile:
        country = "" if mobile.startswith("+") else sent(record, "countryCode") or "+86"
        return "+" + re.sub(r"\D", "", country + mobile)
    return email.lower() if email else sent(record, "extId")


def known_by(key, email, ext_id):
    """The identifiers by which somebody is known, each with its kind."""
    return {(kind, value) for kind, value in [("key", key), ("email", email), ("extId", ext_id)] if value}


def read(event, record):
    """A viewing from its record."""
    by = ["distinctId", "mobile", "email", "extId", "viewerId"]
    key = person_key(record)
    return Viewing(
        event=event,
        person=key or next(sent(record, name) for name in by if sent(record, name)),
        key=key,
        identifiers=known_by(key, (sent(record, "email") or "").lower(), sent(record, "extId")),
        is_host=record.get("role") == 4 or record["iden"] == "主持人",
        is_live=record["live_type"] == 0,
        online=record["online_time"],
        offline=record["offline_time"],
        seconds=record.get("watch_duration", record.get("online_duration")),
        record=record,
    )


@pytest.fixture(scope="module")
def vendor(api):
    """What the vendor knows, asked without the program."""
    october, december = 1_664_553_600, 1_669_824_000
    listed = ask(api, "public/list", startTime=october, endTime=december, page=0, count=1000)
    held = [row for row in listed if row["status"] != 0]
    events = [Event(row["eventId"], row["title"], row["startTime"], row["endTime"]) for row in held]
    viewings = []
    for event in events:
        report = ask(api, "report/details", eventId=event.id)["report"]
        viewings += [read(event, record) for record in report["lives"] + report["interactions"]]
    assert len(events) == 23 and len(viewings) > 2000
    return Vendor(events, viewings)


def open_lake(store, zone):
    """DuckDB with the tables and views that the program describes."""
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{zone}'")
    schema = [BINARIES / "rollcall", "schema", "duckdb", "--store", store]
    connection.execute(subprocess.run(schema, check=True, capture_output=True, text=True).stdout)
    return connection


@pytest.fixture(scope="module")
def lakes(world):
    """The world's lake under each session zone, for reading."""
    return [open_lake(world, zone) for zone in ZONES]


@pytest.fixture
def lake(world):
    """The world's lake, to alter at will."""
    return open_lake(world, "UTC")


def answer(connection, query):
    """The rows, in an order that does not depend on the engine."""
    return in_order(connection.sql(query).fetchall())


def in_order(rows):
    """Rows as tuples, sorted; instants in UTC, whatever zone they are shown in."""
    utc = [tuple(as_utc(value) for value in row) for row in rows]
    return sorted(utc, key=repr)


def as_utc(value):
    is_instant = isinstance(value, datetime) and value.tzinfo
    return value.astimezone(timezone.utc) if is_instant else value


def alter(connection, table, *selects):
    """Replaces a table by what the selects make of it."""
    connection.execute(f"CREATE TABLE altered_{table} AS {' UNION ALL BY NAME '.join(selects)}")
    connection.execute(f"CREATE OR REPLACE VIEW {table} AS FROM altered_{table}")


def clock(seconds):
    """The lake's wall clock, which is the vendor's."""
    return datetime.fromtimestamp(seconds, timezone(timedelta(hours=8))).replace(tzinfo=None)


def total(viewings):
    return sum(viewing.seconds for viewing in viewings)


def persons(viewings):
    return {viewing.person for viewing in viewings}


def attendance(vendor):
    viewings = grouped(vendor.attending(), lambda viewing: viewing.event)
    for event in vendor.events:
        came = viewings[event]
        live = [viewing for viewing in came if viewing.is_live]
        day = clock(event.start).date()
        yield event.id, event.title, day, len(persons(came)), len(persons(live)), len(came), total(came)


def online_in(viewings):
    """How many people were online in each minute from the first to the last, and the one after it."""
    first = min(viewing.minute(viewing.online) for viewing in viewings)
    last = max(viewing.minute(viewing.offline) for viewing in viewings)

    def online(minute):
        return (each for each in viewings if each.minute(each.online) <= minute <= each.minute(each.offline))

    return {minute: len(persons(online(minute))) for minute in range(first, last + 2)}


def online_by_minute(vendor):
    viewings = [viewing for viewing in vendor.attending(live=True) if viewing.event.id == 700016]
    came = {viewing.minute(viewing.online) for viewing in viewings}
    gone = {viewing.minute(viewing.offline) + 1 for viewing in viewings}
    return [(minute, people) for minute, people in online_in(viewings).items() if minute in came | gone]


def online_peak(vendor):
    for event, viewings in grouped(vendor.attending(live=True), lambda viewing: viewing.event).items():
        online = online_in(viewings)
        most = max(online.values())
        yield event.id, most, min(minute for minute, people in online.items() if people == most)


def left_early(vendor):
    for (event, person), viewings in vendor.people().items():
        left = [viewing.minute(viewing.offline) for viewing in viewings if viewing.is_live]
        names = [sent(viewing.record, "name") for viewing in viewings]
        name = max(names, key=lambda name: (not name.startswith("网友"), name))
        if left and max(left) < 10:
            yield event.id, event.title, person, name, max(left), len(viewings) - len(left)


def live_against_replay(vendor):
    live = grouped(vendor.attending(live=True), lambda viewing: viewing.event)
    replay = grouped(vendor.attending(live=False), lambda viewing: viewing.event)
    for event in vendor.events:
        watched = persons(live[event]), persons(replay[event])
        counts = len(watched[0]), len(watched[1]), len(watched[0] & watched[1])
        yield event.id, event.title, *counts, total(live[event]), total(replay[event])


def replays_by_day(vendor):
    def days_after(viewing):
        return (clock(viewing.online).date() - clock(viewing.event.end).date()).days

    for (event, days), replays in grouped(
        vendor.attending(live=False), lambda viewing: (viewing.event, days_after(viewing))
    ).items():
        if days <= 7:
            yield event.id, days, len(replays), len(persons(replays)), total(replays)


def repeat_attendance(vendor):
    came = {(viewing.event, viewing.key) for viewing in vendor.attending() if viewing.key}
    return Counter(Counter(key for _, key in came).values()).items()


def leads_by_company(vendor):
    companies = defaultdict(list)
    for viewings in vendor.people().values():
        named = [sent(viewing.record, "company") for viewing in viewings]
        companies[max(filter(None, named), default="unknown")] += viewings
    for company, viewings in companies.items():
        yield company, len(persons(viewings)), len({viewing.event for viewing in viewings}), total(viewings)


def leads_by(field):
    """The answer to a question about one field, which says where or how each viewing took place."""

    def leads(vendor):
        by_value = grouped(vendor.attending(), lambda viewing: sent(viewing.record, field) or "unknown")
        for value, viewings in by_value.items():
            yield value, len(persons(viewings)), len(viewings), total(viewings)

    return leads


def engagement(vendor):
    acts = ["chat_num", "praise_num", "quiz_num", "question_num", "vote_num", "sign_num", "share_num"]
    for event, viewings in grouped(vendor.attending(), lambda viewing: viewing.event).items():
        people = len(persons(viewings))
        sums = [sum(viewing.record[act] or 0 for viewing in viewings) for act in acts]
        means = [math.floor(100 * number / people + 0.5) / 100 for number in sums]
        yield event.id, event.title, people, *means


def came_from(customers):
    """The answer to the question which of these customers came."""

    def came(vendor):
        for name, *identifiers in customers:
            wanted = known_by(*identifiers)
            found = {viewing.person for viewing in vendor.viewings if wanted & viewing.identifiers}
            mine = [viewing for viewing in vendor.viewings if viewing.person in found]
            for event, viewings in grouped(mine, lambda viewing: viewing.event).items():
                first = clock(min(viewing.online for viewing in viewings))
                yield name, event.id, event.title, len(viewings), total(viewings), first

    return came


def events_without_viewers(vendor):
    attended = {viewing.event for viewing in vendor.attending()}
    hosted = grouped(vendor.viewings, lambda viewing: viewing.event)
    for event in set(vendor.events) - attended:
        online = [viewing.online for viewing in hosted.get(event, [])]
        first_day = clock(min(online)).date() if online else None
        yield event.id, event.title, clock(event.start), "ended", "complete", first_day


def nothing(_):
    """The answer where all is well: everything was pulled after everything had happened."""
    return []


ANSWERS = {
    "attendance": attendance,
    "customers-who-came": came_from(CUSTOMERS),
    "engagement": engagement,
    "events-without-viewers": events_without_viewers,
    "health-checks": nothing,
    "health-incomplete": nothing,
    "leads-by-company": leads_by_company,
    "leads-by-device": leads_by("device_type"),
    "leads-by-region": leads_by("location"),
    "left-early": left_early,
    "live-against-replay": live_against_replay,
    "online-by-minute": online_by_minute,
    "online-peak": online_peak,
    "repeat-attendance": repeat_attendance,
    "replays-by-day": replays_by_day,
}


def test_every_query_is_compared_with_the_vendors_data():
    assert set(QUERIES) == {*ANSWERS, "health-freshness"}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_one_statement_that_athena_parses(name):
    query = QUERIES[name]
    (statement,) = sqlglot.parse(query, dialect="athena", error_level=sqlglot.ErrorLevel.RAISE)
    assert isinstance(statement, exp.Query) and query.count(";") == 1
    assert 1 <= re.match(r"(?:-- .+\n)*", query).group().count("\n") <= 6


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_uses_nothing_that_the_engines_read_differently(name):
    code = re.sub(r"'[^']*'|--.*", "", QUERIES[name])
    assert set(re.findall(r"\b([a-z_]+)\(", code)) <= set(COMMON)
    assert not re.search(r"(?<!\*) / ", code), "division differs"
    # DuckDB's sums have 128 bits, which become doubles in Parquet.
    assert re.findall(r"CAST\(\w+.*? AS (\w+)\) AS", code) == ["bigint"] * code.count("CAST("), "other casts differ"
    for group in sqlglot.parse_one(QUERIES[name], dialect="athena").find_all(exp.Group):
        by_alias = [key.sql() for key in group.expressions if isinstance(key, exp.Column) and not key.table]
        assert by_alias == [], "only DuckDB groups by an alias"


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_gives_the_same_answer_under_every_session_zone(lakes, name):
    first, *others = [answer(lake, QUERIES[name]) for lake in lakes]
    assert others == [first, first]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_gives_the_answer_that_follows_from_the_vendors_data(lakes, vendor, name):
    expected = in_order(ANSWERS[name](vendor))
    assert answer(lakes[0], QUERIES[name]) == expected
    assert (expected == []) == (ANSWERS[name] is nothing)


def test_freshness_is_that_of_the_last_visit_and_of_the_newest_day(lakes, vendor):
    ((pulled_through, all_pulled_through, newest_day),) = answer(lakes[0], QUERIES["health-freshness"])
    assert timedelta() < datetime.now(timezone.utc) - pulled_through < timedelta(hours=1)
    assert all_pulled_through is None, "no event is visited any more"
    assert newest_day == clock(max(viewing.online for viewing in vendor.viewings)).date()


@pytest.mark.parametrize("outcome", ["complete", "failed"])
def test_freshness_of_all_is_that_of_the_open_event_pulled_longest_ago(lake, outcome):
    closed, old, new = [datetime(2022, 11, day, tzinfo=timezone.utc) for day in (1, 2, 3)]
    through = f"CASE event_id WHEN 700001 THEN '{new}' WHEN 700002 THEN '{old}' ELSE '{closed}' END"
    replaced = f"event_id NOT IN (700001, 700002) AS closed, CAST({through} AS TIMESTAMPTZ) AS pulled_through"
    last = f"CASE event_id WHEN 700001 THEN '{outcome}' ELSE outcome END AS outcome"
    alter(lake, "events", f"SELECT * REPLACE ({replaced}, {last}) FROM events")
    # If the last visit of an open event was not complete, something earlier is owed.
    expected = old if outcome == "complete" else None
    assert answer(lake, QUERIES["health-freshness"])[0][:2] == (new, expected)


@pytest.mark.parametrize(
    "name", ["repeat-attendance", "leads-by-company", "leads-by-device", "leads-by-region"]
)
def test_somebody_who_comes_to_two_events_is_one_person(lake, vendor, name):
    again = "SELECT * REPLACE (700005 AS event_id) FROM lives WHERE event_id = 700004"
    alter(lake, "lives", "SELECT * FROM lives", again)
    empty = next(event for event in vendor.events if event.id == 700005)
    those = [viewing for viewing in vendor.viewings if viewing.event.id == 700004]
    lives = [viewing._replace(event=empty) for viewing in those if "role" not in viewing.record]
    twice = in_order(ANSWERS[name](Vendor(vendor.events, vendor.viewings + lives)))
    assert answer(lake, QUERIES[name]) == twice != in_order(ANSWERS[name](vendor))


@pytest.mark.parametrize("name", ["left-early", "online-by-minute", "online-peak"])
def test_minutes_count_from_the_scheduled_start(lake, vendor, name):
    alter(lake, "events", "SELECT * REPLACE (start_time + INTERVAL 40 MINUTE AS start_time) FROM events")
    later = {event: event._replace(start=event.start + 40 * 60) for event in vendor.events}
    viewings = [viewing._replace(event=later[viewing.event]) for viewing in vendor.viewings]
    expected = in_order(ANSWERS[name](Vendor(list(later.values()), viewings)))
    assert answer(lake, QUERIES[name]) == expected
    assert name != "left-early" or 9 in {row[4] for row in expected}


@pytest.mark.parametrize("name", ["left-early", "online-by-minute", "online-peak", "replays-by-day"])
def test_an_event_is_left_out_if_the_start_or_end_that_a_query_counts_from_is_unknown(lake, name):
    column, kind = ("end_date", "TIMESTAMP") if name == "replays-by-day" else ("start_time", "TIMESTAMPTZ")
    alter(lake, "events", f"SELECT * REPLACE (CAST(NULL AS {kind}) AS {column}) FROM events")
    assert answer(lake, QUERIES[name]) == []


def with_customers(rows):
    """The query of a reader who has put in their own list of customers."""
    values = re.sub("None", "NULL", ",\n".join(map(repr, rows)))
    return re.sub(r"VALUES\n.*?\n\)", f"VALUES {values})", QUERIES["customers-who-came"], flags=re.DOTALL)


def test_customers_are_found_however_their_identifiers_are_written(lake, vendor):
    known = sorted(set().union(*(viewing.identifiers for viewing in vendor.viewings)))
    national = [value[3:] for kind, value in known if kind == "key" and value.startswith("+86")]
    emails = [value for kind, value in known if kind == "email"]
    ext_ids = [value for kind, value in known if kind == "extId"]
    ways = ["{0}", "+86 {0}", "0086-{0}", "86{0}", "+86-{0}", "({0})", "00 86 {0}", "+86.{0}"]
    ways += ["0{0}", "+86 (0){0}", "+0086 {0}"]
    listed = [(number, ways[at % len(ways)].format(number), None, None) for at, number in enumerate(national)]
    listed += [(email, None, f" {email.upper()} ", None) for email in emails]
    listed += [(ext_id, "", None, f"{ext_id} ") for ext_id in ext_ids]
    customers = [(number, f"+86{number}", None, None) for number in national]
    customers += [(email, None, email, None) for email in emails]
    customers += [(ext_id, None, None, ext_id) for ext_id in ext_ids]
    expected = in_order(came_from(customers)(vendor))
    assert answer(lake, with_customers(listed)) == expected and len(expected) > 800


def test_a_customer_who_gave_their_address_once_is_found_in_all_their_viewings(lake, vendor):
    # Somebody who is known by a mobile number.
    people = grouped([viewing for viewing in vendor.viewings if (viewing.key or "").startswith("+")], lambda v: v.person)
    person, mine = next((person, mine) for person, mine in people.items() if len({v.online for v in mine}) > 2)
    first = clock(min(viewing.online for viewing in mine))
    told = f"CASE WHEN online_date = TIMESTAMP '{first}' THEN 'once@example.com' END"
    for table in ["lives", "interactions"]:
        mail = f"CASE WHEN person_key = '{person}' THEN {told} ELSE email END AS email"
        alter(lake, table, f"SELECT * REPLACE ({mail}) FROM {table}")
    rows = answer(lake, with_customers([("by mail", None, "Once@Example.com", None)]))
    assert sum(sessions for _, _, _, sessions, *_ in rows) == len(mine)
    assert sum(seconds for *_, seconds, _ in rows) == total(mine)


def test_a_name_that_the_vendor_made_up_gives_way_to_any_other(lake):
    rows = [("张伟", "网友1010", "a"), ("Zoe", "网友7", "b"), ("网友1010", "网友7", "c"), ("王芳", "李娜", "d")]
    said = ", ".join(f"('{one}', '{other}', '{person}')" for one, other, person in rows)
    alter(
        lake,
        "lives",
        "SELECT l.* REPLACE (n.name AS name, n.person AS person_key) "
        "FROM (SELECT * FROM lives ORDER BY online_time LIMIT 1) l, "
        f"(SELECT unnest([one, other]) AS name, person FROM (VALUES {said}) v(one, other, person)) n",
    )
    found = dict(lake.sql("SELECT person, name FROM people WHERE person IN ('a', 'b', 'c', 'd')").fetchall())
    assert found == {"a": "张伟", "b": "Zoe", "c": "网友7", "d": "王芳"}


@pytest.mark.parametrize("days", [-3, 0, 7, 8])
def test_a_replay_counts_from_the_day_of_the_end_up_to_the_seventh_after(lake, days):
    end = "CASE event_id WHEN 700016 THEN TIMESTAMP '2022-11-10 12:00:00' ELSE end_date END AS end_date"
    alter(lake, "events", f"SELECT * REPLACE ({end}) FROM events")
    day = f"DATE '2022-11-10' + {days} AS dt"
    alter(lake, "lives", f"SELECT * REPLACE ({day}) FROM lives WHERE event_id = 700016 AND live_type = 'replay'")
    found = {row[1] for row in answer(lake, QUERIES["replays-by-day"]) if row[0] == 700016}
    assert (days in found) == (days <= 7)


def test_the_day_of_an_event_is_that_of_its_rows_even_if_it_was_moved(lake):
    before = answer(lake, QUERIES["attendance"])
    alter(lake, "events", "SELECT * REPLACE (start_date + INTERVAL 5 DAY AS start_date) FROM events")
    assert answer(lake, QUERIES["attendance"]) == before


def test_speakers_can_be_told_from_other_viewers(lake, vendor):
    spoke = [viewing for viewing in vendor.viewings if viewing.record.get("role") == 5]
    found = lake.sql("SELECT count(*) FROM sessions WHERE role = 'speaker' AND NOT is_host").fetchone()
    assert spoke and found == (sum(not viewing.is_host for viewing in spoke),)
    others = lake.sql("SELECT count(*) FROM sessions WHERE role IS NULL AND entry = 'interaction'").fetchone()
    assert others == (0,)


def test_a_list_of_customers_may_lack_some_of_the_identifiers(lake):
    query = with_customers([("by mobile", "19014051405", None, None)])
    assert [row[:2] for row in answer(lake, query)] == [("by mobile", 700012)]


def test_the_first_of_several_values_in_a_text_counts_or_the_second_if_the_first_is_a_dash(lake):
    alter(lake, "lives", "SELECT * REPLACE ('-,陕西西安' AS location, 'PC,IOS' AS device_type) FROM lives")
    assert {row[0] for row in answer(lake, QUERIES["leads-by-device"])} >= {"PC"}
    assert "PC,IOS" not in {row[0] for row in answer(lake, QUERIES["leads-by-device"])}
    regions = {row[0] for row in answer(lake, QUERIES["leads-by-region"])}
    assert "陕西西安" in regions and not any("," in region for region in regions)


def test_viewings_that_do_not_say_who_came_count_as_no_people(lake, vendor):
    # The `viewer_id` stays, but each viewing has its own, so it tells nobody apart.
    names = ["person_key", "distinct_id", "mobile", "email", "ext_id"]
    nothing_told = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in names)
    for table in ["lives", "interactions"]:
        alter(lake, table, f"SELECT * REPLACE ({nothing_told}) FROM {table}")
    # That somebody was a host is known of a viewing, but not of a person.
    attending = [viewing for viewing in vendor.viewings if not viewing.is_host]
    by_event = grouped(attending, lambda viewing: viewing.event)
    for event, _, _, people, live_people, sessions, seconds in answer(lake, QUERIES["attendance"]):
        found = by_event.get(next((known for known in by_event if known.id == event), None), [])
        assert (people, live_people, sessions, seconds) == (0, 0, len(found), total(found))
    for name in ["leads-by-region", "leads-by-device"]:
        rows = answer(lake, QUERIES[name])
        assert {people for _, people, *_ in rows} == {0}
        assert sum(sessions for _, _, sessions, _ in rows) == len(attending)
    rows = answer(lake, QUERIES["leads-by-company"])
    assert len(rows) > 2 and {people for _, people, *_ in rows} == {0}
    assert sum(seconds for *_, seconds in rows) == total(attending)
    of_nobody = "count(person_key) + count(name) + count(company)"
    assert answer(lake, f"SELECT {of_nobody}, count(person), count(*) > 0 FROM people") == [(0, 0, True)]
    replays = answer(lake, QUERIES["replays-by-day"])
    assert replays and {people for *_, people, _ in replays} == {0}
    for name in ["engagement", "left-early", "online-by-minute", "online-peak", "repeat-attendance"]:
        assert answer(lake, QUERIES[name]) == []


@pytest.mark.parametrize(
    ("told", "people"),
    [
        ({"distinct_id": "+86-190****1106", "mobile": "190****1106", "email": "n/a", "ext_id": "*0234"}, 0),
        ({"email": "l***@example.com"}, 0),
        ({"email": "@"}, 0),
        ({"email": "hmac:00ff"}, 1),
        ({"email": "a@b"}, 1),
        ({"mobile": "190****1106", "ext_id": "c-7"}, 1),
    ],
)
def test_only_values_that_identify_somebody_make_a_person(lake, told, people):
    names = ["person_key", "distinct_id", "mobile", "email", "ext_id"]
    values = {name: f"'{told[name]}'" if name in told else "CAST(NULL AS VARCHAR)" for name in names}
    replaced = ", ".join(f"{value} AS {name}" for name, value in values.items())
    for table in ["lives", "interactions"]:
        alter(lake, table, f"SELECT * REPLACE ({replaced}) FROM {table}")
    # All viewings of an event look alike, and so belong to one person, or to nobody.
    found = lake.sql("SELECT event_id, count(person) FROM people GROUP BY 1").fetchall()
    assert found and {count for _, count in found} == {people}


def test_somebody_whose_time_of_leaving_is_unknown_has_not_left_early(lake):
    before = answer(lake, QUERIES["left-early"])
    person = before[0][2]
    offline = f"CASE WHEN person_key <> '{person}' THEN offline_time END AS offline_time"
    alter(lake, "lives", f"SELECT * REPLACE ({offline}) FROM lives")
    assert answer(lake, QUERIES["left-early"]) == before[1:]


@pytest.mark.parametrize("name", ["online-by-minute", "online-peak"])
def test_a_viewing_without_an_end_counts_in_its_first_minute(lake, vendor, name):
    for table in ["lives", "interactions"]:
        alter(lake, table, f"SELECT * REPLACE (CAST(NULL AS TIMESTAMPTZ) AS offline_time) FROM {table}")
    moments = [viewing._replace(offline=viewing.online) for viewing in vendor.viewings]
    assert answer(lake, QUERIES[name]) == in_order(ANSWERS[name](Vendor(vendor.events, moments)))


def test_whether_an_event_is_incomplete_depends_on_its_last_visit_alone(lake):
    alter(
        lake,
        "pulls",
        "SELECT * FROM pulls WHERE event_id NOT IN (700001, 700002, 700005)",
        "SELECT * REPLACE ('failed' AS outcome, 'no answer' AS error) FROM pulls WHERE event_id = 700001",
        # It was complete before the vendor forgot it.
        "SELECT * REPLACE ('failed' AS outcome, 'no event' AS error) FROM pulls WHERE event_id = 700005",
        "SELECT * REPLACE ('[\"2022-10-30\"]' AS owed) FROM pulls WHERE event_id = 700002",
        "SELECT * REPLACE ('failed' AS outcome, pulled_at - INTERVAL '1' HOUR AS pulled_at) "
        "FROM pulls WHERE event_id = 700004",
    )
    # The first visit of 700001 failed before the event's day was known; the day of 700006 was deleted, for its age.
    open_event = "SELECT * REPLACE (event_id <> 700003 AS closed) FROM events WHERE event_id NOT IN (700001, 700006)"
    alter(lake, "events", open_event)
    rows = [(row[0], *row[2:6]) for row in answer(lake, QUERIES["health-incomplete"])]
    assert rows == [
        (700001, "failed", "[]", False, "no answer"),
        (700002, "complete", '["2022-10-30"]', True, None),
        (700003, "complete", "[]", False, None),
    ]


def test_a_check_that_disagrees_is_shown_until_a_visit_finds_that_it_agrees(lake):
    compared = ["days_checked", "days_differing"]
    compared += [f"{of}_{sum}" for of in ["detail", "session"] for sum in ["seconds", "live_times", "replay_times"]]
    nothing_compared = ", ".join(f"CAST(NULL AS BIGINT) AS {name}" for name in compared)
    earlier = "pulled_at - INTERVAL '1' HOUR AS pulled_at"
    alter(
        lake,
        "pulls",
        "SELECT * FROM pulls WHERE event_id NOT IN (700001, 700002, 700003, 700005, 700006)",
        # Compared an hour ago, and not since.
        f"SELECT * REPLACE (2::BIGINT AS days_differing, {earlier}) FROM pulls WHERE event_id = 700001",
        f"SELECT * REPLACE ({nothing_compared}) FROM pulls WHERE event_id = 700001",
        "SELECT * REPLACE (session_seconds + 60 AS detail_seconds) FROM pulls WHERE event_id = 700002",
        "SELECT * REPLACE (received + 3 AS received) FROM pulls WHERE event_id = 700003",
        # A later visit found that both agree.
        f"SELECT * REPLACE (received + 3 AS received, 1::BIGINT AS days_differing, {earlier}) "
        "FROM pulls WHERE event_id = 700004",
        # The records of somebody to be forgotten explain the difference.
        "SELECT * REPLACE (received + 3 AS received, 3::BIGINT AS suppressed) FROM pulls WHERE event_id = 700005",
        "SELECT * REPLACE (session_live_times + 4 AS detail_live_times, session_replay_times - 1 AS detail_replay_times) "
        "FROM pulls WHERE event_id = 700006",
    )
    rows = [row[:6] for row in answer(lake, QUERIES["health-checks"])]
    assert rows == [
        (700001, 2, 0, 0, 0, 0),
        (700002, 0, 60, 0, 0, 0),
        (700003, 0, 0, 0, 0, 3),
        (700006, 0, 0, 4, -1, 0),
    ]
