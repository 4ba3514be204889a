//! Remembers the keys of records, and numbers them. A record usually has the same keys as the one before, in the same order: so
//! the key that followed last time is compared before any lookup.

use std::collections::HashMap;

/// How many keys are remembered at most. If the vendor wrote data into keys, there would be no end of them.
const MOST: usize = 1024;

/// The longest key that is remembered, in bytes.
const LONGEST: usize = 256;

/// How many bytes of a key are compared at once: enough for each of the vendor's keys.
const HEAD: usize = 32;

/// The number of a key, which stays the same as long as its `KeyCache` lives; `None` for a key that is not remembered, because it
/// is too long, or there are too many.
pub(crate) type KeyId = Option<usize>;

/// A position in the sequence of keys, to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize);

/// The keys that are remembered, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct KeyCache {
    known: Vec<Known>,
    ids: HashMap<Box<[u8]>, usize>,
    /// The number of the last key, and of the one that followed it the last time.
    last: usize,
    guess: usize,
    /// How many keys were not the guessed one.
    turns: usize,
}

#[derive(Debug)]
struct Known {
    /// The key as it was sent, with its quotes and the colon.
    sent: Box<[u8]>,
    /// Its first bytes, and a mask of those that it has: for most keys, comparing these is enough.
    head: [u64; HEAD / 8],
    mask: [u64; HEAD / 8],
    /// The key that followed this one the last time.
    next: usize,
}

impl KeyCache {
    /// If `bytes` begin with the key that followed last time, returns its number, and its length with quotes and colon; otherwise
    /// `None`.
    pub(crate) fn guess(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        let id = self.guess;
        let known = self.known.get(id)?;
        if !known.begins(bytes) {
            return None;
        }
        (self.last, self.guess) = (id, known.next);
        Some((id, known.sent.len()))
    }

    /// The position after the last key.
    pub(crate) fn place(&self) -> Place {
        Place(self.last)
    }

    /// Goes back to a position, because the keys after it will come again.
    pub(crate) fn go_back(&mut self, place: Place) {
        self.follow(place.0);
    }

    /// How many keys were not the guessed one. As long as this number stays the same, each key is followed by the same key as
    /// before.
    pub(crate) fn turns(&self) -> usize {
        self.turns
    }

    /// The number of a key that was not guessed; `key` is the key as it was sent, without its quotes.
    pub(crate) fn id(&mut self, key: &[u8]) -> KeyId {
        self.turns += 1;
        let id = match self.ids.get(key) {
            Some(id) => *id,
            None if self.known.len() >= MOST || key.len() > LONGEST => return None,
            None => {
                let id = self.known.len();
                self.known.push(Known::new([b"\"", key, b"\":"].concat(), id + 1));
                self.ids.insert(key.into(), id);
                id
            }
        };
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = id;
        }
        self.follow(id);
        Some(id)
    }

    /// From now on, this key is the last one.
    fn follow(&mut self, id: usize) {
        self.last = id;
        self.guess = self.known.get(id).map_or(0, |last| last.next);
    }
}

impl Known {
    fn new(sent: Vec<u8>, next: usize) -> Self {
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(&sent) {
            (*head, *mask) = (*byte, 0xff);
        }
        Self { sent: sent.into(), head: words(&head), mask: words(&mask), next }
    }

    /// Whether `bytes` begin with this key.
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some((head, after)) = bytes.split_first_chunk::<HEAD>() else {
            return bytes.starts_with(&self.sent);
        };
        let parts = words(head).into_iter().zip(self.mask).zip(self.head);
        let difference = parts.fold(0, |all, ((word, mask), known)| all | (word & mask ^ known));
        difference == 0 && self.sent.get(HEAD..).is_none_or(|rest| after.starts_with(rest))
    }
}

fn words(bytes: &[u8; HEAD]) -> [u64; HEAD / 8] {
    let (chunks, _) = bytes.as_chunks();
    let mut words = [0; HEAD / 8];
    words.iter_mut().zip(chunks).for_each(|(word, chunk)| *word = u64::from_le_bytes(*chunk));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_guessed_only_if_it_stands_there_in_full() {
        let long = ["whitelist_type_of_whom_it_concerns_one", "whitelist_type_of_whom_it_concerns_two", "a"];
        let mut keys = KeyCache::default();
        for _ in 0..2 {
            for key in long {
                keys.id(key.as_bytes());
            }
        }
        // After `a` comes the first one.
        for (bytes, guessed) in [
            (&br#""whitelist_type_of_whom_it_concerns_two":1}"#[..], None),
            (br#""whitelist_type_of_whom_it_concerns_one" :1}"#, None),
            (br#""whitelist_type_of_whom_it_concerns_one"#, None),
            (br#""white"#, None),
            (br#""whitelist_type_of_whom_it_concerns_one":"#, Some((0, 41))),
        ] {
            assert_eq!(keys.guess(bytes), guessed, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(keys.guess(br#""whitelist_type_of_whom_it_concerns_two":1, "more""#), Some((1, 41)));
        assert_eq!(
            keys.guess(br#""a":1}"#),
            Some((2, 4)),
            "also where fewer bytes are left than are compared at once"
        );
    }

    #[test]
    fn keys_too_many_or_too_long_get_no_number_and_the_others_keep_theirs() {
        let mut keys = KeyCache::default();
        for number in 0..MOST {
            assert_eq!(keys.id(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!(keys.id(b"one more"), None);
        assert_eq!(keys.id(b"7"), Some(7));
        let mut keys = KeyCache::default();
        assert_eq!(keys.id(&[b'a'; LONGEST + 1]), None);
        assert_eq!(keys.id(&[b'a'; LONGEST]), Some(0));
    }
}
