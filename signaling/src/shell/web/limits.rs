//! What limits that are new make of what an operator has running, and of windows that wait (T54).

use std::net::IpAddr;

use tasuki_protocol::admin::Limits;

use super::Site;
use crate::core::admission::{Admission, declares_anew};
use crate::core::rooms::OperatorId;
use crate::shell::clock;
use crate::shell::places::Placed;

impl Site {
    /// The operator's devices that are not within limits that are new: they speak from elsewhere, or have declared a hardware
    /// address that nobody kept and that counts now.
    pub(super) fn outside(&self, operator: OperatorId, before: &Limits, now: &Limits) -> Vec<Placed> {
        let admission = Admission::try_from(now).ok();
        let declares_anew = declares_anew(before, now);
        let unix = clock::unix_row();
        let is_in = |place: &IpAddr| {
            admission.as_ref().is_some_and(|now| now.check_place_and_time(*place, unix).is_ok())
        };
        let may_stay = |placed: &Placed| {
            // Who has not come back since a restart may be anywhere.
            let is_somewhere = now.addresses.is_empty() || !placed.at.is_empty();
            !declares_anew && is_somewhere && placed.at.iter().all(is_in)
        };
        self.desk.places_of(operator).into_iter().filter(|placed| !may_stay(placed)).collect()
    }

    /// Under limits that are new: where all that he has running is within them it goes on with them, and a window that
    /// waits elsewhere is closed; else he is out, and comes back if he may (T54).
    pub(super) async fn admit_anew(&self, operator: OperatorId, outside: &[Placed], stays: bool) {
        if !stays {
            return self.desk.withdraw(operator);
        }
        for Placed { device, .. } in outside {
            self.desk.withdraw_device(*device);
        }
        for Placed { device, .. } in self.desk.places_of(operator) {
            if self.renew(operator, &device).await.is_err() {
                self.desk.withdraw_device(device);
            }
        }
    }
}
