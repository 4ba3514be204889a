//! What every command shows, as people and programs see it: words, result, messages, status. `make snapshots` accepts what they
//! show now.

use std::process::Command;

use simulator::{Server, ServerOptions, World, WorldOptions};

use crate::support::command::{Desk, TOKEN, server};

/// What differs from run to run, and what stands for it. The world is of 2022, so a date of another year is the machine's.
const FILTERS: [(&str, &str); 12] = [
    (r"\x1b\[[0-9;]*m", ""),
    (r"20(2[3-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+Z", "[now]"),
    (r"20(2[3-9]|[3-9]\d)-\d\d-\d\d", "[today]"),
    (r"(run|run=|lists/|plans/)( ?)[a-z]{8}\b", "$1$2[run]"),
    (r#""run": "[a-z]{8}""#, r#""run": "[run]""#),
    (r"(/[\w.-]+)+/\.tmp\w+", "[folder]"),
    (r"127\.0\.0\.1:\d+", "[vendor]"),
    (r"\d+ ms\b", "[some] ms"),
    (r#""(milliseconds|milliseconds_per_request)": \d+"#, r#""$1": "[some]""#),
    (r"(requests   [^,]+, )\d+ \w+( to \d+ \w+)?, at", "$1[time], at"),
    (r#""seconds": \[\s+\d+,\s+\d+\s+\]"#, r#""seconds": "[some]""#),
    (r"requestId: [\w.]+", "requestId: [id]"),
];

/// A vendor with the sample and three more events, and a desk.
struct Scene {
    desk: Desk,
    vendor: Server,
}

impl Scene {
    fn new(options: ServerOptions) -> Self {
        let world = World::new(WorldOptions { events: 3, ..WorldOptions::default() });
        Self { desk: Desk::new(), vendor: server(&world, options) }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.desk.command(words);
        command.envs([
            ("ROLLCALL_API_URL", self.vendor.url().as_str()),
            ("ROLLCALL_STORE", self.desk.store().to_str().unwrap()),
            ("ROLLCALL_TOKEN", TOKEN),
            // One after the other, so that log lines have an order.
            ("ROLLCALL_CONCURRENCY", "1"),
            ("ROLLCALL_LOOKBACK", "4000d"),
        ]);
        command
    }

    /// Checks that the command shows what it showed before.
    fn shows(&self, name: &str, words: &[&str]) {
        self.shows_with(name, words, &[]);
    }

    fn shows_with(&self, name: &str, words: &[&str], environment: &[(&str, &str)]) {
        let mut command = self.command(words);
        command.envs(environment.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let shown = format!(
            "$ rollcall {}\n{}--- standard error\n{}--- exit status {}\n",
            words.join(" "),
            text(output.stdout),
            text(output.stderr),
            output.status.code().unwrap()
        );
        insta::with_settings!({ filters => FILTERS, omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, shown);
        });
    }
}

#[test]
fn the_output_of_successful_commands_is_as_recorded() {
    let scene = Scene::new(ServerOptions::default());
    scene.shows("sync-dry-run", &["sync", "--dry-run"]);
    scene.shows("plan-json", &["plan", "--event", "609768", "--json"]);
    scene.shows("doctor", &["doctor", "--quiet"]);
    scene.shows("pull", &["pull", "--event", "609768"]);
    scene.shows("staged", &["staged"]);
    scene.shows("publish", &["publish"]);
    scene.shows("publish-nothing", &["publish", "-q"]);
    scene.shows("sync", &["sync"]);
    scene.shows("sync-nothing-json", &["sync", "--json", "-q"]);
    scene.shows("plan-chosen", &["plan", "--from", "2022-10-26", "--to", "2022-10-26", "-q"]);
    scene.shows("status", &["status"]);
    scene.shows("status-json", &["status", "--json"]);
    scene.shows("explain", &["explain", "609768"]);
    scene.shows("explain-viewer", &["explain", "609768", "--viewer", "1010"]);
    scene.shows("explain-json", &["explain", "609768", "--viewer", "nobody", "--json"]);
    scene.shows("doctor-probe", &["doctor", "--probe", "609768", "-q"]);
    scene.shows("report", &["report", "609768", "--output", "event.html"]);
    scene.shows("report-all-json", &["report", "--all", "-o", "pages", "--json"]);
    scene.shows("upgrade", &["upgrade", "-q"]);

    let planned = scene.command(&["plan", "--items", "10", "--json", "-q"]).output().unwrap();
    let planned: serde_json::Value = serde_json::from_slice(&planned.stdout).unwrap();
    let [items, began] = ["items", "began"].map(|name| planned[name].as_str().unwrap());
    scene.shows("plan-items", &["plan", "--items", "10", "-q"]);
    scene.shows("collect", &["collect", "--items", items, "--planned-at", began, "-q"]);
}

#[test]
fn the_output_of_failing_commands_is_as_recorded() {
    let faults = vec!["code=403@event:700001,path:report/details".parse().unwrap()];
    let scene = Scene::new(ServerOptions { faults, ..ServerOptions::default() });
    scene.shows("no-lake", &["status"]);
    scene.shows("no-lake-json", &["status", "--json"]);
    scene.shows("no-lake-to-draw", &["report", "609768", "-o", "event.html"]);
    scene.shows_with("no-token", &["sync", "-q"], &[("ROLLCALL_TOKEN", "")]);
    scene.shows_with("wrong-token", &["sync", "-q"], &[("ROLLCALL_TOKEN", "5")]);
    scene.shows("an-event-fails", &["sync", "--event", "609768", "--event", "700001", "-q"]);
    scene.shows("status-after-a-failure", &["status"]);
    scene.shows("explain-after-a-failure", &["explain", "700001"]);
    scene.shows("unknown-event", &["sync", "--event", "5", "-q"]);
    scene.shows("unknown-event-explained", &["explain", "5"]);
    scene.shows("unknown-event-drawn", &["report", "5", "-o", "event.html"]);
    scene.shows("nowhere-to-draw", &["report", "609768", "-o", "nowhere/event.html"]);
    scene.shows("report-of-nothing", &["report", "-o", "event.html"]);
    scene.shows("another-zone", &["sync", "--zone", "UTC", "-q"]);
    scene.shows("unknown-zone", &["sync", "--zone", "Mars/Olympus"]);
    scene.shows("unknown-word", &["snyc"]);
    scene.shows("quiet-and-verbose", &["sync", "-q", "-v"]);
    scene.shows("token-without-a-secret", &["token", "-q"]);
    let planned = ["--items", "plans/none.json", "--planned-at", "2022-10-26T00:00:00Z"];
    scene.shows("no-such-plan", &[&["collect", "-q"], &planned[..]].concat());
    scene.shows_with("no-vendor", &["sync", "-q"], &[("ROLLCALL_API_URL", "http://example.com")]);
}

#[test]
fn the_help_texts_are_as_recorded_and_completions_name_the_commands() {
    let scene = Scene::new(ServerOptions::default());
    scene.shows("help", &["help"]);
    for command in ["sync", "status", "explain", "report", "doctor"] {
        scene.shows(&format!("help-{command}"), &[command, "-h"]);
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = scene.command(&["completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(["sync", "explain", "dry-run"].iter().all(|word| text.contains(word)), "{shell}");
    }
}

/// Runs the command in a terminal, and returns all that it writes there.
fn in_a_terminal(scene: &Scene, words: &str) -> String {
    let line = format!("{} {words}", env!("CARGO_BIN_EXE_rollcall"));
    let inner = scene.command(&[]);
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env("COLUMNS", "120");
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn on_a_terminal_a_progress_bar_replaces_the_log_lines_unless_quiet_or_verbose() {
    let scene = Scene::new(ServerOptions::default());
    let seen = in_a_terminal(&scene, "sync");
    assert!(seen.contains("visits") && seen.contains(" rows, ") && seen.contains(" left"), "{seen}");
    assert!(seen.contains("publishing"), "{seen}");
    assert!(!seen.contains("INFO"), "{seen}");
    assert!(seen.contains("events     4 due: 4 complete"), "{seen}");
    let quiet = in_a_terminal(&scene, "sync --event 609768 --quiet");
    assert!(quiet.starts_with("events     1 due: 1 complete"), "{quiet}");
    let verbose = in_a_terminal(&scene, "sync --event 609768 -vv");
    assert!(verbose.contains("visited") && verbose.contains("answered"), "{verbose}");
    assert!(!verbose.contains("visits"), "there is no bar: {verbose}");
}
