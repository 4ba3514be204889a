//! The source of everything that looks random: a keyed hash.
//!
//! A draw is a key. Branching it by a number (an event, a viewer, a session) gives another key, and rolling it for
//! a field gives that field's number. So any value of any record can be made at any time, in any order, without state.

use twox_hash::XxHash3_64;

/// A key from which fields are drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The key of a whole world.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The key of the part `number` of what this key stands for.
    pub(crate) fn branch(self, number: u64) -> Self {
        Self(XxHash3_64::oneshot_with_seed(self.0, &number.to_le_bytes()))
    }

    /// 64 uniform bits for `field`.
    pub(crate) fn roll(self, field: &str) -> u64 {
        XxHash3_64::oneshot_with_seed(self.0, field.as_bytes())
    }

    /// A uniform number in `0..bound`; 0 for an empty range.
    pub(crate) fn below(self, field: &str, bound: u64) -> u64 {
        self.roll(field).checked_rem(bound).unwrap_or(0)
    }

    /// A uniform number in `min..=max`.
    pub(crate) fn between(self, field: &str, min: i64, max: i64) -> i64 {
        min.saturating_add_unsigned(self.below(field, max.abs_diff(min) + 1))
    }

    /// A number in `0..=max` with small ones more likely: on average an eighth of `max`.
    pub(crate) fn skewed(self, field: &str, max: u64) -> u64 {
        (0..3).fold(max, |max, turn| self.branch(turn).below(field, max.saturating_add(1)))
    }

    /// A uniform number from 0 up to but not including 1.
    pub(crate) fn share(self, field: &str) -> f64 {
        let [.., a, b, c, d] = self.roll(field).to_le_bytes();
        f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(self, field: &str, n: u64) -> bool {
        self.below(field, n) == 0
    }

    /// One of `options`, all equally likely.
    pub(crate) fn pick<T: Copy + Default, const N: usize>(self, field: &str, options: &[T; N]) -> T {
        let index = self.below(field, N as u64);
        usize::try_from(index).ok().and_then(|index| options.get(index)).copied().unwrap_or_default()
    }
}
