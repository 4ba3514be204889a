//! What a plain client sees of each fault.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use simulator::{Fault, SAMPLE, SAMPLE_ID, Server, ServerOptions};

use crate::http::{REPORT, start};

/// More bytes than any report of these worlds has.
const LIMIT: usize = 2_000_000;

pub(crate) fn with_faults(faults: &[&str]) -> ServerOptions {
    let faults = faults.iter().map(|text| text.parse::<Fault>().unwrap()).collect();
    ServerOptions { faults, ..ServerOptions::default() }
}

/// What comes of asking for a report, in a few words.
pub(crate) async fn seen(server: &Server, timeout: Duration) -> String {
    let client = Client::builder().redirect(Policy::none()).timeout(timeout).build().unwrap();
    let asked = json!({"token": "token", "eventId": 700_004}).to_string();
    let answer = async {
        let response = client.post(server.url() + REPORT).body(asked).send().await?;
        let header = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        if status != 200 {
            let header = header("location").or_else(|| header("retry-after"));
            return Ok(header.map_or_else(|| status.to_string(), |header| format!("{status} {header}")));
        }
        body(response).await
    };
    answer.await.unwrap_or_else(|error: reqwest::Error| {
        match (error.is_timeout(), error.is_request()) {
            (true, _) => "times out",
            (false, true) => "no answer",
            (false, false) => "broken off",
        }
        .to_owned()
    })
}

async fn body(mut response: Response) -> reqwest::Result<String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            return Ok("endless".to_owned());
        }
    }
    let Ok(text) = String::from_utf8(body) else { return Ok("not UTF-8".to_owned()) };
    Ok(match serde_json::from_str::<Value>(&text) {
        Ok(answer) => format!("code {}", answer["code"]),
        Err(_) if text.starts_with("<html>") => "HTML".to_owned(),
        Err(error) if error.is_eof() => "half of it".to_owned(),
        Err(_) => "no JSON".to_owned(),
    })
}

#[tokio::test]
async fn a_client_sees_each_fault_as_what_it_is() {
    let (patient, hasty) = (Duration::from_mins(1), Duration::from_secs(1));
    for (fault, timeout, expected) in [
        ("status=503", patient, "503"),
        ("status=404", patient, "404"),
        ("retry-after=429:2", patient, "429 2"),
        ("reset", patient, "no answer"),
        ("stall", hasty, "times out"),
        ("slow-drip=60000", hasty, "times out"),
        ("cut-body", patient, "broken off"),
        ("cut-length", patient, "broken off"),
        ("cut-clean", patient, "half of it"),
        ("junk", patient, "no JSON"),
        ("not-utf8", patient, "not UTF-8"),
        ("html", patient, "HTML"),
        ("code=500", patient, "code 500"),
        ("code=-1", patient, "code -1"),
        ("endless", patient, "endless"),
        ("endless-space", patient, "endless"),
        ("redirect=http://user@example.com/@always", patient, "302 http://user@example.com/"),
    ] {
        for gzip in [false, true] {
            let server = start(ServerOptions { gzip, ..with_faults(&[fault]) });
            assert_eq!(seen(&server, timeout).await, expected, "{fault}, gzip {gzip}");
            let name = fault.split('=').next();
            assert_eq!(server.requests().first().unwrap().fault, name, "{fault}");
        }
    }
}

#[tokio::test]
async fn what_arrives_despite_a_fault_is_the_beginning_of_the_answer() {
    let asked = json!({"token": "token", "eventId": SAMPLE_ID}).to_string();
    for (fault, timeout, length) in [
        ("stall", Duration::from_secs(3), 64),
        ("cut-body", Duration::from_mins(1), SAMPLE.len() / 2),
        ("cut-length", Duration::from_mins(1), SAMPLE.len() / 2),
        ("cut-clean", Duration::from_mins(1), SAMPLE.len() / 2),
        ("slow-drip=1", Duration::from_mins(1), SAMPLE.len()),
    ] {
        let server = start(with_faults(&[fault]));
        let call = Client::new().post(server.url() + REPORT).body(asked.clone());
        let mut response = call.timeout(timeout).send().await.unwrap();
        let mut got = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got, &SAMPLE[..length], "{fault}");
    }
}

#[tokio::test]
async fn the_server_still_answers_after_broken_connections() {
    let server = start(with_faults(&["reset@nth:1", "cut-body@nth:2"]));
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(seen(&server, Duration::from_mins(1)).await);
    }
    assert_eq!(all, ["no answer", "broken off", "code 200"]);
}

#[tokio::test]
async fn an_endless_report_is_valid_json_as_far_as_it_goes() {
    let server = start(with_faults(&["endless"]));
    let asked = json!({"token": "token", "eventId": 700_004}).to_string();
    let mut response = Client::new().post(server.url() + REPORT).body(asked).send().await.unwrap();
    let mut text = Vec::new();
    while text.len() < 1_000_000 {
        text.extend_from_slice(&response.chunk().await.unwrap().unwrap());
    }
    let error = serde_json::from_slice::<Value>(&text).unwrap_err();
    assert!(error.is_eof(), "{error}");
    let records = text.windows(8).filter(|window| window == b"viewerId").count();
    assert!(records > 500, "{records}");
}

#[tokio::test]
async fn gzip_is_sent_only_to_clients_that_accept_it() {
    let server = start(ServerOptions { gzip: true, ..ServerOptions::default() });
    let asked = json!({"token": "token", "eventId": 700_004}).to_string();
    for (client, expected) in
        [(Client::builder().gzip(false), None), (Client::builder(), Some("accept-encoding"))]
    {
        let call = client.build().unwrap().post(server.url() + REPORT).body(asked.clone());
        let response = call.send().await.unwrap();
        // reqwest removes `content-encoding` together with the encoding.
        let vary = response.headers().get("vary").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(vary.as_deref(), expected);
        assert_eq!(body(response).await.unwrap(), "code 200");
    }
}
