//! An administrator's way in from a new computer: its key, made known by a token and a password.

use ed25519_dalek::{Signer, SigningKey};
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_PROOF, AdminLogin, AdminLoginAnswer, AdminSignIn, BUNDLE_PATH, CheckToken,
    ENROL_PATH, EnrolAdmin, JOIN_PATH, ProblemCode, RECOVER_PATH, RecoverAdmin, TOKEN_PATH, TokenOf,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::login::Authenticator;
use zeroize::Zeroizing;

use super::init::InitOptions;
use super::recover::{self, Came, Ready};
use crate::client::Client;
use crate::fault::Fault;
use crate::profile::{Place, Profile};
use crate::prompt;
use crate::random::random;
use crate::texts::Language;
use crate::vault::public;

/// Of a password that nothing stands beside.
const LEAST_CHARS: usize = 15;

/// By which an administrator comes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Door<'a> {
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

/// Makes this computer's key an administrator's. The key is kept before the server takes it:
/// an administrator's key that nobody holds is a lost server.
pub(super) async fn enrol_key(
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
    let mut password = prompt::new_secret(language, &language.ask_new_password(), LEAST_CHARS)?;
    let OwnKey { key, is_known, is_replaced } = own_key(profile, door)?;
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
    let asked = Asked { token: &token, name, key: &key };
    let taken = knock(&client, language, (door, by_the_machine), (asked, &mut password)).await;
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

/// Of whom the server is asked to make an administrator.
#[derive(Clone, Copy)]
struct Asked<'a> {
    token: &'a str,
    name: &'a str,
    key: &'a SigningKey,
}

/// Asks for what the token is good for. A person is asked for another password where the server knows this one: the
/// token is still good.
async fn knock(
    client: &Client<'_>,
    language: Language,
    (door, by_the_machine): (Door<'_>, Option<&Ready>),
    (asked, password): (Asked<'_>, &mut Zeroizing<String>),
) -> Result<AdminSignIn, Fault> {
    let Asked { token, name, key } = asked;
    let signed = Zeroizing::new([ADMIN_PROOF, "\n", token].concat());
    loop {
        let enrol = EnrolAdmin {
            token: token.to_owned(),
            name: name.to_owned(),
            password: password.to_string(),
            key: public(key),
            proof: Blob(key.sign(signed.as_bytes()).to_bytes().to_vec()),
        };
        let taken = match by_the_machine {
            Some(ready) => {
                let root = ready.word(token, key);
                client.post(RECOVER_PATH, &RecoverAdmin { enrol, root }).await
            }
            None => client.post(door.path(), &enrol).await,
        };
        match taken {
            Err(fault @ Fault::Refused(ProblemCode::Breached)) if prompt::is_person() => {
                prompt::show(&language.fault(&fault));
                *password = prompt::new_secret(language, &language.ask_new_password(), LEAST_CHARS)?;
            }
            taken => return taken,
        }
    }
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
