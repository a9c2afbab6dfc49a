//! Who may come in: operators with password and device key, administrators with a key.
//!
//! Every wrong answer is the same answer (T52), and an attempt counts as failed
//! before it is checked (T51).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{
    ADMIN_PROOF, AddOperator, EnrolAdmin, OperatorAdded, OperatorChange, OperatorEntry, OperatorState,
    SetOperatorState,
};
use tasuki_protocol::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION};
use tasuki_protocol::manifest::is_showable_name;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{DEVICE_PROOF, LoginRequest};
use zeroize::Zeroizing;

use super::passwords::{Passwords, QueueFull, Verdict};
use super::store::{Lock, OperatorRow, Store, StoreError, Tally, TokenRow, UnixSeconds};

/// Seconds that a one-time code for a new device lives.
pub const ENROLMENT_LIFETIME_S: u64 = 24 * 3600;
/// Seconds by which an administrator's clock may differ from the server's.
pub const ADMIN_CLOCK_SKEW_S: u64 = 300;
const MIN_PASSWORD_CHARS: usize = 12;
const MAX_PASSWORD_BYTES: usize = 256;

/// Limits of accounts, all documented configuration.
#[derive(Debug, Clone, Copy)]
pub struct AccountLimits {
    pub lock: Lock,
    /// Seconds without use after which a token ends. T55.
    pub token_idle: u64,
    /// Seconds after which a token ends whatever happens. T55.
    pub token_life: u64,
}

impl Default for AccountLimits {
    fn default() -> Self {
        Self {
            lock: Lock { failures: 3, seconds: 15 * 60 },
            token_idle: 30 * 60,
            token_life: 12 * 3600,
        }
    }
}

/// Why a request about accounts has no effect.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Name, password, code, device or token: not said which.
    #[error("not signed in")]
    SignIn,
    #[error("not an administrator's request")]
    Unauthorised,
    #[error("the name is taken")]
    Taken,
    #[error("the name or password cannot be used")]
    Unusable,
    #[error("no such operator")]
    NotFound,
    #[error("another protocol version")]
    Version,
    #[error(transparent)]
    Busy(#[from] QueueFull),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new token and whose it is.
#[derive(Debug)]
pub struct SignedIn {
    pub token: Zeroizing<String>,
    pub expires_in: u64,
    pub operator: OperatorEntry,
}

/// The bearer of a valid token, before it has proven its device.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub token: Digest,
    pub device: DeviceKey,
    pub operator: String,
    pub display_name: String,
    pub modes: Vec<Mode>,
    pub ends: UnixSeconds,
}

/// What of an administrator's request is signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    pub header: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub body: &'a [u8],
}

#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    passwords: Passwords,
    limits: AccountLimits,
}

impl Accounts {
    pub fn new(store: Store, passwords: Passwords, limits: AccountLimits) -> Self {
        Self { store, passwords, limits }
    }

    /// Signs an operator in on an enrolled device, or enrols it by a one-time code. T9.
    ///
    /// # Errors
    /// [`AccountError::SignIn`] for whatever was wrong.
    pub async fn login(
        &self,
        request: LoginRequest,
        now: UnixSeconds,
    ) -> Result<SignedIn, AccountError> {
        if request.version != PROTOCOL_VERSION {
            return Err(AccountError::Version);
        }
        let name = request.operator.as_str();
        let proven = proves_device(&request);
        let enrolled = proven && self.store.is_enrolled(name, request.device).await?;
        let class = if enrolled { &request.device.0[..] } else { &[] };
        let tally = self.store.count_attempt(name, class, now, self.limits.lock).await?;
        let row = self.store.operator(name).await?;
        let stored = row.as_ref().map(|row| row.password_hash.clone());
        let verdict = self.passwords.check(Zeroizing::new(request.password), stored).await?;
        let Some(row) = row else { return Err(AccountError::SignIn) };
        let allowed = row.entry.state == OperatorState::Enabled && tally == Tally::Open;
        if !proven || !allowed || verdict == Verdict::Wrong {
            return Err(AccountError::SignIn);
        }
        if !enrolled && !self.enrol(name, request.device, request.enrolment.as_deref(), now).await? {
            return Err(AccountError::SignIn);
        }
        self.store.clear_failures(name, Some(class)).await?;
        self.issue_token(row.entry, request.device, now).await
    }

    async fn enrol(
        &self,
        operator: &str,
        device: DeviceKey,
        code: Option<&str>,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let Some(code) = code else { return Ok(false) };
        self.store.enrol_device(hash(code.trim()), operator, device, now).await
    }

    async fn issue_token(
        &self,
        operator: OperatorEntry,
        device: DeviceKey,
        now: UnixSeconds,
    ) -> Result<SignedIn, AccountError> {
        let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(random::<32>()?));
        let ends = now.after(self.limits.token_life);
        let row = TokenRow { operator: operator.operator.clone(), device, ends };
        self.store.add_token(hash(&token), &row, now).await?;
        Ok(SignedIn { token, expires_in: self.limits.token_life, operator })
    }

    /// Whose token this is. Asked again every few seconds of a connection's life (T55).
    ///
    /// # Errors
    /// [`AccountError::SignIn`] if it is over or its operator disabled.
    pub async fn bearer(&self, token: Digest, now: UnixSeconds) -> Result<Bearer, AccountError> {
        let row = self.store.use_token(token, self.limits.token_idle, now).await?;
        let row = row.ok_or(AccountError::SignIn)?;
        let operator = self.store.operator(&row.operator).await?.ok_or(AccountError::SignIn)?.entry;
        if operator.state == OperatorState::Disabled {
            return Err(AccountError::SignIn);
        }
        Ok(Bearer {
            token,
            device: row.device,
            operator: operator.operator,
            display_name: operator.display_name,
            modes: operator.modes,
            ends: row.ends,
        })
    }

    /// The one row that `setup` left becomes an administrator. T57.
    ///
    /// # Errors
    /// [`AccountError::Unauthorised`] for a wrong or used token, or a proof that does not fit.
    pub async fn enrol_admin(&self, request: &EnrolAdmin) -> Result<(), AccountError> {
        let signed = [ADMIN_PROOF, "\n", request.token.as_str()].concat();
        let proven = verifies(request.key, signed.as_bytes(), &request.proof.0);
        if !proven || !is_showable_name(&request.name) {
            return Err(AccountError::Unauthorised);
        }
        match self.store.enrol_admin(hash(request.token.trim()), request.key, &request.name).await? {
            true => Ok(()),
            false => Err(AccountError::Unauthorised),
        }
    }

    /// The administrator who signed this request, once.
    ///
    /// # Errors
    /// [`AccountError::Unauthorised`] for a wrong signature, a clock off by more
    /// than [`ADMIN_CLOCK_SKEW_S`], or a request seen before.
    pub async fn admin(
        &self,
        request: SignedRequest<'_>,
        now: UnixSeconds,
    ) -> Result<String, AccountError> {
        let refused = || AccountError::Unauthorised;
        let (stamp, signature) = request.header.rsplit_once('.').ok_or_else(refused)?;
        let (seconds, nonce) = stamp.split_once('.').ok_or_else(refused)?;
        let at: u64 = seconds.parse().map_err(|_| refused())?;
        if at.abs_diff(now.0) > ADMIN_CLOCK_SKEW_S || nonce.len() != 32 {
            return Err(refused());
        }
        let signature = STANDARD.decode(signature).map_err(|_| refused())?;
        let body = Digest(Sha256::digest(request.body).into()).to_string();
        let signed = [ADMIN_PROOF, seconds, nonce, request.method, request.path, &body].join("\n");
        let admins = self.store.admins().await?;
        let signer = admins.into_iter().find(|(key, _)| verifies(*key, signed.as_bytes(), &signature));
        let (_, name) = signer.ok_or_else(refused)?;
        let since = UnixSeconds(now.0.saturating_sub(2 * ADMIN_CLOCK_SKEW_S));
        match self.store.use_nonce(nonce.as_bytes(), now, since).await? {
            true => Ok(name),
            false => Err(refused()),
        }
    }

    /// # Errors
    /// [`AccountError::Unusable`] for a name or password that breaks the rules,
    /// [`AccountError::Taken`].
    pub async fn add_operator(
        &self,
        request: AddOperator,
        now: UnixSeconds,
    ) -> Result<OperatorAdded, AccountError> {
        if !is_account_name(&request.operator) || !is_showable_name(&request.display_name) {
            return Err(AccountError::Unusable);
        }
        let password = Zeroizing::new(request.password);
        if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
            return Err(AccountError::Unusable);
        }
        let mut modes = request.modes;
        modes.sort_unstable();
        modes.dedup();
        let entry = OperatorEntry {
            operator: request.operator,
            display_name: request.display_name,
            modes,
            state: OperatorState::Enabled,
            devices: 0,
        };
        let password_hash = self.passwords.hash(password, random()?).await?;
        let row = OperatorRow { entry, password_hash };
        if !self.store.add_operator(&row, now).await? {
            return Err(AccountError::Taken);
        }
        self.new_code(&row.entry.operator, now).await
    }

    async fn new_code(&self, operator: &str, now: UnixSeconds) -> Result<OperatorAdded, AccountError> {
        let enrolment = URL_SAFE_NO_PAD.encode(random::<15>()?);
        let expires = now.after(ENROLMENT_LIFETIME_S);
        self.store.add_enrolment(hash(&enrolment), operator, expires).await?;
        Ok(OperatorAdded { enrolment, expires_in: ENROLMENT_LIFETIME_S })
    }

    /// # Errors
    /// [`AccountError::Store`].
    pub async fn operators(&self) -> Result<Vec<OperatorEntry>, AccountError> {
        Ok(self.store.operators().await?)
    }

    /// Carries out a change; a new code is answered for [`OperatorChange::Enrol`].
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub async fn change_operator(
        &self,
        request: &SetOperatorState,
        now: UnixSeconds,
    ) -> Result<Option<OperatorAdded>, AccountError> {
        let name = request.operator.as_str();
        let found = match request.state {
            OperatorChange::Enable => self.store.set_state(name, OperatorState::Enabled).await?,
            OperatorChange::Disable => self.store.set_state(name, OperatorState::Disabled).await?,
            OperatorChange::Remove => self.store.remove_operator(name).await?,
            OperatorChange::Unlock | OperatorChange::Enrol => {
                self.store.operator(name).await?.is_some()
            }
        };
        if !found {
            return Err(AccountError::NotFound);
        }
        match request.state {
            OperatorChange::Enrol => Ok(Some(self.new_code(name, now).await?)),
            OperatorChange::Unlock => {
                self.store.clear_failures(name, None).await?;
                Ok(None)
            }
            OperatorChange::Enable | OperatorChange::Disable | OperatorChange::Remove => Ok(None),
        }
    }
}

/// Whether `signature` shows that this connection's maker holds the token's device key.
pub fn proves_possession(bearer: &Bearer, challenge: Challenge, signature: &[u8]) -> bool {
    let signed = [DEVICE_PROOF, &challenge.0, &bearer.token.0].concat();
    verifies(bearer.device, &signed, signature)
}

/// SHA-256 of a secret of full strength; passwords go through [`Passwords`].
pub fn hash(secret: &str) -> Digest {
    Digest(Sha256::digest(secret.as_bytes()).into())
}

fn proves_device(request: &LoginRequest) -> bool {
    let enrolment = request.enrolment.as_deref().unwrap_or_default();
    let signed = [DEVICE_PROOF, enrolment.as_bytes(), request.operator.as_bytes()].concat();
    verifies(request.device, &signed, &request.proof.0)
}

fn verifies(key: DeviceKey, signed: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify_strict(signed, &signature).is_ok()
}

fn is_account_name(name: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | '@');
    is_showable_name(name) && name.chars().all(allowed)
}

fn random<const N: usize>() -> Result<[u8; N], AccountError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| AccountError::Busy(QueueFull))?;
    Ok(bytes)
}
