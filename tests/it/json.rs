//! What RFC 8259 says of JSON, tried on an answer of the vendor: each value is decoded, kept as sent, or refused.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;
use rollcall::calendar::Zone;
use rollcall::error::{Kind, Result};
use rollcall::extract::body::Splitter;
use rollcall::json::record::Records;
use rollcall::transform::decode::{DecodeContext, Decoder};
use rollcall::transform::event::Event;
use rollcall::transform::privacy::Privacy;
use rollcall::transform::tables::Table;
use serde_json::value::RawValue;

/// What becomes of a value.
#[derive(Clone, Copy, Debug)]
enum Becomes {
    /// The text in its column.
    Text(&'static str),
    /// The number in its column.
    Number(i64),
    /// Null in its column, and nothing elsewhere.
    Absent,
    /// Null in its column, and as sent in `extra`.
    Extra,
    /// The answer is not JSON: none of it counts, and it is asked for again.
    Refused,
}

use Becomes::{Absent, Extra, Number, Refused, Text};

fn setting() -> DecodeContext {
    DecodeContext {
        event_id: 1,
        pulled_at: "2022-11-01T00:00:00Z".parse().unwrap(),
        zone: Zone::parse("UTC").unwrap(),
        privacy: Privacy::default(),
    }
}

/// Decodes an answer whose one record of `lives` has these fields, handed over in pieces of this many bytes.
fn decode(fields: &[u8], piece: usize) -> Result<RecordBatch> {
    let answer = [br#"{"code":200,"data":{"report":{"lives":[{"online_time":1,"#, fields, b"}]}}}"].concat();
    let (mut splitter, mut decoder) = (Splitter::default(), Decoder::new(Table::Lives, setting()));
    for piece in answer.chunks(piece) {
        splitter.push(piece, |_, record| {
            decoder.push(record);
        })?;
    }
    splitter.finish()?;
    decoder.batch()
}

fn text<'a>(batch: &'a RecordBatch, column: &str) -> Option<&'a str> {
    let array = batch.column_by_name(column).unwrap().as_string::<i32>();
    array.is_valid(0).then(|| array.value(0))
}

fn number(batch: &RecordBatch, column: &str) -> Option<i64> {
    let array = batch.column_by_name(column).unwrap().as_primitive::<Int64Type>();
    array.is_valid(0).then(|| array.value(0))
}

fn check(key: &str, value: &[u8], becomes: Becomes) {
    let shown = String::from_utf8_lossy(value);
    let fields = [b"\"", key.as_bytes(), b"\":", value].concat();
    for piece in [1, 3, 4096] {
        let decoded = decode(&fields, piece);
        let batch = match (becomes, decoded) {
            (Refused, Err(error)) => {
                assert_eq!(error.kind(), Kind::BadAnswer, "{shown}");
                assert!(shown.len() < 4 || !error.to_string().contains(&*shown), "{error}");
                continue;
            }
            (Refused, Ok(_)) => panic!("{shown} was not refused"),
            (_, decoded) => decoded.unwrap_or_else(|error| panic!("{shown}: {error}")),
        };
        assert_eq!(batch.num_rows(), 1, "{shown}");
        let extra = matches!(becomes, Extra).then(|| format!("{{\"{key}\":{}}}", shown.trim()));
        assert_eq!(text(&batch, "extra"), extra.as_deref(), "{shown}");
        match (key, becomes) {
            ("name", Text(expected)) => assert_eq!(text(&batch, "name"), Some(expected), "{shown}"),
            ("name", _) => assert_eq!(text(&batch, "name"), None, "{shown}"),
            (_, Number(expected)) => assert_eq!(number(&batch, "chat_num"), Some(expected), "{shown}"),
            _ => assert_eq!(number(&batch, "chat_num"), None, "{shown}"),
        }
    }
}

#[test]
fn json_strings_are_decoded_or_refused_as_rfc_8259_says() {
    for (value, becomes) in [
        (r#""a""#, Text("a")),
        (r#""\u0041\n\t\"\\\/\b\f\r""#, Text("A\n\t\"\\/\u{8}\u{c}\r")),
        (r#""\ud83d\ude00""#, Text("😀")),
        ("\"😀\"", Text("😀")),
        (r#""a\u0000b""#, Text("a\0b")),
        ("\"\u{7f}\u{2028}\u{feff}\"", Text("\u{7f}\u{2028}\u{feff}")),
        (r#""""#, Absent),
        (r#"" - ""#, Absent),
        ("\"\u{3000}\"", Absent),
        ("\"\u{a0}-\u{2009}\"", Absent),
        // Half of a surrogate pair is valid JSON, but not text.
        (r#""\ud800""#, Text("\u{fffd}")),
        (r#""\ude00\ud83d""#, Text("\u{fffd}\u{fffd}")),
        (r#""\ud800\u0041""#, Text("\u{fffd}A")),
        (r#""\x""#, Refused),
        (r#""\u12g4""#, Refused),
        (r#""\u12""#, Refused),
        ("\"a\tb\"", Refused),
        ("\"a\nb\"", Refused),
        ("\"a\0b\"", Refused),
        ("'a'", Refused),
        ("a", Refused),
    ] {
        check("name", value.as_bytes(), becomes);
    }
    for value in [&b"\"\xff\""[..], b"\"\xc3\x28\"", b"\"\xc0\xaf\"", b"\"\xed\xa0\x80\"", b"\"\xe5\x9b\""] {
        check("name", value, Refused);
    }
}

#[test]
fn a_text_that_was_cut_within_a_character_is_read_wherever_it_stands() {
    let batch =
        decode(br#""odd\ud83d": {"a": "\ud83d", "b": "\ud83d\ude00"}, "chat_num": "\\ud83d\ude00""#, 7)
            .unwrap();
    let extra = "{\"chat_num\":\"\\\\ud83d\u{fffd}\",\"odd\u{fffd}\":{\"a\": \"\u{fffd}\", \"b\": \"\\ud83d\\ude00\"}}";
    assert_eq!(text(&batch, "extra"), Some(extra));
    let mut splitter = Splitter::default();
    splitter
        .push(br#"{"code":200,"msg":"\ud83d","data":{"title":"\ud83d","report":{}}}"#, |_, _| {})
        .unwrap();
    assert_eq!(splitter.finish().unwrap().message.as_deref(), Some("\u{fffd}"));
    let event = Event::read(r#"{"eventId": 1, "title": "cut \ud83d"}"#).unwrap();
    assert_eq!(event.title.as_deref(), Some("cut \u{fffd}"));
}

#[test]
fn whole_numbers_are_decoded_other_numbers_kept_as_sent_and_invalid_ones_refused() {
    for (value, becomes) in [
        ("0", Number(0)),
        ("-0", Number(0)),
        ("42", Number(42)),
        (" 42 ", Number(42)),
        ("42.0", Number(42)),
        ("\"42\"", Number(42)),
        ("9223372036854775807", Number(i64::MAX)),
        ("-9223372036854775808", Number(i64::MIN)),
        ("9223372036854775808", Extra),
        ("123123123123123123123123123", Extra),
        ("4.2e1", Number(42)),
        ("4200E-2", Number(42)),
        ("0.000e999", Number(0)),
        ("9007199254740993.0", Number(9_007_199_254_740_993)),
        ("9223372036854775807.000", Number(i64::MAX)),
        ("-9.223372036854775808e18", Number(i64::MIN)),
        ("9.223372036854775808e18", Extra),
        ("1.5", Extra),
        ("1.00000000000000000000001", Extra),
        ("1e19", Extra),
        ("1e400", Extra),
        ("1e-400", Extra),
        ("01", Refused),
        ("-01", Refused),
        ("+1", Refused),
        (".5", Refused),
        ("1.", Refused),
        ("-", Refused),
        ("1e", Refused),
        ("1e+", Refused),
        ("0x10", Refused),
        ("1_000", Refused),
        ("NaN", Refused),
        ("-Infinity", Refused),
    ] {
        check("chat_num", value.as_bytes(), becomes);
    }
}

#[test]
fn null_is_absent_other_literals_and_structures_are_kept_and_invalid_ones_refused() {
    for (value, becomes) in [
        ("null", Absent),
        ("true", Extra),
        ("[]", Extra),
        ("{}", Extra),
        (r#"[1,"]}",{"a":[null]}]"#, Extra),
        (r#"{"a":1,"a":2}"#, Extra),
        ("Null", Refused),
        ("nul", Refused),
        ("truee", Refused),
        ("[1,]", Refused),
        ("[,1]", Refused),
        ("[1 2]", Refused),
        (r#"{"a":1,}"#, Refused),
        (r#"{"a" 1}"#, Refused),
        ("{1:1}", Refused),
        ("{a:1}", Refused),
        (r#"{"a":1 "b":2}"#, Refused),
        ("[1}", Refused),
        ("/* */ 1", Refused),
        ("1 // one", Refused),
        ("\u{c}1", Refused),
        ("\u{a0}1", Refused),
        ("", Refused),
    ] {
        check("chat_num", value.as_bytes(), becomes);
    }
}

#[test]
fn a_value_is_kept_however_deeply_it_is_nested() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let batch = decode(format!("\"new\":{deep}").as_bytes(), 4096).unwrap();
    assert_eq!(text(&batch, "extra"), Some(format!("{{\"new\":{deep}}}").as_str()));
}

#[test]
fn the_last_value_of_a_repeated_key_counts_however_the_key_is_written() {
    let batch = decode(br#""name":"a","chat_num":1,"n\u0061me":"b","chat_num":2"#, 5).unwrap();
    assert_eq!((text(&batch, "name"), number(&batch, "chat_num")), (Some("b"), Some(2)));
}

/// Objects that are nearly JSON: pieces of it in an order that often makes sense.
fn nearly_json() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\"a\"",
        "\"a\":",
        "\"b\":1,",
        "\"\\u00e9\":\"\\n\",",
        "\\",
        "\\u12",
        "-",
        "0",
        "1",
        "12.5e-3",
        ".",
        "e",
        "null",
        "true",
        "fals",
        " ",
        "\n",
        "\u{1}",
        "中文十六个字节以上的一段文字",
        "{}",
        "[1,{\"c\":[]}]",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("{{{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_object_is_read_or_refused_as_serde_json_reads_or_refuses_it(text in nearly_json()) {
        let mut expected = serde_json::Deserializer::from_str(&text).into_iter::<BTreeMap<String, Box<RawValue>>>();
        let next = expected.next();
        let taken = expected.byte_offset();
        let mut records = Records::default();
        match (records.first(text.as_bytes()), next) {
            (Ok(Some(record)), Some(Ok(fields))) => {
                prop_assert_eq!(record.text(), &text[..taken]);
                let found: BTreeMap<_, _> =
                    record.fields().map(|sent| (sent.key().into_owned(), sent.value())).collect();
                let fields: BTreeMap<_, _> = fields.iter().map(|(key, value)| (key.clone(), value.get())).collect();
                prop_assert_eq!(found, fields);
                for end in 0..taken {
                    prop_assert!(records.first(&text.as_bytes()[..end]).unwrap().is_none(), "{end}");
                }
            }
            // What stands in brackets is checked only when they close: one parser may call it wrong, the other incomplete.
            (Ok(None) | Err(_), Some(Err(_))) => {}
            (found, expected) => {
                let found = found.map(|record| record.map(|record| record.text().to_owned()));
                prop_assert!(false, "{found:?} {expected:?}");
            }
        }
    }
}

#[test]
fn only_whitespace_and_one_byte_order_mark_are_accepted_around_an_answer() {
    for (answer, expected) in [
        (&b" \t\r\n{\"code\":200} \n"[..], Ok(())),
        (b"{\"code\":200}\0", Err(Kind::BadAnswer)),
        (b"{\"code\":200}{}", Err(Kind::BadAnswer)),
        (b"\xef\xbb\xbf{\"code\":200}", Ok(())),
        (b"\xef\xbb{\"code\":200}", Err(Kind::BadAnswer)),
        (b"\xef\xbb\xbf\xef\xbb\xbf{\"code\":200}", Err(Kind::BadAnswer)),
        (b"{\"code\":200", Err(Kind::Broken)),
        (b"", Err(Kind::Broken)),
    ] {
        let mut splitter = Splitter::default();
        let pushed = splitter.push(answer, |_, _| {});
        let outcome = pushed.and_then(|()| splitter.finish().map(|_| ()));
        assert_eq!(outcome.map_err(|error| error.kind()), expected);
    }
}
