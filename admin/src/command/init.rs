//! The organisation's keys: made here, once, or brought back from recovery shares; and
//! further administrators' keys.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use ed25519_dalek::{Signer, SigningKey};
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_PROOF, AdminLogin, AdminLoginAnswer, ENROL_PATH, EnrolAdmin, JOIN_PATH,
    ProblemCode, RECOVER_PATH, RECOVERY_TOKEN, RecoverAdmin, recovery_proof,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle, TRUST_PATH, TrustNews};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION};
use tasuki_protocol::keys::{
    LOG_KEYS_PATH, PUBLISH_PATH, PublishBundle, SERVER_KEYS_PATH, ServerKeys, WrappedLogKeys,
};
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::login::Authenticator;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::desk::log_in;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::profile::{Place, Profile};
use crate::prompt;
use crate::random::random;
use crate::settings::Settings;
use crate::shares::{self, Share};
use crate::texts::Language;
use crate::vault::{Master, Passphrase, public};

/// How long a bundle holds: a year and a month.
pub(super) const BUNDLE_LIFE_S: u64 = 396 * 24 * 3600;

#[derive(Debug, Args)]
pub struct InitOptions {
    /// SHA-256 of the server's public key, as `tasuki-server setup` printed it; asked for if not given
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Digest>,
    /// Your name, as it will stand in the log
    #[arg(long, default_value = "administrator")]
    name: String,
    /// Type a passphrase of your own instead of having one made
    #[arg(long)]
    own_passphrase: bool,
    /// Bring the keys back from two of the three recovery shares, on a new computer; the token comes
    /// from another administrator, or from `tasuki-server recovery-token` where there is none
    #[arg(long)]
    recover: bool,
}

/// An administrator at a server that may have no bundle yet.
struct Arrival {
    profile: Profile,
    place: Place,
    key: SigningKey,
    language: Language,
    /// What the shares gave, if they were asked for on the way in.
    master: Option<Master>,
}

/// By which an administrator comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    First,
    Invited,
    /// With the token of another administrator, or of the server's own machine.
    Back,
}

impl Door {
    fn path(self) -> &'static str {
        match self {
            Self::First => ENROL_PATH,
            Self::Invited | Self::Back => JOIN_PATH,
        }
    }
}

pub(super) async fn run(settings: &Settings, options: &InitOptions) -> Result<Printed, Fault> {
    let door = if options.recover { Door::Back } else { Door::First };
    let mut arrival = arrive(settings, options, door).await?;
    let keys: ServerKeys = arrival.fetch(SERVER_KEYS_PATH).await?;
    match (&keys.bundle, options.recover) {
        (None, false) => create(&arrival, &keys, options).await,
        (Some(bundle), true) => recover(&mut arrival, &keys, &bundle.0, options).await,
        (Some(_), false) => Err(Fault::AlreadyInitialised(keys.organisation)),
        (None, true) => Err(Fault::NothingToRecover),
    }
}

/// A further administrator: his own key, with a token that another one made.
pub(super) async fn enrol(settings: &Settings, name: &str) -> Result<Printed, Fault> {
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

async fn arrive(settings: &Settings, options: &InitOptions, door: Door) -> Result<Arrival, Fault> {
    let (language, profile) = (settings.language(), settings.profile()?);
    let place = match (profile.place(), &settings.server) {
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
    let (key, master) = match known {
        Some(key) => (key, None),
        None => enrol_key(&profile, &place, language, &options.name, door).await?,
    };
    Ok(Arrival { profile, place, key, language, master })
}

fn ask_fingerprint(language: Language) -> Result<Digest, Fault> {
    let typed = prompt::answer(&language.ask_fingerprint())?;
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    plain.to_lowercase().parse().map_err(|_| Fault::NotAFingerprint)
}

/// Makes this computer's key an administrator's. The key is kept before the server takes it:
/// an administrator's key that nobody holds is a lost server.
async fn enrol_key(
    profile: &Profile,
    place: &Place,
    language: Language,
    name: &str,
    door: Door,
) -> Result<(SigningKey, Option<Master>), Fault> {
    let token = prompt::secret(&language.ask_token())?;
    let password = prompt::new_secret(&language.ask_new_password(), &language.ask_again())?;
    let (key, is_known) = match profile.key() {
        Ok(key) => (key, true),
        Err(Fault::NotEnrolled(_)) => (SigningKey::from_bytes(&*random::<32>()?), false),
        Err(fault) => return Err(fault),
    };
    let signed = Zeroizing::new([ADMIN_PROOF, "\n", token.as_str()].concat());
    let request = EnrolAdmin {
        token: token.to_string(),
        name: name.to_owned(),
        password: password.to_string(),
        key: public(&key),
        proof: Blob(key.sign(signed.as_bytes()).to_bytes().to_vec()),
    };
    let client = Client { place, key: None };
    let is_from_the_machine = door == Door::Back && token.starts_with(RECOVERY_TOKEN);
    let (taken, master) = if is_from_the_machine {
        let (proof, master) = word_of_the_root(&client, profile, language, &token, &key).await?;
        profile.keep_key(&key)?;
        let request = RecoverAdmin { enrol: request, root: proof };
        (client.post::<serde_json::Value>(RECOVER_PATH, &request).await, Some(master))
    } else {
        profile.keep_key(&key)?;
        (client.post::<serde_json::Value>(door.path(), &request).await, None)
    };
    // Before there is a bundle the fingerprint is all that tells which server it is.
    if let (Err(Fault::OtherServer { address }), Err(_)) = (&taken, profile.bundle(None)) {
        return Err(Fault::OtherFingerprint { address: address.clone() });
    }
    match taken {
        Err(Fault::Refused(_)) if is_known && is_in(place, &key, &password).await => {}
        Err(Fault::Refused(ProblemCode::SignIn)) if is_from_the_machine => {
            return Err(Fault::TokenOver);
        }
        taken => drop(taken?),
    }
    profile.keep_place(place)?;
    Ok((key, master))
}

/// What two shares give, and their word for this key at this server with this token.
async fn word_of_the_root(
    client: &Client<'_>,
    profile: &Profile,
    language: Language,
    token: &str,
    key: &SigningKey,
) -> Result<(Blob, Master), Fault> {
    let told = client.fetch::<TrustNews>(TRUST_PATH).await;
    let news = told.map_err(|fault| match (fault, profile.bundle(None)) {
        (Fault::OtherServer { address }, Err(_)) => Fault::OtherFingerprint { address },
        (fault, _) => fault,
    })?;
    let damaged = |_| Fault::DamagedBundle(profile.folder().join(BUNDLE_FILE));
    let bundle = Bundle::open_first(&news.bundle.0).map_err(damaged)?;
    let master = master_of_shares(language, &bundle)?;
    let proof = recovery_proof(bundle.tenant, token, &public(key));
    Ok((Blob(master.root().sign(proof.as_bytes()).to_bytes().to_vec()), master))
}

fn master_of_shares(language: Language, bundle: &Bundle) -> Result<Master, Fault> {
    let mut typed = Vec::with_capacity(2);
    for number in 1..=2 {
        let text = prompt::secret(&language.ask_share(number))?;
        typed.push(text.parse::<Share>().map_err(|_| Fault::NotAShare)?);
    }
    let [one, other] = typed.as_slice() else { return Err(Fault::NotAShare) };
    let bytes = shares::join(one, other).map_err(|_| Fault::NotAShare)?;
    Master::recover(bytes, bundle.root, &bundle.lock_keys)
}

/// Whether an earlier try went through and only its answer was lost: then key and password open the
/// door, and the token is used up.
async fn is_in(place: &Place, key: &SigningKey, password: &str) -> bool {
    let client = Client { place, key: Some(key) };
    let request =
        AdminLogin { password: password.to_owned(), totp: None, authenticator: Authenticator::Keep };
    let answer = client.post::<AdminLoginAnswer>(ADMIN_LOGIN_PATH, &request).await;
    matches!(answer, Ok(AdminLoginAnswer::SignedIn { .. }))
}

async fn create(arrival: &Arrival, keys: &ServerKeys, options: &InitOptions) -> Result<Printed, Fault> {
    let (passphrase, made) = new_passphrase(arrival.language, &keys.organisation, options)?;
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
        issued_at: now,
        expires_at: now + BUNDLE_LIFE_S,
    };
    let wrapped = master.wrap_log_key(&log_key, keys.tenant, now, &passphrase)?;
    arrival.profile.keep_vault(&master.wrap(keys.tenant, &passphrase)?)?;
    let envelope = Blob(dsse::sign(&bundle, &master.root()));
    let order = PublishBundle { bundle: envelope.clone(), log_keys: vec![wrapped] };
    arrival.post(PUBLISH_PATH, &order).await?;
    arrival.profile.keep_bundle(&envelope.0)?;
    let shares = shares::split(master.bytes(), &*random::<32>()?);
    let shown = made.then_some(&passphrase);
    Ok(tell(arrival, &bundle, shown, Some(&shares)))
}

async fn recover(
    arrival: &mut Arrival,
    keys: &ServerKeys,
    envelope: &[u8],
    options: &InitOptions,
) -> Result<Printed, Fault> {
    let language = arrival.language;
    let file = arrival.profile.folder().join(BUNDLE_FILE);
    let before = Bundle::open_first(envelope).map_err(|_| Fault::DamagedBundle(file))?;
    let master = match arrival.master.take() {
        Some(master) => master,
        None => master_of_shares(language, &before)?,
    };
    let (passphrase, made) = new_passphrase(language, &keys.organisation, options)?;
    let kept: WrappedLogKeys = arrival.fetch(LOG_KEYS_PATH).await?;
    let mut log_keys = Vec::with_capacity(kept.log_keys.len());
    for wrapped in &kept.log_keys {
        let secret = master.unwrap_log_key(wrapped)?;
        log_keys.push(master.wrap_log_key(&secret, keys.tenant, wrapped.created_at, &passphrase)?);
    }
    let bundle = next(&before);
    arrival.profile.keep_vault(&master.wrap(keys.tenant, &passphrase)?)?;
    let envelope = Blob(dsse::sign(&bundle, &master.root()));
    let order = PublishBundle { bundle: envelope.clone(), log_keys };
    arrival.post(PUBLISH_PATH, &order).await?;
    arrival.profile.keep_bundle(&envelope.0)?;
    Ok(tell(arrival, &bundle, made.then_some(&passphrase), None))
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

/// The passphrase, and whether it was made here and must be shown.
fn new_passphrase(
    language: Language,
    organisation: &str,
    options: &InitOptions,
) -> Result<(Passphrase, bool), Fault> {
    if !options.own_passphrase {
        return Ok((Passphrase::generate()?, true));
    }
    let typed = prompt::new_secret(&language.ask_own_passphrase(), &language.ask_again())?;
    Ok((Passphrase::own(&typed, organisation)?, false))
}

fn tell(
    arrival: &Arrival,
    bundle: &Bundle,
    passphrase: Option<&Passphrase>,
    shares: Option<&[Share; 3]>,
) -> Printed {
    let spelled: Vec<Zeroizing<String>> = shares.into_iter().flatten().map(Share::spell).collect();
    let file = arrival.profile.folder().join(BUNDLE_FILE);
    let shown = passphrase.map(Passphrase::text);
    let text = arrival.language.initialised(&bundle.organisation, shown, &spelled, &file);
    let spelled: Vec<&str> = spelled.iter().map(|share| share.as_str()).collect();
    let json = serde_json::json!({
        "organisation": bundle.organisation,
        "tenant": bundle.tenant,
        "root": bundle.root,
        "version": bundle.version,
        "bundle": file,
        "passphrase": shown,
        "shares": spelled,
    });
    Printed { text, json }
}

impl Arrival {
    fn client(&self) -> Client<'_> {
        Client { place: &self.place, key: Some(&self.key) }
    }

    async fn fetch<A: serde::de::DeserializeOwned>(&self, path: &str) -> Result<A, Fault> {
        match self.client().fetch(path).await {
            Err(Fault::Refused(ProblemCode::AdminSignIn)) => {
                log_in(&self.client(), self.language, Authenticator::Keep).await?;
                self.client().fetch(path).await
            }
            answer => answer,
        }
    }

    async fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<(), Fault> {
        match self.client().post::<serde_json::Value>(path, body).await {
            Err(Fault::Refused(ProblemCode::AdminSignIn | ProblemCode::Confirm)) => {
                log_in(&self.client(), self.language, Authenticator::Keep).await?;
                self.client().post::<serde_json::Value>(path, body).await.map(drop)
            }
            answer => answer.map(drop),
        }
    }
}

pub(super) fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Kept apart from [`DeviceKey`]'s own form, which is for documents.
pub(super) fn short(key: &DeviceKey) -> String {
    key.to_string().chars().take(12).collect()
}
