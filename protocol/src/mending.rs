//! What an administrator mends of accounts that are there: a forgotten password, a name, modes, his own password, an
//! invitation. Where it goes is in [`crate::admin`].

use serde::{Deserialize, Serialize};

use crate::admin::Limits;
use crate::rights::Mode;

/// An operator has forgotten his: an administrator sets another.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    pub operator: String,
    pub password: String,
}

impl std::fmt::Debug for ResetPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResetPassword").field("operator", &self.operator).finish_non_exhaustive()
    }
}

/// What an operator's certificates say beside his devices; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameOperator {
    pub operator: String,
    pub display_name: Option<String>,
    pub modes: Option<Vec<Mode>>,
}

/// From where and when an operator may sign in, and act while he is signed in. S63.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitOperator {
    pub operator: String,
    pub limits: Limits,
}

/// From where and when an administrator may sign in, and act while he is signed in. S63.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitAdmin {
    pub name: String,
    pub limits: Limits,
    /// Those of the computer that asks, as at a sign-in: nobody shuts himself out.
    pub macs: Vec<String>,
}

/// An administrator's own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeAdminPassword {
    pub old: String,
    pub new: String,
}

impl std::fmt::Debug for ChangeAdminPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangeAdminPassword(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddAdmin {
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminAdded {
    /// One-time token for [`crate::admin::JOIN_PATH`].
    pub token: String,
    pub expires_in: u64,
}

impl std::fmt::Debug for AdminAdded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminAdded(..)")
    }
}

/// What is answered to a change that had nothing to do: `changed` is false, and nothing of it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub changed: bool,
}

/// The tokens of [`crate::admin::JOIN_PATH`] that nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationList {
    pub invitations: Vec<InvitationEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationEntry {
    pub name: String,
    /// Unix seconds.
    pub until: u64,
    /// Which administrator made it.
    pub by: String,
}

/// All that were made for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawInvitations {
    pub name: String,
}
