//! Where operators' devices speak from, for limits that change while they do (T54).
//!
//! It refuses to know what is allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use tasuki_protocol::ids::DeviceKey;

use crate::core::rooms::{ConnectionId, OperatorId};

type Whose = (OperatorId, DeviceKey);

/// Where one was last is kept of so many before those who are gone are forgotten.
const KEPT: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Places {
    here: HashMap<ConnectionId, (Whose, IpAddr)>,
    last: BTreeMap<Whose, IpAddr>,
}

impl Places {
    /// `present`: who is here or has something running.
    pub(super) fn came(
        &mut self,
        connection: ConnectionId,
        whose: Whose,
        from: IpAddr,
        present: &BTreeSet<Whose>,
    ) {
        if self.last.len() >= KEPT.max(2 * present.len()) {
            self.last.retain(|whose, _| present.contains(whose));
        }
        self.here.insert(connection, (whose, from));
        self.last.insert(whose, from);
    }

    pub(super) fn went(&mut self, connection: ConnectionId) {
        self.here.remove(&connection);
    }

    pub(super) fn of(&self, whose: Whose) -> BTreeSet<IpAddr> {
        let here = self.here.values().filter(|(is, _)| *is == whose).map(|(_, from)| *from);
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
        places.came(ConnectionId(1), he, office, &present);
        places.came(ConnectionId(2), he, home, &present);
        assert_eq!(places.of(he), BTreeSet::from([office, home]));
        places.went(ConnectionId(2));
        assert_eq!(places.of(he), BTreeSet::from([office]));
        places.went(ConnectionId(1));
        assert_eq!(places.of(he), BTreeSet::from([home]));
        for other in 2..5_000 {
            places.came(ConnectionId(3), (OperatorId(other), he.1), office, &present);
        }
        assert_eq!(places.of(he), BTreeSet::from([home]));
        assert!(places.last.len() <= KEPT + 1, "{}", places.last.len());
    }
}
