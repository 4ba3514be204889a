//! What a report holds.

use std::collections::HashSet;

use serde_json::Value;
use simulator::{Array, Kind, Query, Range, RangeEnds, SAMPLE, SAMPLE_ID, Session, ViewerDetails};

use crate::common::{answer, array, body, busy, everything, online_times, world};

#[test]
fn every_record_is_a_session_and_every_session_a_record() {
    for event in world().events() {
        let answer = answer(&event, everything());
        for (name, which) in [("lives", Array::Lives), ("interactions", Array::Interactions)] {
            let expected: Vec<(i64, i64, i64)> = event
                .sessions()
                .filter(|session| session.array == which)
                .map(|session| (i64::from(session.kind == Kind::Replay), session.online, session.offline))
                .collect();
            let number = |record: &Value, key: &str| record[key].as_i64().unwrap();
            let records: Vec<(i64, i64, i64)> = array(&answer, name)
                .iter()
                .map(|record| {
                    (
                        number(record, "live_type"),
                        number(record, "online_time"),
                        number(record, "offline_time"),
                    )
                })
                .collect();
            assert_eq!(records, expected, "{name} of event {}", event.id);
        }
    }
}

#[test]
fn viewer_details_agree_with_the_sessions() {
    let sum = |sessions: &[Session], kind| {
        sessions.iter().filter(|session| session.kind == kind).map(Session::seconds).sum::<i64>()
    };
    let clock = |seconds: i64| format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    for event in world().events() {
        let answer = answer(&event, everything());
        let came: Vec<_> = event.viewers().filter(|viewer| !viewer.sessions.is_empty()).collect();
        let rows = array(&answer, "viewerDetails");
        assert_eq!(rows.len(), came.len());
        for (row, viewer) in rows.iter().zip(came) {
            let (live, replay) = (sum(&viewer.sessions, Kind::Live), sum(&viewer.sessions, Kind::Replay));
            assert_eq!(row["duration"], live + replay);
            assert_eq!(row["watchDuration"], clock(live + replay));
            assert_eq!(row["liveWatchDuration"], clock(live));
            assert_eq!(row["replayWatchDuration"], clock(replay));
            assert_eq!(row["times"], viewer.sessions.len());
            let times = row["liveTimes"].as_i64().unwrap() + row["replayTimes"].as_i64().unwrap();
            assert_eq!(row["times"], times);
            assert_eq!(
                row["online_time"].as_i64(),
                viewer.sessions.iter().map(|session| session.online).min()
            );
            assert_eq!(
                row["offline_time"].as_i64(),
                viewer.sessions.iter().map(|session| session.offline).max()
            );
            if let Some(mobile) = viewer.mobile {
                assert_eq!(row["mobile"], mobile);
            }
        }
    }
}

#[test]
fn a_range_includes_its_ends_or_not_as_configured() {
    let event = busy();
    let mut times: Vec<i64> = event.sessions().map(|session| session.online).collect();
    times.sort_unstable();
    let (start, end) = (times[times.len() / 4], times[times.len() / 2]);
    for ends in [RangeEnds::Inclusive, RangeEnds::HalfOpen, RangeEnds::Exclusive] {
        let range = Range { start: Some(start), end: Some(end), ends };
        let answer = answer(&event, Query { range, ..everything() });
        let got: HashSet<i64> = online_times(&answer).into_iter().collect();
        assert_eq!(got.contains(&start), ends != RangeEnds::Exclusive, "{ends:?}");
        assert_eq!(got.contains(&end), ends == RangeEnds::Inclusive, "{ends:?}");
        assert!(got.iter().all(|time| (start..=end).contains(time)));
        let inside = times.iter().filter(|time| (start + 1..end).contains(time)).count();
        let strictly = online_times(&answer).iter().filter(|time| (start + 1..end).contains(time)).count();
        assert_eq!(strictly, inside);
        assert_eq!(answer["data"]["startTime"], start);
        assert_eq!(answer["data"]["endTime"], end);
    }
}

#[test]
fn viewer_details_cover_the_event_or_the_range_as_configured() {
    for event in [busy(), world().event(SAMPLE_ID).unwrap()] {
        let range = Range { end: Some(event.end_time), ..Range::default() };
        let of = |viewer_details| answer(&event, Query { range, viewer_details, ..everything() });
        let seconds = |answer: &Value| -> i64 {
            array(answer, "viewerDetails").iter().map(|row| row["duration"].as_i64().unwrap()).sum()
        };
        let total: i64 = event.sessions().map(|session| session.seconds()).sum();
        let within: i64 = event
            .sessions()
            .filter(|session| range.contains(session.online))
            .map(|session| session.seconds())
            .sum();
        assert!(0 < within && within < total);
        assert_eq!(seconds(&of(ViewerDetails::Cumulative)), total);
        assert_eq!(seconds(&of(ViewerDetails::PerRange)), within);
    }
}

#[test]
fn the_sample_is_whole_or_cut_by_the_range() {
    let event = world().event(SAMPLE_ID).unwrap();
    let all = Range { start: Some(1_666_772_492), end: Some(1_666_776_839), ends: RangeEnds::Inclusive };
    assert_eq!(body(event.clone(), Query { range: all, ..everything() }), SAMPLE);

    let cut = answer(&event, Query { range: Range { ends: RangeEnds::Exclusive, ..all }, ..everything() });
    assert_eq!(online_times(&cut), [1_666_772_823, 1_666_776_018]);
    let whole: Value = serde_json::from_slice(SAMPLE).unwrap();
    assert_eq!(array(&cut, "lives"), &array(&whole, "lives")[..2]);
    assert_eq!(array(&cut, "viewerDetails"), array(&whole, "viewerDetails"));
}

#[test]
fn a_generated_record_has_the_keys_of_the_sample_in_their_order() {
    let keys = |text: &str, from: &str| -> Vec<String> {
        let record = text.split(from).nth(1).unwrap().split('}').next().unwrap();
        record
            .split(['{', ',', '\n'])
            .filter_map(|part| Some(part.split_once("\":")?.0))
            .map(|key| key.trim().to_owned())
            .collect()
    };
    let sample = String::from_utf8(SAMPLE.to_vec()).unwrap();
    let generated = String::from_utf8(body(busy(), everything())).unwrap();
    for name in ["\"lives\":", "\"viewerDetails\":", "\"interactions\":"] {
        let (expected, got) = (keys(&sample, name), keys(&generated, name));
        assert!(expected.len() >= 37);
        assert_eq!(got[..expected.len()], expected, "{name}");
    }
}
