//! Archiving: stores the answers that are used, with what was asked.

use serde_json::json;

use super::Visiting;
use super::task::Task;
use crate::error::Result;
use crate::extract::window::Window;
use crate::job::context::Context;
use crate::load::archive::{ArchiveHeader, ArchiveWriter};
use crate::load::staging::VisitId;
use crate::load::{FORMAT, keys};

/// The archived answers that make up one day, or the snapshot.
pub(super) struct Archiving<'a> {
    context: &'a Context,
    /// What the headers of all these answers have in common.
    header: ArchiveHeader,
    attempt: u32,
    keys: Vec<String>,
}

impl Visiting<'_> {
    /// Deletes these answers, because they are not used after all.
    pub(super) async fn abandon(&self, archived: Vec<String>) -> Result<()> {
        for key in archived {
            self.context.lake.store.delete(&key).await?;
        }
        Ok(())
    }

    /// What the headers of all answers that a task needs have in common.
    pub(super) fn archive_header(&self, task: Task, windows: &[Window]) -> ArchiveHeader {
        let VisitId { event_id, pulled_at, ref run, ref privacy_version } = self.visit_id;
        let edges = |window: &Window| (window.from.as_second(), window.to.as_second());
        ArchiveHeader {
            format: FORMAT,
            event_id,
            pulled_at,
            run: run.clone(),
            zone: self.context.lake.settings.zone.name().to_owned(),
            day: self.day_of(task),
            source: task.source(),
            windows: windows.iter().map(edges).collect(),
            window: 0,
            accepted_at: self.accepted_at(task),
            request: serde_json::Map::new(),
            privacy_version: privacy_version.clone(),
        }
    }
}

impl<'a> Archiving<'a> {
    /// `attempt` numbers the attempts of one visit to get all answers that a task needs.
    pub(super) fn new(context: &'a Context, header: ArchiveHeader, attempt: u32) -> Self {
        Self { context, header, attempt, keys: Vec::new() }
    }

    /// Begins to archive the answer to the next window, or to the snapshot.
    pub(super) async fn begin(&mut self, at: usize, window: Option<Window>) -> Result<ArchiveWriter> {
        let ArchiveHeader { event_id, pulled_at, .. } = self.header;
        let range = window.iter().flat_map(Window::parameters);
        let parameters = [("eventId", event_id)].into_iter().chain(range);
        let request = parameters.map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let header = ArchiveHeader { window: at, request, ..self.header.clone() };
        let day = self.context.lake.settings.zone.day_of(pulled_at);
        let key = keys::archived(day, event_id, pulled_at, &header.run, self.attempt, at);
        let writer = ArchiveWriter::create(self.context.lake.store.as_ref(), &key, &header).await?;
        self.keys.push(key);
        Ok(writer)
    }

    /// The keys of the answers.
    pub(super) fn into_keys(self) -> Vec<String> {
        self.keys
    }
}
