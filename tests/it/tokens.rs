//! Tokens: those that end, those that are refused, and those that cannot be made.

use rollcall::config::Rosters;
use rollcall::error::Kind;
use rollcall::extract::auth::Credentials;
use rollcall::job::selection::Selection;
use simulator::{Server, ServerOptions};

use crate::support::command::{Desk, TOKEN};
use crate::support::faults::{faults, without_faults};
use crate::support::lake::cells;
use crate::support::run::{app, config, later, server_at, server_now, small_world, sync, sync_all};

/// How many tokens were made.
fn made(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.path.ends_with("token/create")).count()
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_once_for_all_requests() {
    let expected = without_faults().await;
    for options in [
        ServerOptions { token_expires_after: Some(7), ..ServerOptions::default() },
        ServerOptions { token_expires_after: Some(9), new_token_ends_old: true, ..ServerOptions::default() },
        ServerOptions { token_expires_after: Some(12), token_code: 10_003, ..ServerOptions::default() },
        ServerOptions {
            app_id_header: "AppId".into(),
            token_field: "accessToken".into(),
            ..ServerOptions::default()
        },
    ] {
        let desk = Desk::new();
        let mut app = app();
        (app.key_header, app.token_field) = (options.app_id_header.clone(), options.token_field.clone());
        let is_ending = options.token_expires_after.is_some();
        let server = server_at(later(), &small_world(8), options);
        let mut config = config(&server, &desk.store());
        config.credentials = Some(Credentials::App(app));
        sync_all(config, later()).await;
        assert!(cells(&desk.store()).await == expected);
        let made = made(&server);
        let calls = server.requests().len() - made;
        assert!(
            if is_ending { made > 1 && made <= calls / 4 } else { made == 1 },
            "{made} tokens, {calls} calls"
        );
    }
}

#[tokio::test]
async fn every_request_in_the_name_of_an_application_is_signed() {
    let desk = Desk::new();
    let options = ServerOptions { signature_everywhere: true, ..ServerOptions::default() };
    let server = server_at(later(), &small_world(8), options);
    let mut config = config(&server, &desk.store());
    config.credentials = Some(Credentials::App(app()));
    sync_all(config, later()).await;
    assert!(cells(&desk.store()).await == without_faults().await);
}

#[tokio::test]
async fn after_three_ambiguous_refusals_the_token_is_renewed_once_in_a_run() {
    for token_code in [400, 403] {
        let desk = Desk::new();
        let options = ServerOptions { token_expires_after: Some(20), token_code, ..ServerOptions::default() };
        let server = server_at(later(), &small_world(8), options);
        let mut config = config(&server, &desk.store());
        (config.credentials, config.concurrency) = (Some(Credentials::App(app())), 1);
        let report = sync(config, later(), Selection::default()).await.unwrap();
        assert!(report.failures.iter().all(|failure| failure.kind == Kind::Refused), "{:?}", report.failures);
        // Only once per run: after that, it is the user who lacks the right.
        assert!(made(&server) == 2 && report.events.complete > 2, "{token_code} {:?}", report.events);
    }
}

#[tokio::test]
async fn a_token_that_expires_just_after_it_was_found_to_be_good_is_renewed() {
    let refused = [1, 2, 3].map(|nth| format!("code=403@path:report/details,nth:{nth}"));
    let run = async |token_expires_after| {
        let desk = Desk::new();
        let options = faults(&refused.each_ref().map(String::as_str));
        let options = ServerOptions { token_expires_after, token_code: 10_003, ..options };
        let server = server_at(later(), &small_world(8), options);
        let mut config = config(&server, &desk.store());
        (config.credentials, config.concurrency) = (Some(Credentials::App(app())), 1);
        (sync(config, later(), Selection::default()).await.unwrap(), server)
    };
    let (whole, server) = run(None).await;
    assert_eq!(made(&server), 1);
    let asked: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    let mut reports = asked.iter().enumerate().filter(|(_, path)| path.ends_with("report/details"));
    let (third_refusal, _) = reports.nth(2).unwrap();
    let check = third_refusal + 1;
    assert!(asked[check].ends_with("event/modify/list"), "{asked:?}");
    // A refused request does not count as a use of the token.
    let uses = asked[..=check].iter().filter(|path| !path.ends_with("token/create")).count() - refused.len();
    let (report, server) = run(Some(uses as u64)).await;
    assert!(
        made(&server) > 1 && report.events.failed == whole.events.failed,
        "{:?} {:?}",
        report.failures,
        whole.failures
    );
}

#[tokio::test]
async fn a_token_said_to_be_valid_for_no_time_is_not_renewed_for_every_request() {
    for token_valid in [0, -1] {
        let desk = Desk::new();
        let options = ServerOptions { token_valid, ..ServerOptions::default() };
        let server = server_at(later(), &small_world(4), options);
        let mut config = config(&server, &desk.store());
        config.credentials = Some(Credentials::App(app()));
        sync_all(config, later()).await;
        assert_eq!(made(&server), 1, "{token_valid}");
    }
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_refused_before_any_request() {
    let server = server_at(later(), &small_world(1), ServerOptions::default());
    let desk = Desk::new();
    let mut broken = config(&server, &desk.store());
    broken.credentials =
        Some(Credentials::App(rollcall::extract::auth::App { key: "key\n".into(), ..app() }));
    let error = sync(broken, later(), Selection::default()).await.unwrap_err();
    assert!(
        !error.is_transient() && error.to_string().contains("a header cannot contain a line break"),
        "{error}"
    );
    assert!(!error.to_string().contains("key\n") && server.requests().is_empty(), "{error}");
}

#[tokio::test]
async fn an_unknown_code_does_not_renew_a_token_that_is_still_good() {
    let desk = Desk::new();
    let server = server_at(later(), &small_world(8), faults(&["code=10086@path:report/details"]));
    let mut config = config(&server, &desk.store());
    config.credentials = Some(Credentials::App(app()));
    let report = sync(config, later(), Selection::default()).await.unwrap();
    assert!(!report.ok && report.failures.iter().all(|failure| failure.kind == Kind::Unavailable));
    assert_eq!(made(&server), 1, "the token is good for the lists");
}

#[tokio::test]
async fn a_wrong_secret_fails_at_the_first_request_and_a_user_is_found_by_mail_address() {
    let server = server_at(later(), &small_world(2), ServerOptions::default());
    let desk = Desk::new();
    let mut wrong = config(&server, &desk.store());
    wrong.credentials =
        Some(Credentials::App(rollcall::extract::auth::App { secret: "wrong".into(), ..app() }));
    let error = sync(wrong, later(), Selection::default()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (Kind::Credentials, 1));

    let mut by_mail = config(&server, &desk.store());
    let user = rollcall::extract::auth::User::Email("li@example.com".into());
    by_mail.credentials = Some(Credentials::App(rollcall::extract::auth::App { user, ..app() }));
    sync_all(by_mail, later()).await;
}

#[tokio::test]
async fn a_token_refused_for_one_event_alone_does_not_stop_the_others() {
    let app = || Credentials::App(app());
    for (credentials, path) in [
        (Credentials::Token(TOKEN.into()), "report/details"),
        (app(), "report/details"),
        (Credentials::Token(TOKEN.into()), "event/info"),
    ] {
        let desk = Desk::new();
        let options = faults(&[&format!("code=401@path:{path},event:700004")]);
        let server = server_at(later(), &small_world(8), options);
        let mut config = config(&server, &desk.store());
        config.credentials = Some(credentials);
        let file = desk.path().join("own.csv");
        if path == "event/info" {
            std::fs::write(&file, "event_id\n700003\n700004\n700005\n").unwrap();
            config.rosters =
                Rosters { edited: false, public: false, file: Some(file.to_str().unwrap().into()) };
        }
        let report = sync(config, later(), Selection::default()).await.unwrap();
        let [failure] = &report.failures[..] else { panic!("{path}: {:?}", report.failures) };
        assert_eq!((failure.event_id, failure.kind), (Some(700_004), Kind::Refused), "{path}");
        assert!(failure.error.contains("but not for this event"), "{}", failure.error);
        assert!(report.events.complete >= 2 && report.events.left == 0, "{path}: {:?}", report.events);
        assert!(made(&server) <= 1, "a new token is no help");
    }
}

#[tokio::test]
async fn a_token_is_not_given_up_because_its_check_failed() {
    for credentials in [Credentials::Token(TOKEN.into()), Credentials::App(app())] {
        let desk = Desk::new();
        // The lists are read with two requests; the one after them is the check.
        let refused = "code=401@path:report/details,event:700004";
        let options = faults(&[refused, "code=10086@path:modify/list,nth:3"]);
        let server = server_at(later(), &small_world(8), options);
        let mut config = config(&server, &desk.store());
        config.credentials = Some(credentials);
        let report = sync(config, later(), Selection::default()).await.unwrap();
        let checks = server.requests().iter().filter(|request| request.path.ends_with("modify/list")).count();
        assert!(checks >= 4, "the check met trouble: {checks}");
        let [failure] = &report.failures[..] else { panic!("{:?}", report.failures) };
        assert_eq!((failure.event_id, failure.kind), (Some(700_004), Kind::Refused));
        assert!(made(&server) <= 1);
    }
}

/// A Secrets Manager that has no token, and takes none.
async fn full_secret() -> String {
    let answer = async |headers: axum::http::HeaderMap| {
        let called = headers["x-amz-target"].to_str().unwrap();
        let kind = if called.ends_with("GetSecretValue") {
            "ResourceNotFoundException"
        } else {
            "LimitExceededException"
        };
        (axum::http::StatusCode::BAD_REQUEST, format!(r#"{{"__type": "{kind}", "message": "no"}}"#))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_shared_still_serves_its_own_run_but_fails_the_token_job() {
    let server = server_now(&small_world(2), ServerOptions::default());
    let (desk, secrets, url) = (Desk::new(), full_secret().await, server.url());
    let run = |job: &str| {
        let app = app();
        let user = ["--app-key", &app.key, "--app-secret", "demo", "--user-id", "1"];
        let secret =
            ["--token-secret-arn", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-AbCdEf"];
        let words = [&[job, "--api-url", &url][..], &user, &secret].concat();
        let mut command = desk.command(&words);
        command.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.output().unwrap()
    };
    let synced = run("sync");
    let said = String::from_utf8_lossy(&synced.stderr).into_owned();
    assert!(synced.status.success() && said.contains("cannot share the new token"), "{said}");
    assert_eq!(made(&server), 1);
    let shared = run("token");
    let said = String::from_utf8_lossy(&shared.stderr).into_owned();
    assert!(shared.status.code() == Some(1) && said.contains("cannot write the shared token"), "{said}");
}
