//! What the administrator's program and the server say to each other: JSON over HTTPS.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use crate::admin_login::{AdminLogin, AdminLoginAnswer, AdminSignIn};
pub use crate::mending::{
    AddAdmin, AdminAdded, ChangeAdminPassword, InvitationEntry, InvitationList, LimitAdmin,
    LimitOperator, NameOperator, Outcome, ResetPassword, WithdrawInvitations,
};

use crate::blob::Blob;
use crate::ids::{DeviceKey, Digest, TenantId};
use crate::rights::Mode;

/// `POST` [`EnrolAdmin`] → [`AdminSignIn`]; works once, with the token that `setup` printed (T57).
pub const ENROL_PATH: &str = "/v1/admin/enrol";
/// `POST` [`EnrolAdmin`] → [`AdminSignIn`], with a token that another administrator made.
pub const JOIN_PATH: &str = "/v1/admin/join";
/// `POST` [`CheckToken`] → nothing, where it still holds: so that nobody types a password in vain.
pub const TOKEN_PATH: &str = "/v1/admin/token";
/// `POST` [`RecoverAdmin`] → [`AdminSignIn`], with a token that `tasuki-server recovery-token` made.
pub const RECOVER_PATH: &str = "/v1/admin/recover";
/// `POST` [`AdminLogin`] → [`AdminLoginAnswer`]. Signed, like all that follow.
pub const ADMIN_LOGIN_PATH: &str = "/v1/admin/login";
/// `POST` → nothing; ends the one sign-in in which it is asked.
pub const ADMIN_LOGOUT_PATH: &str = "/v1/admin/logout";
/// `GET` → [`AdminList`]; `POST` [`AddAdmin`] → [`AdminAdded`].
pub const ADMINS_PATH: &str = "/v1/admin/admins";
/// `POST` [`ChangeAdmin`] → nothing.
pub const ADMIN_CHANGES_PATH: &str = "/v1/admin/admins/changes";
/// `POST` [`LimitAdmin`] → nothing.
pub const ADMIN_LIMITS_PATH: &str = "/v1/admin/admins/limits";
/// `GET` → [`GroupList`]; `POST` [`ChangeGroup`] → nothing.
pub const GROUPS_PATH: &str = "/v1/admin/groups";
/// `POST` [`LimitOperator`] → nothing.
pub const OPERATOR_LIMITS_PATH: &str = "/v1/admin/operators/limits";
/// `GET` → [`OperatorList`]; `POST` [`AddOperator`] → [`OperatorAdded`].
pub const OPERATORS_PATH: &str = "/v1/admin/operators";
/// `POST` [`ChangeOperator`] → nothing, or [`OperatorAdded`] for a new code.
pub const OPERATOR_CHANGES_PATH: &str = "/v1/admin/operators/changes";
/// `POST` [`ResetPassword`] → nothing; the operator's sign-ins, sessions and suspension end.
pub const OPERATOR_PASSWORD_PATH: &str = "/v1/admin/operators/password";
/// `POST` [`NameOperator`] → nothing.
pub const OPERATOR_NAMING_PATH: &str = "/v1/admin/operators/naming";
/// `POST` [`ChangeAdminPassword`] → nothing.
pub const ADMIN_PASSWORD_PATH: &str = "/v1/admin/password";
/// `GET` → [`InvitationList`]; `POST` [`WithdrawInvitations`] → nothing.
pub const INVITATIONS_PATH: &str = "/v1/admin/invitations";
/// `GET` → the tenant's signed bundle, for agents and operators' programs.
pub const BUNDLE_PATH: &str = "/v1/bundle";

/// Header of every administrator's request but enrolment: unix seconds, `.`, a
/// random nonce in hexadecimal, `.`, base64 of Ed25519 over [`ADMIN_PROOF`], the
/// two, method, path (with its query, if it has one) and SHA-256 in hexadecimal of the body and of
/// [`ADMIN_SESSION_HEADER`]'s value, separated by newlines: see [`request_proof`].
pub const ADMIN_HEADER: &str = "tasuki-admin";
/// Header of every request of an administrator who is signed in: [`AdminSignIn::session`]. T55.
pub const ADMIN_SESSION_HEADER: &str = "tasuki-admin-session";
pub const ADMIN_PROOF: &str = "tasuki-admin-request-v1";

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolAdmin {
    pub token: String,
    pub name: String,
    pub password: String,
    pub key: DeviceKey,
    /// Ed25519 by `key` over [`ADMIN_PROOF`], newline, token.
    pub proof: Blob,
}

impl std::fmt::Debug for EnrolAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolAdmin").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether a token for [`ENROL_PATH`] or [`JOIN_PATH`] is good. It is not used up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckToken {
    pub token: String,
    /// That it is one of [`ENROL_PATH`]'s or of [`JOIN_PATH`]'s.
    pub by: TokenOf,
}

impl std::fmt::Debug for CheckToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckToken").field("by", &self.by).finish_non_exhaustive()
    }
}

/// Who made a token by which an administrator comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOf {
    Setup,
    Administrator,
}

/// How the tokens begin that the server's own machine makes.
pub const RECOVERY_TOKEN: &str = "recovery-";
pub const RECOVERY_PROOF: &str = "tasuki-admin-recovery-v1";

/// Somebody whose keys are lost: the token shows that he has the server's machine, the root's
/// signature that he has the recovery shares. Either alone is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoverAdmin {
    pub enrol: EnrolAdmin,
    /// Ed25519 by the tenant's root key over [`recovery_proof`].
    pub root: Blob,
}

/// What the root's signature covers: one key, at one server, with one token.
pub fn recovery_proof(tenant: TenantId, token: &str, key: &DeviceKey) -> String {
    format!("{RECOVERY_PROOF}\n{tenant}\n{token}\n{key}")
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddOperator {
    pub operator: String,
    pub display_name: String,
    pub password: String,
    pub modes: Vec<Mode>,
}

impl std::fmt::Debug for AddOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddOperator").field("operator", &self.operator).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorAdded {
    /// One-time code for the operator's first device.
    pub enrolment: String,
    pub expires_in: u64,
}

impl std::fmt::Debug for OperatorAdded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorAdded(..)")
    }
}

/// How far the clock by which a request was signed may be off the server's, in seconds.
pub const MAX_CLOCK_S: u64 = 5 * 60;

/// What an administrator's signature covers: time and nonce, the request, and the sign-in in which he makes it.
pub fn request_proof(
    (unix, nonce): (u64, &str),
    (method, path, body): (&str, &str, &[u8]),
    session: Option<&str>,
) -> String {
    let digest = |bytes: &[u8]| Digest(Sha256::digest(bytes).into());
    let (body, session) = (digest(body), digest(session.unwrap_or_default().as_bytes()));
    format!("{ADMIN_PROOF}\n{unix}\n{nonce}\n{method}\n{path}\n{body}\n{session}")
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeOperator {
    pub operator: String,
    pub change: OperatorChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorChange {
    /// Ends the operator's sessions, numbers and tokens too (S65).
    Disable,
    Enable,
    /// As `Disable`, for good.
    Remove,
    /// A one-time code for one more device.
    NewCode,
    /// Ends a suspension after failed logins (S64).
    Unlock,
    /// The authenticator is lost: the next login sets a new one up.
    ForgetAuthenticator,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorList {
    pub operators: Vec<OperatorEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorEntry {
    pub operator: String,
    pub display_name: String,
    pub modes: Vec<Mode>,
    pub state: OperatorState,
    /// Approved ones.
    pub devices: u32,
    pub groups: Vec<String>,
    /// Until when it is suspended after failed sign-ins, in unix seconds: at one of its devices, or for
    /// computers that are none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<u64>,
    /// Seconds until the account's own hours are over, 0 outside of them; `None`: any hour is allowed. S63.
    pub hours_left_s: Option<u64>,
    /// As [`AdminEntry::limits`].
    pub limits: Option<Limits>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorState {
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminList {
    pub admins: Vec<AdminEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminEntry {
    pub name: String,
    pub key: DeviceKey,
    pub state: OperatorState,
    /// Unix seconds.
    pub added: u64,
    /// As [`OperatorEntry::suspended_until`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<u64>,
    /// None: nobody can read them, and until they are set anew he is not let in.
    pub limits: Option<Limits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeAdmin {
    pub name: String,
    pub change: AdminChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminChange {
    Disable,
    Enable,
    Remove,
    /// Ends a suspension after failed logins.
    Unlock,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupList {
    pub groups: Vec<GroupEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    pub group: String,
    pub operators: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeGroup {
    pub group: String,
    pub change: GroupChange,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupChange {
    Add,
    Remove,
    Join { operator: String },
    Leave { operator: String },
}

/// From where and when an operator or an administrator may sign in; empty lists allow everything. S63.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Addresses and networks: `192.0.2.7`, `2001:db8::/48`.
    pub addresses: Vec<String>,
    /// Hardware addresses, of which his computer must name one. R4: can be forged.
    pub macs: Vec<String>,
    pub hours: Option<Hours>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// An IANA name such as `Asia/Tokyo`.
    pub zone: String,
    /// Days of the week, Monday 1 to Sunday 7.
    pub days: Vec<u8>,
    pub from: u16,
    /// Both are minutes since midnight, and not the same; 1440 is the day's end, and what is before `from` is on the next day.
    pub until: u16,
}

/// What an HTTP request is refused with; the status says the class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    pub code: ProblemCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Name, password, code or device: not said which (T52).
    SignIn,
    /// Not an administrator's valid signature, or one seen before.
    Unauthorised,
    /// The body is not what this path takes.
    Malformed,
    /// The name is taken.
    Taken,
    /// The name or password cannot be used: too short, too long, or deceptive.
    Unusable,
    NotFound,
    /// Something that it goes on from was changed meanwhile.
    Conflict,
    /// Nobody shuts himself out, by disabling himself or by limits that he is outside of: so one administrator is always enabled.
    Yourself,
    /// A certified device of the account is not on the list of revoked ones: it would outlive the account.
    Certified,
    /// The policy does not hold: its signer, its form, or a rule that widens another.
    Policy,
    /// Try again later.
    Busy,
    Version,
    /// The tenant's keys are not here yet: `tasuki-admin init`.
    NotInitialised,
    /// The administrator is not signed in.
    AdminSignIn,
    /// The person must show again that it is he.
    Confirm,
    /// A password of those that everybody tries first, or that was in a breach.
    Breached,
    /// A signed document does not hold here: older, by another key, or not naming this server's keys.
    Document,
    /// The server's certificate is the organisation's own, and so must the next one be: it makes none in its place.
    OwnCertificate,
    /// Right digits, used already. Said beside the right password to an approved device or an administrator's key (T52).
    DigitsUsed,
    /// The invitation was made for another name.
    OtherName,
    /// Too many requests came from one address; `Retry-After` says when there is room again. T59.
    TooMany,
    /// Too many sign-ins at devices that are not approved were wrong from one address: none is looked at until then. R5.
    TooManyWrong,
}
