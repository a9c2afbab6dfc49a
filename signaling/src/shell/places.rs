//! Where operators' devices speak from and until when, for limits that change while they do (T54).
//!
//! It refuses to know what is allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Instant;

use tasuki_protocol::ids::DeviceKey;
use tokio::sync::watch;

use crate::core::rooms::{ConnectionId, OperatorId};

type Whose = (OperatorId, DeviceKey);

/// Where one was last is kept of so many before those who are gone are forgotten.
const KEPT: usize = 1024;

/// One connection of a device.
#[derive(Debug)]
pub(super) struct Here {
    whose: Whose,
    from: IpAddr,
    until: watch::Sender<Instant>,
}

impl Here {
    pub(super) fn new(whose: Whose, from: IpAddr, until: Instant) -> Self {
        Self { whose, from, until: watch::Sender::new(until) }
    }

    pub(super) fn until(&self) -> watch::Receiver<Instant> {
        self.until.subscribe()
    }
}

/// One device of an operator, and where it is.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) device: DeviceKey,
    /// None where it has not come back since a restart.
    pub(crate) at: BTreeSet<IpAddr>,
    /// It has a number or a session; a window that only waits has none.
    pub(crate) runs: bool,
}

#[derive(Debug, Default)]
pub(super) struct Places {
    here: HashMap<ConnectionId, Here>,
    last: BTreeMap<Whose, IpAddr>,
}

impl Places {
    /// `present`: who is here or has something running.
    pub(super) fn came(&mut self, connection: ConnectionId, here: Here, present: &BTreeSet<Whose>) {
        if self.last.len() >= KEPT.max(2 * present.len()) {
            self.last.retain(|whose, _| present.contains(whose));
        }
        self.last.insert(here.whose, here.from);
        self.here.insert(connection, here);
    }

    /// His hours or his certificate end at another time than they did.
    pub(super) fn until(&self, whose: Whose, until: Instant) {
        for here in self.here.values().filter(|here| here.whose == whose) {
            here.until.send_replace(until);
        }
    }

    pub(super) fn went(&mut self, connection: ConnectionId) {
        self.here.remove(&connection);
    }

    pub(super) fn of(&self, whose: Whose) -> BTreeSet<IpAddr> {
        let here = self.here.values().filter(|here| here.whose == whose).map(|here| here.from);
        let here: BTreeSet<IpAddr> = here.collect();
        if here.is_empty() { self.last.get(&whose).copied().into_iter().collect() } else { here }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t54_who_has_left_is_where_he_was_last_as_long_as_he_has_something_running() {
        let mut places = Places::default();
        let [office, home] = ["192.0.2.1", "198.51.100.1"].map(|text| text.parse::<IpAddr>().unwrap());
        let he = (OperatorId(1), DeviceKey([1; 32]));
        let present = BTreeSet::from([he]);
        let at = |whose, from| Here::new(whose, from, Instant::now());
        places.came(ConnectionId(1), at(he, office), &present);
        places.came(ConnectionId(2), at(he, home), &present);
        assert_eq!(places.of(he), BTreeSet::from([office, home]));
        places.went(ConnectionId(2));
        assert_eq!(places.of(he), BTreeSet::from([office]));
        places.went(ConnectionId(1));
        assert_eq!(places.of(he), BTreeSet::from([home]));
        for other in 2..5_000 {
            places.came(ConnectionId(3), at((OperatorId(other), he.1), office), &present);
        }
        assert_eq!(places.of(he), BTreeSet::from([home]));
        assert!(places.last.len() <= KEPT + 1, "{}", places.last.len());
    }
}
