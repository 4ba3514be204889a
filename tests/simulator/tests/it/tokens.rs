//! How long tokens last, and under which names they are issued.

use serde_json::{Value, json};
use simulator::{SAMPLE_ID, Server, ServerOptions};

use crate::http::{call, signed, start};

async fn token(server: &Server) -> String {
    let answer = signed(server, "/eventopenapi/token/create", "demo", json!({"userId": 1})).await;
    answer["data"]["token"].as_str().unwrap().to_owned()
}

/// The codes of this many calls with `token`.
async fn codes(server: &Server, token: &str, calls: usize) -> Vec<Value> {
    let mut codes = Vec::new();
    for _ in 0..calls {
        let asked = json!({"token": token, "eventId": SAMPLE_ID});
        codes.push(call(server, "/eventopenapi/event/info", asked).await["code"].clone());
    }
    codes
}

#[tokio::test]
async fn a_token_expires_after_the_configured_number_of_uses() {
    let server = start(ServerOptions { token_expires_after: Some(2), ..ServerOptions::default() });
    for _ in 0..2 {
        let token = token(&server).await;
        assert_eq!(codes(&server, &token, 4).await, [200, 200, 401, 401]);
    }
    assert_eq!(codes(&server, "token", 3).await, [200, 200, 200], "the one that is not issued stays");
}

#[tokio::test]
async fn a_new_token_ends_the_old_ones_only_if_configured_to() {
    for (new_token_ends_old, code) in [(false, 200), (true, 401)] {
        let server = start(ServerOptions { new_token_ends_old, ..ServerOptions::default() });
        let (old, new) = (token(&server).await, token(&server).await);
        assert_eq!(codes(&server, &old, 1).await, [code]);
        assert_eq!(codes(&server, &new, 1).await, [200]);
    }
}

#[tokio::test]
async fn the_header_the_token_field_and_the_known_address_are_configurable() {
    let server = start(ServerOptions {
        token_field: "accessToken".to_owned(),
        email: Some("a@example.com".to_owned()),
        ..ServerOptions::default()
    });
    let created = signed(&server, "/eventopenapi/token/create", "demo", json!({"userId": 1})).await;
    assert_eq!(created["data"]["token"], Value::Null);
    assert_eq!(created["data"]["accessToken"].as_str().unwrap().len(), 32);
    for (email, code) in [("a@example.com", 200), ("b@example.com", 401)] {
        let path = "/eventopenapi/user/search/email";
        assert_eq!(signed(&server, path, "demo", json!({"email": email})).await["code"], code);
    }
    // `signed` sends `AppKey`.
    let server = start(ServerOptions { app_id_header: "AppId".to_owned(), ..ServerOptions::default() });
    let refused = signed(&server, "/eventopenapi/token/create", "demo", json!({"userId": 1})).await;
    assert_eq!(refused["code"], 401);
}
