//! Operators' devices: compared by voice, certified by the lock key, revoked.

use std::time::Duration;

use clap::{Args, Subcommand};
use tasuki_protocol::admin::{OPERATORS_PATH, OperatorList, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, ListMark};
use tasuki_protocol::certificate::{Certificate, MAX_CERTIFICATE_LIFE};
use tasuki_protocol::devices::{
    APPROVE_PATH, ApproveDevice, DEVICES_PATH, DeviceEntry, DeviceList, DeviceState, REVOKE_PATH,
    RevokeDevices,
};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
use tasuki_protocol::revoked::in_force;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::words;

use super::{init, operator, operator_change};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::table::table;
use crate::texts::Language;
use crate::vault::{Master, Passphrase, public};
use crate::vouched::{Ceiling, Naming, NamingFault, Said};

/// Before the end of a certificate.
const WARN_DAYS: u64 = 14;
/// By how much an end's clock may be behind this one when it first sees a certificate.
const EARLIER_S: u64 = 3600;

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

#[derive(Debug, Args)]
pub struct ApproveOptions {
    /// The operator's account
    operator: String,
    /// The six words, as the operator reads them out; asked for if not given
    #[arg(long)]
    words: Option<String>,
    /// Days that the certificate holds, at most 90
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=90))]
    days: u64,
    /// The name that end users see, where the account was not added on this computer
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Modes that it allows [default: the account's]
    #[arg(long, value_delimiter = ',', value_name = "MODES", value_parser = operator::mode)]
    modes: Option<Vec<Mode>>,
    /// Rights that no policy can ever give on this device, e.g. fetch_files,send_files, or none [default: those of the certificate before]
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
        DeviceCommand::Approve(options) => {
            let nobody_sees = if settings.json { Unseen::Refuse } else { Unseen::Ask };
            approve(&desk, options, nobody_sees).await
        }
        DeviceCommand::Revoke { operator, device, yes } => {
            revoke(&desk, operator, device.as_deref(), Sure::said(*yes)).await
        }
    }
}

/// What becomes of a name that the server alone says.
enum Unseen {
    Ask,
    Refuse,
}

async fn list(desk: &Desk, operator: Option<&str>) -> Result<Printed, Fault> {
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let wanted = |entry: &&DeviceEntry| operator.is_none_or(|name| entry.operator == name);
    let entries: Vec<&DeviceEntry> = list.devices.iter().filter(wanted).collect();
    let mut rows = vec![desk.language.device_columns().to_vec()];
    rows.extend(entries.iter().map(|entry| row(entry, desk.language)));
    let json = entries.iter().map(|entry| {
        let mut value = serde_json::to_value(entry).unwrap_or_default();
        value["words"] = words::fingerprint(&entry.device).into();
        value
    });
    let out = desk.profile.revoked(desk.bundle.tenant)?.devices(&desk.bundle).len();
    let ending: Vec<(&str, u64)> = entries.iter().filter_map(|entry| ending(entry)).collect();
    let ending = (!ending.is_empty()).then(|| format!("\n{}", desk.language.certificates_end(&ending)));
    let json = serde_json::json!({ "devices": json.collect::<Vec<_>>(), "known_revoked": out });
    Ok(Printed {
        text: format!(
            "{}\n{}{}",
            table(&rows).trim_end(),
            desk.language.known_revoked(out),
            ending.unwrap_or_default()
        ),
        json,
    })
}

/// Whose device waits anew within so many days, if nobody does anything.
fn ending(entry: &DeviceEntry) -> Option<(&str, u64)> {
    let days = entry.not_after?.saturating_sub(init::unix()) / (24 * 3600);
    let is_near = entry.state == DeviceState::Approved && days < WARN_DAYS;
    is_near.then_some((entry.operator.as_str(), days))
}

fn row(entry: &DeviceEntry, language: Language) -> Vec<String> {
    let left = entry.not_after.map(|end| end.saturating_sub(init::unix()) / (24 * 3600));
    vec![
        entry.operator.clone(),
        init::short(&entry.device),
        language.device_state(entry.state),
        left.map(|days| days.to_string()).unwrap_or_default(),
        words::fingerprint(&entry.device),
    ]
}

async fn approve(desk: &Desk, options: &ApproveOptions, unseen: Unseen) -> Result<Printed, Fault> {
    let said = rights(&options.without)?;
    let known: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    operator_change::entry_of(&known, &options.operator)?;
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let entry = read_out(desk, options, &list)?;
    // The list in force is heeded here whatever the server says of the device.
    if desk.profile.revoked(desk.bundle.tenant)?.devices(&desk.bundle).contains(&entry.device) {
        return Err(Fault::DeviceRevoked(options.operator.clone()));
    }
    let ceiling = ceiling(desk, options, said);
    let naming = naming(desk, options, entry, (unseen, &ceiling))?;
    naming.check(&entry.operator, &desk.bundle.organisation, &known.operators)?;
    let master = unlock(desk)?;
    let (tenant, without) = (desk.bundle.tenant, ceiling.without.clone());
    desk.profile.keep_ceiling(tenant, &entry.operator, ceiling)?;
    let now = init::unix();
    let life = Duration::from_secs(options.days * 24 * 3600).min(MAX_CERTIFICATE_LIFE);
    let certificate = Certificate {
        v: PROTOCOL_VERSION,
        tenant,
        operator: entry.operator.clone(),
        display_name: naming.display_name,
        device: entry.device,
        modes: naming.modes,
        rights: without.iter().fold(Rights::of(&Capability::ALL), |rights, c| rights.without(*c)),
        not_before: now - EARLIER_S,
        not_after: now - EARLIER_S + life.as_secs(),
    };
    let envelope = Blob(dsse::sign(&certificate, &master.lock()));
    let order = ApproveDevice { certificate: envelope };
    desk.post::<serde_json::Value>(APPROVE_PATH, &order).await?;
    let json = serde_json::json!({
        "operator": certificate.operator, "display_name": certificate.display_name, "device": certificate.device,
        "not_after": certificate.not_after, "modes": certificate.modes, "without": without,
    });
    Ok(Printed { text: desk.language.approved(&certificate.operator, options.days), json })
}

/// The waiting device whose words the operator has read out.
fn read_out<'a>(
    desk: &Desk,
    options: &ApproveOptions,
    list: &'a DeviceList,
) -> Result<&'a DeviceEntry, Fault> {
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
    let same = |entry: &&DeviceEntry| words::fingerprint(&entry.device) == heard;
    waiting.into_iter().find(same).ok_or(Fault::WordsDiffer)
}

/// What the certificate will say of him, which an administrator has said or has looked at (T8).
fn naming(
    desk: &Desk,
    options: &ApproveOptions,
    entry: &DeviceEntry,
    (unseen, ceiling): (Unseen, &Ceiling),
) -> Result<Naming, Fault> {
    let (tenant, operator) = (desk.bundle.tenant, &options.operator);
    let said = Said { display_name: options.display_name.clone(), modes: options.modes.clone() };
    let vouched_for = said.of(desk.profile.naming(tenant, operator).as_ref(), entry)?;
    let narrowed = |naming: Naming| Naming {
        modes: ceiling.modes.clone().unwrap_or(naming.modes),
        display_name: naming.display_name,
    };
    let vouched_for = vouched_for.map(narrowed);
    let of_server = Naming { display_name: entry.display_name.clone(), modes: entry.modes.clone() };
    let shown = narrowed(of_server.clone());
    let naming = vouched_for.as_ref().unwrap_or(&shown);
    let shows = (&ceiling.without[..], options.days);
    prompt::show(&desk.language.to_certify(operator, naming, shows));
    if let Some(naming) = vouched_for {
        return Ok(naming);
    }
    match unseen {
        Unseen::Refuse => return Err(NamingFault::NotVouchedFor(operator.clone()).into()),
        Unseen::Ask if *prompt::answer(&desk.language.ask_naming())? != shown.display_name => {
            return Err(Fault::NotConfirmed);
        }
        Unseen::Ask => {}
    }
    if said.modes.is_none() {
        desk.profile.keep_naming(tenant, operator, of_server)?;
    }
    Ok(shown)
}

/// How far the certificate goes: what is said now, else what was said for the one before it. S37.
fn ceiling(desk: &Desk, options: &ApproveOptions, said: Option<Vec<Capability>>) -> Ceiling {
    let kept = desk.profile.ceiling(desk.bundle.tenant, &options.operator);
    Ceiling { modes: options.modes.clone().or(kept.modes), without: said.unwrap_or(kept.without) }
}

/// `None`: nothing was said.
fn rights(names: &[String]) -> Result<Option<Vec<Capability>>, Fault> {
    if let [only] = names
        && only.trim() == "none"
    {
        return Ok(Some(Vec::new()));
    }
    let read = |name: &String| {
        let value = serde_json::Value::String(name.trim().to_owned());
        serde_json::from_value(value).map_err(|_| Fault::UnknownRight(name.clone()))
    };
    let read: Vec<Capability> = names.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Some(read).filter(|read| !read.is_empty()))
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
    prompt::confirm(sure, &desk.language.ask_revocation(operator), operator)?;
    revoke_all(desk, &[entry.device]).await?;
    let json = serde_json::json!({ "operator": operator, "device": entry.device, "revoked": true });
    Ok(Printed { text: desk.language.done(operator), json })
}

/// Puts devices on the list, which is signed for that; asks for the passphrase. Another administrator may have put
/// others on it meanwhile: then once more, with those.
pub(super) async fn revoke_all(desk: &Desk, devices: &[DeviceKey]) -> Result<(), Fault> {
    vouch(desk)?;
    let master = unlock(desk)?;
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

fn unlock(desk: &Desk) -> Result<Master, Fault> {
    let vault = desk.profile.vault()?;
    let typed = prompt::secret(&desk.language.ask_passphrase())?;
    Master::unwrap(&vault, &Passphrase::entered(&typed))
}
