//! The limits of an account as a command line gives them: the same for operators and administrators (S63).

use clap::Args;
use tasuki_protocol::admin::Limits;

use super::policy;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::limits::{self, LimitFault, Others};

#[derive(Debug, Args)]
pub struct LimitOptions {
    /// Address or network, e.g. 192.0.2.0/24; several times for several
    #[arg(long, value_name = "NETWORK")]
    address: Vec<String>,
    /// Hardware address that the account's computer declares; it can be forged
    #[arg(long, value_name = "MAC")]
    mac: Vec<String>,
    /// As in policies, e.g. "mon-fri 09:00-18:00 Asia/Tokyo"; without a zone that of the policy in force, or UTC
    #[arg(long, value_name = "HOURS")]
    hours: Option<String>,
    /// Lift all limits but those given beside it
    #[arg(long)]
    none: bool,
}

/// What is made of them.
#[derive(Debug)]
pub(super) struct Wish {
    given: Limits,
    others: Others,
}

impl LimitOptions {
    /// Hours that name no zone are by the clocks of the policy's.
    pub(super) async fn wish(&self, desk: &Desk) -> Result<Wish, Fault> {
        let hours = match self.hours.as_deref() {
            Some(text) => Some(limits::in_zone(text, policy::zone(desk).await?.as_deref())),
            None => None,
        };
        let given = limits::typed(&self.address, &self.mac, hours.as_deref())?;
        Ok(Wish { given, others: if self.none { Others::Lifted } else { Others::Stay } })
    }
}

impl Wish {
    /// Whether nothing is to change.
    pub(super) fn is_to_see(&self) -> bool {
        self.given == Limits::default() && self.others == Others::Stay
    }

    /// What becomes of the limits `now`.
    ///
    /// # Errors
    /// [`LimitFault::Unreadable`]: what nobody can read neither stays nor is shown.
    pub(super) fn made_of(self, now: Option<Limits>) -> Result<Limits, LimitFault> {
        match (now, self.others) {
            (Some(now), others) => Ok(limits::changed(now, self.given, others)),
            (None, Others::Lifted) => Ok(self.given),
            (None, Others::Stay) => Err(LimitFault::Unreadable),
        }
    }
}
