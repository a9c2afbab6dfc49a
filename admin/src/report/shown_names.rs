//! Under which name the end user of each session saw its operator: that of the certificate in force then, whatever the
//! account is called since (S54, S97).
//!
//! It refuses to know sessions that never began.

use std::collections::{BTreeMap, HashMap};

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::AdminAction;

use crate::audit::filter::Session;
use crate::audit::record::Record;

/// Between names where it is not known which of an operator's computers a session was opened at.
const OR: &str = " / ";

/// For longer no sign-in lasts, in milliseconds, where nobody has set it otherwise.
const SIGN_IN: u64 = 12 * 3600 * 1000;

/// The certified names of one account's devices, and when somebody signed in at each.
#[derive(Default)]
struct Account {
    devices: BTreeMap<String, String>,
    signed_in: BTreeMap<String, u64>,
}

impl Account {
    fn name(&self, at: u64) -> String {
        let is_in = |device: &&String| {
            self.signed_in.get(*device).is_some_and(|since| at.saturating_sub(*since) <= SIGN_IN)
        };
        let mut devices: Vec<&String> = self.devices.keys().filter(is_in).collect();
        if devices.is_empty() {
            devices = self.devices.keys().collect();
        }
        let mut names: Vec<&str> =
            devices.into_iter().map(|device| self.devices[device].as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.join(OR)
    }
}

/// Of each session that began, in the order of the records: all of them, also those that a report leaves out.
pub fn names<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    sessions: &HashMap<SessionId, Session>,
) -> HashMap<SessionId, String> {
    let (mut accounts, mut names) = (HashMap::<String, Account>::new(), HashMap::new());
    let entries = records.into_iter().filter_map(|record| Some((record.at, record.entry()?)));
    for (at, entry) in entries {
        let of_session = || sessions.get(&entry.session?)?.operator.as_ref();
        let operator = || entry.operator.as_ref().or_else(of_session).cloned();
        if let Event::AdminDid { action, target, detail, .. } = &entry.event {
            let account = entry.operator.as_ref().unwrap_or(target);
            if *action == AdminAction::DeviceApproved {
                approved(accounts.entry(account.clone()).or_default(), detail);
            }
            if *action == AdminAction::DeviceRevoked {
                accounts.values_mut().for_each(|account| revoked(account, detail));
            }
        }
        if let (Event::LoggedIn { device, .. }, Some(operator)) = (&entry.event, operator()) {
            accounts.entry(operator).or_default().signed_in.insert(device.to_string(), at);
        }
        if let (Event::Paired { .. }, Some(session), Some(operator)) =
            (&entry.event, entry.session, operator())
        {
            names.insert(
                session,
                accounts.get(&operator).map(|account| account.name(at)).unwrap_or_default(),
            );
        }
    }
    names
}

/// `device=…, modes=…, until=…, name=…`: the name stands last, since it may have anything in it.
fn approved(account: &mut Account, detail: &str) {
    let Some((before, name)) = detail.split_once("name=") else { return };
    let device = devices(before).next().unwrap_or_default();
    account.devices.insert(device.to_owned(), name.to_owned());
}

fn revoked(account: &mut Account, detail: &str) {
    devices(detail).for_each(|device| drop(account.devices.remove(device)));
}

fn devices(detail: &str) -> impl Iterator<Item = &str> {
    detail.split(", ").filter_map(|part| part.strip_prefix("device="))
}
