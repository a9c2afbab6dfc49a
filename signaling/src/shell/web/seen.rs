//! A sign-in as the ledger keeps it: who said to be whom, from where, on which terminal (S52).

use std::net::IpAddr;

use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::ledger::event::{Entry, Event, clipped};
use tasuki_protocol::ledger::words::{LockedOut, LoginFailure};
use tasuki_protocol::login::LoginRequest;

use crate::core::admission::Outside;
use crate::shell::accounts::Wrong;

/// The hardware addresses that a request declares, if any.
pub(super) fn declared(macs: &[String]) -> Option<String> {
    (!macs.is_empty()).then(|| clipped(&macs.join(" ")))
}

/// What one request showed, before it was looked at.
#[derive(Debug)]
pub(super) struct Seen {
    account: String,
    from: String,
    device: DeviceKey,
    /// As declared (R4).
    mac: Option<String>,
}

impl Seen {
    /// `account`: its own name, however it was typed; what was typed, where there is none.
    pub(super) fn of(account: &str, request: &LoginRequest, address: IpAddr) -> Self {
        Self {
            account: clipped(account),
            from: address.to_canonical().to_string(),
            device: request.device,
            mac: declared(&request.macs),
        }
    }

    pub(super) fn signed_in(self) -> Entry {
        let event = Event::LoggedIn { from: self.from, device: self.device, mac: self.mac };
        Entry::server(event).of(None, Some(self.account))
    }

    /// Of somebody whose token or key is known already.
    pub(super) fn again(account: String, address: IpAddr, device: DeviceKey) -> Self {
        Self { account, from: address.to_canonical().to_string(), device, mac: None }
    }

    /// An administrator has no device of the operators' kind.
    pub(super) fn of_admin(name: String, address: IpAddr, mac: Option<String>) -> Self {
        Self { mac, ..Self::again(name, address, DeviceKey([0; 32])) }
    }

    pub(super) fn asked_for_device(self) -> Vec<Entry> {
        let event = Event::DeviceEnrolled { device: self.device };
        vec![Entry::server(event).of(None, Some(self.account))]
    }

    /// `known`: there is an account of that name. `locked`: whose counter is full now, and until
    /// when in unix seconds.
    pub(super) fn failed(
        self,
        known: Option<i64>,
        wrong: Wrong,
        locked: Option<(LockedOut, u64)>,
    ) -> Vec<Entry> {
        let Self { account, from, device, mac } = self;
        let operator = known.map(|_| account.clone());
        let why = why(known, wrong);
        let failed = Event::LoginFailed { account, from: from.clone(), device, mac, why };
        let mut entries = vec![Entry::server(failed).of(None, operator.clone())];
        entries.extend(locked.map(|(who, until)| {
            Entry::server(Event::LockedOut { from, until, who }).of(None, operator)
        }));
        entries
    }
}

fn why(known: Option<i64>, wrong: Wrong) -> LoginFailure {
    match wrong {
        Wrong::Credentials if known.is_none() => LoginFailure::UnknownAccount,
        Wrong::Credentials => LoginFailure::Password,
        Wrong::Device => LoginFailure::Device,
        Wrong::Code => LoginFailure::EnrolmentCode,
        Wrong::Digits | Wrong::UsedDigits => LoginFailure::SecondFactor,
        Wrong::Suspended => LoginFailure::Locked,
        Wrong::Disabled => LoginFailure::Disabled,
        Wrong::Outside(Outside::Address | Outside::Mac) => LoginFailure::Place,
        Wrong::Outside(Outside::Hours) => LoginFailure::Hours,
        Wrong::Outside(Outside::Unreadable) => LoginFailure::Limits,
    }
}
