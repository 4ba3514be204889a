//! Runs a command, and tells what it took. This process is small, because Linux charges a process with the memory of the one that
//! starts it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::Outcome;

/// The status of a command that a signal ended, as shells have it.
const ENDED_BY_SIGNAL: u8 = 128;

/// Writes three figures into `taken`: seconds of CPU, seconds of wall time, and the most memory in KB of 1,024 bytes.
pub(crate) fn take(taken: &Path, command: &[OsString]) -> Outcome<ExitCode> {
    let [program, arguments @ ..] = command else { return Err("there is no command".into()) };
    let begin = Instant::now();
    let status = Command::new(program).args(arguments).status()?;
    let wall = begin.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let cpu = Duration::from_micros(cpu.try_into()?).as_secs_f64();
    fs::write(taken, format!("{cpu} {wall} {}", usage.max_rss()))?;
    Ok(status.code().and_then(|code| code.try_into().ok()).unwrap_or(ENDED_BY_SIGNAL).into())
}
