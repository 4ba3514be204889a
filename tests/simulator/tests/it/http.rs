//! The endpoints over HTTP.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use simulator::{Clock, PublicList, Request, SAMPLE, SAMPLE_ID, Server, ServerOptions, World, WorldOptions};

pub(crate) const REPORT: &str = "/eventopenapi/event/report/details";

pub(crate) fn start(options: ServerOptions) -> Server {
    let world = World::new(WorldOptions { events: 60, ..WorldOptions::default() });
    Server::start(world, ServerOptions { token: Some("token".to_owned()), ..options }).unwrap()
}

async fn text(server: &Server, path: &str, body: impl Into<reqwest::Body>) -> String {
    let response = reqwest::Client::new().post(server.url() + path).body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.text().await.unwrap()
}

pub(crate) async fn call(server: &Server, path: &str, body: Value) -> Value {
    serde_json::from_str(&text(server, path, body.to_string()).await).unwrap()
}

#[tokio::test]
async fn the_sample_is_served_byte_for_byte() {
    let server = start(ServerOptions::default());
    let body = json!({"token": "token", "eventId": SAMPLE_ID, "liveType": 0}).to_string();
    assert_eq!(text(&server, REPORT, body).await.as_bytes(), SAMPLE);
    let expected =
        Request { path: REPORT, event_id: Some(SAMPLE_ID), start_time: None, end_time: None, fault: None };
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn every_generated_report_parses() {
    let server = start(ServerOptions::default());
    let mut ids = HashSet::new();
    for id in 700_001..=700_060 {
        let answer = call(&server, REPORT, json!({"token": "token", "eventId": id})).await;
        assert_eq!(answer["data"]["eventId"], id);
        ids.insert(answer["requestId"].to_string());
    }
    assert_eq!(ids.len(), 60, "each answer has an id of its own");
}

#[tokio::test]
async fn a_failed_call_is_answered_with_its_code() {
    let server = start(ServerOptions::default());
    for (body, code) in [
        ("{", 400),
        ("7", 400),
        (r#"{"token": "token"}"#, 400),
        (r#"{"token": "token", "eventId": "many"}"#, 400),
        (r#"{"eventId": 609768}"#, 401),
        (r#"{"token": "stolen", "eventId": 609768}"#, 401),
        (r#"{"token": "token", "eventId": 700000}"#, 404),
        (r#"{"token": "token", "eventId": 700061}"#, 404),
    ] {
        let answer: Value = serde_json::from_str(&text(&server, REPORT, body).await).unwrap();
        assert_eq!(answer["code"], code, "{body}");
        assert_eq!(answer["data"], Value::Null);
        assert!(answer["requestId"].as_str().unwrap().starts_with("172.10.85.69_"));
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let server = start(ServerOptions::default());
    assert_eq!(reqwest::get(server.url() + REPORT).await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reqwest::get(server.url() + "/").await.unwrap().status(), StatusCode::NOT_FOUND);
}

/// Calls with the four headers, signed with `secret` now and with a nonce that no other call has.
pub(crate) async fn signed(server: &Server, path: &str, secret: &str, body: Value) -> Value {
    static NONCES: AtomicU64 = AtomicU64::new(0);
    let nonce = NONCES.fetch_add(1, Ordering::Relaxed).to_string();
    signed_at(server, path, secret, (&nonce, Timestamp::now()), body).await
}

async fn signed_at(
    server: &Server,
    path: &str,
    secret: &str,
    (nonce, now): (&str, Timestamp),
    body: Value,
) -> Value {
    let (cur_time, key) = (&*now.as_millisecond().to_string(), "demo");
    let digest = Sha1::digest(format!("{secret}{nonce}{cur_time}"));
    let check_sum = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let headers = [("AppKey", key), ("Nonce", nonce), ("CurTime", cur_time), ("CheckSum", &check_sum)];
    let call = reqwest::Client::new().post(server.url() + path).body(body.to_string());
    let call = headers.into_iter().fold(call, |call, (name, value)| call.header(name, value));
    serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_issued_only_to_a_caller_who_signs_correctly() {
    let server = start(ServerOptions::default());
    let (path, user) = ("/eventopenapi/token/create", json!({"userId": 1}));
    let now = Timestamp::now();
    let answer = signed_at(&server, path, "demo", ("n", now), user.clone()).await;
    assert_eq!((&answer["code"], &answer["data"]["expire"]), (&json!(200), &json!(86_400)));
    let token = answer["data"]["token"].as_str().unwrap();
    assert_eq!(token.len(), 32);
    let info = json!({"token": token, "eventId": SAMPLE_ID});
    assert_eq!(call(&server, "/eventopenapi/event/info", info).await["code"], 200);

    let long = "n".repeat(129);
    let years_ago = Timestamp::from_second(1_666_948_293).unwrap();
    for (secret, nonce, at, what) in [
        ("guess", "other", now, "the secret"),
        ("demo", "", now, "no nonce"),
        ("demo", &*long, now, "too long a nonce"),
        ("demo", "n", now, "a nonce that was used"),
        ("demo", "old", years_ago, "an old signature"),
    ] {
        let answer = signed_at(&server, path, secret, (nonce, at), user.clone()).await;
        assert_eq!(answer["code"], 401, "{what}");
    }
    assert_eq!(signed(&server, path, "demo", json!({"userId": 2})).await["code"], 401);
    assert_eq!(signed(&server, path, "demo", json!({})).await["code"], 400);
    assert_eq!(call(&server, path, user).await["code"], 401);
}

#[tokio::test]
async fn a_user_is_found_by_email() {
    let server = start(ServerOptions { user_id: 7, ..ServerOptions::default() });
    let body = json!({"email": "a@example.com"});
    let answer = signed(&server, "/eventopenapi/user/search/email", "demo", body).await;
    assert_eq!(answer["data"], json!({"userId": 7}));
}

fn ids(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|event| event["eventId"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_pages_of_edited_events_list_each_event_once() {
    let server = start(ServerOptions::default());
    let mut seen = Vec::new();
    for page in 1.. {
        let asked = json!({"token": "token", "startTime": 0, "page": page, "pageSize": 7});
        let answer = call(&server, "/eventopenapi/event/modify/list", asked).await;
        assert_eq!(answer["data"]["count"], 61);
        let list = ids(&answer["data"]["list"]);
        if list.is_empty() {
            break;
        }
        seen.extend(list);
    }
    let expected: Vec<u64> = std::iter::once(SAMPLE_ID).chain(700_001..=700_060).collect();
    assert_eq!(seen, expected);

    let asked = json!({"token": "token", "startTime": 1_666_768_800, "endTime": 1_666_768_800});
    let answer = call(&server, "/eventopenapi/event/modify/list", asked).await;
    assert_eq!(ids(&answer["data"]["list"]), [SAMPLE_ID]);
    assert_eq!(answer["data"]["list"][0]["eventStatus"], 1);
    let without = call(&server, "/eventopenapi/event/modify/list", json!({"token": "token"})).await;
    assert_eq!(without["code"], 400);
}

#[tokio::test]
async fn the_pages_of_public_events_list_each_event_once_in_either_shape() {
    for (shape, pointer) in [(PublicList::Array, "/data"), (PublicList::Object, "/data/list")] {
        let server = start(ServerOptions { public_list: shape, ..ServerOptions::default() });
        let mut seen = Vec::new();
        for page in 0..4 {
            let asked = json!({"token": "token", "startTime": 0, "page": page});
            let answer = call(&server, "/eventopenapi/event/public/list", asked).await;
            seen.extend(ids(answer.pointer(pointer).unwrap()));
        }
        assert_eq!(seen.len(), 61);
        assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), 61);
        let from_now_on = call(&server, "/eventopenapi/event/public/list", json!({"token": "token"})).await;
        assert_eq!(ids(from_now_on.pointer(pointer).unwrap()), [0; 0]);
    }
}

#[tokio::test]
async fn an_event_is_marked_as_ended_12_hours_after_its_end() {
    let info = json!({"token": "token", "eventId": SAMPLE_ID});
    for (now, status) in [("2022-10-26T20:59:59Z", 1), ("2022-10-26T21:00:00Z", 4)] {
        let clock = Clock::Fixed(now.parse::<Timestamp>().unwrap());
        let server = start(ServerOptions { clock, ..ServerOptions::default() });
        let answer = call(&server, "/eventopenapi/event/info", info.clone()).await;
        assert_eq!(answer["data"]["status"], status);
        assert_eq!(answer["data"]["startTime"], 1_666_772_400);
        assert_eq!(answer["data"]["endTime"], 1_666_774_800);
    }
    let clock = Clock::Fixed("2022-10-24T08:19:59Z".parse().unwrap());
    let server = start(ServerOptions { clock, ..ServerOptions::default() });
    assert_eq!(call(&server, "/eventopenapi/event/info", info).await["code"], 404, "not yet created");
}

#[test]
fn a_server_starts_and_stops_without_a_runtime_around_it() {
    let server = start(ServerOptions::default());
    let address = server.url().trim_start_matches("http://").to_owned();
    std::net::TcpStream::connect(&address).unwrap();
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
