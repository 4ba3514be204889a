//! What a list says of an event, entry by entry, and what becomes of it.

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use rollcall::config::Rosters;
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Forget, Job};
use rollcall::load::ledger::Closing;
use rollcall::load::ledger::ledgers::Ledgers;
use rollcall::load::store::Store;
use serde_json::{Value, json};

use crate::support::command::{Desk, files};
use crate::support::faulty::{Fault, Faulty};
use crate::support::lake::ledger;
use crate::support::run::{HOUR, job, later};
use crate::support::vendor_lists::{VendorAnswers, open_config, run, run_with, try_run};

/// An entry of event 1, which begins a day after `later`.
fn entry(title: &str, status: u8, hours: i64) -> Value {
    let start = (later() + HOUR * 24).as_second();
    json!({ "eventId": 1, "title": title, "eventStatus": status, "startTime": start,
        "endTime": start + 3600 * hours, "modifyTime": start - 7200 })
}

#[tokio::test]
async fn if_an_event_is_listed_twice_the_later_entry_counts() {
    let (first, second, cancelled) = (entry("first", 1, 1), entry("second", 1, 2), entry("first", 0, 1));
    for known in [None, Some(&first)] {
        for (listed, expected) in [
            ([&first, &second], Some(("second", None))),
            ([&second, &first], Some(("first", None))),
            ([&cancelled, &first], Some(("first", None))),
            ([&first, &cancelled], known.map(|_| ("first", Some(Closing::Cancelled)))),
        ] {
            let desk = Desk::new();
            for edited in
                known.map(|entry| vec![entry.clone()]).into_iter().chain([listed.map(Clone::clone).to_vec()])
            {
                let (report, _) =
                    run(&desk, later(), VendorAnswers { edited, ..VendorAnswers::default() }).await;
                assert!(report.ok, "{:?}", report.failures);
            }
            let found = ledger(&desk, 1).await;
            let found = found.as_ref().map(|ledger| (ledger.event.title.as_deref().unwrap(), ledger.closed));
            assert_eq!(found, expected, "{listed:?}");
        }
    }
}

#[tokio::test]
async fn the_public_list_updates_a_known_event_only_if_it_gives_a_later_end() {
    for (listed, expected) in [
        (entry("moved", 1, 5), ("moved", 5)),
        (entry("renamed", 1, 2), ("known", 2)),
        (entry("earlier", 1, 1), ("known", 2)),
    ] {
        for is_closed in [false, true] {
            let desk = Desk::new();
            run(
                &desk,
                later(),
                VendorAnswers { public: vec![entry("known", 1, 2)], ..VendorAnswers::default() },
            )
            .await;
            let mut before = ledger(&desk, 1).await.unwrap();
            if is_closed {
                before.closed = Some(Closing::Complete);
                Ledgers::new(desk.open())
                    .update(&before, |ledger| ledger.closed = before.closed)
                    .await
                    .unwrap();
            }
            let (report, _) = run(
                &desk,
                later() + HOUR,
                VendorAnswers { public: vec![listed.clone()], ..VendorAnswers::default() },
            )
            .await;
            assert!(report.ok, "{:?}", report.failures);
            let after = ledger(&desk, 1).await.unwrap();
            let hours = after.end().duration_since(later() + HOUR * 24).as_hours();
            assert_eq!((after.event.title.as_deref().unwrap(), hours), expected, "{listed}");
            let is_open = !is_closed || hours > 2;
            assert_eq!(after.closed.is_none(), is_open, "{listed}");
        }
    }
}

#[tokio::test]
async fn a_problem_with_an_entry_is_reported_once_however_often_its_list_is_read() {
    let desk = Desk::new();
    let of = |event: i64| {
        let mut entry = entry("t", 1, 1);
        entry["eventId"] = json!(event);
        entry
    };
    let mut edited: Vec<Value> = (1..=150).filter(|event| *event != 8).map(of).collect();
    edited.push(json!({ "title": "no number" }));
    let public = vec![json!({ "eventId": 8, "startTime": later().as_second() })];
    std::fs::create_dir_all(desk.store().join("ledger/closed")).unwrap();
    for event in [7, 8] {
        std::fs::write(desk.store().join(format!("ledger/closed/{event}.json")), "no ledger").unwrap();
    }
    let (report, says) =
        run(&desk, later(), VendorAnswers { edited, public, ..VendorAnswers::default() }).await;
    // A first run reads four spans, and this vendor lists the same in each of them.
    assert_eq!(
        (says.pages("event/modify/list"), says.pages("event/public/list")),
        (24, 8),
        "the one is read twice, the other until it names nothing new"
    );
    let mut failed: Vec<_> = report.failures.iter().map(|failure| failure.event_id).collect();
    failed.sort_unstable();
    assert_eq!(failed, [None, Some(7), Some(8)], "{:?}", report.failures);
    assert!(report.failures.iter().any(|failure| failure.error.starts_with("4 entries")));
    assert_eq!((report.events.due, report.events.failed, report.events.known), (2, 2, 148));
    assert!(!desk.store().join("ledger/roster.json").exists(), "what could not be noted is listed again");
}

#[tokio::test]
async fn if_both_lists_name_an_event_the_entry_in_the_list_of_edits_counts() {
    let without_end = || {
        let mut entry = entry("t", 1, 1);
        entry["endTime"] = Value::Null;
        entry
    };
    for (edited, public, ends) in [
        (entry("t", 1, 1), entry("t", 1, 5), Some(later() + HOUR * 25)),
        (without_end(), without_end(), None),
    ] {
        let desk = Desk::new();
        let both = VendorAnswers { edited: vec![edited], public: vec![public], ..VendorAnswers::default() };
        let (report, says) = run(&desk, later(), both).await;
        assert!(report.ok, "{:?}", report.failures);
        assert_eq!(ledger(&desk, 1).await.unwrap().event.end_time, ends);
        assert_eq!(says.pages("event/info"), 0, "it has not begun");
    }
}

#[tokio::test]
async fn an_event_that_could_not_be_noted_at_first_is_noted_by_the_next_reading_of_its_list() {
    let desk = Desk::new();
    let of = |event: i64| json!({ "eventId": event, "startTime": 4_000_000_000_u32 });
    let edited = (1..=150).map(of).collect();
    // The fault comes amid the ledgers of the first page.
    let faulty: Arc<dyn Store> = Faulty::new(&desk.open(), 40, Fault::Fails);
    let edits_alone = Rosters { edited: true, public: false, file: None };
    let (outcome, _) = try_run(
        &faulty,
        later(),
        VendorAnswers { edited, ..VendorAnswers::default() },
        edits_alone,
        Selection::default(),
    )
    .await;
    let report = outcome.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    let noted = files(&desk.store().join("ledger"));
    let is = |name: &str| noted.iter().filter(|(path, _)| path.ends_with(name)).count();
    assert_eq!((noted.len(), is("roster.json"), is("lake.json")), (152, 1, 1));
}

#[tokio::test]
async fn a_host_forgotten_while_a_list_is_read_is_in_no_ledger_even_if_the_list_then_fails() {
    let (desk, host) = (Desk::new(), "host 88589655");
    let of = |event: i64| json!({ "eventId": event, "hostName": host, "startTime": 4_000_000_000_u32 });
    let edited = (1..=250).map(of).collect();
    let store = desk.open();
    let noted = || files(&desk.store().join("ledger/active"));
    let forgotten = Arc::new(Mutex::new(0));
    let amid = {
        let (store, desk, forgotten) = (Arc::clone(&store), desk.store(), Arc::clone(&forgotten));
        async move {
            let forget = Job::Forget(Forget { viewer: vec![host.to_owned()], dry_run: false });
            *forgotten.lock().unwrap() = files(&desk.join("ledger/active")).len();
            job(&store, open_config(), later(), forget).await.unwrap();
        }
        .boxed()
    };
    let says =
        VendorAnswers { edited, amid: tokio::sync::Mutex::new(Some(amid)), ..VendorAnswers::default() };
    let edits_alone = Rosters { edited: true, public: false, file: None };
    let (outcome, _) = try_run(&store, later(), says, edits_alone, Selection::default()).await;
    assert_eq!(outcome.unwrap_err().kind(), Kind::UnknownEvent);
    assert_eq!((*forgotten.lock().unwrap(), noted().len()), (100, 200));
    for (path, ledger) in noted() {
        assert!(!String::from_utf8(ledger).unwrap().contains(host), "{}", path.display());
    }
}

#[tokio::test]
async fn an_event_that_is_both_in_a_roster_and_in_a_list_is_asked_about_once() {
    let desk = Desk::new();
    let file = desk.path().join("own.csv");
    std::fs::write(&file, "event_id\n1\n").unwrap();
    let listed = json!({ "eventId": 1, "startTime": later().as_second() });
    let says = VendorAnswers {
        public: vec![listed.clone(), listed],
        info: [(1, entry("t", 1, 1))].into(),
        ..VendorAnswers::default()
    };
    let rosters = Rosters { file: Some(file.to_str().unwrap().into()), edited: true, public: true };
    let (report, says) = run_with(&desk, later(), says, rosters).await;
    assert!(report.ok, "{:?}", report.failures);
    assert_eq!(says.pages("event/info"), 1);
}

#[tokio::test]
async fn a_run_over_chosen_days_notes_no_new_event_that_cannot_have_been_watched_on_them() {
    let desk = Desk::new();
    let listed = |event: i64, days_before: i32, title: &str| {
        let start = (later() - HOUR * 24 * days_before).as_second();
        json!({ "eventId": event, "title": title, "startTime": start, "endTime": start + 3600 })
    };
    let both = || Rosters { edited: true, public: true, file: None };
    let known = VendorAnswers { edited: vec![listed(5, 60, "before")], ..VendorAnswers::default() };
    run(&desk, later(), known).await;
    // On that day; twenty days before, so that it may have been watched on it; sixty days before; after it; and one that is known
    // already, and was visited.
    let edited = vec![
        listed(1, 10, "t"),
        listed(2, 30, "t"),
        listed(3, 70, "t"),
        listed(4, 5, "t"),
        listed(5, 60, "after"),
    ];
    let day = (later() - HOUR * 240).to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = Selection { from: Some(day), to: Some(day), ..Selection::default() };
    let says = VendorAnswers { edited, ..VendorAnswers::default() };
    let (outcome, _) = try_run(&desk.open(), later() + HOUR, says, both(), days).await;
    assert_eq!(outcome.unwrap().events.complete, 2);
    for (event, is_known) in [(1, true), (2, true), (3, false), (4, false)] {
        assert_eq!(ledger(&desk, event).await.is_some(), is_known, "{event}");
    }
    assert_eq!(ledger(&desk, 5).await.unwrap().event.title.as_deref(), Some("after"));
}

#[tokio::test]
async fn an_entry_of_an_earlier_edit_changes_nothing_wherever_it_is_listed() {
    let edited = |title: &str, at: i64| {
        let mut entry = entry(title, 1, 1);
        entry["modifyTime"] = json!(later().as_second() - 100 + at);
        entry
    };
    let (old, new) = (edited("old", 0), edited("new", 50));
    for lists in [
        vec![vec![new.clone(), old.clone()]],
        vec![vec![old.clone(), new.clone()]],
        vec![vec![new], vec![old]],
    ] {
        let desk = Desk::new();
        for edited in lists {
            run(&desk, later(), VendorAnswers { edited, ..VendorAnswers::default() }).await;
        }
        assert_eq!(ledger(&desk, 1).await.unwrap().event.title.as_deref(), Some("new"));
    }
}

#[tokio::test]
async fn an_edit_known_only_from_the_public_list_does_not_hide_edits_of_the_other_list() {
    let at = |title: &str, status: u8, hours: i64, modified: i64| {
        let mut entry = entry(title, status, hours);
        entry["modifyTime"] = json!(later().as_second() + modified);
        entry
    };
    let desk = Desk::new();
    let public = vec![at("public", 1, 1, -100)];
    run(&desk, later(), VendorAnswers { public, ..VendorAnswers::default() }).await;
    let edited = vec![at("edited", 1, 1, -200)];
    run(&desk, later() + HOUR, VendorAnswers { edited, ..VendorAnswers::default() }).await;
    let known = ledger(&desk, 1).await.unwrap().event;
    assert_eq!(known.title.as_deref(), Some("edited"));
    // The public list tells of a later end, and of the edit that brought it; the list of edits then tells of an edit between the
    // two.
    let public = vec![at("longer", 1, 2, 100)];
    run(&desk, later() + HOUR, VendorAnswers { public, ..VendorAnswers::default() }).await;
    let longer = ledger(&desk, 1).await.unwrap().event;
    assert_eq!((longer.title.as_deref(), longer.modify_time), (Some("longer"), known.modify_time));
    let edited = vec![at("cancelled", 0, 2, 0)];
    run(&desk, later() + HOUR, VendorAnswers { edited, ..VendorAnswers::default() }).await;
    assert!(ledger(&desk, 1).await.unwrap().event.is_cancelled());
}
