//! Who came to one event: its viewings, and the people who watched. The rules are those of the views `sessions` and
//! `people`, so that a page shows what SQL shows.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use crate::transform::person::{MADE_UP_NAME, tells};
use crate::transform::row::Row;
use crate::transform::tables::{HOST, PERSON_COLUMNS, Table};

/// Something that viewers do.
#[derive(Clone, Copy)]
pub(super) struct Deed {
    /// The column that counts it.
    column: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
}

const fn deed(column: &'static str, zh: &'static str, en: &'static str) -> Deed {
    Deed { column, zh, en }
}

/// What viewers do.
pub(super) const DEEDS: [Deed; 9] = [
    deed("chat_num", "聊天", "chat messages"),
    deed("praise_num", "点赞", "likes"),
    deed("quiz_num", "提问", "questions asked"),
    deed("question_num", "答题", "quizzes answered"),
    deed("vote_num", "投票", "votes"),
    deed("sign_num", "签到", "roll calls signed"),
    deed("raise_hand_num", "举手", "hands raised"),
    deed("share_num", "分享", "shares"),
    deed("goods_sum_hits", "商品点击", "clicks on goods"),
];

/// What was watched: the event itself, or a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewingKind {
    Live,
    Replay,
    /// The vendor does not say.
    Unknown,
}

/// One viewing. Regions and devices are numbers in [`Names`], so that each text is kept once.
#[derive(Debug)]
pub(super) struct Viewing {
    /// The index in `people`.
    pub(super) person: usize,
    pub(super) kind: ViewingKind,
    pub(super) online: Timestamp,
    pub(super) offline: Option<Timestamp>,
    pub(super) day: Date,
    /// The first region that the vendor names.
    pub(super) region: usize,
    /// The first device that the vendor names.
    pub(super) device: usize,
}

/// How much somebody watched of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) viewings: u64,
    pub(super) seconds: i64,
}

impl Watched {
    fn add(&mut self, seconds: i64) {
        self.viewings += 1;
        self.seconds = self.seconds.saturating_add(seconds);
    }
}

/// Somebody who came.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Whether this is one person. All viewings that do not identify anybody share one entry, those of hosts another.
    pub(super) is_identified: bool,
    pub(super) is_host: bool,
    pub(super) name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) mobile: Option<String>,
    pub(super) email: Option<String>,
    pub(super) ext_id: Option<String>,
    pub(super) all: Watched,
    pub(super) live: Watched,
    pub(super) replay: Watched,
    /// When the first viewing began, and what the lake's wall clock showed then.
    pub(super) came: Option<(Timestamp, DateTime)>,
    /// When the last viewing ended, likewise.
    pub(super) left: Option<(Timestamp, DateTime)>,
    pub(super) regions: BTreeSet<String>,
    pub(super) devices: BTreeSet<String>,
    pub(super) deeds: [i64; DEEDS.len()],
}

/// Texts that many viewings share.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, usize>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// The text with this number; empty if the vendor names none.
    pub(super) fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", String::as_str)
    }
}

/// What tells a person apart from others of the event; for viewings that do not identify anybody, whether they are a host's.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Who {
    Identified(String),
    Unidentified { is_host: bool },
}

/// Everybody who came to one event, including the hosts.
#[derive(Debug, Default)]
pub(super) struct Audience {
    pub(super) people: Vec<Person>,
    pub(super) viewings: Vec<Viewing>,
    pub(super) regions: Names,
    pub(super) devices: Names,
    places: HashMap<Who, usize>,
}

impl Audience {
    /// Adds a row of `lives` or `interactions`.
    pub(super) fn add(&mut self, table: Table, row: &Row<'_>) {
        let text = |column: &str| row.text(column).map(std::borrow::Cow::into_owned);
        let (Some(online), Some(came)) = (row.instant("online_time"), row.wall_clock("online_date")) else {
            return;
        };
        let is_host = row.text("iden").as_deref() == Some(HOST)
            || table == Table::Interactions && row.text("role").as_deref() == Some("host");
        let identified_by =
            PERSON_COLUMNS.into_iter().find_map(|column| text(column).filter(|text| tells(column, text)));
        let who = identified_by.map_or(Who::Unidentified { is_host }, Who::Identified);
        let is_identified = matches!(who, Who::Identified(_));
        let place = *self.places.entry(who).or_insert_with(|| {
            self.people.push(Person { is_identified, ..Person::default() });
            self.people.len() - 1
        });
        let seconds = table.seconds_column().and_then(|column| row.number(column)).unwrap_or_default();
        let kind = match row.text("live_type").as_deref() {
            Some("live") => ViewingKind::Live,
            Some("replay") => ViewingKind::Replay,
            _ => ViewingKind::Unknown,
        };
        let (region, device) = (text("location"), text("device_type"));
        self.viewings.push(Viewing {
            person: place,
            kind,
            online,
            offline: row.instant("offline_time"),
            day: came.date(),
            region: self.regions.number(first(region.as_deref())),
            device: self.devices.number(first(device.as_deref())),
        });
        let Some(person) = self.people.get_mut(place) else { return };
        person.is_host |= is_host;
        person.name = person.name.take().into_iter().chain(text("name")).max_by(by_given_name);
        for (known, column) in [
            (&mut person.company, "company"),
            (&mut person.mobile, "mobile"),
            (&mut person.email, "email"),
            (&mut person.ext_id, "ext_id"),
        ] {
            // Of several values, the greatest counts, as with `max` in the view.
            *known = known.take().max(text(column));
        }
        person.all.add(seconds);
        match kind {
            ViewingKind::Live => person.live.add(seconds),
            ViewingKind::Replay => person.replay.add(seconds),
            ViewingKind::Unknown => {}
        }
        person.came = person.came.into_iter().chain([(online, came)]).min();
        person.left = person.left.max(row.instant("offline_time").zip(row.wall_clock("offline_date")));
        person.regions.extend(region);
        person.devices.extend(device);
        for (sum, deed) in person.deeds.iter_mut().zip(DEEDS) {
            *sum = sum.saturating_add(row.number(deed.column).unwrap_or_default());
        }
    }

    /// Everybody but the hosts, including the entry for viewings that do not identify anybody.
    pub(super) fn attending(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(|person| !person.is_host)
    }

    /// Everybody who can be told apart, without the hosts.
    pub(super) fn viewers(&self) -> impl Iterator<Item = &Person> {
        self.attending().filter(|person| person.is_identified)
    }

    /// All viewings but those of hosts, each with its person.
    pub(super) fn viewings(&self) -> impl Iterator<Item = (&Viewing, &Person)> {
        let with_person = self.viewings.iter().filter_map(|viewing| {
            let person = self.people.get(viewing.person)?;
            Some((viewing, person))
        });
        with_person.filter(|(_, person)| !person.is_host)
    }
}

/// The order of names: those that the vendor made up come before all others, so that the last is one that somebody gave.
fn by_given_name(one: &String, other: &String) -> Ordering {
    let is_given = |name: &String| !name.starts_with(MADE_UP_NAME);
    is_given(one).cmp(&is_given(other)).then_with(|| one.cmp(other))
}

/// The first of several values that the vendor joins by commas, or the second if the first is absent; empty if both are.
fn first(several: Option<&str>) -> &str {
    let mut said = several.unwrap_or_default().split(',').take(2);
    said.find(|one| !matches!(*one, "" | "-")).unwrap_or_default()
}
