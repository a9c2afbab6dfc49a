//! A device certified: its words compared, what an administrator has said of its operator, and no more than the
//! certificate before unless that is said (T8, T16, S37).

use std::time::Duration;

use clap::Args;
use tasuki_protocol::admin::{OPERATORS_PATH, OperatorList};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::{Certificate, MAX_CERTIFICATE_LIFE};
use tasuki_protocol::devices::{
    APPROVE_PATH, ApproveDevice, DEVICES_PATH, DeviceEntry, DeviceList, DeviceState,
};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::words;

use super::key::{is_refusal, unlock};
use super::{init, operator, operator_change};
use crate::certified::{Before, Ceiling, Signed};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt;
use crate::vouched::{Naming, NamingFault, Said};

/// By how much an end's clock may be behind this one when it first sees a certificate.
const EARLIER_S: u64 = 3600;

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
    /// Modes that it allows [default: the account's, or those said for this device before]
    #[arg(long, value_delimiter = ',', value_name = "MODES", value_parser = operator::mode)]
    modes: Option<Vec<Mode>>,
    /// Rights that no policy can ever give on this device, e.g. fetch_files,send_files, or none [default: those of the certificate before]
    #[arg(long, value_delimiter = ',', value_name = "RIGHTS")]
    without: Vec<String>,
    /// Certify an approved device anew
    #[arg(long)]
    renew: bool,
}

/// What becomes of what the server alone says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unseen {
    Ask,
    Refuse,
}

pub(super) async fn approve(
    desk: &Desk,
    options: &ApproveOptions,
    unseen: Unseen,
) -> Result<Printed, Fault> {
    desk.profile.vault()?;
    let said = rights(&options.without)?;
    let known: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    operator_change::entry_of(&known, &options.operator)?;
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let entry = read_out(desk, options, &list)?;
    // The list in force is heeded here whatever the server says of the device.
    if desk.profile.revoked(desk.bundle.tenant)?.devices(&desk.bundle).contains(&entry.device) {
        return Err(Fault::DeviceRevoked(options.operator.clone()));
    }
    let before = desk.profile.before(&desk.bundle, entry);
    let ceiling = before.ceiling(options.modes.clone(), said);
    let naming = naming(desk, options, entry, (unseen, &before, &ceiling))?;
    naming.check(&entry.operator, &desk.bundle.organisation, &known.operators)?;
    let (master, _) = unlock(desk)?;
    let now = init::unix();
    let life = Duration::from_secs(options.days * 24 * 3600).min(MAX_CERTIFICATE_LIFE);
    let without = ceiling.without.clone();
    let certificate = Certificate {
        v: PROTOCOL_VERSION,
        tenant: desk.bundle.tenant,
        operator: entry.operator.clone(),
        display_name: naming.display_name,
        device: entry.device,
        modes: naming.modes,
        rights: without.iter().fold(Rights::of(&Capability::ALL), |rights, c| rights.without(*c)),
        not_before: now - EARLIER_S,
        not_after: now - EARLIER_S + life.as_secs(),
    };
    let envelope = dsse::sign(&certificate, &master.lock());
    let signed = Signed::new(&entry.operator, ceiling, &envelope);
    let order = ApproveDevice { certificate: Blob(envelope) };
    let taken = desk.post::<serde_json::Value>(APPROVE_PATH, &order).await;
    // What it refused nobody has; where no answer came, the certificate may be there.
    if taken.as_ref().err().is_none_or(|fault| !is_refusal(fault)) {
        desk.profile.keep_signed(desk.bundle.tenant, entry.device, signed)?;
    }
    taken?;
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
    // Whatever was written between them: they were heard.
    let words = heard.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let heard = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let same = |entry: &&DeviceEntry| words::fingerprint(&entry.device) == heard;
    waiting.into_iter().find(same).ok_or(Fault::WordsDiffer)
}

/// What the certificate will say of him, which an administrator has said or has looked at (T8), and which goes no
/// further than the one before without his word (T16).
fn naming(
    desk: &Desk,
    options: &ApproveOptions,
    entry: &DeviceEntry,
    (unseen, before, ceiling): (Unseen, &Before, &Ceiling),
) -> Result<Naming, Fault> {
    let (tenant, operator) = (desk.bundle.tenant, &options.operator);
    let said = Said { display_name: options.display_name.clone(), modes: options.modes.clone() };
    let narrowed = |naming: Naming| {
        let modes = match (&said.modes, &ceiling.modes) {
            (Some(said), _) => said.clone(),
            (None, Some(most)) => naming.modes.into_iter().filter(|mode| most.contains(mode)).collect(),
            (None, None) => naming.modes,
        };
        Naming { modes, display_name: naming.display_name }
    };
    let vouched_for = said.of(desk.profile.naming(tenant, operator).as_ref(), entry)?.map(narrowed);
    let of_server = Naming { display_name: entry.display_name.clone(), modes: entry.modes.clone() };
    let shown = narrowed(of_server.clone());
    let naming = vouched_for.as_ref().unwrap_or(&shown);
    if naming.modes.is_empty() {
        return Err(NamingFault::NoModeLeft(operator.clone()).into());
    }
    let shows = (&ceiling.without[..], options.days);
    prompt::show(&desk.language.to_certify(operator, naming, shows));
    let wider = before.narrower_than(&naming.modes).filter(|_| said.modes.is_none());
    let question = match (vouched_for, wider) {
        (Some(naming), None) => return Ok(naming),
        (_, Some(had)) => desk.language.ask_wider(had),
        (None, None) => desk.language.ask_naming(),
    };
    match unseen {
        Unseen::Refuse => return Err(NamingFault::NotVouchedFor(operator.clone()).into()),
        Unseen::Ask if *prompt::answer(&question)? != shown.display_name => {
            return Err(Fault::NotConfirmed);
        }
        Unseen::Ask => {}
    }
    if said.modes.is_none() {
        desk.profile.keep_naming(tenant, operator, of_server)?;
    }
    Ok(shown)
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
