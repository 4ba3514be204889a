//! Whatever is wrong is reported on one line, with a hint, and by the exit status, and nothing is left half-written.

use serde_json::Value;
use simulator::{ServerOptions, World};

use crate::support::command::{Desk, TOKEN, files, server};

#[test]
fn a_wrong_call_ends_with_status_2_before_anything_is_done() {
    let server = server(&World::default(), ServerOptions::default());
    let url = server.url();
    for (words, message) in [
        (vec!["--api-url", &url], "there is no token"),
        (vec!["--api-url", &url, "--app-key", "demo"], "the application's credentials are incomplete"),
        (
            vec!["--api-url", &url, "--token", TOKEN, "--from", "2022-10-27", "--to", "2022-10-26"],
            "`--from` 2022-10-27 is after `--to` 2022-10-26",
        ),
        (
            vec!["--api-url", &url, "--token", TOKEN, "--zone", "Asia/Shangai"],
            "unknown time zone `Asia/Shangai`",
        ),
        (
            vec!["--api-url", &url, "--token", TOKEN, "--settle", "12"],
            "`12` is not a duration for `--settle`",
        ),
        (vec!["--api-url", &url, "--token", TOKEN, "--horizon", "36h"], "25 hours longer than `--settle`"),
        (vec!["--api-url", &url, "--token", TOKEN, "--accept-shrink"], "would let every event shrink"),
        (vec!["--api-url", &url, "--token", ""], "is empty"),
        (vec!["--api-url", "http://example.com", "--token", TOKEN], "would send secrets unencrypted"),
        (vec!["--api-url", &url, "--token", TOKEN, "--store", "ftp://x"], "unknown kind of store `ftp://x`"),
        (vec!["--api-url", &url, "--token", TOKEN, "--store", "s3:/x"], "unknown kind of store `s3:/x`"),
        (vec!["--api-url", &url, "--token", TOKEN, "--store", "s3:///x"], "`s3:///x` names no bucket"),
        (
            vec!["--token", TOKEN, "--store", "s3://x", "--s3-endpoint", "http://example.com"],
            "would send secrets unencrypted",
        ),
    ] {
        let desk = Desk::new();
        let outcome = desk.run(&[&["sync"], &words[..]].concat());
        assert_eq!(outcome.status, 2, "{words:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
        let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
        assert!(error.contains(message) && error.contains(" hint: "), "{error}");
        assert_eq!(files(&desk.store()), []);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_token_job_names_what_it_lacks_in_the_order_in_which_it_is_needed() {
    let server = server(&World::default(), ServerOptions::default());
    let url = server.url();
    for (words, message) in [
        (&["--api-url", &url][..], "there is no token"),
        (&["--api-url", &url, "--token", TOKEN], "there is no secret through which to share a token"),
    ] {
        let outcome = Desk::new().run(&[&["token"], words].concat());
        assert_eq!(outcome.status, 2, "{words:?}: {}", outcome.stderr);
        let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
        assert!(error.contains(message) && error.contains(" hint: "), "{error}");
    }
}

#[test]
fn a_call_that_cannot_be_parsed_is_reported_as_json_if_json_is_asked_for() {
    let desk = Desk::new();
    for (words, said) in [
        (&["sync", "--concurrency", "none"][..], "invalid value 'none' for '--concurrency"),
        (&["snyc"], "unrecognized subcommand 'snyc'"),
    ] {
        let outcome = desk.run(words);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""));
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        let outcome = desk.run(&[words, &["--json"]].concat());
        assert_eq!(outcome.status, 2);
        let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!((&result["ok"], &result["failures"][0]["kind"]), (&false.into(), &"usage".into()));
        assert!(result["failures"][0]["error"].as_str().unwrap().contains(said), "{result}");
        let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
        assert!(error.contains(said), "{error}");
    }
    assert!(desk.run(&["sync", "--help", "--json"]).succeeded().stdout.contains("Usage: "));
}

#[test]
fn the_error_for_a_refused_value_names_the_environment_variable_it_came_from() {
    let desk = Desk::new();
    for (variable, words, is_of_environment) in [
        ("ROLLCALL_ARCHIVE", &["status"][..], true),
        ("ROLLCALL_CONCURRENCY", &["status"], true),
        ("ROLLCALL_CONCURRENCY", &["status", "--concurrency", "none"], false),
        ("ROLLCALL_CONCURRENCY", &["status", "--concurrency=none"], false),
    ] {
        let output = desk.command(words).env(variable, "perhaps").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        let hint = format!("hint: the value is that of `{variable}`");
        assert_eq!(said.contains(&hint), is_of_environment, "{said}");
    }
}

#[test]
fn an_endpoint_in_the_environment_that_would_get_data_in_the_clear_is_refused() {
    let desk = Desk::new();
    let of_secret =
        ["sync", "--secret-arn", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s-AbCdEf"];
    for (variable, words, is_refused) in [
        ("AWS_ENDPOINT_URL_S3", &["status", "--store", "s3://bucket"][..], true),
        ("AWS_ENDPOINT_URL", &["status", "--store", "s3://bucket"], true),
        ("AWS_ENDPOINT_URL_S3", &["status"], false),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &of_secret, true),
        ("AWS_ENDPOINT_URL", &of_secret, true),
    ] {
        let mut command = desk.command(words);
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"] {
            command.env_remove(name);
        }
        let output = command.env(variable, "http://store.example.com").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            said.contains("would send secrets unencrypted"),
            is_refused,
            "{variable} {words:?}: {said}"
        );
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
}

#[test]
fn a_day_that_is_not_written_like_2022_10_26_is_refused() {
    let desk = Desk::new();
    for day in ["2022-10-26T23:00:00", "20221026", "2022-10-26 ", "26.10.2022", "2022-10-32", "yesterday"] {
        for words in [
            &["plan", "--from", day][..],
            &["publish", "--day", day],
            &["replay", "--from", day],
            &["collect", "--items", "x", "--planned-at", "2022-10-26T00:00:00Z", "--to", day],
        ] {
            let outcome = desk.run(words);
            assert_eq!(outcome.status, 2, "{words:?} {}", outcome.stderr);
            let option = words[words.len() - 2];
            let is_told =
                outcome.stderr.contains(option) && outcome.stderr.contains("write it like `2022-10-26`");
            assert!(is_told, "{}", outcome.stderr);
        }
    }
}

#[test]
fn an_invalid_number_is_refused_with_what_is_wanted() {
    for (words, said) in [
        (&["sync", "--event", "abc"][..], "the vendor's `eventId`"),
        (&["replay", "--event", "1.5"], "the vendor's `eventId`"),
        (&["explain", "abc"], "the vendor's `eventId`"),
        (&["report", "abc"], "the vendor's `eventId`"),
        (&["sync", "--requests-per-second", "0"], "a whole number from 1 on"),
        (&["plan", "--items", "0"], "a whole number from 1 on"),
    ] {
        let outcome = Desk::new().run(words);
        assert_eq!(outcome.status, 2, "{words:?}");
        let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn output_with_a_format_of_its_own_cannot_be_asked_for_as_json() {
    for words in [&["schema", "duckdb", "--json"][..], &["completions", "bash", "--json"]] {
        let outcome = Desk::new().run(words);
        assert_eq!(outcome.status, 2, "{}", outcome.stderr);
        let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert!(result["failures"][0]["error"].as_str().unwrap().contains("leave out `--json`"), "{result}");
    }
}

#[test]
fn a_command_without_anything_to_work_on_is_a_wrong_call() {
    let desk = Desk::new();
    for words in [&["publish"][..], &["upgrade"], &["replay", "--all"], &["status"], &["staged"]] {
        let outcome = desk.run(words);
        assert_eq!(outcome.status, 2, "{words:?}");
        let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
        assert!(error.contains("there is no `ledger/lake.json`"), "{error}");
    }
    let server = server(&World::default(), ServerOptions::default());
    assert_eq!(desk.run(&["sync", "--api-url", &server.url(), "--token", TOKEN]).status, 0);
    let outcome = desk.run(&["replay", "--all"]);
    assert_eq!(outcome.status, 2);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("none of that is archived") && error.contains(" hint: "), "{error}");
}

#[test]
fn an_unknown_event_is_named_and_the_others_are_pulled() {
    let server = server(&World::default(), ServerOptions::default());
    let desk = Desk::new();
    let outcome = desk.sync(&server, &["--event", "12345", "--event", "609768"]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.starts_with("error: the vendor does not know this event (code: 404"), "{error}");
    assert!(
        error.contains("requestId: ") && error.contains("event: 12345") && error.contains(" hint: "),
        "{error}"
    );
    assert!(outcome.stdout.contains("2 due: 1 complete, 1 failed, 0 left"), "{}", outcome.stdout);
    assert!(desk.store().join("lake/lives/dt=2022-10-26/part-0.parquet").exists());

    let desk = Desk::new();
    assert_eq!(desk.sync(&server, &["--event", "12345"]).status, 1);
    assert_eq!(files(&desk.store()), []);
}

#[test]
fn a_token_that_is_not_accepted_ends_the_run_at_the_first_request() {
    let server = server(&World::default(), ServerOptions::default());
    let desk = Desk::new();
    let outcome = desk.run(&["sync", "--api-url", &server.url(), "--token", "wrong-token"]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("does not accept the credentials") && error.contains(" hint: "), "{error}");
    assert!(!outcome.stderr.contains("wrong-token"));
    assert_eq!(server.requests().len(), 1);
    assert_eq!(files(&desk.store()), []);
}

#[test]
fn a_server_that_cannot_be_reached_fails_the_run() {
    let desk = Desk::new();
    // Nobody listens there.
    let outcome = desk.run(&["sync", "--api-url", "http://127.0.0.1:9", "--token", TOKEN]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains("cannot reach `127.0.0.1:9`") && error.contains(" hint: "), "{error}");
    assert_eq!(files(&desk.store()), []);
}

#[test]
fn a_store_that_cannot_be_written_is_named() {
    let server = server(&World::default(), ServerOptions::default());
    let desk = Desk::new();
    std::fs::write(desk.store(), "a file in the way").unwrap();
    let outcome = desk.sync(&server, &["--event", "609768"]);
    assert_eq!(outcome.status, 1);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(error.contains(desk.store().to_str().unwrap()) && error.contains(" hint: "), "{error}");
    assert_eq!(std::fs::read_to_string(desk.store()).unwrap(), "a file in the way");
}

#[test]
fn a_zone_other_than_the_lakes_is_refused_and_nothing_changes() {
    let server = server(&World::default(), ServerOptions::default());
    let desk = Desk::new();
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let before = files(&desk.store());
    let outcome = desk.sync(&server, &["--event", "609768", "--zone", "UTC"]);
    assert_eq!(outcome.status, 2);
    let [error] = outcome.errors()[..] else { panic!("{}", outcome.stderr) };
    assert!(
        error.contains("the lake was made with --zone `Asia/Shanghai`") && error.contains(" hint: "),
        "{error}"
    );
    assert!(before == files(&desk.store()));
}
