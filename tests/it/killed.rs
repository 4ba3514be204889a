//! The real program, killed at random moments and run again.

use std::process::{Child, Stdio};
use std::time::Instant;

use simulator::{ServerOptions, Viewers, World, WorldOptions};

use crate::support::command::{Desk, TOKEN, server};
use crate::support::lake::cells_of;
use crate::support::stores::{Home, On};

const LAKES: u32 = 6;

/// A number between 0 and 1 that looks random, and is the same each time.
fn draw(number: u32) -> f64 {
    (f64::from(number) * 0.618_033_988_749_895).fract()
}

async fn survives_kills(on: On) {
    let options =
        WorldOptions { events: 6, days: 3, viewers: Viewers::Range(1, 20), ..WorldOptions::default() };
    let server = server(&World::new(options), ServerOptions::default());
    let url = server.url();
    let (desk, whole) = (Desk::new(), Home::new(on).await);
    let start = |home: &Home| -> Child {
        let mut words = ["sync", "--from", "2022-10-01", "--to", "2022-12-01", "--token", TOKEN]
            .map(str::to_owned)
            .to_vec();
        words.extend(["--api-url", &url, "--requests-per-second", "10000"].map(str::to_owned));
        words.extend(home.words());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        desk.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let whole_run = |home: &Home| {
        let began = Instant::now();
        assert!(start(home).wait().unwrap().success());
        began.elapsed()
    };
    let mut lasts = whole_run(&whole);
    let expected = cells_of(&whole.store).await;
    assert!(expected.len() > 20);
    let mut killed = 0;
    for number in 0..LAKES {
        let home = Home::new(on).await;
        for kill in 0..2 {
            let mut child = start(&home);
            std::thread::sleep(lasts.mul_f64(draw(2 * number + kill)));
            // SIGKILL: nothing of the program runs after it.
            child.kill().unwrap();
            killed += u32::from(child.wait().unwrap().code().is_none());
            let torn = cells_of(&home.store).await;
            assert!(torn.iter().all(|(place, cell)| expected.get(place) == Some(cell)), "{number} {kill}");
        }
        // The machine may be slower now than it was then, or faster.
        lasts = whole_run(&Home::new(on).await);
        assert!(start(&home).wait().unwrap().success());
        assert!(cells_of(&home.store).await == expected);
        assert_eq!(home.keys("staging/").await, [""; 0]);
        assert_eq!(home.keys("ledger/active/").await, [""; 0]);
        assert_eq!(home.keys("ledger/closed/").await, whole.keys("ledger/closed/").await);
    }
    assert!(killed >= LAKES / 2, "only {killed} runs were killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_and_run_again_loses_nothing_on_a_folder() {
    survives_kills(On::Folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_and_run_again_loses_nothing_on_s3() {
    survives_kills(On::S3).await;
}
