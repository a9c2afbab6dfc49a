//! The organisation's keys: made here, once, or brought back from recovery shares; and
//! further administrators' keys.

use clap::Args;
use ed25519_dalek::{Signer, SigningKey};
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_PROOF, AdminLogin, AdminLoginAnswer, AdminSignIn, BUNDLE_PATH, CheckToken,
    ENROL_PATH, EnrolAdmin, JOIN_PATH, ProblemCode, RECOVER_PATH, RecoverAdmin, TOKEN_PATH, TokenOf,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION};
use tasuki_protocol::keys::{SERVER_KEYS_PATH, ServerKeys};
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::login::Authenticator;
use zeroize::Zeroizing;

use super::making::{Making, tell};
use super::recover::{self, Came, Ready};
use crate::client::Client;
use crate::desk::log_in;
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
use crate::vault::{Master, Passphrase, public};

/// How long a bundle holds: a year and a month.
pub(super) const BUNDLE_LIFE_S: u64 = 396 * 24 * 3600;

/// Of a password that nothing stands beside, and of a passphrase.
const LEAST_CHARS: usize = 15;

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
    own_passphrase: bool,
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

/// By which an administrator comes.
#[derive(Debug, Clone, Copy)]
enum Door<'a> {
    First,
    Invited,
    /// With the token of another administrator, or of the server's own machine.
    Back(&'a InitOptions),
}

impl Door<'_> {
    fn path(self) -> &'static str {
        match self {
            Self::First => ENROL_PATH,
            Self::Invited | Self::Back(_) => JOIN_PATH,
        }
    }
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

/// Makes this computer's key an administrator's. The key is kept before the server takes it:
/// an administrator's key that nobody holds is a lost server.
async fn enrol_key(
    profile: &Profile,
    place: &Place,
    language: Language,
    name: &str,
    door: Door<'_>,
) -> Result<(SigningKey, Option<Ready>), Fault> {
    look_for(place, profile).await?;
    let token = prompt::secret(&language.ask_token())?;
    // Of an earlier try whose answer was lost the token is used up, and the key is known.
    if profile.key().is_err() {
        check_token(place, door, &token).await?;
    }
    let password = prompt::new_secret(language, &language.ask_new_password(), LEAST_CHARS)?;
    let OwnKey { key, is_known, is_replaced } = own_key(profile, door)?;
    let signed = Zeroizing::new([ADMIN_PROOF, "\n", token.as_str()].concat());
    let request = EnrolAdmin {
        token: token.to_string(),
        name: name.to_owned(),
        password: password.to_string(),
        key: public(&key),
        proof: Blob(key.sign(signed.as_bytes()).to_bytes().to_vec()),
    };
    let client = Client { place, key: None, sign_in: None };
    // Whatever can be wrong here is found before a token is used up and others are shut out.
    let ready = match door {
        Door::Back(options) => {
            Some(recover::prepare(&client, profile, language, (options, &token)).await?)
        }
        Door::First | Door::Invited => None,
    };
    // The key of before stays: that the other was refused will be the server's word alone.
    if is_replaced { profile.keep_next_key(&key) } else { profile.keep_key(&key) }?;
    let by_the_machine = ready.as_ref().filter(|ready| ready.came == Came::ByMachine);
    let taken = match by_the_machine {
        Some(ready) => {
            let root = ready.word(&token, &key);
            let request = RecoverAdmin { enrol: request, root };
            client.post::<AdminSignIn>(RECOVER_PATH, &request).await
        }
        None => client.post::<AdminSignIn>(door.path(), &request).await,
    };
    if !is_known && !is_replaced && matches!(taken, Err(Fault::Refused(_))) {
        profile.forget_key();
    }
    let taken = match taken {
        Err(Fault::Refused(_)) if is_known => {
            let_in_before(place, &key, &password).await.map_or(taken, Ok)
        }
        taken => taken,
    };
    let sign_in = match taken {
        Err(Fault::Refused(ProblemCode::SignIn)) if by_the_machine.is_some() => {
            return Err(Fault::TokenOver);
        }
        taken => taken?,
    };
    if is_replaced {
        profile.use_next_key()?;
    }
    profile.keep_place(place)?;
    profile.keep_session(&sign_in.session)?;
    Ok((key, ready))
}

/// The key with which this computer comes.
struct OwnKey {
    key: SigningKey,
    /// An earlier try may have brought it to the server.
    is_known: bool,
    is_replaced: bool,
}

fn own_key(profile: &Profile, door: Door<'_>) -> Result<OwnKey, Fault> {
    let before = match profile.key() {
        Ok(key) => Some(key),
        Err(Fault::NotEnrolled(_)) => None,
        Err(fault) => return Err(fault),
    };
    // A key that the server took once and refuses now may be in other hands.
    let is_refused = matches!(door, Door::Back(_)) && profile.place().is_some();
    let is_replaced = is_refused && before.is_some();
    let waiting = if is_replaced { profile.next_key() } else { before };
    let (key, is_known) = match waiting {
        Some(key) => (key, true),
        None => (SigningKey::from_bytes(&*random::<32>()?), false),
    };
    Ok(OwnKey { key, is_known, is_replaced })
}

/// That the server is there, and is the one that was meant: before anything is typed or kept.
async fn look_for(place: &Place, profile: &Profile) -> Result<(), Fault> {
    match (Client { place, key: None, sign_in: None }).fetch::<serde_json::Value>(BUNDLE_PATH).await {
        Ok(_) | Err(Fault::Refused(_)) => Ok(()),
        // Before there is a bundle the fingerprint is all that tells which server it is.
        Err(Fault::OtherServer { address }) if profile.bundle(None).is_err() => {
            Err(Fault::OtherFingerprint { address })
        }
        Err(fault) => Err(fault),
    }
}

/// That a token is good for anything, before a password is chosen for it. Who comes back has his own way to
/// find that out ([`recover::prepare`]).
async fn check_token(place: &Place, door: Door<'_>, token: &str) -> Result<(), Fault> {
    let by = match door {
        Door::First => TokenOf::Setup,
        Door::Invited => TokenOf::Administrator,
        Door::Back(_) => return Ok(()),
    };
    let ask = CheckToken { token: token.to_owned(), by };
    Client { place, key: None, sign_in: None }
        .post::<serde_json::Value>(TOKEN_PATH, &ask)
        .await
        .map(drop)
}

/// Where an earlier try went through and only its answer was lost: then key and password open the
/// door, and the token is used up.
async fn let_in_before(place: &Place, key: &SigningKey, password: &str) -> Option<AdminSignIn> {
    let client = Client { place, key: Some(key), sign_in: None };
    let request = AdminLogin {
        password: password.to_owned(),
        totp: None,
        authenticator: Authenticator::Keep,
        macs: tasuki_terminal::hardware::addresses(),
    };
    let answer = client.post::<AdminLoginAnswer>(ADMIN_LOGIN_PATH, &request).await;
    if let Ok(AdminLoginAnswer::SignedIn(sign_in)) = answer { Some(sign_in) } else { None }
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

/// The passphrase, and whether it was made here and must be shown.
pub(super) fn new_passphrase(
    language: Language,
    organisation: &str,
    options: &InitOptions,
) -> Result<(Passphrase, bool), Fault> {
    if !options.own_passphrase {
        return Ok((Passphrase::generate()?, true));
    }
    let typed = prompt::new_secret(language, &language.ask_own_passphrase(), LEAST_CHARS)?;
    Ok((Passphrase::own(&typed, organisation)?, false))
}

impl Arrival {
    pub(super) fn client(&self) -> Client<'_> {
        Client { place: &self.place, key: Some(&self.key), sign_in: Some(&self.profile) }
    }

    pub(super) async fn fetch<A: serde::de::DeserializeOwned>(&self, path: &str) -> Result<A, Fault> {
        match self.client().fetch(path).await {
            Err(Fault::Refused(ProblemCode::AdminSignIn)) => {
                log_in(&self.client(), self.language, Authenticator::Keep).await?;
                self.client().fetch(path).await
            }
            answer => answer,
        }
    }

    pub(super) async fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<(), Fault> {
        match self.client().post::<serde_json::Value>(path, body).await {
            Err(Fault::Refused(ProblemCode::AdminSignIn | ProblemCode::Confirm)) => {
                log_in(&self.client(), self.language, Authenticator::Keep).await?;
                self.client().post::<serde_json::Value>(path, body).await.map(drop)
            }
            answer => answer.map(drop),
        }
    }
}

/// Kept apart from [`DeviceKey`]'s own form, which is for documents.
pub(super) fn short(key: &DeviceKey) -> String {
    key.to_string().chars().take(12).collect()
}
