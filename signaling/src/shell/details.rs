//! What the ledger says of an administrator's act beside whom it concerned: words and `name=value`, with `, ` between
//! them. `tasuki-admin` has a Japanese one for each word and name (S56, S100).
//!
//! It refuses to know secrets: of a code or a password nothing is said.

use tasuki_protocol::admin::{AddOperator, GroupChange, Hours, Limits, NameOperator};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::keys::ServerKeyKind;
use tasuki_protocol::rights::{Capability, Mode};

pub(crate) fn of_group(change: &GroupChange) -> &'static str {
    match change {
        GroupChange::Add => "added",
        GroupChange::Remove => "removed",
        GroupChange::Join { .. } => "joined",
        GroupChange::Leave { .. } => "left",
    }
}

pub(crate) fn of_account(new: &AddOperator) -> String {
    format!("modes={}, name={}", modes(&new.modes), new.display_name)
}

/// What an account has now, of what was changed.
pub(crate) fn of_naming(order: &NameOperator) -> String {
    let given = order.modes.as_ref().map(|given| format!("modes={}", modes(given)));
    let name = order.display_name.as_ref().map(|name| format!("name={name}"));
    given.into_iter().chain(name).collect::<Vec<_>>().join(", ")
}

pub(crate) fn of_limits(limits: &Limits) -> String {
    let listed =
        |name: &str, all: &[String]| (!all.is_empty()).then(|| format!("{name}={}", all.join(" ")));
    let hours = limits.hours.as_ref().map(|hours| format!("hours={}", written(hours)));
    let parts = [listed("addresses", &limits.addresses), listed("macs", &limits.macs), hours];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "lifted".to_owned() } else { parts.join(", ") }
}

fn written(hours: &Hours) -> String {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = |day: &u8| DAYS.get(usize::from(*day).checked_sub(1)?).copied();
    let days: Vec<&str> = hours.days.iter().filter_map(day).collect();
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    format!("{} {}-{} {}", days.join(" "), clock(hours.from), clock(hours.until), hours.zone)
}

pub(crate) fn of_certificate(certificate: &Certificate) -> String {
    let without = Capability::ALL.into_iter().filter(|right| !certificate.rights.has(*right));
    let without: Vec<String> = without.map(word).collect();
    let without =
        if without.is_empty() { String::new() } else { format!(", without={}", without.join(" ")) };
    let Certificate { device, not_after, display_name, .. } = certificate;
    let modes = modes(&certificate.modes);
    format!("device={device}, modes={modes}{without}, until={not_after}, name={display_name}")
}

/// Which bundle has asked for the list since, and what is new on the list.
pub(crate) fn of_revoked(asking: Option<&Bundle>, devices: &[DeviceKey]) -> String {
    let bundle = asking.map(|bundle| format!("bundle={}", bundle.version));
    let devices = devices.iter().map(|device| format!("device={device}"));
    bundle.into_iter().chain(devices).collect::<Vec<_>>().join(", ")
}

pub(crate) fn of_key(kind: ServerKeyKind) -> &'static str {
    match kind {
        ServerKeyKind::Manifest => "prepared=manifest",
        ServerKeyKind::Server => "prepared=server",
    }
}

/// Which keys are new in it, and which are gone.
pub(crate) fn of_bundle(before: Option<&Bundle>, now: &Bundle) -> String {
    let Some(before) = before else { return "first".to_owned() };
    let mut told = Vec::new();
    told.extend(changed("root", &[before.root], &[now.root]));
    told.extend(changed("server", &before.server_pins, &now.server_pins));
    told.extend(changed("manifest", &before.manifest_keys, &now.manifest_keys));
    told.extend(changed("checkpoint", &before.checkpoint_keys, &now.checkpoint_keys));
    told.extend(changed("lock", &before.lock_keys, &now.lock_keys));
    told.extend(changed("log", &before.log_keys, &now.log_keys));
    let address = |bundle: &Bundle| (bundle.host.clone(), bundle.port, bundle.organisation.clone());
    if address(before) != address(now) {
        told.push("address".to_owned());
    }
    if told.is_empty() { "renewed".to_owned() } else { told.join(", ") }
}

fn changed<K: PartialEq>(name: &str, before: &[K], now: &[K]) -> Vec<String> {
    let is_new = now.iter().any(|key| !before.contains(key));
    let is_gone = before.iter().any(|key| !now.contains(key));
    let new = is_new.then(|| format!("new={name}"));
    let gone = is_gone.then(|| format!("dropped={name}"));
    new.into_iter().chain(gone).collect()
}

/// As it is written in a policy.
fn word(right: Capability) -> String {
    let word = serde_json::to_value(right).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn modes(modes: &[Mode]) -> String {
    modes.iter().map(|mode| mode.name()).collect::<Vec<_>>().join(" ")
}
