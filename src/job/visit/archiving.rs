//! Archiving: stores the answers that are used, with what was asked.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use crate::error::Result;
use crate::extract::window::Window;
use crate::job::context::Context;
use crate::load::archive::{ArchiveHeader, ArchiveWriter};
use crate::load::cell::Source;
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

impl<'a> Archiving<'a> {
    /// `attempt` numbers the attempts of one visit at the answers of a day, or at the snapshot.
    pub(super) fn new(
        context: &'a Context,
        visit_id: &VisitId,
        source: Source,
        day: Date,
        windows: &[Option<Window>],
        accepted_at: Option<Timestamp>,
        attempt: u32,
    ) -> Self {
        let edges = |window: &Window| (window.from.as_second(), window.to.as_second());
        let header = ArchiveHeader {
            format: FORMAT,
            event_id: visit_id.event_id,
            pulled_at: visit_id.pulled_at,
            run: visit_id.run.clone(),
            zone: context.lake.settings.zone.name().to_owned(),
            day,
            source,
            windows: windows.iter().flatten().map(edges).collect(),
            window: 0,
            accepted_at,
            request: serde_json::Map::new(),
            privacy_version: visit_id.privacy_version.clone(),
        };
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

    /// Deletes the answers, because they are not used after all.
    pub(super) async fn abandon(self) -> Result<()> {
        for key in self.keys {
            self.context.lake.store.delete(&key).await?;
        }
        Ok(())
    }
}
