//! Folding a visit into the ledger. Pure.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::answers::{DayAnswer, SnapshotAnswer};
use super::visit::{Outcome, Visit};
use super::{Closing, Ledger};

impl Ledger {
    /// Updates the ledger with the result of a visit. Visits may be folded in any order: an earlier visit's answer for a day
    /// does not replace a later one's.
    pub fn fold(&mut self, visit: &Visit, horizon: SignedDuration) {
        // An earlier visit that is folded after a later one does not cancel what the later one owes.
        let is_latest = self.last_visit <= Some(visit.pulled_at);
        // A visit that is folded twice, because a write was reported as failed, counts once.
        let is_newer = self.last_visit < Some(visit.pulled_at);
        // If a visit at the same time was complete and closed the event, nothing is missing, whatever this one owes.
        let is_beside = self.is_beside_the_last(visit);
        let may_owe = !is_beside && !self.is_in_vain(visit);
        self.event_day = self.event_day.or(visit.event_day);
        self.take_answers(visit);
        if is_latest {
            self.owed.strike(visit);
        }
        if may_owe {
            self.owed.add(&visit.owed);
        }
        self.owed.pieces.retain(|day, pieces| *pieces > 1 && self.owed.days.contains(day));
        if is_newer && !is_beside {
            self.count(visit);
        }
        self.last_visit = self.last_visit.max(Some(visit.pulled_at));
        self.planned_at = visit.planned_at.or(self.planned_at);
        if visit.has_asked_all {
            self.through = self.through.max(Some(visit.pulled_at));
        }
        // It was not deleted after all.
        if self.closed == Some(Closing::Deleted) && (!visit.days.is_empty() || visit.snapshot.is_some()) {
            self.closed = None;
        }
        self.closed = self.closed.or_else(|| self.closing(visit, horizon));
    }

    /// Takes the answers that are not older than those in the ledger. As in the lake, an answer that does not know of an
    /// acceptance cannot replace one that does.
    fn take_answers(&mut self, visit: &Visit) {
        for (day, answer) in &visit.days {
            let age = |day: &DayAnswer| (day.accepted_at, day.pulled_at);
            if self.days.get(day).is_none_or(|known| age(known) <= age(answer)) {
                self.days.insert(*day, *answer);
            }
            if answer.lives.rows + answer.interactions.rows > 0 && !visit.blank.contains(day) {
                self.blank.remove(day);
            }
        }
        if let Some(snapshot) = visit.snapshot {
            let age = |snapshot: &SnapshotAnswer| (snapshot.accepted_at, snapshot.pulled_at);
            if self.snapshot.is_none_or(|known| age(&known) <= age(&snapshot)) {
                self.snapshot = Some(snapshot);
            }
        }
    }

    /// Counts a visit among those in a row that failed, were in vain, or were not finished; and, for each day, among those
    /// without its data. Takes over which days lacked arrays.
    fn count(&mut self, visit: &Visit) {
        for day in &visit.blank {
            let visits = self.blank.entry(*day).or_default();
            *visits = visits.saturating_add(1);
        }
        let was_answered = |day: &Date| visit.asked.contains(day) && !visit.owed.days.contains(day);
        self.lacked.retain(|day, _| !was_answered(day));
        self.lacked.extend(&visit.lacking);
        let has_failed = visit.outcome == Outcome::Failed;
        self.failures = if has_failed { self.failures.saturating_add(1) } else { 0 };
        self.in_vain = match visit.outcome {
            Outcome::Failed => self.in_vain.saturating_add(1),
            Outcome::Left if visit.days.is_empty() => self.in_vain,
            Outcome::Left | Outcome::Complete => 0,
        };
        self.is_gone = visit.is_unknown && self.last_good_visit.is_some();
        self.unfinished = self.unfinished.saturating_add(1);
        if visit.outcome == Outcome::Complete {
            self.unfinished = 0;
            self.last_good_visit = Some(visit.pulled_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{HORIZON, at, ledger, visit};
    use super::super::visit::Owed;
    use super::*;
    use crate::transform::totals::Totals;

    fn snapshot_at(hours: i64) -> SnapshotAnswer {
        SnapshotAnswer::empty(at(hours))
    }

    #[test]
    fn a_failed_visit_counts_once_however_often_it_is_folded() {
        let mut ledger = ledger();
        for failures in 1..4 {
            let failed = visit(100 + i64::from(failures), Outcome::Failed);
            ledger.fold(&failed, HORIZON);
            ledger.fold(&failed, HORIZON);
            assert_eq!(ledger.failures, failures);
        }
        ledger.fold(&visit(200, Outcome::Left), HORIZON);
        assert_eq!((ledger.failures, ledger.unfinished), (0, 4), "what was left is not all there either");
        ledger.fold(&visit(201, Outcome::Complete), HORIZON);
        assert_eq!(ledger.unfinished, 0);
    }

    #[test]
    fn a_day_that_lacked_arrays_waits_until_a_visit_has_asked_for_it_again() {
        let mut ledger = ledger();
        let day = "2022-10-26".parse().unwrap();
        let asking = |hours| Visit { asked: [day].into(), ..visit(hours, Outcome::Complete) };
        let lacking = |hours, answers| Visit { lacking: [(day, answers)].into(), ..asking(hours) };
        let owed = Owed { days: [day].into(), ..Owed::default() };
        for (visit, lacked) in [
            (lacking(1, 1), Some(1)),
            // Another that began with the same ledger tells no more.
            (lacking(2, 1), Some(1)),
            (visit(3, Outcome::Complete), Some(1)),
            (asking(4), None),
            // One that is folded after a later one tells nothing new.
            (lacking(3, 1), None),
            (lacking(5, 1), Some(1)),
            // It was asked for in vain.
            (Visit { owed, ..asking(6) }, Some(1)),
            // It is believed.
            (lacking(7, 2), Some(2)),
        ] {
            ledger.fold(&visit, HORIZON);
            assert_eq!(ledger.lacked.get(&day).copied(), lacked, "{}", visit.pulled_at);
            assert_eq!(ledger.days_to_ask_for().contains(&day), lacked == Some(1), "{}", visit.pulled_at);
        }
    }

    #[test]
    fn a_day_that_was_only_believed_to_have_no_more_stays_owed_if_another_visit_at_the_same_time_owes_it() {
        let day: Date = "2022-10-26".parse().unwrap();
        let asking = |hours: i64, outcome| Visit { asked: [day].into(), ..visit(31 * 24 + hours, outcome) };
        let owed = Owed { days: [day].into(), ..Owed::default() };
        let owing = Visit { owed, ..asking(0, Outcome::Failed) };
        for (believed, is_owed) in [(BTreeSet::new(), false), ([day].into(), true)] {
            let mut ledger = ledger();
            ledger.fold(&owing, HORIZON);
            ledger.fold(&Visit { believed, ..asking(1, Outcome::Complete) }, HORIZON);
            assert_eq!((ledger.owed.days.contains(&day), ledger.closed.is_none()), (is_owed, is_owed));
        }
    }

    #[test]
    fn an_event_is_closed_once_what_was_answered_without_arrays_was_asked_for_again() {
        let day = "2022-10-26".parse().unwrap();
        let past = |hours: i64| visit(31 * 24 + hours, Outcome::Complete);
        let lacking =
            |hours, answers| Visit { lacking: [(day, answers)].into(), asked: [day].into(), ..past(hours) };
        let without_viewers = |hours, without_viewers| {
            let snapshot = SnapshotAnswer { without_viewers, ..SnapshotAnswer::empty(past(hours).pulled_at) };
            Visit { snapshot: Some(snapshot), ..past(hours) }
        };
        for [first, second] in
            [[lacking(0, 1), lacking(24, 2)], [without_viewers(0, 1), without_viewers(24, 2)]]
        {
            let mut ledger = ledger();
            ledger.fold(&first, HORIZON);
            assert_eq!(ledger.closed, None);
            ledger.fold(&second, HORIZON);
            assert_eq!(ledger.closed, Some(Closing::Complete));
        }
    }

    #[test]
    fn an_event_is_gone_when_the_vendor_once_answered_for_it_and_no_longer_knows_it() {
        let unknown =
            |hours| Visit { is_unknown: true, has_asked_all: false, ..visit(hours, Outcome::Failed) };
        let mut ledger = ledger();
        ledger.fold(&unknown(-1), HORIZON);
        assert!(!ledger.is_gone, "it may be a wrong number");
        ledger.fold(&visit(0, Outcome::Failed), HORIZON);
        ledger.fold(&unknown(1), HORIZON);
        assert!(!ledger.is_gone, "it was asked for, and never answered");
        ledger.fold(&visit(2, Outcome::Complete), HORIZON);
        ledger.fold(&unknown(3), HORIZON);
        assert!(ledger.is_gone);
        assert_eq!(ledger.last_good_visit, Some(at(2)));
        ledger.fold(&visit(4, Outcome::Left), HORIZON);
        assert!(!ledger.is_gone, "it was only away for a while");
        assert_eq!(ledger.last_good_visit, Some(at(2)), "what is left is not there yet");
    }

    #[test]
    fn a_complete_event_owes_nothing_when_the_vendor_no_longer_knows_it() {
        let mut ledger = ledger();
        ledger.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
        let in_vain = Visit { is_unknown: true, is_chosen: true, ..visit(400 * 24, Outcome::Failed) };
        ledger.fold(&in_vain, HORIZON);
        assert_eq!((ledger.closed, ledger.owed.is_empty()), (Some(Closing::Complete), true));
        assert!(ledger.is_gone && ledger.outcome() == Outcome::Complete);
        let failed = Visit { is_unknown: false, ..visit(401 * 24, Outcome::Failed) };
        ledger.fold(&Visit { is_chosen: true, ..failed }, HORIZON);
        assert!(ledger.owed.snapshot, "what it answers may be newer");
        assert_eq!(ledger.outcome(), Outcome::Failed);
    }

    #[test]
    fn days_owed_when_the_vendor_forgets_an_event_stay_owed_whatever_is_asked_for_first() {
        let days: Vec<Date> = ["2022-10-26", "2022-10-27"].map(|day| day.parse().unwrap()).into();
        for asked in &days {
            let mut ledger = ledger();
            ledger.fold(&visit(31 * 24, Outcome::Complete), HORIZON);
            let owing = |hours, days: &[Date]| Visit {
                owed: Owed { days: days.iter().copied().collect(), ..Owed::default() },
                is_chosen: true,
                ..visit(hours, Outcome::Failed)
            };
            ledger.fold(&owing(400 * 24, &days[1..]), HORIZON);
            let in_vain = Visit { is_unknown: true, asked: [*asked].into(), ..owing(401 * 24, &[*asked]) };
            ledger.fold(&in_vain, HORIZON);
            assert!(ledger.owed.days.contains(&days[1]), "{asked}");
            assert_eq!(ledger.outcome(), Outcome::Failed);
        }
    }

    #[test]
    fn the_outcome_of_the_last_visit_is_known() {
        let mut ledger = ledger();
        let outcomes = [Outcome::Failed, Outcome::Left, Outcome::Complete, Outcome::Left, Outcome::Failed];
        for (hours, outcome) in (0..).zip(outcomes) {
            ledger.fold(&visit(hours, outcome), HORIZON);
            assert_eq!(ledger.outcome(), outcome, "{hours}");
        }
    }

    #[test]
    fn details_of_an_owed_day_and_of_a_plan_last_until_a_later_visit_says_otherwise() {
        let day = "2022-10-26".parse().unwrap();
        let owing = |hours, pieces| Visit {
            owed: Owed { days: [day].into(), pieces: [(day, pieces)].into(), ..Owed::default() },
            asked: [day].into(),
            planned_at: Some(at(hours)),
            ..visit(hours, Outcome::Left)
        };
        let mut ledger = ledger();
        for visit in [owing(2, 8), owing(2, 8)] {
            ledger.fold(&visit, HORIZON);
            assert_eq!((&ledger.owed.pieces, ledger.planned_at), (&[(day, 8)].into(), Some(at(2))));
        }
        let earlier = Visit { planned_at: None, owed: Owed::default(), ..owing(1, 8) };
        ledger.owed.snapshot = true;
        let earlier = Visit { snapshot: Some(snapshot_at(1)), outcome: Outcome::Complete, ..earlier };
        ledger.fold(&earlier, HORIZON);
        assert_eq!((ledger.owed.pieces[&day], ledger.planned_at), (8, Some(at(2))), "an earlier one");
        assert!(ledger.owed.days.contains(&day) && ledger.owed.snapshot, "an earlier one");
        ledger.owed.snapshot = false;
        let answered = Visit { asked: [day].into(), ..visit(3, Outcome::Complete) };
        ledger.fold(&answered, HORIZON);
        assert!(ledger.owed.pieces.is_empty() && ledger.owed.days.is_empty());
        assert_eq!(ledger.planned_at, Some(at(2)), "a visit for anything else is none of the plan's");
    }

    #[test]
    fn the_later_or_the_accepted_of_two_answers_is_kept_in_whatever_order_they_are_folded() {
        let day = "2022-10-26".parse().unwrap();
        let bringing = |hours, accepted_at| {
            let (pulled_at, rows) = (at(hours), u64::try_from(hours).unwrap());
            let totals = Totals { rows, ..Totals::default() };
            let answer = DayAnswer { accepted_at, lives: totals, ..DayAnswer::empty(pulled_at) };
            let snapshot = SnapshotAnswer { accepted_at, viewer_details: totals, ..snapshot_at(hours) };
            Visit {
                days: [(day, answer)].into(),
                snapshot: Some(snapshot),
                ..visit(hours, Outcome::Complete)
            }
        };
        for (first, second, known) in [
            (bringing(1, None), bringing(2, None), 2),
            (bringing(1, Some(at(1))), bringing(2, None), 1),
            (bringing(1, Some(at(1))), bringing(2, Some(at(1))), 2),
        ] {
            for order in [[&first, &second], [&second, &first]] {
                let mut ledger = ledger();
                for visit in order {
                    ledger.fold(visit, HORIZON);
                }
                assert_eq!(ledger.days[&day].lives.rows, known);
                assert_eq!(ledger.snapshot.unwrap().viewer_details.rows, known);
            }
        }
    }

    #[test]
    fn a_ledger_of_an_older_version_is_read_though_it_lacks_newer_fields() {
        let mut document = serde_json::to_value(ledger()).unwrap();
        let fields = document.as_object_mut().unwrap();
        assert!(!fields.contains_key("planned_at"), "what says nothing is not written");
        fields["owed"].as_object_mut().unwrap().remove("pieces");
        assert_eq!(serde_json::from_value::<Ledger>(document).unwrap(), ledger());
    }
}
