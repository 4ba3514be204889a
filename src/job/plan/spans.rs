//! Splits a long period into spans, oldest first, so that what was read of a list is not read again if the time runs out. Pure.

use jiff::{SignedDuration, Timestamp};

/// The length of the first span: long enough for what every run asks a list for, which is the usual horizon.
const FIRST: SignedDuration = SignedDuration::from_hours(32 * 24);

/// After a span with more pages than this, the next one is not made longer.
const MANY: usize = 8;

/// The spans of a period that have yet to be read.
pub(super) struct Spans {
    current: Option<(Timestamp, Timestamp)>,
    to: Timestamp,
    length: SignedDuration,
}

impl Spans {
    /// The spans of the period from one instant to another.
    pub(super) fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { current: Some((from, end(from, FIRST, to))), to, length: FIRST }
    }

    /// The span to read now; `None` after the last one. A period without length is one span, too.
    pub(super) fn current(&self) -> Option<(Timestamp, Timestamp)> {
        self.current
    }

    /// Goes on to the next span; this one had `pages` pages. If they are few, the next span is twice as long: a quiet period
    /// takes few requests.
    pub(super) fn advance(&mut self, pages: usize) {
        if pages <= MANY {
            self.length = self.length.saturating_add(self.length);
        }
        let from = self.current.map_or(self.to, |(_, read)| read);
        self.current = (from < self.to).then(|| (from, end(from, self.length, self.to)));
    }
}

fn end(from: Timestamp, length: SignedDuration, to: Timestamp) -> Timestamp {
    from.checked_add(length).map_or(to, |end| end.min(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        "2022-10-26T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day)
    }

    #[test]
    fn spans_cover_the_whole_period_and_get_longer_while_they_have_few_pages() {
        for (days, pages, ends) in [
            (0, 1, vec![0]),
            (1, 900, vec![1]),
            (32, 1, vec![32]),
            (33, 1, vec![32, 33]),
            (400, 0, vec![32, 96, 224, 400]),
            (400, 8, vec![32, 96, 224, 400]),
            (100, 9, vec![32, 64, 96, 100]),
        ] {
            let (mut spans, mut from) = (Spans::new(day(0), day(days)), day(0));
            for end in ends {
                assert_eq!(spans.current(), Some((from, day(end))), "{days} {pages}");
                from = day(end);
                spans.advance(pages);
            }
            assert_eq!(spans.current(), None, "{days} {pages}");
        }
    }
}
