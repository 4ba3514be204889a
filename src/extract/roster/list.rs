//! One of the vendor's lists, read page by page.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::entries::{entries, is_blank};
use crate::error::{Error, Kind, Result};
use crate::extract::failure;
use crate::extract::reply::Reply;
use crate::extract::vendor::Vendor;
use crate::transform::event::Event;

/// How many events per page are asked for.
pub(super) const PAGE: usize = 100;
/// A page may be full if its number of events is a multiple of this: the vendor's actual page size is not known, whatever size is
/// asked for.
const ROUND: usize = 10;
/// After this many pages in a row without any event, a list counts as ended, whatever total it states: the total may count more
/// events than the list has.
const MOST_EMPTY: usize = 50;
/// More pages than any customer has: a list that seems to go on for ever is given up here.
const MOST_PAGES: usize = 100_000;

/// A list, and how it is asked for.
pub(super) struct ListRequest {
    pub(super) path: &'static str,
    /// The parameters of each request, except the page.
    pub(super) parameters: Map<String, Value>,
    /// The number of the first page: the vendor's lists begin at 0 or at 1.
    pub(super) first: usize,
    /// Every page has at least this many events, except the last one, and those from which the vendor left some out.
    pub(super) shortest: usize,
    /// Reads from an answer how many events the list has, if it says so.
    pub(super) total: fn(&RawValue) -> Option<usize>,
    /// The most times that the list is read.
    pub(super) most_readings: usize,
}

/// One of the vendor's lists, read page by page.
pub struct List<'a> {
    vendor: Vendor<'a>,
    request: ListRequest,
    /// How many times the list has been read to its end.
    readings: usize,
    /// Pages of this reading so far, not counting an empty one at its end.
    pages: usize,
    /// The most events that a page had.
    longest: usize,
    /// How many events the last of these pages had.
    last: usize,
    /// How many pages in a row, up to the last one, had none.
    empty: usize,
    /// The first page, counted from 0, that had no data although it should: the first one of the list, or one where at least a
    /// page of events was still to come.
    blank_page: Option<usize>,
    /// How many events the list has, if a page said so.
    stated: Option<usize>,
    /// Events that this reading named.
    in_this_reading: HashSet<i64>,
    /// Events that any reading named.
    in_any_reading: HashSet<i64>,
    /// Whether this reading named an event that no earlier one did.
    is_news: bool,
    is_over: bool,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// The events, in the vendor's order. An event that was also on an earlier page counts as this page describes it.
    pub events: Vec<Event>,
    /// Entries without a readable event number; counted in the first reading only.
    pub unreadable: u64,
}

impl<'a> List<'a> {
    pub(super) fn new(vendor: Vendor<'a>, request: ListRequest) -> Self {
        Self {
            vendor,
            request,
            readings: 0,
            pages: 0,
            longest: 0,
            last: 0,
            empty: 0,
            blank_page: None,
            stated: None,
            in_this_reading: HashSet::new(),
            in_any_reading: HashSet::new(),
            is_news: false,
            is_over: false,
        }
    }

    /// Asks for the next page; `None` after the last one.
    pub async fn page(&mut self) -> Result<Option<Page>> {
        if self.is_over {
            return Ok(None);
        }
        if self.pages >= MOST_PAGES {
            return Err(Error::new(
                Kind::BadAnswer,
                "the vendor's list of events has more pages than can be true",
            ));
        }
        match self.ask().await {
            Ok((entries, total)) => Ok(Some(self.read(&entries, total))),
            Err(error) if self.is_past_its_end(&error) => {
                self.end_reading();
                Ok(Some(Page::default()))
            }
            Err(error) => Err(error.with("list", self.request.path)),
        }
    }

    /// The entries of the next page, and how many the list has, if the answer says so.
    async fn ask(&mut self) -> Result<(Vec<Box<RawValue>>, Option<usize>)> {
        let ListRequest { path, first, .. } = self.request;
        let mut parameters = self.request.parameters.clone();
        parameters.insert("page".to_owned(), json!(first + self.pages));
        let no_array =
            |reply: &Reply| reply.error(Kind::BadAnswer, format!("the answer to `{path}` has no array"));
        // A success without data may be no answer at all: if more events are known to come, the page is asked for again.
        let mut again = self.vendor.attempts().few();
        let reply = loop {
            let reply = self.call(&parameters).await?;
            let stated = (self.request.total)(&reply.data).or(self.stated);
            let is_doubtful = is_blank(&reply.data) && self.lacks_a_page(stated);
            // After a page without entries, there are probably no more: the total then counts more events than there are.
            if !is_doubtful || self.empty > 0 || again.pause(no_array(&reply)).await.is_err() {
                if is_doubtful || is_blank(&reply.data) && self.readings == 0 && self.pages == 0 {
                    self.blank_page = self.blank_page.or(Some(self.pages));
                }
                break reply;
            }
        };
        let entries = entries(&reply.data).ok_or_else(|| no_array(&reply))?;
        Ok((entries, (self.request.total)(&reply.data)))
    }

    /// Asks for one page. If it may not exist, a few attempts are enough to learn that; if they end in a failure that may pass
    /// and says nothing about it, the page gets all attempts.
    async fn call(&self, parameters: &Map<String, Value>) -> Result<Reply> {
        // Boxed: otherwise the future of every caller would hold all of this one.
        let call =
            |attempts| Box::pin(self.vendor.call_within(attempts, self.request.path, parameters.clone()));
        if self.may_have_ended() {
            match call(self.vendor.attempts().few()).await {
                Err(error) if error.kind().is_transient() && !self.is_past_its_end(&error) => {}
                outcome => return outcome,
            }
        }
        call(self.vendor.attempts()).await
    }

    /// Whether the first page was a success without any data, and no page named an event: then there may be none, or this may be
    /// no answer.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.blank_page == Some(0) && self.in_any_reading.is_empty()
    }

    /// How many events the list has by its own total, if at least a page of them was never named.
    #[must_use]
    pub fn lacking(&self) -> Option<usize> {
        self.stated.filter(|total| *total >= self.in_any_reading.len() + self.request.shortest)
    }

    /// Whether a page came without data although it should have had events, and at least a page of events was never named.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.blank_page.is_some() && self.lacking().is_some()
    }

    /// Whether at least a page of the events is still to come, according to a stated total.
    fn lacks_a_page(&self, stated: Option<usize>) -> bool {
        stated.is_some_and(|total| {
            let has_room = self.pages * self.page_size() < total;
            has_room && total >= self.in_this_reading.len() + self.request.shortest
        })
    }

    /// Whether an error says that the page is past the end of the list: the vendor may not send an empty page there.
    fn is_past_its_end(&self, error: &Error) -> bool {
        let is_short = self.last < self.request.shortest;
        let says_so = match (self.stated, error.kind()) {
            (_, Kind::UnknownEvent) => true,
            // A last page of the usual size does not show that the list has ended.
            (None, _) if !is_short => false,
            // Without a `requestId`, something on the way to the vendor may have answered.
            (None, Kind::BadAnswer) => error.context("requestId").is_some(),
            (_, Kind::Refused | Kind::BadAnswer) => true,
            _ => failure::is_unexplained(error),
        };
        self.may_have_ended() && says_so
    }

    /// Whether the next page may not exist: by its own total, the list has no more; or it states no total, and the last page was
    /// shorter than others, or than any page but the last should be.
    fn may_have_ended(&self) -> bool {
        let has_all = |total: usize| self.pages * self.page_size() >= total;
        self.pages > 0 && self.stated.map_or(self.last < self.page_size(), has_all)
    }

    /// How many events a full page holds at least: the vendor's default number, or the most that a page has had. The vendor may
    /// ignore the number that is asked for.
    fn page_size(&self) -> usize {
        self.longest.max(self.request.shortest)
    }

    /// How many different events the list has named so far.
    #[must_use]
    pub fn distinct_events(&self) -> usize {
        self.in_any_reading.len()
    }

    /// Reads the entries of a page. A page is the last one if it is empty, or if all its events were on earlier pages; or if it
    /// is short, and the list has no more by its own total. But the vendor may leave events out of a page, even all of them:
    /// while it states a greater `total`, the list goes on. And the second page may be the first one again, if both 0 and 1 are
    /// numbers of the first page.
    fn read(&mut self, entries: &[Box<RawValue>], total: Option<usize>) -> Page {
        let before = self.in_this_reading.len();
        let mut page = Page::default();
        for entry in entries {
            match Event::read(entry.get()) {
                Some(event) => {
                    self.in_this_reading.insert(event.event_id);
                    self.is_news |= self.in_any_reading.insert(event.event_id);
                    page.events.push(event);
                }
                // Counted once, not in every reading.
                None => page.unreadable += u64::from(self.readings == 0),
            }
        }
        self.longest = self.longest.max(entries.len());
        self.empty = if entries.is_empty() { self.empty + 1 } else { 0 };
        self.stated = total.or(self.stated);
        let lacks = |reached: usize| self.stated.is_some_and(|total| reached < total);
        let has_more_pages = lacks((self.pages + 1) * self.page_size()) && self.empty < MOST_EMPTY;
        if !entries.is_empty() || has_more_pages {
            self.pages += 1;
            self.last = entries.len();
        }
        let named = self.in_this_reading.len();
        let is_short = self.stated.is_some() && entries.len() < self.request.shortest && !lacks(named);
        let may_be_the_first_again = self.request.first == 0 && self.pages == 2 && !entries.is_empty();
        let names_nothing_new = named == before && !may_be_the_first_again;
        if is_short || names_nothing_new && !has_more_pages {
            self.end_reading();
        }
        page
    }

    fn end_reading(&mut self) {
        self.readings += 1;
        // After a single full page there may have been another page, until its last event moved up onto the one that was already
        // read.
        let may_be_full = self.last > 0 && self.last.is_multiple_of(ROUND);
        let is_whole = self.pages < 2 && !may_be_full;
        self.is_over = is_whole || !self.is_news || self.readings >= self.request.most_readings;
        (self.pages, self.last, self.empty, self.is_news) = (0, 0, 0, false);
        self.in_this_reading.clear();
    }
}
