//! How often devices that are not approved may be wrong from one address: what is more often is refused before anybody
//! looks at it, and counted against no account (R5). So who has one address suspends few accounts, and none for long.
//!
//! It refuses to know what was tried, and under whose name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rules::AccountRules;
use crate::core::guesses::Place;
use crate::core::requests::Requests;

#[derive(Debug, Clone)]
pub(crate) struct Strangers(Arc<Mutex<Requests>>);

impl Strangers {
    /// One try comes back in the time that a suspension takes, and three make one: in the long run an address has an account
    /// suspended for a third of the time.
    pub(crate) fn new(rules: &AccountRules) -> Self {
        let (most, span) = (rules.wrong_per_address, rules.lock_for);
        Self(Arc::new(Mutex::new(Requests::new(most, span.saturating_mul(most), Instant::now()))))
    }

    /// Counts the wrong try that this one is until it has turned out to be none.
    ///
    /// # Errors
    /// There were too many from there; after so long there is room for the next.
    pub(super) fn admit(&self, place: Place) -> Result<(), Duration> {
        self.requests().admit(place, Instant::now())
    }

    pub(super) fn give_back(&self, place: Place) {
        self.requests().give_back(place);
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
