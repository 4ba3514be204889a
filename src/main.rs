//! The command `rollcall`: parse, do the job, show its result, end with its status.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rollcall::calendar::Clock;
use rollcall::config::{Config, Options};
use rollcall::error::{Error, Explain, Kind, Result};
use rollcall::job::Job;
use rollcall::job::context::Context;
use rollcall::progress::Progress;
use rollcall::report::Report;
use rollcall::schema::Schema;
use tracing::level_filters::LevelFilter;

/// Who watched which webinar, when, and for how long, as Parquet tables.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Call {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
    /// Show the result as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Job(Job),
    /// Show what an engine, or a person, is told of the tables: DDL, views, the dictionary.
    Schema(Schema),
}

const EXAMPLES: &str = "\
Examples:
  ROLLCALL_TOKEN=… rollcall sync                              everything that is due
  rollcall sync --event 609768                                one event, due or not
  rollcall sync --from 2022-10-24 --to 2022-10-30             the events of a week
  rollcall sync --store /data/webinars --zone Asia/Shanghai   into another folder

Exit status: 0 all done, 1 something failed and is named, 2 the call was wrong.";

fn main() -> ExitCode {
    let call = Call::parse();
    let json = call.json;
    let job = match call.command {
        Command::Job(job) => job,
        Command::Schema(schema) => return end(print(&schema.text(&call.options.store.store)).map(|()| None)),
    };
    end(run(job, call.options).and_then(|report| show(&report, json).map(|()| Some(report))))
}

/// Says what failed, and ends.
fn end(outcome: Result<Option<Report>>) -> ExitCode {
    let (errors, status) = match outcome {
        Ok(None) => (Vec::new(), 0),
        Ok(Some(report)) => {
            let status = u8::from(!report.ok);
            (report.failures.into_iter().map(|failure| failure.error).collect(), status)
        }
        Err(error) => {
            let is_wrong_call = matches!(error.kind(), Kind::Usage | Kind::OtherLake | Kind::Unconditional);
            (vec![error.to_string()], if is_wrong_call { 2 } else { 1 })
        }
    };
    let mut stderr = std::io::stderr().lock();
    for error in errors {
        // Nobody is left to tell when standard error is closed; the status still says it.
        let _ = writeln!(stderr, "error: {error}");
    }
    ExitCode::from(status)
}

#[tokio::main]
async fn run(job: Job, options: Options) -> Result<Report> {
    let is_terminal = std::io::stderr().is_terminal();
    let level = if is_terminal { LevelFilter::WARN } else { LevelFilter::INFO };
    let logs = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(is_terminal);
    logs.with_max_level(level).with_target(false).init();
    let config = Config::try_from(options.with_secret().await?)?;
    let context = Context::new(config, Clock::System, Progress::new()).await?;
    job.run(&context).await
}

fn show(report: &Report, json: bool) -> Result<()> {
    let text = if json {
        serde_json::to_string_pretty(report).explain(Kind::Store, || "cannot write the result".to_owned())?
    } else {
        report.to_string()
    };
    print(&format!("{text}\n"))
}

fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever read the result has enough of it.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => {
            outcome.map_err(|error| Error::new(Kind::Store, "cannot write the result").from_source(error))
        }
    }
}
