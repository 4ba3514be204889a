//! An answer that is larger than what a visit holds back of one: its rows are written while it is still arriving.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use futures::{Stream, StreamExt, stream};
use rollcall::config::{Config, Rosters};
use rollcall::job::selection::Selection;
use rollcall::transform::tables::Table;
use serde_json::{Value, json};
use simulator::ServerOptions;

use crate::support::command::{Desk, files};
use crate::support::lake::rows_of;
use crate::support::run::{config, later, server_at, small_world, sync};

const EVENT: i64 = 7;
/// An instant on the event's only day, in seconds.
const FIRST: u64 = 1_666_772_823;
/// How many records an answer has, and how many bytes each: more than 16 MB in all.
const RECORDS: u64 = 3307;
const BYTES: usize = 8192;
/// How many of them come before anything happens to the answer.
const BEFORE: u64 = 3203;

/// How often the vendor was asked for the day, and where the store lies.
#[derive(Clone)]
struct Vendor {
    asked: Arc<AtomicUsize>,
    store: PathBuf,
}

async fn info() -> Json<Value> {
    let event = json!({ "eventId": EVENT, "title": "large", "startTime": FIRST, "endTime": FIRST + 3600 });
    Json(json!({ "code": 200, "msg": "", "data": event }))
}

/// The report. That of the day breaks off the first time, and waits the second time until rows are being written.
async fn report(State(vendor): State<Vendor>, Json(asked): Json<Value>) -> Body {
    let is_day = asked["startTime"].is_number();
    let time = if is_day { vendor.asked.fetch_add(1, Ordering::SeqCst) } else { usize::MAX };
    let head =
        json!({ "code": 200, "requestId": "r", "data": { "eventId": EVENT, "report": {} } }).to_string();
    let (head, tail) = head.split_at(head.rfind("{}").unwrap() + 1);
    let head = format!("{head}\"viewerDetails\":[],\"interactions\":[],\"lives\":[");
    let what_happens = stream::once(async move {
        match time {
            0 => Err(io::Error::other("broken")),
            1 => written(&vendor.store).await,
            _ => Ok(Bytes::new()),
        }
    });
    let chunks = stream::iter([Ok(head.into())])
        .chain(records(0..BEFORE))
        .chain(what_happens)
        .chain(records(BEFORE..RECORDS))
        .chain(stream::iter([Ok(format!("]{tail}").into())]));
    Body::from_stream(chunks)
}

fn records(these: std::ops::Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    let company = "x".repeat(BYTES);
    stream::iter(these).map(move |number| {
        let comma = if number == 0 { "" } else { "," };
        let record = json!({ "online_time": FIRST + number, "company": company });
        Ok(format!("{comma}{record}").into())
    })
}

/// Waits until an object is being written.
async fn written(store: &std::path::Path) -> io::Result<Bytes> {
    for _ in 0..2000 {
        if !files(&store.join(".partial")).is_empty() {
            return Ok(Bytes::new());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(io::Error::other("nothing is being written"))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_large_answer_are_written_before_its_end_and_if_it_breaks_the_day_starts_over() {
    let desk = Desk::new();
    let vendor = Vendor { asked: Arc::default(), store: desk.store() };
    let app = Router::new()
        .route("/eventopenapi/event/info", post(info))
        .route("/eventopenapi/event/report/details", post(report))
        .with_state(vendor.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let unused = server_at(later(), &small_world(1), ServerOptions::default());
    let rosters = Rosters { edited: false, public: false, file: None };
    let config = Config { api_url, rosters, ..config(&unused, &desk.store()) };
    let chosen = Selection { event: vec![EVENT], ..Selection::default() };
    let report = sync(config, later(), chosen).await.unwrap();
    assert!(report.ok, "{:?}", report.failures);
    assert_eq!(vendor.asked.load(Ordering::SeqCst), 2, "once more, and as a whole");
    assert_eq!((report.rows, rows_of(&desk.store(), Table::Lives, EVENT).await), (RECORDS, RECORDS));
}
