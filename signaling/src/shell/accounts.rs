//! Operators' accounts: who signs in, and when a name is suspended.
//!
//! Unknown name, wrong password, suspended, unknown device, wrong code or digits: one
//! answer after the same work (T52). Who has proven all of it and comes from elsewhere or at another hour is told
//! so, and has not failed (S63); nor has who comes with a device that was revoked. A failure is counted before the password is looked
//! at, in one statement (T51), and apart for each approved device, so that a stranger
//! suspends only strangers (T53), and few of them from one address (R5).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tasuki_protocol::admin::Limits;
use tasuki_protocol::ids::{DeviceKey, TenantId};
use tasuki_protocol::ledger::words::LockedOut;
use tasuki_protocol::login::{LoginAnswer, LoginRequest, LoginResponse};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::DEVICE_PROOF;
use tasuki_protocol::terms::Requirement;
use zeroize::Zeroizing;

use super::clock::Steady;
use super::devices::{Asked, Standing};
use super::failures::{Counted, NOBODY, STRANGERS};
use super::names::{Cell, Names, Person};
use super::passwords::{Busy, Lane, Passwords, Turn, Whose};
use super::rules::{self, AccountRules};
use super::second::{Owner, Second};
use super::store::Store;
use super::strangers::Strangers;
use super::trust::Trust;
use crate::core::admission::Outside;
use crate::core::guesses::Place;

#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    pub(crate) store: Store,
    pub(crate) names: Names,
    pub(crate) passwords: Passwords,
    pub(crate) strangers: Strangers,
    pub(crate) rules: AccountRules,
    pub(crate) clock: Steady,
    /// Whose certificates count.
    pub(crate) trust: Arc<Trust>,
    pub(crate) tenant: TenantId,
    pub(crate) organisation: String,
}

/// What became of a login with everything right in it, and whose it was.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) operator: i64,
    pub(crate) answer: LoginAnswer,
    /// Where the answer is that the device waits.
    pub(crate) asked: Option<Asked>,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub(crate) enum LoginRefused {
    /// Not said which (T52). For the log: whom it concerned, what was wrong, and whose counter is
    /// full by this try.
    SignIn(Option<i64>, Wrong, Option<LockedOut>),
    /// Strangers were wrong too often there; after so long there is room for one. Nothing was looked at.
    TooManyWrong(Duration),
    Busy,
    Store(sqlx::Error),
}

/// What the log is told, and the asker is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Credentials,
    Device,
    /// Of the device that is to be enrolled.
    Code,
    Digits,
    /// As the first time, when they counted.
    UsedDigits,
    Suspended,
    Disabled,
    Outside(Outside),
}

impl Wrong {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Device => "device",
            Self::Code => "code",
            Self::Digits => "digits",
            Self::UsedDigits => "used digits",
            Self::Suspended => "suspended",
            Self::Disabled => "disabled",
            Self::Outside(Outside::Address) => "address",
            Self::Outside(Outside::Mac) => "hardware address",
            Self::Outside(Outside::Hours) => "hours",
            Self::Outside(Outside::Unreadable) => "limits that cannot be read",
        }
    }
}

impl LoginRefused {
    /// Whoever asked did nothing wrong that anybody knows of.
    pub(super) fn is_the_servers(&self) -> bool {
        match self {
            Self::SignIn(..) | Self::TooManyWrong(_) => false,
            Self::Busy | Self::Store(_) => true,
        }
    }
}

impl From<sqlx::Error> for LoginRefused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Busy> for LoginRefused {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Where a login came from, as the server itself saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) address: IpAddr,
    /// What both ends of this TLS connection know and nobody else.
    pub(crate) exporter: [u8; 32],
}

/// Who says to be whom, before anything that he knows is looked at.
#[derive(Debug)]
struct Known {
    account: Option<Account>,
    /// He has the device's key.
    proven: bool,
    standing: Option<Standing>,
}

impl Known {
    fn operator(&self) -> i64 {
        self.account.as_ref().map_or(NOBODY, |account| account.id)
    }

    fn is_approved(&self) -> bool {
        self.proven && self.standing == Some(Standing::Approved)
    }
}

/// An account as its row says.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) person: Person,
    pub(crate) password: String,
    pub(crate) modes: Vec<Mode>,
    pub(crate) enabled: bool,
    /// `None`: nobody can read them, and they let nobody in.
    pub(crate) limits: Option<Limits>,
}

impl Accounts {
    /// `account`: that of [`Self::by_name`].
    pub(crate) async fn login(
        &self,
        account: Option<Account>,
        request: LoginRequest,
        origin: Origin,
    ) -> Result<Login, LoginRefused> {
        let operator = account.as_ref().map_or(NOBODY, |account| account.id);
        let proven = is_proven(&request, &origin);
        let standing = self.standing(operator, &request.device).await?;
        let known = Known { account, proven, standing };
        if known.is_approved() {
            let own = Whose::Device(request.device.0);
            return self.count(known, Lane::Known(Some(own)), &request, origin).await;
        }
        let place = Place::from(origin.address);
        self.strangers.admit(place).map_err(LoginRefused::TooManyWrong)?;
        let judged = self.count(known, Lane::Stranger(place), &request, origin).await;
        if !matches!(judged, Err(LoginRefused::SignIn(..))) {
            self.strangers.give_back(place);
        }
        judged
    }

    async fn count(
        &self,
        known: Known,
        lane: Lane,
        request: &LoginRequest,
        origin: Origin,
    ) -> Result<Login, LoginRefused> {
        let operator = known.operator();
        let turn = self.passwords.queue(lane)?;
        let device = if known.is_approved() { request.device.0.as_slice() } else { STRANGERS };
        let counted = self.count_failure(operator, device).await?;
        let judged = self.judge((known, counted), turn, request, origin).await;
        if judged.as_ref().is_err_and(LoginRefused::is_the_servers) {
            self.take_back(operator, device, counted);
        }
        judged
    }

    async fn judge(
        &self,
        (known, counted): (Known, Counted),
        turn: Turn,
        request: &LoginRequest,
        origin: Origin,
    ) -> Result<Login, LoginRefused> {
        let (operator, approved) = (known.operator(), known.is_approved());
        let Known { account, proven, standing } = known;
        let device = if approved { request.device.0.as_slice() } else { STRANGERS };
        let stored = account.as_ref().map(|account| account.password.clone());
        let password = Zeroizing::new(rules::normal(&request.password));
        // He is told so whatever he typed: a stolen computer that is suspended takes nobody's turn to be hashed (F16).
        if let (Counted::Suspended { seconds }, true) = (counted, approved) {
            return Ok(Login { operator, answer: LoginAnswer::Locked { seconds }, asked: None });
        }
        let right = turn.verify(password, stored).await?;
        let refuse = |wrong| {
            let known = (operator != NOBODY).then_some(operator);
            let who = if approved { LockedOut::ThisDevice } else { LockedOut::UnknownDevices };
            let locked = (counted == Counted::Last).then_some(who);
            Err(LoginRefused::SignIn(known, wrong, locked))
        };
        // It was not counted, and is worth nothing, whatever it was.
        if account.is_some() && matches!(counted, Counted::Suspended { .. }) {
            return refuse(Wrong::Suspended);
        }
        let Some(account) = account.filter(|_| right && proven) else {
            return refuse(Wrong::Credentials);
        };
        if !account.enabled {
            return refuse(Wrong::Disabled);
        }
        let outside = account.admits(origin.address, &request.macs).err();
        if !approved {
            let (answer, asked) = match self.ask_for(&account, request, (standing, outside)).await? {
                Ok(answered) => answered,
                Err(wrong) => return refuse(wrong),
            };
            self.forgive_one(operator, device).await?;
            return Ok(Login { operator, answer, asked });
        }
        let shown = (request.totp.as_deref(), request.authenticator);
        let whose = (Owner::Operator(account.id), account.person.name.as_str());
        let early = match self.second_step(whose, shown, outside).await? {
            Second::Passed => None,
            Second::Wrong => return refuse(Wrong::Digits),
            Second::Used => return refuse(Wrong::UsedDigits),
            Second::Slipped => Some(Err(LoginRefused::SignIn(Some(operator), Wrong::Digits, None))),
            Second::Missing => Some(Ok(LoginAnswer::NeedsTotp)),
            Second::SetUp { uri } => Some(Ok(LoginAnswer::TotpSetup { uri })),
        };
        let early = early.or_else(|| outside.map(|outside| Ok(account.told(outside))));
        if let Some(answer) = early {
            // Only this try is forgiven: who knows the password may not guess digits for ever.
            self.forgive_one(operator, device).await?;
            return answer.map(|answer| Login { operator, answer, asked: None });
        }
        // The password may have been changed while it was being looked at.
        let Some(token) = self.issue_token(&account, &request.device).await? else {
            return refuse(Wrong::Credentials);
        };
        self.forget_failures(operator, device).await?;
        let answer = self.welcome(account, &request.device, token).await?;
        Ok(Login { operator, answer: LoginAnswer::SignedIn(answer), asked: None })
    }

    /// Of a device that is not approved, with the right password. Whoever has the key of this account's own one that is
    /// revoked is told that it is over; a revoked key learns of no other account (T52). Limits are told to who has proven
    /// all that a first sign-in asks for, or he would look for what he typed wrong until he is locked out (S63).
    async fn ask_for(
        &self,
        account: &Account,
        request: &LoginRequest,
        (standing, outside): (Option<Standing>, Option<Outside>),
    ) -> Result<Result<(LoginAnswer, Option<Asked>), Wrong>, sqlx::Error> {
        let code = request.enrolment.as_deref().unwrap_or_default();
        if let Some(outside) = outside {
            let is_first = standing.is_none()
                && !self.has_authenticator(Owner::Operator(account.id)).await?
                && self.code_holds(account.id, code).await?;
            return Ok(if is_first {
                Ok((account.told(outside), None))
            } else {
                Err(Wrong::Outside(outside))
            });
        }
        if standing == Some(Standing::Revoked) {
            return Ok(Ok((LoginAnswer::DeviceRevoked, None)));
        }
        let asked = self.ask_for_device(account.id, code, &request.device, standing).await?;
        let is_new = standing.is_none() && !code.trim().is_empty();
        let asked = asked.map(|asked| (LoginAnswer::DevicePending, Some(asked)));
        Ok(asked.ok_or(if is_new { Wrong::Code } else { Wrong::Device }))
    }

    async fn welcome(
        &self,
        account: Account,
        device: &DeviceKey,
        token: String,
    ) -> Result<LoginResponse, sqlx::Error> {
        let certified = self.certificate(account.id, device).await?;
        Ok(LoginResponse {
            certified_until: certified.map(|(_, certificate)| certificate.not_after),
            token,
            expires_in: self.rules.token_absolute.as_secs(),
            tenant: self.tenant,
            organisation: self.organisation.clone(),
            display_name: account.person.display_name,
            modes: account.modes,
            reason: Requirement::default(),
        })
    }

    /// As somebody typed it, whose keyboard may have been left in Japanese. What is recorded or signed is the account's
    /// own name.
    pub(crate) async fn by_name(&self, name: &str) -> Result<Option<Account>, sqlx::Error> {
        let find = "SELECT id, person, password, modes, state, limits FROM operators
             WHERE name_index IN (?1, ?2) ORDER BY name_index <> ?1 LIMIT 1";
        let find = sqlx::query(find).bind(self.names.index(name)).bind(self.names.narrow_index(name));
        let row = find.fetch_optional(&self.store.pool).await?;
        Ok(row.and_then(|row| self.account(&row)))
    }

    pub(crate) async fn by_id(&self, id: i64) -> Result<Option<Account>, sqlx::Error> {
        let find = "SELECT id, person, password, modes, state, limits FROM operators WHERE id = ?";
        let find = sqlx::query(find).bind(id);
        let row = find.fetch_optional(&self.store.pool).await?;
        Ok(row.and_then(|row| self.account(&row)))
    }

    /// Reads `id, person, password, modes, state, limits`, in this order.
    pub(crate) fn account(&self, row: &SqliteRow) -> Option<Account> {
        let person = self.names.open(Cell::Person, &row.try_get::<Vec<u8>, _>(1).ok()?)?;
        let modes: String = row.try_get(3).ok()?;
        let state: String = row.try_get(4).ok()?;
        let limits = match row.try_get::<Option<Vec<u8>>, _>(5).ok()? {
            Some(sealed) => self.names.open(Cell::Limits, &sealed),
            None => Some(Limits::default()),
        };
        Some(Account {
            id: row.try_get(0).ok()?,
            person,
            password: row.try_get(2).ok()?,
            modes: modes.split(',').filter_map(|mode| mode.parse().ok()).collect(),
            enabled: state == "enabled",
            limits,
        })
    }
}

pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Whether `device` made `signature` over `message`.
pub(crate) fn signed(device: &DeviceKey, message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&device.0) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify_strict(message, &signature).is_ok()
}

fn is_proven(request: &LoginRequest, origin: &Origin) -> bool {
    let code = request.enrolment.as_deref().unwrap_or_default().as_bytes();
    let message = [DEVICE_PROOF, &origin.exporter, code, request.operator.as_bytes()].concat();
    signed(&request.device, &message, &request.proof.0)
}
