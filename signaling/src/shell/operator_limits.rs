//! From where and when an operator may sign in, and go on (S63, T54). What nobody can read lets nobody in.

use std::net::IpAddr;

use tasuki_protocol::admin::Limits;
use tasuki_protocol::login::LoginAnswer;

use super::accounts::{Account, Accounts};
use super::clock;
use crate::core::admission::{Admission, Outside};
use crate::core::rooms::OperatorId;

impl Account {
    /// From where and when it may be used, if anybody can tell.
    pub(super) fn admission(&self) -> Option<Admission> {
        Admission::try_from(self.limits.as_ref()?).ok()
    }

    /// Whether its limits let somebody in from there now.
    pub(super) fn admits(&self, address: IpAddr, macs: &[String]) -> Result<(), Outside> {
        let admission = self.admission().ok_or(Outside::Unreadable)?;
        admission.check(address, macs, clock::unix_row())
    }

    /// What he is told who has proven everything, and whom the limits keep out.
    pub(super) fn told(&self, outside: Outside) -> LoginAnswer {
        match outside {
            Outside::Address => LoginAnswer::OutsideAddresses,
            Outside::Mac => LoginAnswer::OutsideHardware,
            Outside::Hours => {
                let (opens, zone) = self.limits.as_ref().map(opening).unwrap_or_default();
                LoginAnswer::OutsideHours { opens, zone }
            }
            Outside::Unreadable => LoginAnswer::LimitsUnreadable,
        }
    }
}

impl Accounts {
    /// Whether who is signed in may still act from there now (T54). Hardware addresses were declared at
    /// the login: the token stands for them.
    pub(crate) async fn still_admits(
        &self,
        operator: OperatorId,
        address: IpAddr,
    ) -> Result<Result<(), Outside>, sqlx::Error> {
        let account = self.by_id(operator.0).await?;
        let admission = account.and_then(|account| account.admission());
        let Some(admission) = admission else { return Ok(Err(Outside::Unreadable)) };
        Ok(admission.check_place_and_time(address, clock::unix_row()))
    }

    /// When the allowed hours begin next, in unix seconds, and by which zone.
    pub(crate) async fn opening(
        &self,
        operator: OperatorId,
    ) -> Result<(Option<u64>, String), sqlx::Error> {
        let account = self.by_id(operator.0).await?;
        Ok(account.and_then(|account| account.limits).as_ref().map(opening).unwrap_or_default())
    }
}

/// Outside of the allowed hours: when they begin next, in unix seconds, and by which zone.
pub(super) fn opening(limits: &Limits) -> (Option<u64>, String) {
    let admission = Admission::try_from(limits).unwrap_or_default();
    let (opens, zone) = admission.opens(clock::unix_row()).unwrap_or_default();
    (opens.and_then(|unix| u64::try_from(unix).ok()), zone.to_owned())
}
