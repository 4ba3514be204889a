//! A report of any size costs the memory of one chunk. Alone in its file, because it measures its whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;

use jiff::Timestamp;
use simulator::{CHUNK_BYTES, Query, Range, ViewerDetails, Viewers, World, WorldOptions, report};

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn a_report_of_50_mb_takes_the_memory_of_a_chunk() {
    let options = WorldOptions { viewers: Viewers::Exactly(18_000), ..WorldOptions::default() };
    let event = World::new(options).event(700_001).unwrap();
    let query = Query {
        range: Range::default(),
        live_type: None,
        viewer_details: ViewerDetails::Cumulative,
        now: Timestamp::from_second(1_700_000_000).unwrap(),
        request_id: "test".to_owned(),
    };
    let before = peak_memory();
    let (mut bytes, mut largest) = (0, 0);
    for chunk in report(event, query) {
        bytes += chunk.len();
        largest = largest.max(chunk.len());
    }
    assert!(bytes > 50_000_000, "{bytes}");
    assert!(largest < CHUNK_BYTES + 16 * 1024, "{largest}");
    assert!(peak_memory() - before < 4_000_000);
}
