//! Tokens: 256 random bits, kept as SHA-256, worth nothing without their device (T55).
//!
//! Times are on the steady clock, which no step of the wall clock moves (F12).

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row as _;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::ledger::words::LockedOut;
use tasuki_protocol::login::{Authenticator, ChangePassword, Confirmation, SignOut};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::DEVICE_PROOF;
use zeroize::Zeroizing;

use super::accounts::{Account, Accounts, LoginRefused, Wrong, digest, seconds, signed};
use super::acts::Step;
use super::clock;
use super::failures::Counted;
use super::passwords::{Busy, Lane, Turn, Whose};
use super::rules::{self, Beside};
use super::second::{Owner, Second};
use crate::core::admission::Admission;
use crate::core::rooms::{Operator, OperatorId};

/// A token's bearer, before its device has proved itself.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    pub(crate) operator: OperatorId,
    pub(crate) device: DeviceKey,
    pub(crate) token_digest: [u8; 32],
    /// Seconds on the steady clock.
    pub(crate) expires: i64,
    /// Until when acts that ask for a second look are open, on the steady clock.
    pub(crate) confirmed_until: i64,
}

impl Accounts {
    /// `None`: the account or the device is not any more as it was found at the login's beginning.
    pub(crate) async fn issue_token(
        &self,
        account: &Account,
        device: &DeviceKey,
    ) -> Result<Option<String>, LoginRefused> {
        let bytes: [u8; 32] = clock::random().map_err(|_| LoginRefused::Busy)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let now = self.clock.now();
        let oldest = now.saturating_sub(seconds(self.rules.token_absolute));
        let tidy = sqlx::query("DELETE FROM tokens WHERE created < ?").bind(oldest);
        tidy.execute(&self.store.writes).await?;
        let insert = "INSERT INTO tokens (hash, operator, device, created, used, confirmed)
             SELECT ?1, operators.id, devices.key, ?4, ?4, ?4
             FROM operators JOIN devices ON devices.operator = operators.id
             WHERE operators.id = ?2 AND operators.state = 'enabled' AND operators.password = ?5
               AND devices.key = ?3 AND devices.state = 'approved'";
        let inserted = sqlx::query(insert)
            .bind(digest(&token).to_vec())
            .bind(account.id)
            .bind(device.0.to_vec())
            .bind(now)
            .bind(account.password.clone())
            .execute(&self.store.writes)
            .await?;
        Ok((inserted.rows_affected() == 1).then_some(token))
    }

    pub(crate) fn log_operator_out(operator: OperatorId) -> Step {
        Step::new("DELETE FROM tokens WHERE operator = ?").with(operator.0)
    }

    /// Whose token this is, if it is still one; counts as its use.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Option<Bearer>, sqlx::Error> {
        let token_digest = digest(token);
        let now = self.clock.now();
        let absolute = seconds(self.rules.token_absolute);
        let touch = "UPDATE tokens SET used = ?1
             WHERE hash = ?2 AND created > ?3 AND used > ?4
               AND operator IN (SELECT id FROM operators WHERE state = 'enabled')
               AND device IN (SELECT key FROM devices WHERE state = 'approved')
             RETURNING operator, device, created, confirmed";
        let row = sqlx::query(touch)
            .bind(now)
            .bind(token_digest.to_vec())
            .bind(now.saturating_sub(absolute))
            .bind(now.saturating_sub(seconds(self.rules.token_idle)))
            .fetch_optional(&self.store.writes)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let device: Vec<u8> = row.try_get(1)?;
        let Ok(device) = device.try_into() else { return Ok(None) };
        let confirmed: i64 = row.try_get(3)?;
        Ok(Some(Bearer {
            operator: OperatorId(row.try_get(0)?),
            device: DeviceKey(device),
            token_digest,
            expires: row.try_get::<i64, _>(2)?.saturating_add(absolute),
            confirmed_until: confirmed.saturating_add(seconds(self.rules.confirm_for)),
        }))
    }

    /// Whether the bearer's token is still one; no use of it.
    pub(crate) async fn is_current(&self, bearer: &Bearer) -> Result<bool, sqlx::Error> {
        let find = "SELECT 1 FROM tokens WHERE hash = ? AND created > ?";
        let find = sqlx::query(find).bind(bearer.token_digest.to_vec());
        let oldest = self.clock.now().saturating_sub(seconds(self.rules.token_absolute));
        Ok(find.bind(oldest).fetch_optional(&self.store.pool).await?.is_some())
    }

    /// A connection that lived until now was a use.
    pub(crate) async fn touch(&self, bearer: &Bearer) -> Result<(), sqlx::Error> {
        let touch = sqlx::query("UPDATE tokens SET used = ? WHERE hash = ?").bind(self.clock.now());
        touch.bind(bearer.token_digest.to_vec()).execute(&self.store.writes).await.map(|_| ())
    }

    /// The bearer as rooms know it; `None` if the account or the device is out.
    pub(crate) async fn operator(&self, bearer: &Bearer) -> Result<Option<Operator>, sqlx::Error> {
        let confirmed = bearer.confirmed_until.saturating_sub(self.clock.now());
        let confirmed = Duration::from_secs(u64::try_from(confirmed).unwrap_or_default());
        let confirmed_until = Instant::now() + confirmed;
        let operator = self.at_device(bearer.operator, &bearer.device).await?;
        Ok(operator.map(|operator| Operator { confirmed_until, ..operator }))
    }

    /// As [`Self::operator`], of whom nobody has shown anything.
    pub(crate) async fn at_device(
        &self,
        id: OperatorId,
        device: &DeviceKey,
    ) -> Result<Option<Operator>, sqlx::Error> {
        let account = self.by_id(id.0).await?.filter(|account| account.enabled);
        let certified = self.certificate(id.0, device).await?;
        let (Some(account), Some((envelope, certificate))) = (account, certified) else {
            return Ok(None);
        };
        let Some(admission) = account.admission() else { return Ok(None) };
        if certificate.operator != account.person.name {
            return Ok(None);
        }
        let until = Instant::now() + left(&admission, &certificate, clock::unix_row());
        let certified = |mode: &Mode| certificate.modes.contains(mode);
        Ok(Some(Operator {
            id,
            name: account.person.name,
            // Of a name that was changed since the old one is shown until there is a new certificate.
            display_name: certificate.display_name,
            modes: account.modes.into_iter().filter(certified).collect(),
            groups: self.groups_of(id.0).await?,
            device: *device,
            rights: certificate.rights,
            certificate: envelope,
            until,
            certified_until: certificate.not_after,
            confirmed_until: Instant::now(),
        }))
    }

    /// Until the token itself is over, used or not.
    pub(crate) fn token_left(&self, bearer: &Bearer) -> Duration {
        let left = bearer.expires.saturating_sub(self.clock.now());
        Duration::from_secs(u64::try_from(left).unwrap_or_default())
    }

    /// A token that nobody was told of.
    pub(crate) async fn take_token_back(&self, token: &str) -> Result<(), sqlx::Error> {
        let end = sqlx::query("DELETE FROM tokens WHERE hash = ?").bind(digest(token).to_vec());
        end.execute(&self.store.writes).await.map(|_| ())
    }

    /// The row of a sign-out, which the token's own device asked for.
    ///
    /// # Errors
    /// It did not.
    pub(crate) fn sign_out(
        &self,
        bearer: &Bearer,
        exporter: &[u8; 32],
        asked: &SignOut,
    ) -> Result<Step, LoginRefused> {
        if !bearer.proves(exporter, &asked.proof.0) {
            return Err(LoginRefused::SignIn(Some(bearer.operator.0), Wrong::Device, None));
        }
        let end = Step::new("DELETE FROM tokens WHERE hash = ?").with(bearer.token_digest.to_vec());
        Ok(end.or(ProblemCode::SignIn))
    }

    /// The person shows again that it is he: digits, or the password where there are none.
    pub(crate) async fn confirm(
        &self,
        bearer: &Bearer,
        exporter: &[u8; 32],
        asked: Confirmation,
    ) -> Result<(), LoginRefused> {
        let owner = Owner::Operator(bearer.operator.0);
        let password = asked.password.map(Zeroizing::new);
        let known = match self.has_authenticator(owner).await? {
            true => Known::Digits(asked.totp),
            false => Known::Password(password.unwrap_or_default()),
        };
        self.recognise(bearer, exporter, &asked.proof.0, known).await?;
        let confirm = sqlx::query("UPDATE tokens SET confirmed = ? WHERE hash = ?");
        let confirm = confirm.bind(self.clock.now()).bind(bearer.token_digest.to_vec());
        confirm.execute(&self.store.writes).await?;
        Ok(())
    }

    /// The rows of a new password, which end the account's other sign-ins.
    pub(crate) async fn change_password(
        &self,
        bearer: &Bearer,
        exporter: &[u8; 32],
        asked: ChangePassword,
    ) -> Result<Result<Vec<Step>, ProblemCode>, LoginRefused> {
        let account = self.by_id(bearer.operator.0).await?;
        let known = Known::Password(Zeroizing::new(asked.old));
        self.recognise(bearer, exporter, &asked.proof.0, known).await?;
        let (name, old) = account.map(|own| (own.person.name, own.password)).unwrap_or_default();
        let new = Zeroizing::new(asked.new);
        let beside = self.beside(Owner::Operator(bearer.operator.0)).await?;
        if let Err(code) = self.rules.passwords.check(&new, &name, beside) {
            return Ok(Err(code));
        }
        let whose = Some(Whose::Device(bearer.device.0));
        let hash = self.passwords.hash(Zeroizing::new(rules::normal(&new)), whose).await?;
        // All of it may have been changed while the passwords were looked at.
        let change =
            "UPDATE operators SET password = ? WHERE id = ? AND password = ? AND state = 'enabled'
             AND EXISTS (SELECT 1 FROM tokens WHERE hash = ?)";
        let change = Step::new(change)
            .with(hash)
            .with(bearer.operator.0)
            .with(old)
            .with(bearer.token_digest.to_vec())
            .or(ProblemCode::SignIn);
        let end = Step::new("DELETE FROM tokens WHERE operator = ? AND hash <> ?")
            .with(bearer.operator.0)
            .with(bearer.token_digest.to_vec());
        Ok(Ok(vec![change, end]))
    }

    /// What an account's password stands beside.
    pub(crate) async fn beside(&self, owner: Owner) -> Result<Beside, sqlx::Error> {
        let totp = self.rules.second_factor_required || self.has_authenticator(owner).await?;
        Ok(if totp { Beside::Totp } else { Beside::Nothing })
    }

    /// Counted like a login, under the same counter.
    async fn recognise(
        &self,
        bearer: &Bearer,
        exporter: &[u8; 32],
        proof: &[u8],
        known: Known,
    ) -> Result<(), LoginRefused> {
        let (operator, device) = (bearer.operator.0, bearer.device.0.as_slice());
        let refuse = |wrong, locked| Err(LoginRefused::SignIn(Some(operator), wrong, locked));
        if !bearer.proves(exporter, proof) {
            return refuse(Wrong::Device, None);
        }
        let turn = self.passwords.queue(Lane::Known(Some(Whose::Device(bearer.device.0))))?;
        let counted = self.count_failure(operator, device).await?;
        if let Counted::Suspended { .. } = counted {
            return refuse(Wrong::Suspended, None);
        }
        let locked = (counted == Counted::Last).then_some(LockedOut::ThisDevice);
        let recognised = async {
            match self.is_right(operator, known, turn).await? {
                Right::Wholly => Ok(self.forget_failures(operator, device).await?),
                // Only this try: whoever has one factor may not guess at the other for ever.
                Right::ByHalf => Ok(self.forgive_one(operator, device).await?),
                Right::Before => refuse(Wrong::UsedDigits, locked),
                Right::Not => refuse(Wrong::Credentials, locked),
            }
        };
        let recognised = recognised.await;
        if recognised.as_ref().is_err_and(LoginRefused::is_the_servers) {
            self.take_back(operator, device, counted);
        }
        recognised
    }

    async fn is_right(&self, operator: i64, known: Known, turn: Turn) -> Result<Right, LoginRefused> {
        let owner = Owner::Operator(operator);
        match known {
            Known::Password(password) => {
                let stored = self.by_id(operator).await?.map(|account| account.password);
                let password = Zeroizing::new(rules::normal(&password));
                let is_right = turn.verify(password, stored).await?;
                let is_all = !self.has_authenticator(owner).await?;
                Ok(match (is_right, is_all) {
                    (true, true) => Right::Wholly,
                    (true, false) => Right::ByHalf,
                    (false, _) => Right::Not,
                })
            }
            Known::Digits(digits) => {
                let asked = self.second_factor(owner, "", digits.as_deref(), Authenticator::Keep);
                Ok(match asked.await? {
                    Second::Passed => Right::ByHalf,
                    Second::Used => Right::Before,
                    Second::Missing | Second::Wrong | Second::Slipped | Second::SetUp { .. } => {
                        Right::Not
                    }
                })
            }
        }
    }
}

impl Bearer {
    /// Whether the token's own device asks, over the connection whose `exporter` this is.
    fn proves(&self, exporter: &[u8; 32], proof: &[u8]) -> bool {
        signed(&self.device, &[DEVICE_PROOF, exporter, &self.token_digest].concat(), proof)
    }
}

/// How much of what an account is opened by was right.
enum Right {
    Wholly,
    /// One factor of two.
    ByHalf,
    /// Digits that have counted.
    Before,
    Not,
}

/// By what a person is recognised again.
enum Known {
    Password(Zeroizing<String>),
    Digits(Option<String>),
}

impl From<Busy> for ProblemCode {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Until the certificate or the allowed hours end: nothing that he has running outlives them.
fn left(admission: &Admission, certificate: &Certificate, unix: i64) -> Duration {
    let certified = i64::try_from(certificate.not_after).unwrap_or(i64::MAX).saturating_sub(unix);
    let certified = u64::try_from(certified).unwrap_or_default();
    let hours = admission.seconds_left(unix);
    Duration::from_secs(hours.map_or(certified, |hours| hours.min(certified)))
}
