//! Pages of a lake that is not whole, or in a bucket. What they show is checked in a browser, in `tests/pages`.

use std::collections::BTreeSet;
use std::ffi::OsString;

use jiff::Timestamp;
use rollcall::calendar::Zone;
use rollcall::job::selection::Selection;
use rollcall::transform::tables::Table;
use serde_json::Value;
use simulator::{Quirks, ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, TOKEN, server};
use crate::support::lake::rows_of;
use crate::support::run::{HOUR, config, server_at, sync};
use crate::support::stores::{Home, On};

#[tokio::test]
async fn status_explain_and_pages_show_the_same_for_a_bucket_as_for_a_folder() {
    let server = server(&World::default(), ServerOptions::default());
    let mut said = Vec::new();
    for on in [On::Folder, On::S3] {
        let (desk, home) = (Desk::new(), Home::new(on).await);
        let run = |words: &[&str]| {
            let place = home.words();
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            desk.run(&[words, &place].concat()).succeeded().stdout
        };
        let url = server.url();
        run(&["sync", "--event", "609768", "--event", "700004", "--api-url", &url, "--token", TOKEN]);
        let json = |words: &[&str]| -> Value { serde_json::from_str(&run(words)).unwrap() };
        let rows = json(&["status", "--json"])["lake"]["rows"].clone();
        let told = json(&["explain", "609768", "--viewer", "190", "--json"]);
        let days: Vec<Value> =
            told["days"].as_array().unwrap().iter().map(|day| day["lake"]["rows"].clone()).collect();
        run(&["report", "700004", "-o", "event.html"]);
        let page = std::fs::read_to_string(desk.path().join("event.html")).unwrap();
        // Without the last section, which says when it was drawn and pulled.
        let page = page.rsplit_once("<h2>").unwrap().0.to_owned();
        said.push((rows, days, told["seen"].as_array().unwrap().len(), page));
    }
    assert!(said[0].0["lives"].as_u64() > Some(3) && said[0].2 == 6);
    assert!(said[0] == said[1]);
}

#[test]
fn a_page_is_written_neither_to_standard_output_nor_to_a_device() {
    let desk = Desk::new();
    let server = server(&World::default(), ServerOptions::default());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    for place in ["-", "/dev/null"] {
        let outcome = desk.run(&["report", "609768", "-o", place, "--store", desk.store().to_str().unwrap()]);
        assert_eq!(outcome.status, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("give `--output` the name of a file"), "{}", outcome.stderr);
    }
    assert!(!desk.path().join("-").exists() && !std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn an_event_that_cannot_be_read_is_named_and_the_others_are_drawn() {
    let (desk, world) = (Desk::new(), World::default());
    let server = server(&world, ServerOptions::default());
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let day_of = |second: i64| zone.day_of(Timestamp::from_second(second).unwrap()).to_string();
    let days = |event: &simulator::Event| -> BTreeSet<String> {
        event.sessions().map(|session| day_of(session.online)).collect()
    };
    // One that nobody watched on that day.
    let other = world.events().find(|event| !days(event).is_empty() && !days(event).contains("2022-10-26"));
    let other = other.unwrap().id.to_string();
    desk.sync(&server, &["--event", "609768", "--event", &other]).succeeded();
    let day = "lake/lives/dt=2022-10-26/part-0.parquet";
    std::fs::write(desk.store().join(day), "no Parquet").unwrap();
    let (store, pages) = (desk.store(), desk.store().join("pages"));
    let words = ["report", "--all", "--store", store.to_str().unwrap(), "-o", pages.to_str().unwrap()];
    let outcome = desk.run(&words);
    assert_eq!(outcome.status, 1);
    let named: Vec<&str> = outcome.errors();
    assert!(named.iter().any(|error| error.contains("event: 609768") && error.contains(day)), "{named:?}");
    assert!(!pages.join("609768.html").exists());
    let index = std::fs::read_to_string(pages.join("index.html")).unwrap();
    assert!(index.contains("id=\"unread\"") && index.contains(&format!(": {}</p>", named.len())), "{index}");
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(pages.join(format!("{other}.html")).exists());
}

#[test]
fn a_copy_without_its_ledgers_is_drawn_only_in_a_zone_that_fits_its_days() {
    let (desk, server) = (Desk::new(), server(&World::default(), ServerOptions::default()));
    desk.sync(&server, &["--event", "609768"]).succeeded();
    std::fs::remove_dir_all(desk.store().join("ledger")).unwrap();
    let store = desk.store();
    for (zone, status) in [("Asia/Shanghai", 0), ("Asia/Singapore", 0), ("America/New_York", 2)] {
        let words = ["report", "609768", "-o", "event.html", "--zone", zone];
        let outcome = desk.run(&[&words[..], &["--store", store.to_str().unwrap()]].concat());
        assert_eq!(outcome.status, status, "{zone}: {}", outcome.stderr);
        let said = format!("the lake was not made with the zone `{zone}`");
        assert_eq!(outcome.stderr.contains(&said), status != 0, "{zone}: {}", outcome.stderr);
    }
}

#[test]
fn a_page_is_replaced_as_a_whole_and_leaves_nothing_beside_it() {
    let (desk, world) = (Desk::new(), World::default());
    let server = server(&world, ServerOptions::default());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let store = desk.store();
    let page = store.join("event.html");
    std::fs::write(&page, "what was there before").unwrap();
    for _ in 0..2 {
        let words = ["report", "609768", "--store", store.to_str().unwrap(), "-o", page.to_str().unwrap()];
        desk.run(&words).succeeded();
        assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
    }
    let names: Vec<_> = std::fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.iter().filter(|name| name.to_str().unwrap().contains("html")).count(), 1);
}

#[tokio::test]
async fn a_mismatch_is_shown_on_the_page_until_a_visit_compares_again() {
    let quirks = Quirks { unplaceable: Some(3), ..Quirks::default() };
    let now: Timestamp = "2022-10-28T00:00:00Z".parse().unwrap();
    let (desk, viewers) = (Desk::new(), Viewers::Exactly(40));
    let world = World::new(WorldOptions { events: 1, viewers, ..WorldOptions::default() });
    let mut rejects = Vec::new();
    for (hours, faults, failed) in [(0, "", 0), (30, "code=403@event:700001,path:report/details", 1)] {
        let faults = faults.split_terminator(';').map(|fault| fault.parse().unwrap()).collect();
        let server = server_at(
            now + HOUR * hours,
            &world,
            ServerOptions { quirks, faults, ..ServerOptions::default() },
        );
        let ran =
            sync(config(&server, &desk.store()), now + HOUR * hours, Selection::default()).await.unwrap();
        assert_eq!((ran.events.failed, ran.events.complete > 0), (failed, true), "{:?}", ran.failures);
        let (store, page) = (desk.store(), desk.path().join("event.html"));
        let words = ["report", "700001", "--store", store.to_str().unwrap(), "-o", page.to_str().unwrap()];
        desk.run(&words).succeeded();
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains("The vendor's sums per viewer are not those of the viewings."), "{hours}");
        let what = "Records that have no day, once for each answer that had them";
        let told = page.split_once(what).unwrap().1.split_once(": ").unwrap().1;
        rejects.push(told.split('<').next().unwrap().parse::<u64>().unwrap());
    }
    // The number is the same, whatever the last visit asked for.
    let kept = rows_of(&desk.store(), Table::Rejects, 700_001).await;
    assert!(kept > 0 && rejects == [kept; 2], "{rejects:?} {kept}");
}

#[test]
fn a_page_that_cannot_be_written_leaves_no_file_behind() {
    let (desk, server) = (Desk::new(), server(&World::default(), ServerOptions::default()));
    desk.sync(&server, &["--event", "700004"]).succeeded();
    std::fs::create_dir(desk.path().join("pages")).unwrap();
    let store = desk.store();
    let names = || -> BTreeSet<OsString> {
        std::fs::read_dir(desk.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let before = names();
    for (place, said) in
        [("pages", "give `--output` the name of a file"), ("none/page", "check that its folder")]
    {
        let outcome = desk.run(&["report", "700004", "--store", store.to_str().unwrap(), "-o", place]);
        assert!(outcome.status != 0 && outcome.stderr.contains(said), "{}", outcome.stderr);
        assert_eq!(names(), before);
    }
}

#[test]
fn viewings_that_do_not_say_who_came_count_as_no_people() {
    let server = server(&World::default(), ServerOptions::default());
    let (mut shown, mut drawn) = (Vec::new(), Vec::new());
    for policy in ["open", "anonymous"] {
        let desk = Desk::new();
        let store = desk.store();
        let place = ["--store", store.to_str().unwrap(), "--privacy", policy];
        let (url, event) = (server.url(), ["--event", "700004", "--token", TOKEN]);
        desk.run(&[&["sync", "--api-url", &url], &event[..], &place].concat()).succeeded();
        desk.run(&[&["report", "700004", "-o", "event.html"], &place[..]].concat()).succeeded();
        let page = std::fs::read_to_string(desk.path().join("event.html")).unwrap();
        let figure = |id: &str| -> String {
            let from = page.split_once(&format!("id=\"{id}\">")).map(|(_, from)| from).unwrap_or_default();
            from.split(['<', ' ']).next().unwrap_or_default().to_owned()
        };
        shown.push(["people", "viewings", "unidentified", "live-average", "peak"].map(figure));
        let deeds = page.split_once("id=\"deeds\"").unwrap().1.split("</section>").next().unwrap().to_owned();
        let sums: Vec<String> =
            deeds.split("<td class=\"number\">").skip(1).step_by(2).map(str::to_owned).collect();
        let sections = ["online", "watch-times", "regions", "viewers-data"];
        drawn.push((sums, sections.map(|id| page.contains(&format!("id=\"{id}\"")))));
    }
    let [open, anonymous] = &shown[..] else { panic!() };
    // What was done is known, but not who did it.
    assert!(drawn[0].0 == drawn[1].0 && drawn[0].0.len() == 9, "{drawn:?}");
    assert_eq!((drawn[0].1, drawn[1].1), ([true; 4], [false; 4]));
    assert_eq!(anonymous[4], "–");
    assert!(open[0].parse::<u64>().unwrap() > 3 && open[2].is_empty(), "{open:?}");
    // That somebody was a host is no longer known of a person, but still of a viewing.
    assert_eq!((anonymous[0].as_str(), anonymous[3].as_str()), ("–", "–"), "{anonymous:?}");
    assert!(anonymous[1].parse::<u64>().unwrap() >= open[1].parse().unwrap(), "{shown:?}");
    assert_eq!(anonymous[1], anonymous[2]);
}

#[tokio::test]
async fn an_event_that_was_visited_before_it_takes_place_does_not_count_as_not_visited_since() {
    let visited = Timestamp::now() - HOUR * 24 * 4;
    let day_of = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (next, yesterday) = (day_of(Timestamp::now() + HOUR * 24 * 7), day_of(Timestamp::now() - HOUR * 24));
    let day_of_visit = day_of(visited);
    // It has yet to begin, ended yesterday, or ended soon after the visit.
    for (first_day, stale) in [next, yesterday, day_of_visit].into_iter().zip([0, 0, 1]) {
        let desk = Desk::new();
        let world = World::new(WorldOptions { events: 1, days: 1, first_day, ..WorldOptions::default() });
        let server = server_at(visited, &world, ServerOptions::default());
        let selection = Selection { event: vec![700_001], ..Selection::default() };
        sync(config(&server, &desk.store()), visited, selection).await.unwrap();
        desk.run(&["report", "--all", "--store", desk.store().to_str().unwrap(), "-o", "pages"]).succeeded();
        let page = std::fs::read_to_string(desk.path().join("pages/index.html")).unwrap();
        let told = page.split_once(r#"<b id="stale""#).unwrap().1.split_once('>').unwrap().1;
        assert!(told.starts_with(&format!("{stale}<")), "{first_day}");
    }
}

#[tokio::test]
async fn viewings_that_the_row_of_an_open_event_does_not_know_of_yet_are_on_its_page() {
    let world = World::new(WorldOptions { events: 1, days: 1, ..WorldOptions::default() });
    let event = world.event(700_001).unwrap();
    let [begins, ends] = [event.start_time, event.end_time].map(|at| Timestamp::from_second(at).unwrap());
    let day = Zone::parse("Asia/Shanghai").unwrap().day_of(ends);
    let desk = Desk::new();
    let store = desk.store();
    let row = store.join(format!("lake/events/dt={day}/part-0.parquet"));
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for visited in [begins - HOUR, ends + HOUR * 2, ends + HOUR * 24 * 5] {
        let server = server_at(visited, &world, ServerOptions::default());
        let selection = Selection { event: vec![700_001], ..Selection::default() };
        assert!(sync(config(&server, &store), visited, selection).await.unwrap().ok);
        rows.push(std::fs::read(&row).unwrap());
        let mut viewings = Vec::new();
        // The row as each visit so far left it: if a visit breaks off, what it has staged is published without its row.
        for older in &rows {
            std::fs::write(&row, older).unwrap();
            desk.run(&["report", "700001", "--store", store.to_str().unwrap(), "-o", "event.html"])
                .succeeded();
            let page = std::fs::read_to_string(desk.path().join("event.html")).unwrap();
            let figure = page.split_once("id=\"viewings\">").unwrap().1;
            viewings.push(figure.split(['<', ' ']).next().unwrap().parse::<u64>().unwrap());
        }
        assert!(viewings.iter().all(|number| *number == viewings[0]), "{viewings:?}");
        shown.push(viewings[0]);
    }
    assert!(shown[0] == 0 && shown[0] < shown[1] && shown[1] < shown[2], "{shown:?}");
}
