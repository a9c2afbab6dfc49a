//! Operators' devices: compared by voice, certified by the lock key, revoked.

use clap::Subcommand;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, ListMark};
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::devices::{
    DEVICES_PATH, DeviceEntry, DeviceList, DeviceState, REVOKE_PATH, RevokeDevices,
};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::revoked::in_force;
use tasuki_protocol::rights::Mode;

use super::approve::{ApproveOptions, Unseen, approve};
use super::init;
use super::key::unlock;
use crate::certified::{opened, withheld};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::table::table;
use crate::vault::{Master, public};
use crate::vouched::word;

const DAY_S: u64 = 24 * 3600;
/// Before the end of a certificate.
const WARN_DAYS: u64 = 14;

#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Show the devices of all operators, or of one
    List {
        /// The operator's account
        operator: Option<String>,
    },
    /// Certify a waiting device, once its words agree with those that the operator reads out
    Approve(ApproveOptions),
    /// Make a device useless at once; asks for confirmation
    Revoke {
        /// The operator's account
        operator: String,
        /// The first digits of the key, where the operator has several devices
        #[arg(long, value_name = "HEX")]
        device: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(settings: &Settings, command: &DeviceCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    match command {
        DeviceCommand::List { operator } => list(&desk, operator.as_deref()).await,
        DeviceCommand::Approve(options) => {
            let nobody_sees = if settings.json { Unseen::Refuse } else { Unseen::Ask };
            approve(&desk, options, nobody_sees).await
        }
        DeviceCommand::Revoke { operator, device, yes } => {
            revoke(&desk, operator, device.as_deref(), Sure::said(*yes)).await
        }
    }
}

async fn list(desk: &Desk, operator: Option<&str>) -> Result<Printed, Fault> {
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let wanted = |entry: &&DeviceEntry| operator.is_none_or(|name| entry.operator == name);
    let entries: Vec<&DeviceEntry> = list.devices.iter().filter(wanted).collect();
    let listed: Vec<Listed<'_>> = entries.iter().map(|entry| Listed::of(desk, entry)).collect();
    let mut rows = vec![desk.language.device_columns().to_vec()];
    rows.extend(listed.iter().map(|listed| listed.row(desk)));
    let json: Vec<serde_json::Value> = listed.iter().map(Listed::json).collect();
    let out = desk.profile.revoked(desk.bundle.tenant)?.devices(&desk.bundle).len();
    let ending: Vec<(&str, u64)> = entries.iter().filter_map(|entry| ending(entry)).collect();
    let ending = (!ending.is_empty()).then(|| format!("\n{}", desk.language.certificates_end(&ending)));
    Ok(Printed {
        text: format!(
            "{}\n{}{}",
            table(&rows).trim_end(),
            desk.language.known_revoked(out),
            ending.unwrap_or_default()
        ),
        json: serde_json::json!({ "devices": json, "known_revoked": out }),
    })
}

/// A device with what its certificate says. Its six words are not there: whoever approves has them from the operator's
/// mouth, and from nowhere else (T8).
struct Listed<'a> {
    entry: &'a DeviceEntry,
    certificate: Option<Certificate>,
    /// Of the account, and neither in the certificate nor left out of it on this computer.
    lacking: Vec<Mode>,
}

impl<'a> Listed<'a> {
    fn of(desk: &Desk, entry: &'a DeviceEntry) -> Self {
        let certificate = opened(&desk.bundle, entry);
        let kept = desk.profile.signed(desk.bundle.tenant, entry.device);
        let is_meant = kept.is_some_and(|kept| kept.ceiling.modes.is_some());
        let lacks = |mode: &&Mode| certificate.as_ref().is_some_and(|had| !had.modes.contains(mode));
        let lacking = entry.modes.iter().filter(lacks).filter(|_| !is_meant).copied().collect();
        Self { entry, certificate, lacking }
    }

    fn has_old_name(&self) -> bool {
        let certified = self.certificate.as_ref();
        certified.is_some_and(|certified| certified.display_name != self.entry.display_name)
    }

    fn row(&self, desk: &Desk) -> Vec<String> {
        let (entry, language) = (self.entry, desk.language);
        let modes = |modes: &[Mode]| {
            modes.iter().map(|mode| language.mode(*mode)).collect::<Vec<_>>().join(",")
        };
        let certified = self.certificate.as_ref();
        let without = certified.map(withheld).unwrap_or_default();
        let without = (!without.is_empty())
            .then(|| language.withheld(&without.iter().map(word).collect::<Vec<_>>().join(",")));
        let old_name = self.has_old_name().then(|| language.renew_for_name(&entry.display_name));
        let lacking =
            (!self.lacking.is_empty()).then(|| language.renew_for_modes(&modes(&self.lacking)));
        let notes: Vec<String> = [old_name, lacking, without].into_iter().flatten().collect();
        let left = entry.not_after.filter(|_| entry.state != DeviceState::Revoked);
        vec![
            entry.operator.clone(),
            init::short(&entry.device),
            language.device_state(entry.state),
            left.map(|end| days_until(end).to_string()).unwrap_or_default(),
            certified.map(|certified| certified.display_name.clone()).unwrap_or_default(),
            certified.map(|certified| modes(&certified.modes)).unwrap_or_default(),
            notes.join("; "),
        ]
    }

    fn json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self.entry).unwrap_or_default();
        value["certified"] = self.certificate.as_ref().map_or(serde_json::Value::Null, |certified| {
            serde_json::json!({
                "display_name": certified.display_name, "modes": certified.modes, "without": withheld(certified),
            })
        });
        value["renewal_due"] = (self.has_old_name() || !self.lacking.is_empty()).into();
        value
    }
}

/// A day that has begun is one.
fn days_until(end: u64) -> u64 {
    end.saturating_sub(init::unix()).div_ceil(DAY_S)
}

/// Whose device waits anew within so many days, if nobody does anything.
fn ending(entry: &DeviceEntry) -> Option<(&str, u64)> {
    let days = days_until(entry.not_after?);
    let is_near = entry.state == DeviceState::Approved && days <= WARN_DAYS;
    is_near.then_some((entry.operator.as_str(), days))
}

async fn revoke(
    desk: &Desk,
    operator: &str,
    device: Option<&str>,
    sure: Sure,
) -> Result<Printed, Fault> {
    // Said before anybody is asked: it is an emergency, and this is the wrong computer for it.
    desk.profile.vault()?;
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let meant = |entry: &&DeviceEntry| {
        let digits = device.is_none_or(|digits| entry.device.to_string().starts_with(digits));
        entry.operator == operator && entry.state != DeviceState::Revoked && digits
    };
    let meant: Vec<&DeviceEntry> = list.devices.iter().filter(meant).collect();
    let entry = match meant.as_slice() {
        [only] => *only,
        [] => return Err(Fault::NoSuchDevice(operator.to_owned())),
        _ => return Err(Fault::SeveralDevices(operator.to_owned())),
    };
    prompt::confirm(sure, &desk.language.ask_revocation(operator), operator)?;
    revoke_all(desk, &[entry.device]).await?;
    let json = serde_json::json!({ "operator": operator, "device": entry.device, "revoked": true });
    Ok(Printed { text: desk.language.revoked(operator), json })
}

/// Puts devices on the list, which is signed for that; asks for the passphrase. Another administrator may have put
/// others on it meanwhile: then once more, with those.
pub(super) async fn revoke_all(desk: &Desk, devices: &[DeviceKey]) -> Result<(), Fault> {
    desk.profile.vault()?;
    vouch(desk)?;
    let (master, _) = unlock(desk)?;
    match revoke_with(desk, &master, devices).await {
        Err(Fault::Refused(ProblemCode::Conflict)) => revoke_with(desk, &master, devices).await,
        done => done,
    }
}

/// List and bundle are signed together: whoever follows the bundle asks for the list (T14).
pub(super) async fn revoke_with(
    desk: &Desk,
    master: &Master,
    devices: &[DeviceKey],
) -> Result<(), Fault> {
    let known: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let bundle = desk.newest().await?;
    let now = init::unix();
    let mut revoked = desk.profile.revoked(bundle.tenant)?;
    let newest = known.revocations.as_ref().and_then(|list| in_force(list, &bundle));
    if let Some((list, by)) = &newest {
        revoked.heed(list, *by, now);
    }
    for device in devices {
        revoked.add(*device, now);
    }
    let newest = newest.map_or(0, |(list, _)| list.version);
    let list = revoked.next(newest, &bundle.lock_keys, now).ok_or(Fault::RevocationsAhead)?;
    // Kept before it is sent: where no answer comes, agents may have it all the same.
    desk.profile.keep_revoked(&revoked)?;
    let mark = ListMark { version: list.version, by: public(&master.lock()) };
    let asking = Bundle { least_list: Some(mark), ..init::next(&bundle) };
    let asking = Blob(dsse::sign(&asking, &master.root()));
    let kept = desk.profile.stage_bundle(&asking.0)?;
    let revocations = Blob(dsse::sign(&list, &master.lock()));
    let order = RevokeDevices { revocations, bundle: Some(asking) };
    desk.post::<serde_json::Value>(REVOKE_PATH, &order).await?;
    kept.put()
}

/// A new list takes the place of all before it. A computer that has signed none knows of those what the server
/// shows, and one that hides a list would have what stands there taken in again (T14, T17).
pub(super) fn vouch(desk: &Desk) -> Result<(), Fault> {
    let mut revoked = desk.profile.revoked(desk.bundle.tenant)?;
    if revoked.is_vouched_for() {
        return Ok(());
    }
    let shown = revoked.devices(&desk.bundle).len();
    prompt::show(&desk.language.first_list(shown));
    if prompt::answer(&desk.language.ask_revoked())?.trim() != shown.to_string() {
        return Err(Fault::RevocationsHidden { shown });
    }
    revoked.vouch();
    desk.profile.keep_revoked(&revoked)
}
