//! A vendor that lists what it is told to, entry by entry, and a run against it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use futures::future::BoxFuture;
use jiff::Timestamp;
use rollcall::config::{Config, Rosters};
use rollcall::error::Result;
use rollcall::job::selection::Selection;
use rollcall::load::store::Store;
use rollcall::report::Report;
use serde_json::{Value, json};
use simulator::ServerOptions;

use super::policies::open;
use crate::support::command::Desk;
use crate::support::run::{config, job, later, server_at, small_world, sync_of};

/// What the vendor says.
#[derive(Default)]
pub(crate) struct VendorAnswers {
    /// The entries of each list.
    pub(crate) edited: Vec<Value>,
    pub(crate) public: Vec<Value>,
    /// The answer about each event by itself.
    pub(crate) info: BTreeMap<i64, Value>,
    /// The arrays of every report; none has a record if it is null.
    pub(crate) report: Value,
    /// Whether the pages of the public list that have the numbers 0 and 1 are the same.
    pub(crate) from_one: bool,
    /// Whether a page states how many entries its list has. It counts those that are null, which are left out of their page.
    pub(crate) counts: bool,
    /// The most entries of a page, whatever is asked for.
    pub(crate) most: Option<usize>,
    /// The code of the answers for pages after the last; `None` if they are empty pages.
    pub(crate) end: Option<i64>,
    /// What its clock says; if `None`, it sends an impossible time.
    pub(crate) time: Option<Timestamp>,
    /// What happens before the second page of edits is answered; the third never is.
    pub(crate) amid: tokio::sync::Mutex<Option<BoxFuture<'static, ()>>>,
    /// What it was asked, in order.
    pub(crate) asked: Mutex<Vec<(String, Value)>>,
}

impl VendorAnswers {
    pub(crate) fn pages(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }
}

async fn answer(
    State(says): State<Arc<VendorAnswers>>,
    Path(path): Path<String>,
    Json(asked): Json<Value>,
) -> Json<Value> {
    let number = |name: &str| usize::try_from(asked[name].as_u64().unwrap_or_default()).unwrap();
    let page = |list: &[Value], at: usize, size: usize| {
        let entries = list.iter().skip(at * size).take(size).filter(|entry| !entry.is_null());
        let entries: Vec<_> = entries.collect();
        Some(if says.counts {
            json!({ "count": list.len(), "list": entries })
        } else {
            json!({ "list": entries })
        })
    };
    let is_broken = match (path.as_str(), number("page"), &mut *says.amid.lock().await) {
        ("event/modify/list", 2, Some(amid)) => {
            amid.await;
            false
        }
        ("event/modify/list", 3, amid) => amid.is_some(),
        _ => false,
    };
    let data = match path.as_str() {
        _ if is_broken => None,
        "event/modify/list"
            if says.end.is_some()
                && number("page") > 1
                && (number("page") - 1) * number("pageSize") >= says.edited.len() =>
        {
            None
        }
        "event/modify/list" => {
            page(&says.edited, number("page") - 1, says.most.unwrap_or_else(|| number("pageSize")))
        }
        "event/public/list" => {
            let (at, size) = (number("page"), says.most.unwrap_or_else(|| number("count")));
            let at = if says.from_one { at.saturating_sub(1) } else { at };
            let is_there = says.end.is_none() || at == 0 || at * size < says.public.len();
            is_there.then(|| page(&says.public, at, size)).flatten()
        }
        "event/info" => says.info.get(&asked["eventId"].as_i64().unwrap()).cloned(),
        _ => Some(json!({ "report": says.report })),
    };
    says.asked.lock().unwrap().push((path, asked));
    let code = if data.is_some() { 200 } else { says.end.unwrap_or(404) };
    Json(
        json!({ "code": code, "msg": "", "timeStamp": says.time.map_or(0, Timestamp::as_millisecond), "requestId": "1", "data": data }),
    )
}

/// A run at `now`, against a vendor that answers so.
pub(crate) async fn run(desk: &Desk, now: Timestamp, says: VendorAnswers) -> (Report, Arc<VendorAnswers>) {
    run_with(desk, now, says, Rosters { edited: true, public: true, file: None }).await
}

/// The same, with other rosters.
pub(crate) async fn run_with(
    desk: &Desk,
    now: Timestamp,
    says: VendorAnswers,
    rosters: Rosters,
) -> (Report, Arc<VendorAnswers>) {
    let (outcome, says) = try_run(&desk.open(), now, says, rosters, Selection::default()).await;
    (outcome.unwrap(), says)
}

pub(crate) async fn try_run(
    store: &Arc<dyn Store>,
    now: Timestamp,
    says: VendorAnswers,
    rosters: Rosters,
    selection: Selection,
) -> (Result<Report>, Arc<VendorAnswers>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = format!("http://{}", listener.local_addr().unwrap());
    let says = Arc::new(says);
    let app = Router::new().route("/eventopenapi/{*path}", post(answer)).with_state(Arc::clone(&says));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let config = Config { api_url, rosters, ..open_config() };
    (job(store, config, now, sync_of(selection)).await, says)
}

/// The settings of all runs here.
pub(crate) fn open_config() -> Config {
    let server = server_at(later(), &small_world(1), ServerOptions::default());
    Config { policy: open(), ..config(&server, std::path::Path::new("unused")) }
}
