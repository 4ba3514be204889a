//! What quirks do to a report, which stays JSON under all of them.

use std::collections::HashSet;

use serde_json::Value;
use simulator::{
    Envelope, Event, Query, Quirks, Range, ReportArray, Viewers, World, WorldOptions, quirky_report,
};

use crate::common::{array, body, busy, everything};

const ARRAYS: [(&str, ReportArray); 3] = [
    ("lives", ReportArray::Lives),
    ("viewerDetails", ReportArray::ViewerDetails),
    ("interactions", ReportArray::Interactions),
];

fn text(event: &Event, query: Query, quirks: Quirks) -> String {
    String::from_utf8(quirky_report(event.clone(), query, quirks).flatten().collect()).unwrap()
}

fn answer(event: &Event, query: Query, quirks: Quirks) -> Value {
    serde_json::from_str(&text(event, query, quirks)).unwrap()
}

#[test]
fn a_report_is_json_under_every_mix_of_quirks() {
    let arrays = || [None].into_iter().chain(ARRAYS.map(|(_, array)| Some(array)));
    let options = WorldOptions { events: 12, viewers: Viewers::Range(0, 20), ..WorldOptions::default() };
    for event in World::new(options).events() {
        for missing_array in arrays() {
            for null_array in arrays() {
                for envelope in [Envelope::Around, Envelope::Before, Envelope::After] {
                    let quirks = Quirks {
                        shuffled: true,
                        unknown_fields: Some(3),
                        wrong_types: true,
                        telling: false,
                        contradicting: true,
                        most_rows: None,
                        longest_range: None,
                        unplaceable: Some(4),
                        missing_array,
                        null_array,
                        null_if_empty: missing_array.is_none(),
                        envelope,
                    };
                    let answer = answer(&event, everything(), quirks);
                    assert_eq!(answer["code"], 200, "{quirks:?}");
                    assert_eq!(answer["data"]["eventId"], event.id);
                }
            }
        }
    }
}

#[test]
fn a_report_without_quirks_is_unchanged() {
    let plain = String::from_utf8(body(busy(), everything())).unwrap();
    assert_eq!(text(&busy(), everything(), Quirks::default()), plain);
}

#[test]
fn a_report_that_contradicts_itself_lacks_one_viewing_that_its_day_has() {
    let (plain, odd) = (Quirks::default(), Quirks { contradicting: true, ..Quirks::default() });
    let whole = |quirks| array(&answer(&busy(), everything(), quirks), "lives").len();
    assert_eq!(whole(odd) + 1, whole(plain));
    let ever = Query { range: Range { start: Some(0), ..Range::default() }, ..everything() };
    assert_eq!(answer(&busy(), ever.clone(), odd), answer(&busy(), ever, plain));
}

#[test]
fn shuffled_rows_are_the_same_rows() {
    let plain = answer(&busy(), everything(), Quirks::default());
    let shuffled = answer(&busy(), everything(), Quirks { shuffled: true, ..Quirks::default() });
    for (name, _) in ARRAYS {
        let mut rows = array(&shuffled, name).to_vec();
        assert_ne!(rows, array(&plain, name));
        rows.reverse();
        assert_eq!(rows, array(&plain, name));
    }
}

#[test]
fn an_array_can_be_left_out_or_made_null() {
    for (name, which) in ARRAYS {
        let missing = Quirks { missing_array: Some(which), ..Quirks::default() };
        assert_eq!(answer(&busy(), everything(), missing)["data"]["report"].get(name), None);
        let null = Quirks { null_array: Some(which), ..Quirks::default() };
        assert_eq!(answer(&busy(), everything(), null)["data"]["report"].get(name), Some(&Value::Null));
    }
}

#[test]
fn only_an_array_without_rows_is_null_where_empty_arrays_are() {
    let quirks = Quirks { null_if_empty: true, ..Quirks::default() };
    let options = WorldOptions { events: 12, viewers: Viewers::Range(0, 20), ..WorldOptions::default() };
    let (mut full, mut empty) = (0, 0);
    for event in World::new(options).events() {
        let (plain, odd) =
            (answer(&event, everything(), Quirks::default()), answer(&event, everything(), quirks));
        for (name, _) in ARRAYS {
            let rows = array(&plain, name);
            let expected = if rows.is_empty() { Value::Null } else { rows.into() };
            assert_eq!(odd["data"]["report"][name], expected);
            *(if rows.is_empty() { &mut empty } else { &mut full }) += 1;
        }
    }
    assert!(full > 10 && empty > 5, "{full} {empty}");
}

#[test]
fn unknown_fields_are_in_every_kth_row_and_in_the_report() {
    let answer = answer(&busy(), everything(), Quirks { unknown_fields: Some(5), ..Quirks::default() });
    assert!(answer["data"]["report"]["polls"].is_array());
    for name in ["lives", "interactions"] {
        let rows = array(&answer, name);
        let new = rows.iter().filter(|row| row["newField"] == "新").count();
        assert_eq!(new, rows.len() / 5, "{name}");
    }
}

#[test]
fn wrong_types_of_every_kind_occur() {
    let text = text(&busy(), everything(), Quirks { wrong_types: true, ..Quirks::default() });
    for wrong in ["_num\":\"many\"", "_num\":3.0", "_num\":\"3\"", "\"offline_time\":1831249900800"] {
        assert!(text.contains(wrong), "no {wrong}");
    }
    let answer: Value = serde_json::from_str(&text).unwrap();
    let plain = self::answer(&busy(), everything(), Quirks::default());
    let rows = array(&answer, "lives").iter().zip(array(&plain, "lives"));
    let (disagree, agree): (Vec<_>, Vec<_>) =
        rows.partition(|(odd, plain)| odd["online_date"] != plain["online_date"]);
    assert!(!disagree.is_empty() && disagree.len() < agree.len());
}

#[test]
fn unplaceable_records_are_in_every_answer() {
    let quirks = Quirks { unplaceable: Some(10), ..Quirks::default() };
    let unplaceable = |range| -> Vec<String> {
        let answer = answer(&busy(), Query { range, ..everything() }, quirks);
        let rows = array(&answer, "lives").iter();
        rows.filter(|row| !row["online_time"].is_i64()).map(ToString::to_string).collect()
    };
    let all = unplaceable(Range::default());
    let lives = array(&answer(&busy(), everything(), Quirks::default()), "lives").len();
    assert_eq!(all.len(), lives / 10 + 1);
    assert_eq!(all.iter().filter(|row| *row == "\"lost\"").count(), 1);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    let never = Range { start: Some(0), end: Some(1), ..Range::default() };
    assert_eq!(unplaceable(never), all);
}

#[test]
fn the_envelope_is_placed_as_configured() {
    for (envelope, first, last) in [
        (Envelope::Around, "{\"timeStamp\":", "\"requestId\":\"test\"}"),
        (Envelope::Before, "{\"requestId\":", "\"endTime\":null}}"),
        (Envelope::After, "{\"data\":", "\"code\":200}"),
    ] {
        let text = text(&busy(), everything(), Quirks { envelope, ..Quirks::default() });
        assert!(text.starts_with(first) && text.ends_with(last), "{envelope:?}");
    }
}

#[test]
fn events_can_have_been_edited_long_before_they_begin() {
    let options = WorldOptions { edited_long_before: true, ..WorldOptions::default() };
    for event in World::new(options).events().skip(1) {
        assert_eq!(event.start_time - event.modify_time, 350 * 86_400);
        assert!(event.create_time < event.modify_time);
    }
}
