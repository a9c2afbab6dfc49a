//! `init --recover`: the organisation's keys brought back from two recovery shares, on a computer that
//! the server does not know, or knows no more.

use ed25519_dalek::{Signer, SigningKey};
use tasuki_protocol::admin::{ProblemCode, RECOVERY_TOKEN, recovery_proof};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle, TRUST_PATH, TrustNews};
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::keys::{LOG_KEYS_PATH, SERVER_KEYS_PATH, ServerKeys};
use zeroize::Zeroizing;

use super::init::{Arrival, InitOptions};
use super::key::signed_for;
use super::making::{Making, new_passphrase};
use super::way_back::{above, log_keys};
use crate::client::Client;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::profile::{Place, Profile};
use crate::prompt;
use crate::shares::{self, NotAShare, Share};
use crate::texts::Language;
use crate::vault::{Master, Passphrase, public};

/// How a computer that comes back got in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// The server knows its key.
    Known,
    /// By another administrator's token: the account that was lost goes on.
    ByColleague,
    /// By the machine's token, which shuts everybody else out.
    ByMachine,
}

/// What must hold before anything is sent that cannot be taken back.
#[derive(Debug)]
pub(super) struct Ready {
    tenant: TenantId,
    /// The version of the bundle against which the shares were held.
    version: u64,
    master: Master,
    passphrase: Passphrase,
    /// Whether it was made here, and must be shown.
    made: bool,
    pub(super) came: Came,
}

impl Ready {
    /// The root's word for this key at this server with this token.
    pub(super) fn word(&self, token: &str, key: &SigningKey) -> Blob {
        let proof = recovery_proof(self.tenant, token, &public(key));
        Blob(self.master.root().sign(proof.as_bytes()).to_bytes().to_vec())
    }
}

/// Whether the server knows this key as an administrator's who may come in. A clock that is off
/// makes no key a dead one: that is a fault of its own.
async fn is_known(place: &Place, key: &SigningKey) -> Result<bool, Fault> {
    let client = Client { place, key: Some(key), sign_in: None };
    match client.fetch::<ServerKeys>(SERVER_KEYS_PATH).await {
        Ok(_) | Err(Fault::Refused(ProblemCode::AdminSignIn)) => Ok(true),
        Err(Fault::Refused(ProblemCode::Unauthorised)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// The key by which the server knows this computer: the one in use, or the next one, which it took and said
/// that it had not. `None`: neither.
pub(super) async fn known(
    place: &Place,
    profile: &Profile,
    key: SigningKey,
) -> Result<Option<SigningKey>, Fault> {
    if is_known(place, &key).await? {
        return Ok(Some(key));
    }
    let Some(next) = profile.next_key() else { return Ok(None) };
    if !is_known(place, &next).await? {
        return Ok(None);
    }
    profile.use_next_key().map(|()| Some(next))
}

/// Asks for shares and passphrase, and looks whether they are good.
pub(super) async fn prepare(
    client: &Client<'_>,
    profile: &Profile,
    language: Language,
    (options, token): (&InitOptions, &str),
) -> Result<Ready, Fault> {
    let told = client.fetch::<TrustNews>(TRUST_PATH).await;
    let news = told.map_err(|fault| match (fault, profile.bundle(None)) {
        (Fault::OtherServer { address }, Err(_)) => Fault::OtherFingerprint { address },
        (Fault::Refused(ProblemCode::NotInitialised), _) => Fault::NothingToRecover,
        (fault, _) => fault,
    })?;
    let came = if token.starts_with(RECOVERY_TOKEN) { Came::ByMachine } else { Came::ByColleague };
    ask(&newest(&news.bundle.0, profile)?, language, (options, came))
}

fn ask(
    bundle: &Bundle,
    language: Language,
    (options, came): (&InitOptions, Came),
) -> Result<Ready, Fault> {
    let read = |text: &str| text.parse::<Share>();
    let one = asked(language, 1, read)?;
    let other = |text: &str| {
        let other = read(text)?;
        shares::join(&one, &other)
    };
    let bytes = asked(language, 2, other)?;
    let master = Master::recover(bytes, bundle.root, &bundle.lock_keys)?;
    let (passphrase, made) = new_passphrase(language, &bundle.organisation, options.own_passphrase)?;
    let Bundle { tenant, version, .. } = *bundle;
    Ok(Ready { tenant, version, master, passphrase, made, came })
}

/// A person at a terminal is told what is wrong and asked again; a script's word counts once.
fn asked<T>(
    language: Language,
    nth: u8,
    read: impl Fn(&str) -> Result<T, NotAShare>,
) -> Result<T, Fault> {
    loop {
        match read(&share(&language.ask_share(nth), language)?) {
            Ok(read) => return Ok(read),
            Err(why) if prompt::is_person() => prompt::show(&language.not_a_share(&why)),
            Err(why) => return Err(Fault::NotAShare { nth, why }),
        }
    }
}

/// As it is typed in one line, or line by line as it was printed; an empty line ends it early. A script's goes on only
/// where it began with its number alone, as a printed one does: what stands behind a line that is too short is another's.
fn share(question: &str, language: Language) -> Result<Zeroizing<String>, Fault> {
    let mut typed = prompt::secret(question)?;
    if !prompt::is_person() && shares::begun(&typed) != Some(0) {
        return Ok(typed);
    }
    while let Some(count) = shares::begun(&typed) {
        let Ok(more) = prompt::secret(&language.ask_words_from(count + 1)) else { break };
        if shares::begins(&more) {
            break;
        }
        typed = Zeroizing::new([typed.as_str(), more.as_str()].join(" "));
    }
    Ok(typed)
}

/// The server's bundle, or the one kept here if a backup took the server back before it.
fn newest(envelope: &[u8], profile: &Profile) -> Result<Bundle, Fault> {
    let file = profile.folder().join(BUNDLE_FILE);
    let shown = Bundle::open_first(envelope).map_err(|_| Fault::DamagedBundle(file))?;
    let kept = profile.bundle(None).ok().filter(|kept| {
        (kept.tenant, kept.root) == (shown.tenant, shown.root) && kept.version > shown.version
    });
    Ok(kept.unwrap_or(shown))
}

pub(super) async fn recover(
    arrival: &mut Arrival,
    keys: &ServerKeys,
    envelope: &[u8],
    options: &InitOptions,
) -> Result<Printed, Fault> {
    let before = newest(envelope, &arrival.profile)?;
    let ready = match arrival.ready.take() {
        Some(ready) => ready,
        None => ask(&before, arrival.language, (options, Came::Known))?,
    };
    let Ready { master, passphrase, made, version, .. } = &ready;
    // A server that answers twice with two bundles has the root sign for another one, or for keys that were dropped
    // since (T8, T14).
    master.is_root_of(&before)?;
    if before.version < *version {
        return Err(Fault::ServerBehind { server: before.version, known: *version });
    }
    let shown = Bundle::open_first(envelope)
        .map_err(|_| Fault::DamagedBundle(arrival.profile.folder().join(BUNDLE_FILE)))?;
    let kept = signed_for(arrival.fetch(LOG_KEYS_PATH).await?, &shown)?;
    let mut bundle = above(&before, keys);
    let log_keys = log_keys(kept, &mut bundle, (master, passphrase))?;
    let making = Making { master, passphrase, made: *made, shares: None };
    let mut told = making.publish(arrival, &bundle, log_keys).await?;
    told.text = arrival.language.recovered(&bundle.organisation);
    if ready.came == Came::ByColleague {
        told.text.push_str(&arrival.language.lost_account());
    }
    Ok(told)
}
