//! The user's own roster: event numbers, as CSV with a header or as JSON lines.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// The possible names of the column or key that holds the event number.
const NAMES: [&str; 2] = ["event_id", "eventId"];

/// Reads the event numbers of a roster, in its order; other columns and keys are ignored. An error names the line.
pub fn parse(text: &str) -> Result<Vec<i64>> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') { json_lines(text) } else { csv(text) }
}

fn csv(text: &str) -> Result<Vec<i64>> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| wrong("the roster is not CSV").caused_by(error);
    let header = reader.headers().map_err(unreadable)?;
    let column = header
        .iter()
        .position(|name| NAMES.contains(&name))
        .ok_or_else(|| wrong("the roster's header has no column `event_id`"))?;
    let mut events = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        // An empty row, such as spreadsheets leave below the last one.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let number = record.get(column).and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        events.push(number.ok_or_else(|| {
            wrong("an event number in the roster is not a positive number").with("line", line)
        })?);
    }
    Ok(events)
}

fn json_lines(text: &str) -> Result<Vec<i64>> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(alias = "eventId")]
        event_id: Value,
    }
    let entries = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let number = |(at, line): (usize, &str)| {
        let entry: Option<Entry> = serde_json::from_str(line).ok();
        let number = entry.and_then(|entry| match entry.event_id {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        });
        number.filter(|number| *number > 0).ok_or_else(|| {
            wrong("an entry of the roster has no `event_id` that is a positive number").with("line", at + 1)
        })
    };
    entries.map(number).collect()
}

fn wrong(message: &str) -> Error {
    Error::new(Kind::Usage, message).hint("give CSV with a header, or JSON lines, with `event_id`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_and_json_lines_name_the_same_events() {
        for text in [
            "event_id\n609768\n700001\n",
            "\u{feff}title,eventId\r\n\"a, \"\"b\"\"\",609768\r\nc, 700001 \r\n",
            "{\"event_id\": 609768}\n\n{\"eventId\": \"700001\", \"title\": \"x\"}\n",
        ] {
            assert_eq!(parse(text).unwrap(), [609_768, 700_001], "{text}");
        }
        assert_eq!(parse("event_id\n").unwrap(), [0; 0]);
        assert_eq!(parse("event_id,title\n7,x\n,\n , \n").unwrap(), [7]);
    }

    #[test]
    fn an_invalid_roster_is_refused_with_the_line_or_column_at_fault() {
        for (text, said) in [
            ("609768\n700001\n", "no column `event_id`"),
            ("event_id\n609768\nmany\n", "line: 3"),
            ("event_id\n609768\n-5\n", "line: 3"),
            ("event_id,title\n,x\n", "line: 2"),
            ("{\"event_id\": 0}\n", "line: 1"),
            ("{\"event_id\": 1}\n{\"event\": 2}\n", "line: 2"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
