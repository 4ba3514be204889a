//! The work that is timed, one process each, so that the operating system's own accounting is the measure. `bench.py` runs it.

mod answer;
mod ask;
mod day;
mod read;
mod skip;
mod stage;
mod take;

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// One piece of work.
#[derive(Parser)]
enum Work {
    /// Writes the whole report of an event to standard output
    Answer {
        /// How many viewers it has; each has 2.2 viewings on average
        #[arg(long)]
        viewers: u64,
    },
    /// Skips through an answer, keeping nothing, and prints how many seconds that took once it was in memory
    Skip {
        /// The answer
        answer: PathBuf,
    },
    /// Reads an answer as `stage` does, and does nothing with it
    Read {
        /// The answer
        answer: PathBuf,
    },
    /// Makes the three staged files of an answer
    Stage {
        /// The answer; `/dev/stdin` for one that comes through a pipe
        answer: PathBuf,
        /// The folder that becomes the store
        store: PathBuf,
    },
    /// Stages `lives` of one day
    Day {
        /// The folder that becomes the store
        store: PathBuf,
        /// How many events there are
        #[arg(long)]
        events: u64,
        /// How many viewers each has
        #[arg(long)]
        viewers: u64,
        /// Stages only this one, as a later visit finds it
        #[arg(long)]
        again: Option<u64>,
    },
    /// Asks for reports, reads the answers, and keeps nothing; the bodies of the requests are the lines of standard input
    Ask {
        /// The vendor's host
        url: String,
        /// How many requests there are at a time
        #[arg(long)]
        concurrency: usize,
    },
    /// Runs a command, and ends with its status
    Take {
        /// The file that gets what it took: seconds of CPU, seconds of wall time, and the most memory in KB
        taken: PathBuf,
        /// The command
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
}

fn main() -> Outcome<ExitCode> {
    match Work::parse() {
        Work::Answer { viewers } => answer::write(viewers)?,
        Work::Skip { answer } => skip::skip(&answer)?,
        Work::Read { answer } => read::read(&answer)?,
        Work::Stage { answer, store } => stage::stage(&answer, store)?,
        Work::Day { store, events, viewers, again } => day::stage(store, events, viewers, again)?,
        Work::Ask { url, concurrency } => ask::ask(&url, concurrency)?,
        Work::Take { taken, command } => return take::take(&taken, &command),
    }
    Ok(ExitCode::SUCCESS)
}
