//! How often a locator's number was mistyped at this end. T4: both ends count.

use std::collections::BTreeMap;

use tasuki_protocol::number::{Locator, MAX_ATTEMPTS, SessionNumber};

/// Lives as long as the program, across its peers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriedNumbers(BTreeMap<Locator, u8>);

impl TriedNumbers {
    /// For [`super::super::AgentSetup::failed_before`].
    pub fn failed_before(&self, number: &SessionNumber) -> u8 {
        self.0.get(&number.locator).copied().unwrap_or_default()
    }

    /// To be called for each [`super::super::io::SessionEvent::WrongNumber`] of an agent.
    pub fn failed(&mut self, number: &SessionNumber) {
        let count = self.0.entry(number.locator).or_default();
        *count = count.saturating_add(1).min(MAX_ATTEMPTS);
    }
}
