//! Operators' devices: compared by voice, certified by the lock key, revoked.

use std::cmp::Reverse;
use std::time::Duration;

use clap::{Args, Subcommand};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::certificate::{Certificate, MAX_CERTIFICATE_LIFE, MAX_REVOKED, Revocations};
use tasuki_protocol::devices::{
    APPROVE_PATH, ApproveDevice, DEVICES_PATH, DeviceEntry, DeviceList, DeviceState, REVOKE_PATH,
    RevokeDevices,
};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::words;

use super::init;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt;
use crate::settings::Settings;
use crate::table::table;
use crate::vault::{Master, Passphrase};

/// By how much an end's clock may be behind this one when it first sees a certificate.
const EARLIER_S: u64 = 3600;

#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Show the devices of all operators, or of one
    List { operator: Option<String> },
    /// Certify a waiting device, once its words agree with those that the operator reads out
    Approve(ApproveOptions),
    /// Make a device useless at once; asks for confirmation
    Revoke {
        operator: String,
        /// The first digits of the key, where the operator has several devices
        #[arg(long, value_name = "HEX")]
        device: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct ApproveOptions {
    operator: String,
    /// The six words, as the operator reads them out; asked for if not given
    #[arg(long)]
    words: Option<String>,
    /// Days that the certificate holds, at most 90
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=90))]
    days: u64,
    /// Modes that it allows [default: the account's]
    #[arg(long, value_delimiter = ',', value_name = "MODES")]
    modes: Option<Vec<Mode>>,
    /// Rights that no policy can ever give on this device, e.g. fetch_files,send_files
    #[arg(long, value_delimiter = ',', value_name = "RIGHTS")]
    without: Vec<String>,
    /// Certify an approved device anew
    #[arg(long)]
    renew: bool,
}

pub(super) async fn run(settings: &Settings, command: &DeviceCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    match command {
        DeviceCommand::List { operator } => list(&desk, operator.as_deref()).await,
        DeviceCommand::Approve(options) => approve(&desk, options).await,
        DeviceCommand::Revoke { operator, device, yes } => {
            let sure = if *yes { Sure::Already } else { Sure::Ask };
            revoke(&desk, operator, device.as_deref(), sure).await
        }
    }
}

enum Sure {
    Ask,
    Already,
}

async fn list(desk: &Desk, operator: Option<&str>) -> Result<Printed, Fault> {
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let wanted = |entry: &&DeviceEntry| operator.is_none_or(|name| entry.operator == name);
    let entries: Vec<&DeviceEntry> = list.devices.iter().filter(wanted).collect();
    let mut rows = vec![desk.language.device_columns().to_vec()];
    rows.extend(entries.iter().map(|entry| row(entry)));
    let json = entries.iter().map(|entry| {
        let mut value = serde_json::to_value(entry).unwrap_or_default();
        value["words"] = words::fingerprint(&entry.device).into();
        value
    });
    let json = serde_json::json!({ "devices": json.collect::<Vec<_>>() });
    Ok(Printed { text: table(&rows), json })
}

fn row(entry: &DeviceEntry) -> Vec<String> {
    let state = match entry.state {
        DeviceState::Pending => "pending",
        DeviceState::Approved => "approved",
        DeviceState::Expired => "expired",
        DeviceState::Revoked => "revoked",
    };
    let left = entry.not_after.map(|end| end.saturating_sub(init::unix()) / (24 * 3600));
    vec![
        entry.operator.clone(),
        init::short(&entry.device),
        state.to_owned(),
        left.map(|days| days.to_string()).unwrap_or_default(),
        words::fingerprint(&entry.device),
    ]
}

async fn approve(desk: &Desk, options: &ApproveOptions) -> Result<Printed, Fault> {
    let without = rights(&options.without)?;
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let waits = |entry: &&DeviceEntry| {
        let state = match entry.state {
            DeviceState::Pending | DeviceState::Expired => true,
            DeviceState::Approved => options.renew,
            DeviceState::Revoked => false,
        };
        entry.operator == options.operator && state
    };
    let waiting: Vec<&DeviceEntry> = list.devices.iter().filter(waits).collect();
    if waiting.is_empty() {
        return Err(Fault::NothingPending(options.operator.clone()));
    }
    let heard = match &options.words {
        Some(words) => words.clone(),
        None => prompt::answer(&desk.language.ask_words(&options.operator))?.to_string(),
    };
    let heard = heard.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let same = |entry: &&&DeviceEntry| words::fingerprint(&entry.device) == heard;
    let entry = waiting.iter().find(same).ok_or(Fault::WordsDiffer)?;
    let master = unlock(desk)?;
    let now = init::unix();
    let life = Duration::from_secs(options.days * 24 * 3600).min(MAX_CERTIFICATE_LIFE);
    let certificate = Certificate {
        v: PROTOCOL_VERSION,
        tenant: desk.bundle.tenant,
        operator: entry.operator.clone(),
        display_name: entry.display_name.clone(),
        device: entry.device,
        modes: options.modes.clone().unwrap_or_else(|| entry.modes.clone()),
        rights: without.iter().fold(Rights::of(&Capability::ALL), |rights, c| rights.without(*c)),
        not_before: now - EARLIER_S,
        not_after: now - EARLIER_S + life.as_secs(),
    };
    let envelope = Blob(dsse::sign(&certificate, &master.lock()));
    let order = ApproveDevice { certificate: envelope };
    desk.post::<serde_json::Value>(APPROVE_PATH, &order).await?;
    let json = serde_json::json!({
        "operator": certificate.operator, "device": certificate.device,
        "not_after": certificate.not_after, "modes": certificate.modes,
    });
    Ok(Printed { text: desk.language.approved(&certificate.operator, options.days), json })
}

fn rights(names: &[String]) -> Result<Vec<Capability>, Fault> {
    let read = |name: &String| {
        let value = serde_json::Value::String(name.trim().to_owned());
        serde_json::from_value(value).map_err(|_| Fault::UnknownRight(name.clone()))
    };
    names.iter().map(read).collect()
}

async fn revoke(
    desk: &Desk,
    operator: &str,
    device: Option<&str>,
    sure: Sure,
) -> Result<Printed, Fault> {
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
    if matches!(sure, Sure::Ask) && *prompt::answer(&desk.language.ask_removal(operator))? != *operator
    {
        return Err(Fault::NotConfirmed);
    }
    let master = unlock(desk)?;
    let (version, mut devices) = standing(list.revocations.as_ref(), &desk.bundle)?;
    devices.insert(0, entry.device);
    let (known, now) = (&list.devices, init::unix());
    let devices = most_needed(devices, |device| {
        // Of whom the server does not say when his certificate ends, it may be the longest.
        let end = known.iter().find(|entry| entry.device == *device).and_then(|entry| entry.not_after);
        end.unwrap_or(now + MAX_CERTIFICATE_LIFE.as_secs())
    });
    let revocations = Revocations {
        v: PROTOCOL_VERSION,
        tenant: desk.bundle.tenant,
        version: version.saturating_add(1),
        devices,
        issued_at: init::unix(),
    };
    let envelope = Blob(dsse::sign(&revocations, &master.lock()));
    let order = RevokeDevices { revocations: envelope };
    desk.post::<serde_json::Value>(REVOKE_PATH, &order).await?;
    let json = serde_json::json!({ "operator": operator, "device": entry.device, "revoked": true });
    Ok(Printed { text: desk.language.done(operator), json })
}

/// The version of the list that is known, and what is on it. Under a lock key that was dropped since, nobody
/// heeds a list any more, nor any certificate of its time; but everybody who saw it asks for a higher one.
fn standing(list: Option<&Blob>, bundle: &Bundle) -> Result<(u64, Vec<DeviceKey>), Fault> {
    let Some(envelope) = list else { return Ok((0, Vec::new())) };
    if let Ok(list) = Revocations::open(&envelope.0, bundle.tenant, &bundle.lock_keys, 0) {
        return Ok((list.version, list.devices));
    }
    let unread = Fault::Refused(ProblemCode::Document);
    let (list, _) = dsse::open_self_signed::<Revocations>(&envelope.0).map_err(|_| unread)?;
    Ok((list.version, Vec::new()))
}

/// As many as a list holds: where there are more, those go whose certificates end first, and of those that
/// end together the ones that were revoked first.
fn most_needed(mut devices: Vec<DeviceKey>, end: impl Fn(&DeviceKey) -> u64) -> Vec<DeviceKey> {
    while devices.len() > MAX_REVOKED {
        let places = devices.iter().enumerate();
        let first = places.min_by_key(|(place, device)| (end(device), Reverse(*place)));
        let Some((place, _)) = first else { break };
        devices.remove(place);
    }
    devices
}

fn unlock(desk: &Desk) -> Result<Master, Fault> {
    let vault = desk.profile.vault()?;
    let typed = prompt::secret(&desk.language.ask_passphrase())?;
    Master::unwrap(&vault, &Passphrase::entered(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t17_where_a_list_is_full_the_device_goes_whose_certificate_ends_first() {
        let device = |n: usize| DeviceKey([u8::try_from(n).unwrap(); 32]);
        let end = |device: &DeviceKey| if *device == DeviceKey([40; 32]) { 5 } else { 900 };
        let full: Vec<DeviceKey> = (0..MAX_REVOKED).map(device).collect();
        assert_eq!(most_needed(full.clone(), end), full);
        let more: Vec<DeviceKey> = (0..MAX_REVOKED + 2).map(device).collect();
        let kept = most_needed(more, end);
        let gone: Vec<usize> = (0..MAX_REVOKED + 2).filter(|n| !kept.contains(&device(*n))).collect();
        assert_eq!(gone, [40, MAX_REVOKED + 1]);
    }
}
