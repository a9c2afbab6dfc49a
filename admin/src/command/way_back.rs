//! From a server whose database is older than the newest bundle back to one that everybody follows,
//! with what an administrator alone has: the root key, and what his computer has seen.
//!
//! It refuses to know whether a backup was restored or an older database put in place: a person says so.

use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, MAX_KEYS};
use tasuki_protocol::keys::{
    LOG_KEYS_PATH, PUBLISH_PATH, PublishBundle, SERVER_KEYS_PATH, ServerKeys, WrappedLogKey,
    WrappedLogKeys,
};
use tasuki_protocol::log_key::LogSecretKey;

use super::device;
use super::init::{BUNDLE_LIFE_S, unix};
use super::key::{signed_for, unlock};
use crate::audit::reading::MOST_LOG_KEYS;
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
    let Some(server) = server else { return list_again(&desk).await };
    let lost = desk.profile.lead_on(server.known(), desk.bundle.root);
    let handovers = lost.ok_or(Fault::RootsLost)?;
    let (at, known) = (server.version, desk.bundle.version);
    let of = Zone::named(None)?.show(desk.bundle.issued_at.saturating_mul(1000), "%Y-%m-%d");
    prompt::confirm(Sure::said(yes), &desk.language.ask_republish(at, known, &of), &at.to_string())?;
    if !desk.shows_its_list() {
        device::vouch(&desk)?;
    }
    let (master, passphrase) = unlock(&desk)?;
    let keys: ServerKeys = desk.fetch(SERVER_KEYS_PATH).await?;
    // Those of the server's own time, and not of the newest bundle's.
    let kept = signed_for(desk.fetch(LOG_KEYS_PATH).await?, &server)?;
    let mut bundle = above(&desk.bundle, &keys);
    let log_keys = log_keys(kept, &mut bundle, (&master, &passphrase))?;
    bundle.wrapped_log_keys = Some(WrappedLogKeys::digest(&log_keys));
    let envelope = Blob(master.sign_bundle(&bundle)?);
    let staged = desk.profile.stage_bundle(&envelope.0)?;
    let order = PublishBundle { bundle: envelope, log_keys, handovers };
    desk.post::<serde_json::Value>(PUBLISH_PATH, &order).await?;
    staged.put()?;
    if !desk.shows_its_list() {
        device::revoke_with(&desk, &master, &[]).await?;
    }
    let json = serde_json::json!({ "version": bundle.version, "was": at, "known": known });
    Ok(Printed { text: desk.language.republished(bundle.version), json })
}

/// Where the bundle is the newest and the list is gone that it asks for, that one is signed anew.
async fn list_again(desk: &Desk) -> Result<Printed, Fault> {
    if desk.shows_its_list() {
        return Err(Fault::NothingToRepublish);
    }
    device::vouch(desk)?;
    let (master, _) = unlock(desk)?;
    device::revoke_with(desk, &master, &[]).await?;
    let version = desk.newest().await?.version;
    Ok(Printed { text: desk.language.list_signed(), json: serde_json::json!({ "version": version }) })
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
    let (mut is_there, mut tries) = (false, MOST_LOG_KEYS);
    for key in kept {
        let secret = master.unwrap_log_key(&key).or_else(|not_by_master| {
            // No bundle may have signed for them, so their number is the server's word (T59).
            let Some(left) = tries.checked_sub(1) else { return Err(not_by_master) };
            tries = left;
            unwrap_log_key(&key, passphrase)
        });
        log_keys.push(match secret {
            Ok(secret) => {
                is_there |= bundle.log_keys.first() == Some(&key.public);
                wrap(&secret, key.created_at)?
            }
            // Of a passphrase before this one, which opens it still, or one of far too many.
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

#[cfg(test)]
mod tests {
    use tasuki_protocol::bundle::Bundle;
    use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION, TenantId};

    use super::*;
    use crate::vault::public;

    const TENANT: TenantId = TenantId([3; 8]);

    fn bundle(master: &Master, log_key: &LogSecretKey) -> Bundle {
        Bundle {
            v: PROTOCOL_VERSION,
            version: 7,
            tenant: TENANT,
            organisation: "Example".to_owned(),
            host: "localhost".to_owned(),
            port: 443,
            root: public(&master.root()),
            server_pins: Vec::new(),
            manifest_keys: vec![DeviceKey([1; 32])],
            checkpoint_keys: vec![DeviceKey([2; 32])],
            lock_keys: vec![public(&master.lock())],
            log_keys: vec![log_key.public()],
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
            issued_at: 0,
            expires_at: 1,
        }
    }

    /// A server that spoils the newest key's halves has the root sign for no ledger that nobody reads.
    #[test]
    fn s57_a_newest_log_key_that_does_not_open_is_followed_by_one_that_does() {
        let master = Master::generate().unwrap();
        let passphrase = Passphrase::entered("a passphrase for this test alone");
        let secret = LogSecretKey::from_bytes([9; 32]);
        let good = master.wrap_log_key(&secret, TENANT, 5, &passphrase).unwrap();
        let as_known = bundle(&master, &secret);

        let mut known = as_known.clone();
        let kept = log_keys(vec![good.clone()], &mut known, (&master, &passphrase)).unwrap();
        assert_eq!((kept.len(), &known.log_keys), (1, &as_known.log_keys), "it opens, and stays");

        let mut spoiled = good;
        spoiled.by_master.sealed.0[0] ^= 1;
        spoiled.by_passphrase.sealed.0[0] ^= 1;
        let mut known = as_known.clone();
        let kept = log_keys(vec![spoiled.clone()], &mut known, (&master, &passphrase)).unwrap();
        assert_eq!(kept.last(), Some(&spoiled), "kept, should another passphrase open it");
        assert_ne!(known.log_keys, as_known.log_keys, "and nothing more is sealed to it");
        assert_eq!(known.log_keys, [kept[0].public.clone()]);
        let newest = master.unwrap_log_key(&kept[0]).unwrap();
        assert_eq!(newest.public(), kept[0].public);

        let signed = WrappedLogKeys::digest(std::slice::from_ref(&spoiled));
        let shown = Bundle { wrapped_log_keys: Some(signed), ..as_known };
        assert!(signed_for(WrappedLogKeys { log_keys: vec![spoiled.clone()] }, &shown).is_ok());
        assert!(
            signed_for(WrappedLogKeys { log_keys: vec![spoiled.clone(), spoiled] }, &shown).is_err()
        );
    }
}
