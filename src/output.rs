//! The output of the command: the result on standard output, for people or for programs; everything else on standard
//! error.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Args, Command};
use rollcall::error::{Error, Explain, Kind, Result};
use rollcall::one_line::is_harmless;
use rollcall::report::Failure;
use serde::Serialize;
use serde_json::json;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ROLLCALL_TOKEN=… rollcall sync                              everything that is due
  rollcall sync --dry-run                                     what that would ask the vendor for
  rollcall sync --event 609768                                one event, due or not
  rollcall sync --from 2022-10-24 --to 2022-10-30             the events of a week
  rollcall sync --store /data/webinars --zone Asia/Shanghai   into another folder
  rollcall status                                             whether the lake is complete, and what needs a person
  rollcall explain 609768                                     the history of one event

Exit status:
  0  everything is done
  1  something failed or needs a person, and is named
  2  wrong options, or options that contradict the lake or the store";

pub(crate) const STATUS_EXAMPLES: &str = "\
Examples:
  rollcall status --store s3://bucket/webinars
  rollcall status --json | jq .complete_through
  rollcall status > /tmp/status 2>&1 || mail -s 'rollcall needs a person' ops@example.com < /tmp/status";

pub(crate) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  rollcall explain 609768
  rollcall explain 609768 --viewer 13800001111";

pub(crate) const REPORT_EXAMPLES: &str = "\
Examples:
  rollcall report 609768 -o event.html
  rollcall report --all -o pages        then open pages/index.html";

/// Options for the output: how much is shown, and in which form.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Print the result as JSON, even if the command fails. Not for `schema` and `completions`.
    #[arg(long, global = true)]
    json: bool,
    /// Say more: log lines instead of the progress bar; if given twice, each request as well.
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Print only the result and what failed.
    #[arg(short, long, global = true)]
    quiet: bool,
}

/// Ends a call of `command` that the argument parser did not accept: prints the parser's message, as JSON as well if `--json` was
/// given. `--help` and `--version` also end here, and are not failures.
pub(crate) fn refused(mut refusal: clap::Error, command: &Command) -> ExitCode {
    // The usage would show every option that the environment sets, as if the call needed it.
    refusal.remove(ContextKind::Usage);
    let hint = variable_of(&refusal, command).map(|variable| format!("the value is that of `{variable}`"));
    if refusal.use_stderr() && std::env::args_os().any(|word| word == "--json") {
        let said = refusal.render().to_string();
        let error = Error::new(Kind::Usage, said.trim_start_matches("error: ").trim_end());
        let options = OutputOptions { json: true, verbose: 0, quiet: false };
        return options.end(Err(hint.into_iter().fold(error, Error::hint)));
    }
    // If it cannot be printed, nobody can be told; the exit status still shows the failure.
    let _ = refusal.print();
    if let Some(hint) = hint {
        let _ = writeln!(std::io::stderr(), "\nhint: {hint}");
    }
    ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
}

/// The environment variable that the refused value comes from; `None` if the value was given on the command line.
fn variable_of(refusal: &clap::Error, command: &Command) -> Option<String> {
    let Some(ContextValue::String(refused)) = refusal.get(ContextKind::InvalidArg) else { return None };
    // The option may come with the name of its value: `--concurrency <NUMBER>`.
    let option = refused.split_whitespace().next()?;
    let is_in_call = |word: OsString| {
        word.to_str().is_some_and(|word| word.split('=').next().is_some_and(|word| word == option))
    };
    let of_option = |arg: &&Arg| arg.get_long().is_some_and(|long| option.strip_prefix("--") == Some(long));
    let variable = command.get_arguments().find(of_option)?.get_env()?;
    (!std::env::args_os().any(is_in_call)).then(|| variable.to_string_lossy().into_owned())
}

/// What the command prints, and its exit status.
pub(crate) struct Shown {
    text: String,
    errors: Vec<String>,
    status: u8,
}

impl Shown {
    /// A text to print as it is; exit status 0.
    pub(crate) fn text(text: String) -> Self {
        Self { text, errors: Vec::new(), status: 0 }
    }
}

impl OutputOptions {
    /// Refuses `--json` for a command whose result is text in a format of its own.
    pub(crate) fn check_text(&self, command: &str) -> Result<()> {
        if self.json {
            let message = format!("`{command}` prints its text as it is, and not as JSON");
            return Err(Error::new(Kind::Usage, message).hint("leave out `--json`"));
        }
        Ok(())
    }

    /// Which log lines are shown. On a terminal, the progress bar replaces most of them. From libraries, nothing below a warning
    /// is shown: it is of no use to users, and may reveal too much.
    pub(crate) fn level(&self, is_terminal: bool) -> Targets {
        let (own, others) = match (self.quiet, self.verbose) {
            (true, _) => (LevelFilter::ERROR, LevelFilter::ERROR),
            (_, 0) if is_terminal => (LevelFilter::WARN, LevelFilter::WARN),
            (_, 0 | 1) => (LevelFilter::INFO, LevelFilter::WARN),
            _ => (LevelFilter::DEBUG, LevelFilter::WARN),
        };
        Targets::new().with_target("rollcall", own).with_default(others)
    }

    /// Whether a progress bar is shown.
    pub(crate) fn has_bar(&self, is_terminal: bool) -> bool {
        is_terminal && !self.quiet && self.verbose == 0
    }

    /// Formats a result for people or for programs, and what failed.
    pub(crate) fn shown(
        &self,
        result: &(impl Serialize + Display),
        ok: bool,
        failures: &[Failure],
    ) -> Result<Shown> {
        let text = if self.json { to_json(result)? } else { format!("{result}\n") };
        let errors = failures.iter().map(|failure| failure.error.clone()).collect();
        Ok(Shown { text, errors, status: u8::from(!ok) })
    }

    /// Prints the outcome and what failed, and returns the exit status.
    pub(crate) fn end(&self, outcome: Result<Shown>) -> ExitCode {
        let shown = outcome.or_else(|error| self.failed(&error));
        let Shown { errors, status, .. } = match shown.and_then(|shown| print(&shown.text).map(|()| shown)) {
            Ok(shown) => shown,
            Err(error) => Shown { text: String::new(), errors: vec![error.to_string()], status: 1 },
        };
        let mut stderr = std::io::stderr().lock();
        for error in errors {
            // If standard error is closed, nobody can be told; the exit status still shows the failure.
            let _ = writeln!(stderr, "error: {error}");
        }
        ExitCode::from(status)
    }

    /// What to print for a command that could not work at all.
    fn failed(&self, error: &Error) -> Result<Shown> {
        let is_wrong_call = matches!(error.kind(), Kind::Usage | Kind::OtherLake | Kind::Unconditional);
        let failure = Failure::of_run(error);
        let text =
            if self.json { to_json(&json!({ "ok": false, "failures": [failure] }))? } else { String::new() };
        Ok(Shown { text, errors: vec![error.to_string()], status: if is_wrong_call { 2 } else { 1 } })
    }
}

/// The result as JSON, in which characters that would control a terminal are escaped.
fn to_json(result: &impl Serialize) -> Result<String> {
    let text =
        serde_json::to_string_pretty(result).explain(Kind::Store, || "cannot write the result".to_owned())?;
    let mut shown = String::with_capacity(text.len() + 1);
    for sign in text.chars() {
        match sign {
            '\n' => shown.push(sign),
            sign if is_harmless(sign) => shown.push(sign),
            sign => shown.extend(['\\', 'u'].into_iter().chain(format!("{:04x}", u32::from(sign)).chars())),
        }
    }
    Ok(shown + "\n")
}

fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // The reader of the pipe has seen enough of the result.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.explain(Kind::Store, || "cannot write the result".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_in_json_and_read_back_as_the_same_text() {
        let name = "张三\u{9b}2J\u{7f}\u{202e}x\u{2066}\n";
        let shown = to_json(&json!({ "name": name })).unwrap();
        assert!(shown.contains(r#""name": "张三\u009b2J\u007f\u202ex\u2066\n""#), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read["name"], name);
    }
}
