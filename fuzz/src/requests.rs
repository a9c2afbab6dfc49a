//! Requests to the server's API, as bytes: a line of method and path, headers, an empty line, a body.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use tasuki_protocol::{
    admin::{
        ADMIN_CHANGES_PATH, ADMIN_HEADER, ADMIN_LIMITS_PATH, ADMIN_LOGIN_PATH, ADMIN_PASSWORD_PATH,
        ADMINS_PATH, AddAdmin, AddOperator, AdminLogin, ChangeAdmin, ChangeAdminPassword, ChangeGroup,
        ChangeOperator, CheckToken, ENROL_PATH, EnrolAdmin, GROUPS_PATH, INVITATIONS_PATH, JOIN_PATH,
        LimitAdmin, LimitOperator, NameOperator, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH,
        OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH, OPERATORS_PATH, RECOVER_PATH, RecoverAdmin,
        ResetPassword, TOKEN_PATH, WithdrawInvitations,
    },
    devices::{APPROVE_PATH, ApproveDevice, REVOKE_PATH, RevokeDevices},
    dsse,
    keys::{PREPARE_KEY_PATH, PUBLISH_PATH, PrepareKey, PublishBundle},
    ledger::wire::{
        ACKNOWLEDGE_PATH, ADMIN_CHECKPOINT_PATH, AskCheckpoint, CHECKPOINT_PATH, Decree, END_ROWS_PATH,
        EndRows, OPEN_LEDGER_PATH, OpenLedger, PRUNE_PATH, READ_ROWS_PATH, REVIEW_PATH, ReadRows,
        Review,
    },
    login::{
        CONFIRM_PATH, ChangePassword, Confirmation, LOGIN_PATH, LOGOUT_PATH, LoginRequest,
        PASSWORD_PATH, SignOut,
    },
    policy::{
        Policy,
        exchange::{EndSession, POLICY_PATH, SESSIONS_PATH},
    },
};
use tasuki_signaling::core::heads::{self, Claim};

/// Whether the bytes are such a body.
type Read = fn(&[u8]) -> bool;

/// How the server reads the body that a path takes. The replay holds this to the API's description.
pub(crate) const BODIES: &[(&str, Read)] = &[
    (LOGIN_PATH, body::<LoginRequest>),
    (CONFIRM_PATH, body::<Confirmation>),
    (PASSWORD_PATH, body::<ChangePassword>),
    (LOGOUT_PATH, body::<SignOut>),
    (ADMINS_PATH, body::<AddAdmin>),
    (ADMIN_CHANGES_PATH, body::<ChangeAdmin>),
    (ADMIN_LIMITS_PATH, body::<LimitAdmin>),
    (ADMIN_PASSWORD_PATH, body::<ChangeAdminPassword>),
    (INVITATIONS_PATH, body::<WithdrawInvitations>),
    (PUBLISH_PATH, body::<PublishBundle>),
    (APPROVE_PATH, body::<ApproveDevice>),
    (REVOKE_PATH, body::<RevokeDevices>),
    (ENROL_PATH, body::<EnrolAdmin>),
    (GROUPS_PATH, body::<ChangeGroup>),
    (JOIN_PATH, body::<EnrolAdmin>),
    (RECOVER_PATH, body::<RecoverAdmin>),
    (TOKEN_PATH, body::<CheckToken>),
    (PREPARE_KEY_PATH, body::<PrepareKey>),
    (ACKNOWLEDGE_PATH, body::<Decree>),
    (ADMIN_CHECKPOINT_PATH, body::<AskCheckpoint>),
    (OPEN_LEDGER_PATH, body::<OpenLedger>),
    (PRUNE_PATH, body::<Decree>),
    (REVIEW_PATH, body::<Review>),
    (READ_ROWS_PATH, body::<ReadRows>),
    (ADMIN_LOGIN_PATH, body::<AdminLogin>),
    (OPERATORS_PATH, body::<AddOperator>),
    (OPERATOR_CHANGES_PATH, body::<ChangeOperator>),
    (OPERATOR_LIMITS_PATH, body::<LimitOperator>),
    (OPERATOR_PASSWORD_PATH, body::<ResetPassword>),
    (OPERATOR_NAMING_PATH, body::<NameOperator>),
    (POLICY_PATH, policy),
    (SESSIONS_PATH, body::<EndSession>),
    (CHECKPOINT_PATH, body::<AskCheckpoint>),
    (END_ROWS_PATH, body::<EndRows>),
];

/// What a request has behind its empty line, where one of them has it.
pub(crate) fn body_of(request: &[u8]) -> Option<&[u8]> {
    let gap = request.windows(2).position(|two| two == b"\n\n")?;
    request.get(gap + 2..)
}

pub(super) fn api_request(bytes: &[u8]) {
    let body = body_of(bytes).unwrap_or_default();
    let Ok(head) = std::str::from_utf8(&bytes[..bytes.len() - body.len()]) else { return };
    let mut lines = head.split('\n');
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        header(name, value);
    }
    for (_, read) in BODIES.iter().filter(|(known, _)| *known == path) {
        read(body);
    }
}

fn header(name: &str, value: &str) {
    match name {
        ADMIN_HEADER => {
            let Some(claim) = Claim::read(value) else { return };
            assert!(claim.at >= 0 && (16..=64).contains(&claim.nonce.len()));
            assert!(value.contains(claim.nonce) && claim.signature.len() <= value.len());
        }
        "authorization" => {
            assert!(heads::bearer(value).is_none_or(|token| value.ends_with(token)));
        }
        "x-forwarded-for" => super::forwarded_for(value.as_bytes()),
        _ => {}
    }
}

fn body<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Ok(value) = dsse::strict_json::<T>(bytes) else { return false };
    let again = serde_json::to_vec(&value).expect("what was decoded can be encoded");
    assert_eq!(dsse::strict_json(&again).as_ref(), Ok(&value));
    true
}

/// In its envelope it is signed; what is signed is read beside it.
fn policy(bytes: &[u8]) -> bool {
    super::document::<Policy>(bytes);
    dsse::strict_json::<Policy>(bytes).is_ok()
}
