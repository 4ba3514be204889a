//! Which fault strikes a request, if any.

use std::sync::atomic::{AtomicU64, Ordering};

use super::ServerOptions;
use super::parameters::Request;
use crate::draw::Draw;
use crate::fault::{Fault, FaultKind};

/// All faults, each with the number of requests so far that counted for it.
#[derive(Debug)]
pub(super) struct Faults {
    list: Vec<(Fault, AtomicU64)>,
    draw: Draw,
}

impl Faults {
    pub(super) fn new(options: &ServerOptions) -> Self {
        let list = options.faults.iter().map(|fault| (fault.clone(), AtomicU64::default())).collect();
        Self { list, draw: Draw::new(options.fault_seed) }
    }

    /// The first fault that strikes `request`, which is the request `number`. The request counts for the other faults, too.
    pub(super) fn strike(&self, number: u64, request: &Request) -> Option<&FaultKind> {
        let in_scope = (0..).zip(&self.list).filter(|(_, (fault, _))| fault.when.scope.contains(request));
        let counted = in_scope.map(|(place, (fault, counter))| {
            let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
            let draw = self.draw.branch(place).branch(number);
            fault.when.frequency.strikes(count, draw).then_some(&fault.kind)
        });
        // Not `find_map`, which would not count this request for the others.
        counted.fold(None, Option::or)
    }
}
