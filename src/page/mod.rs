//! Pages for the hosts of webinars, drawn from the lake's Parquet files alone. Each is one file that needs no other.

mod audience;
mod bars;
mod chart;
mod clock;
mod event_page;
mod figures;
mod lake_page;
mod online;
mod source;
mod viewers;
mod words;

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use askama::Template;
use clap::{ArgGroup, Args};
use futures::{StreamExt, stream};
use serde::Serialize;

use self::event_page::EventPage;
use self::lake_page::LakePage;
use self::source::Source;
use crate::counted::counted;
use crate::error::{Error, Explain, Kind, Result};
use crate::job::context::Context;
use crate::job::selection::parse_event;
use crate::report::Failure;

/// How many pages are drawn at once: most of the time is spent waiting for the store.
const AT_ONCE: usize = 8;

/// What `report` is called with.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("of").args(["event_id", "all"]).required(true)))]
pub struct Pages {
    /// The event.
    #[arg(value_name = "ID", value_parser = parse_event)]
    pub event_id: Option<i64>,
    /// Draw a page for every event of the lake, and `index.html` for all of them.
    #[arg(long)]
    pub all: bool,
    /// The file of the page; with `--all`, the folder of the pages.
    #[arg(short, long, value_name = "PATH")]
    pub output: PathBuf,
}

/// What was written.
#[derive(Debug, Serialize)]
pub struct Written {
    /// Whether every page was drawn.
    pub ok: bool,
    /// Pages of events.
    pub events: usize,
    /// The file to open first.
    pub page: PathBuf,
    /// Events that could not be drawn.
    pub failures: Vec<Failure>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pages      {}: {}", counted(self.events as u64, "event"), self.page.display())
    }
}

impl Pages {
    /// Draws the pages, and writes them.
    pub async fn write(&self, context: &Context) -> Result<Written> {
        let source = Source::open(context).await?;
        if let Some(event_id) = self.event_id {
            let event = source.find(event_id).await?;
            let page = EventPage::draw(context, &source, &event, None).await?;
            write(&self.output, &page)?;
            return Ok(Written { ok: true, events: 1, page: self.output.clone(), failures: Vec::new() });
        }
        fs::create_dir_all(&self.output)
            .explain(Kind::Store, || format!("cannot create `{}`", self.output.display()))
            .map_err(|error: Error| error.hint("give `--output` the name of a folder that can be written"))?;
        let (events, unreadable) = source.all().await;
        let mut failures: Vec<Failure> = unreadable.iter().map(Failure::of_run).collect();
        let mut lines = Vec::new();
        let source = &source;
        let drawn = stream::iter(&events).map(|event| async move {
            (event, EventPage::draw(context, source, event, Some("index.html")).await)
        });
        let mut drawn = drawn.buffered(AT_ONCE).enumerate();
        context.progress.at("pages", 0, events.len());
        while let Some((before, (event, page))) = drawn.next().await {
            context.progress.at("pages", before + 1, events.len());
            match page {
                Ok(page) => {
                    write(&self.output.join(page.file()), &page)?;
                    lines.push(page.line());
                }
                // Other events are drawn all the same.
                Err(error) => failures.push(Failure::of_event(event.event_id, error)),
            }
        }
        drop(drawn);
        let (events, page) = (lines.len(), self.output.join("index.html"));
        write(&page, &LakePage::draw(context, lines, failures.len()))?;
        Ok(Written { ok: failures.is_empty(), events, page, failures })
    }
}

/// Writes a page whole, or not at all: it names people, so no part of it may be left behind.
fn write(path: &Path, page: &impl Template) -> Result<()> {
    let fail = || format!("cannot write `{}`", path.display());
    let name = path.file_name().filter(|name| *name != "-" && (!path.exists() || path.is_file()));
    // Otherwise a device file would be replaced, too.
    let Some(name) = name else {
        return Err(Error::new(Kind::Usage, fail()).hint("give `--output` the name of a file"));
    };
    let text = page.render().explain(Kind::Store, fail)?;
    // The next run replaces what a killed one leaves under this name.
    let mut part = name.to_owned();
    part.push(".part");
    let part = path.with_file_name(part);
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    written.explain(Kind::Store, fail).map_err(|error: Error| {
        let left = fs::remove_file(&part).is_err_and(|error| error.kind() != io::ErrorKind::NotFound);
        let error = if left { error.with("left", part.display()) } else { error };
        error.hint("check that its folder exists and can be written")
    })
}
