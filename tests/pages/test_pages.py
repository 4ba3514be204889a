"""What a host sees: the same figures as SQL finds over the same files, in a browser that asks nobody else for anything."""

import csv
import io
import re

import pytest
from conftest import ROOT, draw

QUERIES = {path.stem: path.read_text() for path in (ROOT / "samples/queries").glob("*.sql")}
DEEDS = {
    "chat messages": "chats",
    "likes": "praises",
    "questions asked": "questions_asked",
    "quizzes answered": "quizzes_answered",
    "votes": "votes",
    "roll calls signed": "signs",
    "hands raised": "raised_hands",
    "shares": "shares",
    "clicks on goods": "goods_hits",
}


def answers(sql, query):
    """The rows of one of the questions in samples/queries, by event."""
    found = sql.sql(QUERIES[query])
    return {row[0]: dict(zip(found.columns, row)) for row in found.fetchall()}


def number(text):
    return int(text.replace(",", ""))


def clock(seconds):
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def bars(page, section):
    """Names and numbers of a section's bars."""
    names = page.locator(f"#{section} .name").all_inner_texts()
    numbers = page.locator(f"#{section} .number").all_inner_texts()
    return dict(zip(names, [[number(part) for part in text.split("·")] for text in numbers]))


def test_the_figures_of_every_event_are_those_of_sql_over_the_same_files(pages, sql, look):
    came, both, peaks, engaged = (
        answers(sql, query) for query in ("attendance", "live-against-replay", "online-peak", "engagement")
    )
    assert len(came) == 23 and len(peaks) > 10 and len(engaged) > 10
    for event_id in came:
        page = look(pages / f"{event_id}.html")
        shown = {name: page.inner_text(f"#{name}") for name in "people live-people replay-people people-both peak viewings seconds".split()}
        expected = {
            "people": came[event_id]["people"],
            "live-people": both[event_id]["live_people"],
            "replay-people": both[event_id]["replay_people"],
            "people-both": both[event_id]["people_both"],
            "peak": peaks.get(event_id, {}).get("people", 0),
            "viewings": came[event_id]["sessions"],
            "seconds": clock(came[event_id]["seconds"]),
        }
        assert shown == {name: str(value) for name, value in expected.items()}, event_id
        if event_id in peaks:
            minute = peaks[event_id]["minute"]
            begins = f"SELECT start_date, start_date + INTERVAL ({minute}) MINUTE FROM events WHERE event_id = {event_id}"
            start, at = sql.sql(begins).fetchone()
            shown = at.strftime("%H:%M" if at.date() == start.date() else "%m-%d %H:%M")
            assert page.inner_text("#peak-at") == shown, event_id
        means = {DEEDS[row.locator("td").first.inner_text()]: row.locator("td").last.inner_text() for row in page.locator("#deeds tbody tr").all()}
        asked = {deed: f"{mean:.2f}" for deed, mean in engaged.get(event_id, {}).items() if deed in DEEDS.values()}
        assert {deed: means[deed] for deed in asked} == asked, event_id


@pytest.mark.parametrize("event_id", [700001, 700004, 700006])
def test_groups_watch_times_and_deeds_are_those_of_sql(pages, sql, look, event_id):
    page = look(pages / f"{event_id}.html")
    viewers = f"(SELECT * FROM people WHERE event_id = {event_id} AND NOT is_host)"

    def expected(query):
        of_the_event, times = re.subn("WHERE NOT", f"WHERE p.event_id = {event_id} AND NOT", QUERIES[query])
        assert times == 1, query
        found = sql.sql(of_the_event)
        return {name: [people] for name, people, *_ in found.fetchall()}

    for section, query in [("regions", "leads-by-region"), ("devices", "leads-by-device"), ("companies", "leads-by-company")]:
        groups = expected(query)
        assert 0 < len(groups) <= 15
        assert bars(page, section) == groups, section

    times = bars(page, "watch-times")
    bounds = [0, 5, 15, 30, 60, 120, 10**9]
    for (name, counted), low, high in zip(times.items(), bounds, bounds[1:]):
        held = [
            sql.sql(f"SELECT count(*) FROM {viewers} WHERE {kind}_sessions > 0 AND {kind}_seconds // 60 >= {low} AND {kind}_seconds // 60 < {high}").fetchone()[0]
            for kind in ("live", "replay")
        ]
        assert counted == held, name
    assert len(times) == 6

    for row in page.locator("#deeds tbody tr").all():
        name, total, average = row.locator("td").all_inner_texts()
        ((summed, mean),) = sql.sql(f"SELECT coalesce(sum({DEEDS[name]}), 0), round(avg(coalesce({DEEDS[name]}, 0)), 2) FROM {viewers}").fetchall()
        assert (number(total), average) == (summed, f"{mean:.2f}"), name
    assert page.locator("#deeds tbody tr").count() == len(DEEDS)

    days = {row.locator("td").all_inner_texts()[0]: row.locator("td").all_inner_texts()[1:3] for row in page.locator("#days tbody tr").all()}
    counted = sql.sql(f"SELECT dt::text, count(*) FILTER (entry = 'live'), count(*) FILTER (entry = 'interaction') FROM sessions WHERE event_id = {event_id} GROUP BY 1")
    # A day whose last answer had nobody has a line too.
    assert {day: rows for day, rows in days.items() if rows != ["0", "0"]} == {day: [str(live), str(other)] for day, live, other in counted.fetchall()}


def test_the_curve_shows_as_many_people_online_as_sql_finds_in_each_minute(pages, sql, look):
    event_id = 700006
    page = look(pages / f"{event_id}.html")
    lines = page.locator("svg.wide polyline.live").first.get_attribute("points").split()
    heights = [float(point.split(",")[1]) for point in lines]
    curve = QUERIES["online-by-minute"].replace("700016", str(event_id))
    steps = sql.sql(curve).fetchall()
    minutes = {minute: people for minute, people in steps}
    online, people = [], 0
    for minute in range(min(0, steps[0][0]), steps[-1][0] + 1):
        people = minutes.get(minute, people)
        online.append(people)
    # As high as there are people, on a line from 218 (nobody) to 10 (as many as the axis has).
    top = number(page.locator("svg.wide text.end").all_text_contents()[4])
    assert len(heights) > 100
    assert heights == pytest.approx([218 - 208 * people / top for people in online[: len(heights)]], abs=0.06)


def test_the_page_of_all_events_counts_them_and_leads_to_each(pages, sql, look):
    page = look(pages / "index.html")
    came = answers(sql, "attendance")
    assert page.inner_text("#events") == str(len(came))
    assert page.inner_text("#people") == str(sum(row["people"] for row in came.values()))
    assert page.inner_text("#viewings") == str(sum(row["sessions"] for row in came.values()))
    assert (page.inner_text("#stale"), page.inner_text("#incomplete")) == ("0", "0")
    rows = page.locator("#all tbody tr").all()
    assert [number(row.locator("td").nth(2).inner_text()) for row in rows] == [
        row[1] for row in sql.sql(
            "SELECT e.event_id, count(p.event_id) FROM events e LEFT JOIN people p ON p.event_id = e.event_id AND NOT p.is_host "
            "GROUP BY e.event_id, e.dt, e.start_time ORDER BY e.dt DESC, e.start_time DESC, e.event_id").fetchall()
    ]
    # A square is as dark as its day has rows.
    title = page.locator("#coverage td.has3").first.get_attribute("title")
    assert re.fullmatch(r"2022-1\d-\d\d: \d{3}", title), title
    page.click("#all tbody tr:first-child a")
    assert page.locator("#people").count() == 1
    page.click("header a")
    assert page.locator("#events").count() == 1


def test_the_language_is_the_browsers_and_changes_with_a_click(pages, look):
    for locale, first, second in [("zh-CN", "观看人数", "people"), ("en-GB", "people", "观看人数"), ("de-DE", "people", "观看人数")]:
        page = look(pages / "700006.html", locale=locale)
        label = page.locator(".figures div").first.locator("span:visible")
        assert label.first.inner_text() == first
        page.click("#language")
        assert label.first.inner_text() == second
        heads = page.locator("#viewers-head th").all_inner_texts()
        assert ("姓名" in heads) == (second == "观看人数")


def test_the_table_of_viewers_can_be_searched_sorted_paged_and_saved(pages, sql, look):
    page = look(pages / "700006.html")
    (people,) = sql.sql("SELECT count(*) FROM people WHERE event_id = 700006 AND NOT is_host").fetchone()
    assert people > 100
    assert page.inner_text("#viewers-count") == f"1–50 / {people}"
    page.click("#viewers-after")
    assert page.inner_text("#viewers-count") == f"51–100 / {people}"
    page.click("#viewers-before")
    page.fill("#viewers-search", "ACME")
    (found,) = sql.sql("SELECT count(*) FROM people WHERE event_id = 700006 AND NOT is_host AND company ILIKE '%acme%'").fetchone()
    assert 0 < found < 50
    assert page.inner_text("#viewers-count") == f"1–{found} / {found}"
    # By the time watched live, the most first, then the least.
    column = page.locator("#viewers-head th").all_inner_texts().index("Watched live")
    seen = lambda: [row.locator("td").nth(column).inner_text() for row in page.locator("#viewers-body tr").all()]
    seconds = lambda: [sum(int(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1))) for text in seen()]
    page.locator("#viewers-head th").nth(column).click()
    assert seconds() == sorted(seconds(), reverse=True)
    page.locator("#viewers-head th").nth(column).press("Enter")
    assert seconds() == sorted(seconds()) and len(set(seconds())) > 1

    page.fill("#viewers-search", "")
    with page.expect_download() as download:
        page.click("#viewers-save")
    assert download.value.suggested_filename == "700006.csv"
    text = download.value.path().read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    expected = sql.sql("SELECT name, live_seconds, replay_seconds, live_sessions FROM people WHERE event_id = 700006 AND NOT is_host").fetchall()
    saved = [(row["Name"] or None, int(row["Watched live (s)"]), int(row["Watched replays (s)"]), int(row["Live viewings"])) for row in rows]
    key = lambda row: (row[0] or "", *row[1:])
    assert sorted(saved, key=key) == sorted(expected, key=key)


def test_text_from_a_viewer_is_taken_neither_for_html_nor_for_a_formula(copied, look, tmp_path):
    evil = "</script><img src=x onerror=alert(1)>"
    store = copied(f"SELECT * REPLACE (CASE WHEN name IS NULL THEN NULL WHEN event_id % 2 = 0 THEN '{evil}' ELSE '=1+2' END AS name, '<b>bold</b>' AS company, '<i>,x' AS location) FROM '{{file}}'")
    for event_id in (700006, 700001):
        draw(store, str(event_id), "-o", tmp_path / f"{event_id}.html")
    page = look(tmp_path / "700006.html")
    assert evil in page.locator("#viewers-body td").all_inner_texts()
    assert "<b>bold</b>" in bars(page, "companies") and "<i>" in bars(page, "regions")
    assert page.locator("img").count() == 0
    # A spreadsheet must not take it for a formula.
    page = look(tmp_path / "700001.html")
    with page.expect_download() as download:
        page.click("#viewers-save")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_bytes().decode("utf-8-sig"))))
    assert "'=1+2" in {row["Name"] for row in rows}
    mobiles = [row["Mobile"] for row in rows if row["Mobile"].startswith(("+", "'"))]
    assert mobiles and all(re.fullmatch(r"\+\d+", mobile) for mobile in mobiles), mobiles


def test_a_copy_without_ledger_is_drawn_and_columns_that_were_not_kept_are_left_out(copied, look, tmp_path):
    store = copied("SELECT * REPLACE (NULL::varchar AS name, NULL::varchar AS mobile, NULL::varchar AS email, NULL::varchar AS ext_id) FROM '{file}'")
    for file in sorted((store / "lake/interactions").glob("*/*.parquet")):
        file.unlink()
    draw(store, "700006", "-o", tmp_path / "event.html")
    heads = look(tmp_path / "event.html").locator("#viewers-head th").all_inner_texts()
    assert heads[:5] == ["Company", "Watched live", "Watched replays", "Came", "Left"]
    assert not {"Name", "Mobile", "E-mail", "ext_id"} & set(heads)


def test_a_phone_shows_pages_without_scrolling_sideways_and_print_has_no_buttons(pages, look):
    for name in ["700006.html", "609768.html", "index.html"]:
        page = look(pages / name, width=390, height=844)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert page.locator("svg.wide:visible").count() == 0
    page = look(pages / "700006.html")
    page.emulate_media(media="print")
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator("#viewers-count").is_visible(), "it says of how many viewers these are the first"
    assert page.locator("svg.wide:visible").count() == 3
    # As wide as A4 between its margins, in CSS pixels.
    page.set_viewport_size({"width": 718, "height": 1000})
    for table in ["#viewers", "#days"]:
        wide, room = page.eval_on_selector(table, "table => [table.scrollWidth, table.parentElement.clientWidth]")
        assert wide <= room, table
    assert page.locator("#viewers-head th:visible").first.inner_text() == "Name"
    assert page.pdf().startswith(b"%PDF")


def test_an_event_of_a_hundred_thousand_viewers_stays_usable(copied, look, tmp_path):
    # Every viewing of the largest event, by as many people more as there have to be.
    store = copied(
        "SELECT t.* REPLACE (t.person_key || '-' || n AS person_key) FROM '{file}' t, range(CASE WHEN event_id = 700006 THEN 1100 ELSE 1 END) r(n) "
        "WHERE t.person_key IS NOT NULL AND t.iden IS DISTINCT FROM '主持人' ORDER BY event_id"
    )
    draw(store, "700006", "-o", tmp_path / "event.html")
    page = look(tmp_path / "event.html")
    people = number(page.inner_text("#people"))
    assert people > 100_000
    assert page.inner_text("#viewers-count") == f"1–50 / {people}"
    assert page.locator("#viewers-body tr").count() == 50
    page.fill("#viewers-search", "acme")
    found = number(page.inner_text("#viewers-count").split("/")[1])
    assert 0 < found < people
    page.locator("#viewers-head th").first.click()
    names = [name for name in page.locator("#viewers-body tr td:first-child").all_inner_texts() if name]
    assert names == sorted(names)


def test_a_viewing_that_never_ends_does_not_spoil_the_page(copied, look, tmp_path):
    store = copied("SELECT * REPLACE (CASE WHEN n = 1 THEN TIMESTAMPTZ '9990-01-01' ELSE offline_time END AS offline_time) "
                   "FROM (SELECT *, row_number() OVER (PARTITION BY event_id) AS n FROM '{file}') ORDER BY event_id")
    draw(store, "700006", "-o", tmp_path / "event.html")
    assert (tmp_path / "event.html").stat().st_size < 200_000
    page = look(tmp_path / "event.html")
    assert number(page.inner_text("#peak")) > 50
    labels = page.locator("svg.wide").first.locator("text.middle").all_text_contents()
    assert 4 <= len(labels) <= 11


def test_viewings_dated_far_from_the_event_do_not_spoil_the_page(copied, look, tmp_path):
    store = copied("SELECT * REPLACE (CASE WHEN n = 1 THEN TIMESTAMP '1970-01-02' WHEN n = 2 THEN TIMESTAMP '9990-01-01' "
                   "ELSE online_date END AS online_date) "
                   "FROM (SELECT *, row_number() OVER (PARTITION BY event_id) AS n FROM '{file}') ORDER BY event_id")
    draw(store, "700006", "-o", tmp_path / "event.html")
    assert (tmp_path / "event.html").stat().st_size < 200_000
    page = look(tmp_path / "event.html")
    assert number(page.inner_text("#people")) > 50
