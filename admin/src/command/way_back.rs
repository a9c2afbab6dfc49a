//! From a server whose database is older than the newest bundle back to one that everybody follows,
//! with what an administrator alone has: the root key, and what his computer has seen.
//!
//! It refuses to know whether a backup was restored or an older database put in place: a person says so.

use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, MAX_KEYS};
use tasuki_protocol::dsse;
use tasuki_protocol::keys::{
    LOG_KEYS_PATH, PUBLISH_PATH, PublishBundle, SERVER_KEYS_PATH, ServerKeys, WrappedLogKey,
    WrappedLogKeys,
};
use tasuki_protocol::log_key::LogSecretKey;

use super::init::{BUNDLE_LIFE_S, unix};
use super::key::{signed_for, unlock};
use crate::audit::times::Zone;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::random::random;
use crate::settings::Settings;
use crate::vault::{Master, Passphrase, unwrap_log_key};

pub(super) async fn republish(settings: &Settings, yes: bool) -> Result<Printed, Fault> {
    let (desk, server) = Desk::open_behind(settings).await?;
    let server = server.ok_or(Fault::NothingToRepublish)?;
    let lost = desk.profile.lead_on(server.known(), desk.bundle.root);
    let handovers = lost.ok_or(Fault::RootsLost)?;
    let (at, known) = (server.version, desk.bundle.version);
    let of = Zone::named(None)?.show(desk.bundle.issued_at.saturating_mul(1000), "%Y-%m-%d");
    prompt::confirm(Sure::said(yes), &desk.language.ask_republish(at, known, &of), &at.to_string())?;
    let (master, passphrase) = unlock(&desk)?;
    let keys: ServerKeys = desk.fetch(SERVER_KEYS_PATH).await?;
    // Those of the server's own time, and not of the newest bundle's.
    let kept = signed_for(desk.fetch(LOG_KEYS_PATH).await?, &server)?;
    let mut bundle = above(&desk.bundle, &keys);
    let log_keys = log_keys(kept, &mut bundle, (&master, &passphrase))?;
    bundle.wrapped_log_keys = Some(WrappedLogKeys::digest(&log_keys));
    let envelope = Blob(dsse::sign(&bundle, &master.root()));
    let staged = desk.profile.stage_bundle(&envelope.0)?;
    let order = PublishBundle { bundle: envelope, log_keys, handovers };
    desk.post::<serde_json::Value>(PUBLISH_PATH, &order).await?;
    staged.put()?;
    let json = serde_json::json!({ "version": bundle.version, "was": at, "known": known });
    Ok(Printed { text: desk.language.republished(bundle.version), json })
}

/// A bundle that goes on from `known` at a server with these keys. Its version counts seconds, so that
/// none is above it that was made in the usual way; a key that a bundle unknown here had dropped is back.
pub(super) fn above(known: &Bundle, server: &ServerKeys) -> Bundle {
    let now = unix();
    Bundle {
        version: known.version.saturating_add(1).max(now),
        server_pins: led_by(server.server_pin, &known.server_pins),
        manifest_keys: led_by(server.manifest_key, &known.manifest_keys),
        checkpoint_keys: led_by(server.checkpoint_key, &known.checkpoint_keys),
        issued_at: now,
        expires_at: now + BUNDLE_LIFE_S,
        ..known.clone()
    }
}

/// `own` first, then as many of the others as a bundle names.
pub(super) fn led_by<T: Copy + PartialEq>(own: T, known: &[T]) -> Vec<T> {
    let others = known.iter().copied().filter(|key| *key != own);
    std::iter::once(own).chain(others).take(MAX_KEYS).collect()
}

/// The log keys that the server has, under this master key and passphrase; and a new one where the
/// private half of the bundle's own went with the lost database, or does not open: nobody could read what is
/// sealed to it.
pub(super) fn log_keys(
    kept: Vec<WrappedLogKey>,
    bundle: &mut Bundle,
    (master, passphrase): (&Master, &Passphrase),
) -> Result<Vec<WrappedLogKey>, Fault> {
    let wrap = |secret: &LogSecretKey, at| master.wrap_log_key(secret, bundle.tenant, at, passphrase);
    let mut log_keys = Vec::with_capacity(kept.len() + 1);
    let mut is_there = false;
    for key in kept {
        let secret = master.unwrap_log_key(&key).or_else(|_| unwrap_log_key(&key, passphrase));
        log_keys.push(match secret {
            Ok(secret) => {
                is_there |= bundle.log_keys.first() == Some(&key.public);
                wrap(&secret, key.created_at)?
            }
            // Of a passphrase before this one, which opens it still.
            Err(_) => key,
        });
    }
    if !is_there {
        let secret = LogSecretKey::from_bytes(*random::<32>()?);
        log_keys.insert(0, wrap(&secret, unix())?);
        bundle.log_keys = vec![secret.public()];
    }
    Ok(log_keys)
}
