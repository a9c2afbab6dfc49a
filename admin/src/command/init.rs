//! The organisation's keys: made here, once, or brought back from recovery shares; and
//! further administrators' keys.

use clap::Args;
use ed25519_dalek::SigningKey;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION};
use tasuki_protocol::keys::{SERVER_KEYS_PATH, ServerKeys};
use tasuki_protocol::log_key::LogSecretKey;

use super::door::{Door, enrol_key};
use super::making::{Making, new_passphrase, tell};
use super::recover::{self, Ready};
use crate::client::Client;
use crate::desk::signing_in;
pub(super) use crate::desk::unix;
use crate::fault::Fault;
use crate::naming;
use crate::printed::Printed;
use crate::profile::{Place, Profile};
use crate::prompt;
use crate::random::random;
use crate::revoked::Revoked;
use crate::settings::Settings;
use crate::shares;
use crate::texts::Language;
use crate::vault::{Master, public};

/// How long a bundle holds: a year and a month.
pub(super) const BUNDLE_LIFE_S: u64 = 396 * 24 * 3600;

#[derive(Debug, Args)]
pub struct InitOptions {
    /// SHA-256 of the server's public key, as `tasuki-server setup` or, for --recover, `recovery-token` printed it; asked for if not given
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Digest>,
    /// Your name, as it will stand in the log
    #[arg(long, default_value = "administrator")]
    name: String,
    /// Type a passphrase of your own instead of having one made
    #[arg(long)]
    pub(super) own_passphrase: bool,
    /// Bring the keys back from two of the three recovery shares, on a new computer; the token comes
    /// from another administrator, or from `tasuki-server recovery-token` where there is none
    #[arg(long)]
    recover: bool,
}

/// An administrator at a server that may have no bundle yet.
pub(super) struct Arrival {
    pub(super) profile: Profile,
    place: Place,
    key: SigningKey,
    pub(super) language: Language,
    /// Whether a program reads the result.
    pub(super) json: bool,
    /// What was made ready on the way in, by who comes back.
    pub(super) ready: Option<Ready>,
}

pub(super) async fn run(settings: &Settings, options: &InitOptions) -> Result<Printed, Fault> {
    naming::check(&options.name)?;
    let door = if options.recover { Door::Back(options) } else { Door::First };
    let mut arrival = arrive(settings, options, door).await?;
    let keys: ServerKeys = arrival.fetch(SERVER_KEYS_PATH).await?;
    match (&keys.bundle, options.recover) {
        (None, false) => create(&arrival, &keys, options).await,
        (Some(bundle), true) => recover::recover(&mut arrival, &keys, &bundle.0, options).await,
        (Some(bundle), false) => taken_before(&arrival, &keys, &bundle.0),
        (None, true) => Err(Fault::NothingToRecover),
    }
}

/// A further administrator: his own key, with a token that another one made.
pub(super) async fn enrol(settings: &Settings, name: &str) -> Result<Printed, Fault> {
    let name = &naming::check(name)?;
    let language = settings.language();
    let profile = settings.profile()?;
    let bundle = profile.bundle(settings.bundle.as_deref())?;
    settings.check_server(&Place::of(&bundle))?;
    let place = Place::of(&bundle);
    let (key, _) = enrol_key(&profile, &place, language, name, Door::Invited).await?;
    if let Some(given) = &settings.bundle {
        let envelope = std::fs::read(given).map_err(|_| Fault::NoBundle(given.clone()))?;
        profile.keep_bundle(envelope.trim_ascii())?;
    }
    Ok(Printed {
        text: language.enrolled(&bundle.organisation),
        json: serde_json::json!({ "organisation": bundle.organisation, "key": public(&key) }),
    })
}

async fn arrive(settings: &Settings, options: &InitOptions, door: Door<'_>) -> Result<Arrival, Fault> {
    let (language, profile) = (settings.language(), settings.profile()?);
    let followed = match (profile.bundle(None), &settings.bundle, door) {
        // The organisation's file names the server and its keys: whoever has kept one types no fingerprint.
        (_, Some(given), Door::Back(_)) => Some(Place::of(&profile.bundle(Some(given))?)),
        (Ok(bundle), ..) => Some(Place::of(&bundle)),
        (Err(_), ..) => None,
    };
    let place = match (followed.or_else(|| profile.place()), &settings.server) {
        (Some(place), _) => place,
        (None, None) => return Err(Fault::NoServer),
        (None, Some(url)) => {
            let pin = match options.fingerprint {
                Some(pin) => pin,
                None => ask_fingerprint(language)?,
            };
            Place { host: url.host.clone(), port: url.port, pins: vec![pin] }
        }
    };
    settings.check_server(&place)?;
    let known = profile.key().ok().filter(|_| profile.place().is_some());
    let known = match (known, door) {
        // Who is shut out has nothing but a token to come back with.
        (Some(key), Door::Back(_)) => recover::known(&place, &profile, key).await?,
        (known, _) => known,
    };
    let (key, ready) = match known {
        Some(key) => (key, None),
        None => enrol_key(&profile, &place, language, &naming::check(&options.name)?, door).await?,
    };
    Ok(Arrival { profile, place, key, language, json: settings.json, ready })
}

/// A person who has mistyped it is asked again: nothing has gone anywhere yet.
fn ask_fingerprint(language: Language) -> Result<Digest, Fault> {
    loop {
        let typed = prompt::answer(&language.ask_fingerprint())?;
        let plain: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        match plain.to_lowercase().parse() {
            Ok(pin) => return Ok(pin),
            Err(_) if prompt::is_person() => prompt::show(&language.fault(&Fault::NotAFingerprint)),
            Err(_) => return Err(Fault::NotAFingerprint),
        }
    }
}

async fn create(arrival: &Arrival, keys: &ServerKeys, options: &InitOptions) -> Result<Printed, Fault> {
    let (passphrase, made) =
        new_passphrase(arrival.language, &keys.organisation, options.own_passphrase)?;
    let master = Master::generate()?;
    let log_key = LogSecretKey::from_bytes(*random::<32>()?);
    let now = unix();
    let bundle = Bundle {
        v: PROTOCOL_VERSION,
        version: 1,
        tenant: keys.tenant,
        organisation: keys.organisation.clone(),
        host: keys.host.clone(),
        port: keys.port,
        root: public(&master.root()),
        server_pins: vec![keys.server_pin],
        manifest_keys: vec![keys.manifest_key],
        checkpoint_keys: vec![keys.checkpoint_key],
        lock_keys: vec![public(&master.lock())],
        log_keys: vec![log_key.public()],
        wrapped_log_keys: None,
        least_list: None,
        earlier_decrees: Vec::new(),
        issued_at: now,
        expires_at: now + BUNDLE_LIFE_S,
    };
    let wrapped = master.wrap_log_key(&log_key, keys.tenant, now, &passphrase)?;
    let shares = shares::split(master.bytes(), &*random::<32>()?);
    arrival.profile.keep_revoked(&Revoked::at_the_beginning(keys.tenant))?;
    let making = Making { master: &master, passphrase: &passphrase, made, shares: Some(&shares) };
    making.publish(arrival, &bundle, vec![wrapped]).await
}

/// Where an earlier try went through whose answer was lost, what it has shown holds.
fn taken_before(arrival: &Arrival, keys: &ServerKeys, envelope: &[u8]) -> Result<Printed, Fault> {
    let bundle = Bundle::open_first(envelope).ok().filter(|bundle| arrival.profile.awaits(bundle));
    let bundle = bundle.ok_or_else(|| Fault::AlreadyInitialised(keys.organisation.clone()))?;
    arrival.profile.keep_bundle(envelope)?;
    arrival.profile.settle(&bundle)?;
    prompt::show(&arrival.language.as_shown_before());
    Ok(tell(arrival, &bundle, None, None))
}

/// The bundle that comes after `before`, with a new date and nothing else changed.
pub(super) fn next(before: &Bundle) -> Bundle {
    let now = unix();
    Bundle {
        version: before.version + 1,
        issued_at: now,
        expires_at: now + BUNDLE_LIFE_S,
        ..before.clone()
    }
}

impl Arrival {
    pub(super) fn client(&self) -> Client<'_> {
        Client { place: &self.place, key: Some(&self.key), sign_in: Some(&self.profile) }
    }

    pub(super) async fn fetch<A: serde::de::DeserializeOwned>(&self, path: &str) -> Result<A, Fault> {
        let client = self.client();
        signing_in(&client, self.language, || client.fetch(path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<(), Fault> {
        let client = self.client();
        let ask = || client.post::<serde_json::Value>(path, body);
        signing_in(&client, self.language, ask).await.map(drop)
    }
}

/// Kept apart from [`DeviceKey`]'s own form, which is for documents.
pub(super) fn short(key: &DeviceKey) -> String {
    key.to_string().chars().take(12).collect()
}
