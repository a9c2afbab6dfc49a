//! An administrator at a server: trusts it, signs requests, and signs in when it asks for that.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{ADMIN_LOGIN_PATH, AdminLogin, AdminLoginAnswer, Outcome, ProblemCode};
use tasuki_protocol::bundle::{Bundle, ListMark, TRUST_PATH, TrustNews};
use tasuki_protocol::dsse::{self, Document};
use tasuki_protocol::login::Authenticator;
use tasuki_protocol::revoked::in_force;

use crate::authenticator;
use crate::client::Client;
use crate::fault::Fault;
use crate::limits::Outside;
use crate::pending::Settled;
use crate::profile::{Place, Profile, Renewed};
use crate::prompt;
use crate::settings::Settings;
use crate::texts::Language;

#[derive(Debug)]
pub struct Desk {
    pub profile: Profile,
    pub bundle: Bundle,
    pub language: Language,
    /// The list of revoked devices that the server shows, where it counts.
    pub list: Option<ListMark>,
    place: Place,
    key: SigningKey,
}

impl Desk {
    /// With the newest bundle that the server has.
    ///
    /// # Errors
    /// No bundle or key here, or the server cannot be reached or trusted.
    pub async fn open(settings: &Settings) -> Result<Self, Fault> {
        match Self::open_behind(settings).await? {
            (desk, None) => {
                if !desk.shows_its_list() {
                    prompt::show(&desk.language.list_withheld());
                }
                Ok(desk)
            }
            (desk, Some(server)) => Err(desk.behind(&server)),
        }
    }

    /// Also at a server whose database is from before the bundle kept here, which stands then
    /// nevertheless; the server's own is given beside it. For what leads back from there, alone.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_behind(settings: &Settings) -> Result<(Self, Option<Box<Bundle>>), Fault> {
        let profile = settings.profile()?;
        let kept = profile.bundle(settings.bundle.as_deref())?;
        settings.check_server(&Place::of(&kept))?;
        let key = profile.key()?;
        let place = Place::of(&kept);
        let news: TrustNews =
            Client { place: &place, key: None, sign_in: None }.fetch(TRUST_PATH).await?;
        let (bundle, server) = match profile.renew(&kept, &news)? {
            Renewed::Goes(newest) => (*newest, None),
            Renewed::Behind(server) => (kept, Some(server)),
        };
        profile.heed_revocations(news.revocations.as_ref(), &bundle, unix())?;
        let language = settings.language();
        match profile.settle(&bundle)? {
            Settled::Taken => prompt::show(&language.settled()),
            Settled::AsBefore => {}
        }
        let place = Place::of(&bundle);
        let list = news.revocations.as_ref().and_then(|list| in_force(list, &bundle));
        let list = list.map(|(list, by)| ListMark { version: list.version, by });
        Ok((Self { profile, bundle, language, list, place, key }, server))
    }

    /// Whether everybody can have the list of revoked devices that the bundle asks for.
    pub fn shows_its_list(&self) -> bool {
        self.bundle.is_content_with(self.list.as_slice())
    }

    /// The bundle in force now.
    ///
    /// # Errors
    /// As [`Client::fetch`] and [`Profile::renew`].
    pub async fn newest(&self) -> Result<Bundle, Fault> {
        let news: TrustNews = self.fetch(TRUST_PATH).await?;
        match self.profile.renew(&self.bundle, &news)? {
            Renewed::Goes(newest) => Ok(*newest),
            Renewed::Behind(server) => Err(self.behind(&server)),
        }
    }

    /// Why nothing else is done at a server that stands at `server`.
    pub fn behind(&self, server: &Bundle) -> Fault {
        Fault::ServerBehind { server: server.version, known: self.bundle.version }
    }

    pub fn client(&self) -> Client<'_> {
        Client { place: &self.place, key: Some(&self.key), sign_in: Some(&self.profile) }
    }

    /// # Errors
    /// As [`Client::fetch`]; signs in once if the server asks for it.
    pub async fn fetch<A: DeserializeOwned>(&self, path: &str) -> Result<A, Fault> {
        let client = self.client();
        signing_in(&client, self.language, || client.fetch(path)).await
    }

    /// The envelope of `document`, signed by the administrator's key.
    pub fn sign<D: Document>(&self, document: &D) -> Vec<u8> {
        dsse::sign(document, &self.key)
    }

    /// A body that is JSON already.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn post_text<A: DeserializeOwned>(&self, path: &str, body: &str) -> Result<A, Fault> {
        let client = self.client();
        signing_in(&client, self.language, || client.post_text(path, body.to_owned())).await
    }

    /// # Errors
    /// As [`Client::post`]; signs in once if the server asks for it.
    pub async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Fault> {
        let client = self.client();
        signing_in(&client, self.language, || client.post(path, body)).await
    }

    /// Whether what was asked for changed anything; it did at a server that does not say.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn change(&self, path: &str, body: &impl Serialize) -> Result<bool, Fault> {
        let outcome: Option<Outcome> = self.post(path, body).await?;
        Ok(outcome.is_none_or(|outcome| outcome.changed))
    }
}

pub(crate) fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A key that the server knows, and a password that it does not take.
fn of_a_sign_in(fault: Fault) -> Fault {
    if matches!(fault, Fault::Refused(ProblemCode::SignIn)) { Fault::WrongPassword } else { fault }
}

/// Asks, and signs in once and asks again where the server wants that.
pub(crate) async fn signing_in<A, F: Future<Output = Result<A, Fault>>>(
    client: &Client<'_>,
    language: Language,
    ask: impl Fn() -> F,
) -> Result<A, Fault> {
    match ask().await {
        Err(Fault::Refused(ProblemCode::AdminSignIn | ProblemCode::Confirm)) => {
            log_in(client, language, Authenticator::Keep).await?;
            ask().await
        }
        answer => answer,
    }
}

/// How often the digits of an authenticator that is being set up are asked for again.
const MORE_TRIES: u8 = 2;

/// Asks for the password, and for the authenticator's digits if the server does, and keeps the sign-in. Shows a
/// new authenticator's address.
///
/// # Errors
/// [`Fault::Locked`], or as [`Client::post`].
pub async fn log_in(
    client: &Client<'_>,
    language: Language,
    authenticator: Authenticator,
) -> Result<u64, Fault> {
    let password = prompt::secret(&language.ask_admin_password())?;
    let (mut totp, mut setting_up) = (None, None::<u8>);
    loop {
        let macs = tasuki_terminal::hardware::addresses();
        let request = AdminLogin { password: password.to_string(), totp, authenticator, macs };
        let answer = client.post::<AdminLoginAnswer>(ADMIN_LOGIN_PATH, &request).await;
        let answer = match (answer, setting_up.as_mut()) {
            // The new authenticator is the same as before: one slip of the hand does not throw it away.
            (Err(Fault::Refused(ProblemCode::SignIn)), Some(left)) if *left > 0 => {
                *left -= 1;
                prompt::show(&language.wrong_digits());
                totp = Some(prompt::secret(&language.ask_digits())?.to_string());
                continue;
            }
            (answer, _) => answer.map_err(of_a_sign_in)?,
        };
        match answer {
            AdminLoginAnswer::SignedIn(begun) => {
                client.sign_in.map_or(Ok(()), |profile| profile.keep_session(&begun.session))?;
                return Ok(begun.expires_in);
            }
            AdminLoginAnswer::Locked { seconds } => return Err(Fault::Locked { seconds }),
            AdminLoginAnswer::OutsideHours { opens, zone } => {
                return Err(Outside::Hours { opens, zone }.into());
            }
            AdminLoginAnswer::OutsideAddresses => return Err(Outside::Addresses.into()),
            AdminLoginAnswer::OutsideHardware => return Err(Outside::Hardware.into()),
            AdminLoginAnswer::LimitsUnreadable => return Err(Outside::Unreadable.into()),
            AdminLoginAnswer::NeedsTotp => {}
            AdminLoginAnswer::TotpSetup { uri } => {
                setting_up = Some(MORE_TRIES);
                prompt::show(&language.set_authenticator_up(&uri));
                if let Some(code) = tasuki_terminal::qr::code(&uri) {
                    prompt::show(&code);
                }
                if let Some(told) = authenticator::by_hand(&uri) {
                    prompt::show(&language.authenticator_by_hand(&told));
                }
            }
        }
        totp = Some(prompt::secret(&language.ask_digits())?.to_string());
    }
}
