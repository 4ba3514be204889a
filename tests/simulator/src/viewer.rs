//! One viewer, as the vendor tells people apart: by an identifier as sent.

use crate::draw::Draw;
use crate::session::Session;
use crate::words::{COMPANIES, GIVEN_NAMES, NICKNAMES, SURNAMES};

/// One viewer of an event. Identifiers that the vendor does not know are `None`.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Its number within the event, counted from 0.
    pub number: u64,
    /// The mobile number, either `19000101106` or `+86-19000101106`.
    pub mobile: Option<String>,
    /// The e-mail address, in mixed case.
    pub email: Option<String>,
    /// The id in the customer's own system.
    pub ext_id: Option<String>,
    /// All sessions, those of the future included; none if the viewer never came.
    pub sessions: Vec<Session>,
    /// Whether the live sessions come in through the app or by phone.
    pub(crate) by_app: bool,
    /// The source of everything else about it.
    pub(crate) draw: Draw,
}

/// What the vendor knows a viewer by.
#[derive(PartialEq, Eq)]
enum KnownBy {
    Mobile,
    Email,
    ExtId,
    Nothing,
}

impl Viewer {
    /// The viewer `number` of the event with the draw `event`, still without sessions.
    pub(crate) fn generate(number: u64, event: Draw) -> Self {
        let draw = viewer_draw(event, number);
        let mut viewer = Self {
            number,
            mobile: None,
            email: None,
            ext_id: None,
            sessions: Vec::new(),
            by_app: draw.one_in("app", 20),
            draw,
        };
        if let Some(other) = twin(event, number) {
            viewer.mobile = Some(mobile(other, !is_international(other)));
            return viewer;
        }
        let known_by = known_by(draw);
        if known_by == KnownBy::Mobile {
            viewer.mobile = Some(mobile(draw, is_international(draw)));
        }
        if known_by == KnownBy::Email || known_by == KnownBy::Mobile && draw.one_in("email too", 5) {
            viewer.email = Some(email(draw));
        }
        if known_by == KnownBy::ExtId || known_by == KnownBy::Mobile && draw.one_in("extId too", 6) {
            viewer.ext_id = Some(format!("crm-{:08}", draw.below("extId", 100_000_000)));
        }
        viewer
    }

    /// The name in the session `session`: one in four is anonymous, and numbered anew each time.
    pub(crate) fn name(&self, session: &Session) -> String {
        match self.draw.below("name", 20) {
            0 => self.draw.pick("nickname", &NICKNAMES).to_owned(),
            1..=5 => format!("网友{}", session.draw.between("name", 1000, 9999)),
            _ => {
                format!(
                    "{}{}",
                    self.draw.pick("surname", &SURNAMES),
                    self.draw.pick("given name", &GIVEN_NAMES)
                )
            }
        }
    }

    /// The company, where it is known.
    pub(crate) fn company(&self) -> Option<&'static str> {
        (!self.draw.one_in("no company", 3)).then(|| self.draw.pick("company", &COMPANIES))
    }

    /// The number that was dialled, where it is known.
    pub(crate) fn phone_number(&self) -> Option<String> {
        self.mobile.as_ref().map(|_| format!("190{:08}", self.draw.below("phoneNumber", 100_000_000)))
    }

    /// The role's code and name.
    pub(crate) fn role(&self) -> (i64, &'static str) {
        match (self.by_app, self.number, self.draw.below("role", 5)) {
            (false, ..) => (6, "观众"),
            (true, 0, _) => (4, "主持人"),
            (true, _, 0) => (5, "主讲人"),
            (true, ..) => (6, "参会人"),
        }
    }

    /// Whether the texts of its records are written in ASCII, all else escaped, or in UTF-8 as they are.
    pub(crate) fn in_ascii(&self) -> bool {
        self.draw.one_in("ascii", 8)
    }
}

/// The draw of the viewer `number`.
fn viewer_draw(event: Draw, number: u64) -> Draw {
    event.branch(number)
}

/// The draw of the previous viewer, if the viewer `number` is the same person with the mobile written differently.
fn twin(event: Draw, number: u64) -> Option<Draw> {
    let other = viewer_draw(event, number.checked_sub(1)?);
    // One in ten of the odd ones, so that nobody is a twin's twin: one in twenty of all.
    let is_twin = number % 2 == 1 && viewer_draw(event, number).one_in("twin", 10);
    (is_twin && known_by(other) == KnownBy::Mobile).then_some(other)
}

fn known_by(draw: Draw) -> KnownBy {
    match draw.below("known by", 30) {
        0 => KnownBy::Nothing,
        1..=2 => KnownBy::ExtId,
        3..=5 => KnownBy::Email,
        _ => KnownBy::Mobile,
    }
}

fn is_international(draw: Draw) -> bool {
    draw.one_in("international", 3)
}

fn mobile(draw: Draw, international: bool) -> String {
    let prefix = if international { "+86-" } else { "" };
    format!("{prefix}190{:08}", draw.below("mobile", 100_000_000))
}

fn email(draw: Draw) -> String {
    let name = draw.pick("mailbox", &["Wei.ZHANG", "li.na", "Marketing", "cHEN"]);
    let domain = draw.pick("domain", &["example.com", "Example.com", "EXAMPLE.COM"]);
    format!("{name}{}@{domain}", draw.below("email", 1_000_000))
}
