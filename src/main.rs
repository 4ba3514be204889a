//! The command `rollcall`: parses the call, runs it, shows the result, and ends with its exit status.

mod output;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use rollcall::calendar::Clock;
use rollcall::config::{Config, Options};
use rollcall::error::{Explain, Kind, Result};
use rollcall::inspect::{ExplainCall, Explanation, Status};
use rollcall::job::Job;
use rollcall::job::context::Context;
use rollcall::page::Pages;
use rollcall::progress::Progress;
use rollcall::schema::Schema;
use tokio::runtime::Builder;
use tracing_subscriber::prelude::*;

use self::output::{OutputOptions, Shown};

/// Who watched which webinar, when, and for how long, as Parquet tables.
#[derive(Parser)]
#[command(name = "rollcall", version, after_help = output::EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Lake(LakeCommand),
    /// Print descriptions of the tables, for an engine or for people: DDL, views, the dictionary.
    Schema(Schema),
    /// Print a shell completion script.
    Completions {
        /// The shell to print it for.
        shell: Shell,
    },
}

/// Commands that need a lake and the whole configuration.
#[derive(Subcommand)]
enum LakeCommand {
    #[command(flatten)]
    Job(Job),
    /// Show whether the lake is complete, and what needs a person. Exit status 1 if something does.
    #[command(after_help = output::STATUS_EXAMPLES)]
    Status,
    /// Show the history of an event: visits, days, and where a viewer's rows came from.
    #[command(after_help = output::EXPLAIN_EXAMPLES)]
    Explain(ExplainCall),
    /// Draw pages for the hosts of events: who came, and when.
    #[command(after_help = output::REPORT_EXAMPLES)]
    Report(Pages),
}

fn main() -> ExitCode {
    let Cli { command, options, output } = match Cli::try_parse() {
        Ok(call) => call,
        Err(refusal) => return output::refused(refusal, &Cli::command()),
    };
    let outcome = match command {
        Command::Lake(command) => start(command, options, &output),
        Command::Schema(schema) => output.check_text("schema").and_then(|()| {
            let store = options.store.location()?.to_string();
            schema.text(&store).map(Shown::text)
        }),
        Command::Completions { shell } => output.check_text("completions").map(|()| {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "rollcall", &mut text);
            Shown::text(String::from_utf8_lossy(&text).into_owned())
        }),
    };
    output.end(outcome)
}

/// The most threads that wait for files: more would not make disks faster. Each takes some memory, and without a limit there
/// could be hundreds.
const FILE_THREADS: usize = 16;

fn start(command: LakeCommand, options: Options, output: &OutputOptions) -> Result<Shown> {
    let runtime = Builder::new_multi_thread().enable_all().max_blocking_threads(FILE_THREADS).build();
    let runtime = runtime.explain(Kind::Store, || "cannot start threads".to_owned())?;
    runtime.block_on(run_command(command, options, output))
}

async fn run_command(command: LakeCommand, options: Options, output: &OutputOptions) -> Result<Shown> {
    let is_terminal = std::io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal);
    tracing_subscriber::registry()
        .with(logs.with_target(false).with_filter(output.level(is_terminal)))
        .init();
    let progress = if output.has_bar(is_terminal) { Progress::shown() } else { Progress::hidden() };
    let config = Config::try_from(options.with_secret().await?)?;
    let mut context = Context::new(config, Clock::System, progress).await?;
    if !matches!(command, LakeCommand::Job(_)) {
        let named = context.named;
        context.lake.take_over(named).await?;
    }
    match command {
        LakeCommand::Job(job) => {
            let report = job.run(&context).await?;
            output.shown(&report, report.ok, &report.failures)
        }
        LakeCommand::Status => {
            let status = Status::of(&context).await?;
            output.shown(&status, status.ok, &[])
        }
        LakeCommand::Explain(call) => {
            let explanation = Explanation::of(&context, &call).await?;
            output.shown(&explanation, explanation.ok, &explanation.failures)
        }
        LakeCommand::Report(pages) => {
            let written = pages.write(&context).await?;
            output.shown(&written, written.ok, &written.failures)
        }
    }
}
