//! The keys of records, each met once. A record mostly has the keys of the one before in their order: the key that followed
//! the last time is compared before any other is looked for.

use std::collections::HashMap;

/// Keys that are remembered; a vendor who writes data into keys has more than any table.
const MOST: usize = 1024;

/// The number of a key, the same for as long as its `Keys` live; none for one too many.
pub(super) type KeyId = Option<usize>;

/// Keys by their numbers.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: Vec<Known>,
    ids: HashMap<Box<[u8]>, usize>,
    /// The key that was met last.
    last: usize,
}

#[derive(Debug)]
struct Known {
    /// As it was sent, with its quotes and the colon.
    sent: Box<[u8]>,
    /// The key that followed this one the last time.
    next: usize,
}

impl Keys {
    /// The key with which `bytes` begin, and its length with quotes and colon, if it is the one that mostly comes next.
    pub(super) fn guess(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        let id = self.known.get(self.last).map_or(0, |last| last.next);
        let sent = &self.known.get(id)?.sent;
        if !bytes.starts_with(sent) {
            return None;
        }
        self.last = id;
        Some((id, sent.len()))
    }

    /// The number of a key as it was sent, without its quotes.
    pub(super) fn id(&mut self, key: &[u8]) -> KeyId {
        let id = match self.ids.get(key) {
            Some(id) => *id,
            None if self.known.len() >= MOST => return None,
            None => {
                let id = self.known.len();
                self.known.push(Known { sent: [b"\"", key, b"\":"].concat().into(), next: id + 1 });
                self.ids.insert(key.into(), id);
                id
            }
        };
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = id;
        }
        self.last = id;
        Some(id)
    }
}
