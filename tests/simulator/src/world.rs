//! The world: every event that the vendor knows.

use std::num::ParseIntError;
use std::str::FromStr;

use jiff::civil::{Date, date};

use crate::draw::Draw;
use crate::event::Event;
use crate::sample;

/// The id before the first generated event's.
const BEFORE_FIRST_ID: u64 = 700_000;

/// What a world is made from. The same options give the same world.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// The seed of everything.
    pub seed: u64,
    /// How many events there are besides the sample; their ids count from 700001.
    pub events: u64,
    /// How many viewers an event has.
    pub viewers: Viewers,
    /// The first day, in UTC+8, on which generated events start.
    pub first_day: Date,
    /// Over how many days their starts are spread; at least one.
    pub days: u32,
    /// Whether generated events were last edited 350 days before their start, and created before that.
    pub edited_long_before: bool,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            events: 24,
            viewers: Viewers::Range(0, 300),
            first_day: date(2022, 10, 20),
            days: 10,
            edited_long_before: false,
        }
    }
}

/// How many viewers an event has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewers {
    /// From the first to the second number, both included, small numbers being more likely.
    Range(u64, u64),
    /// This many in every event that has any.
    Exactly(u64),
}

impl Viewers {
    /// The number of viewers of the event with this draw.
    pub(crate) fn draw(self, draw: Draw) -> u64 {
        match self {
            Self::Range(min, max) => min.saturating_add(draw.skewed("viewers", max.saturating_sub(min))),
            Self::Exactly(viewers) => viewers,
        }
    }
}

/// `300`, or `0..300` with both ends included.
impl FromStr for Viewers {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("..") {
            Some((min, max)) => Ok(Self::Range(min.parse()?, max.trim_start_matches('=').parse()?)),
            None => text.parse().map(Self::Exactly),
        }
    }
}

/// Every event that the vendor knows: the sample, and any number of generated ones.
#[derive(Clone, Debug, Default)]
pub struct World {
    options: WorldOptions,
}

impl World {
    /// The world of these options.
    #[must_use]
    pub fn new(options: WorldOptions) -> Self {
        Self { options }
    }

    /// All events in the order of their ids, each in its final state.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let generated = (1..=self.options.events).map(|number| self.generated(number));
        std::iter::once(sample::event()).chain(generated)
    }

    /// The event with this id, in its final state.
    #[must_use]
    pub fn event(&self, id: u64) -> Option<Event> {
        if id == sample::SAMPLE_ID {
            return Some(sample::event());
        }
        let number = id.checked_sub(BEFORE_FIRST_ID)?;
        (1..=self.options.events).contains(&number).then(|| self.generated(number))
    }

    /// The generated event `number`, counted from 1.
    fn generated(&self, number: u64) -> Event {
        let draw = Draw::new(self.options.seed).branch(number);
        Event::generate(BEFORE_FIRST_ID + number, number, draw, &self.options)
    }
}
