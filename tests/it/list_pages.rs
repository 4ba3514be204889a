//! How a list is read, page by page, to its end.

use rollcall::config::{Config, Rosters};
use rollcall::job::selection::Selection;
use rollcall::job::{Job, Plan};
use serde_json::{Value, json};

use crate::support::command::Desk;
use crate::support::faults::faults;
use crate::support::run::{HOUR, config, job, later, server_at, small_world};
use crate::support::vendor_lists::{VendorAnswers, run, try_run};

/// An event, as it is listed.
fn event(number: i64) -> Value {
    let start = (later() + HOUR * 24).as_second();
    json!({ "eventId": number, "startTime": start, "endTime": start + 3600 })
}

#[tokio::test]
async fn a_list_is_read_to_its_end_however_its_pages_are_numbered_and_filled() {
    let known = async |says: VendorAnswers| {
        let desk = Desk::new();
        assert!(run(&desk, later(), says).await.0.ok);
        std::fs::read_dir(desk.store().join("ledger/active")).unwrap().count()
    };
    for from_one in [false, true] {
        let public = (1..=250).map(event).collect();
        assert_eq!(
            known(VendorAnswers { public, from_one, ..VendorAnswers::default() }).await,
            250,
            "{from_one}"
        );
    }
    // Only eight of the first hundred entries are shown, none of the next, and eight of the last.
    let is_shown = |number: i64| (1..9).contains(&(number % 200));
    let edited = (1..=300).map(|number| if is_shown(number) { event(number) } else { Value::Null });
    let edited: Vec<_> = edited.collect();
    let shown = edited.iter().filter(|entry| !entry.is_null()).count();
    assert_eq!(known(VendorAnswers { edited, counts: true, ..VendorAnswers::default() }).await, shown);
    // All pages are smaller than what was asked for, and one of them shows a single entry.
    let edited: Vec<_> =
        (1..=40).map(|number| if number / 10 == 1 { Value::Null } else { event(number) }).collect();
    let says = VendorAnswers { edited, counts: true, most: Some(10), ..VendorAnswers::default() };
    assert_eq!(known(says).await, 30);
}

#[tokio::test]
async fn an_error_after_the_last_page_ends_a_list_well_only_if_the_list_seems_complete() {
    for (entries, counts, most, code, is_whole) in [
        (57, true, None, 404, true),
        (100, true, None, 404, true),
        (100, true, None, 10_086, true),
        // Nothing says that this is the last page.
        (57, false, None, 404, false),
        // Here, the last page is shorter than the one before.
        (157, false, None, 404, true),
        // Other codes say less, unless the page is far too short.
        (157, false, None, 400, false),
        (157, false, None, 10_086, false),
        (107, false, None, 400, true),
        (107, false, None, 10_086, true),
        // A vendor that could not answer may have another page.
        (107, false, None, 500, false),
        // By its total, the second page must exist.
        (80, true, Some(50), 404, false),
    ] {
        let edited = (1..=entries).map(event).collect();
        let desk = Desk::new();
        let says = VendorAnswers { edited, counts, most, end: Some(code), ..VendorAnswers::default() };
        let (outcome, _) = try_run(
            &desk.open(),
            later(),
            says,
            Rosters { edited: true, public: false, file: None },
            Selection::default(),
        )
        .await;
        let is_well = outcome.is_ok_and(|report| report.ok);
        assert_eq!(is_well, is_whole, "{entries} {counts} {code}");
    }
}

#[tokio::test]
async fn a_list_without_a_total_is_read_on_after_a_short_page() {
    for end in [None, Some(404)] {
        // One of the entries of each page is left out.
        let public = (0..57).map(|number| if number % 20 == 3 { Value::Null } else { event(number + 1) });
        let desk = Desk::new();
        let says =
            VendorAnswers { public: public.collect(), most: Some(20), end, ..VendorAnswers::default() };
        let (report, _) = run(&desk, later(), says).await;
        assert!(report.ok, "{end:?} {:?}", report.failures);
        assert_eq!(std::fs::read_dir(desk.store().join("ledger/active")).unwrap().count(), 54, "{end:?}");
    }
}

#[tokio::test]
async fn a_page_that_fails_for_a_transient_reason_does_not_count_as_the_end_of_a_list() {
    let public = Rosters { edited: false, public: true, file: None };
    let world = small_world(8);
    let run = async |texts: &[String]| {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (desk, server) = (Desk::new(), server_at(later(), &world, faults(&texts)));
        let config = Config { rosters: public.clone(), ..config(&server, &desk.store()) };
        let outcome = job(&desk.open(), config, later(), Job::Plan(Plan::default())).await;
        (outcome.is_ok_and(|report| report.ok), server.requests())
    };
    let requests = run(&[]).await.1;
    let second = requests.windows(2).position(|pair| pair[0].start_time == pair[1].start_time).unwrap() + 2;
    // The first page is a short one, and no total is stated: there may be another after it.
    for (fault, attempts, is_well) in [
        ("code=404", 1, true),
        ("code=400", 1, true),
        ("code=10086", 3, true),
        ("status=503", 40, false),
        ("retry-after=429:0", 40, false),
        ("html", 40, false),
        // The attempt after these is answered.
        ("status=503", 5, true),
    ] {
        let nths = second..second + attempts;
        let texts: Vec<String> =
            nths.map(|nth| format!("{fault}@path:event/public/list,nth:{nth}")).collect();
        assert_eq!(run(&texts).await.0, is_well, "{fault} {attempts}");
    }
}

#[tokio::test]
async fn a_total_that_counts_more_than_there_is_does_not_make_a_list_endless() {
    let edited = (1..=3_000).map(|number| if number > 5 { Value::Null } else { event(number) });
    let says = VendorAnswers { edited: edited.collect(), counts: true, ..VendorAnswers::default() };
    let (report, says) = run(&Desk::new(), later(), says).await;
    assert!(report.ok && report.events.known == 5, "{:?}", report.failures);
    // Each of the thirteen spans of a first run, which are short if lists have so many pages, takes one page, and fifty without
    // an entry; twice.
    assert_eq!(says.pages("event/modify/list"), 13 * 51 * 2);
    assert!(report.notes.iter().any(|note| note.ends_with("states a total of 3000, and names 5")));
}

#[tokio::test]
async fn a_first_run_that_finds_no_event_says_how_far_back_it_looked() {
    let desk = Desk::new();
    for (hours, is_first) in [(0, true), (1, false)] {
        let (report, _) = run(&desk, later() + HOUR * hours, VendorAnswers::default()).await;
        let is_told =
            report.notes.iter().any(|note| note.ends_with("give `--lookback` to look further back"));
        assert_eq!((report.ok, is_told), (true, is_first), "{:?}", report.notes);
    }
}
