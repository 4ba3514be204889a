//! The program: one line when it is ready, and an end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn the_simulator_accepts_known_faults_and_refuses_unknown_ones() {
    let run = |fault| {
        let mut simulator = Command::new(env!("CARGO_BIN_EXE_simulator"));
        // Closed from the start, so that it ends.
        simulator.args(["--until-stdin-closes", "--fault", fault]).stdin(Stdio::null());
        simulator.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(run("cut-body@event:700004,nth:2"));
    assert!(!run("cut-corners"));
}

#[test]
fn the_simulator_prints_its_url_and_stops_when_standard_input_closes() {
    let mut simulator = Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args(["--now", "2022-11-01T00:00:00Z", "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(simulator.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    std::net::TcpStream::connect(address).unwrap();
    drop(simulator.stdin.take());
    assert!(simulator.wait().unwrap().success());
    assert!(lines.next().is_none());
}
