//! The words of sign-ins, devices, keys, groups and administrators.

use tasuki_protocol::admin::{AdminChange, AdminLoginAnswer, AdminSignIn, GroupChange};
use tasuki_protocol::devices::DeviceState;
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::keys::ServerKeyKind;
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::login::{Authenticator, LoginAnswer, LoginResponse};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::Requirement;

use crate::Snapshots;

#[test]
fn answers_to_a_login_keep_their_words() {
    let mut all = Snapshots::default();
    let response = LoginResponse {
        token: "t".to_owned(),
        expires_in: 60,
        tenant: TenantId([1; 8]),
        organisation: "Example".to_owned(),
        display_name: "Hanako".to_owned(),
        modes: vec![Mode::View],
        reason: Requirement::Optional,
        certified_until: None,
    };
    all.json(
        "LoginAnswer::SignedIn",
        &LoginAnswer::SignedIn(response.clone()),
        r#"{"type":"signed_in","token":"t","expires_in":60,"tenant":"0101010101010101","organisation":"Example","display_name":"Hanako","modes":["view"]}"#,
    );
    let certified_until = Some(1_795_564_800);
    let asked = LoginResponse { reason: Requirement::Required, certified_until, ..response };
    all.json(
        "LoginAnswer::SignedIn",
        &LoginAnswer::SignedIn(asked),
        r#"{"type":"signed_in","token":"t","expires_in":60,"tenant":"0101010101010101","organisation":"Example","display_name":"Hanako","modes":["view"],"reason":"required","certified_until":1795564800}"#,
    );
    all.json("LoginAnswer::NeedsTotp", &LoginAnswer::NeedsTotp, r#"{"type":"needs_totp"}"#);
    let set_up = LoginAnswer::TotpSetup { uri: "otpauth:x".to_owned() };
    all.json("LoginAnswer::TotpSetup", &set_up, r#"{"type":"totp_setup","uri":"otpauth:x"}"#);
    let pending = LoginAnswer::DevicePending;
    all.json("LoginAnswer::DevicePending", &pending, r#"{"type":"device_pending"}"#);
    let locked = LoginAnswer::Locked { seconds: 9 };
    all.json("LoginAnswer::Locked", &locked, r#"{"type":"locked","seconds":9}"#);
    let revoked = LoginAnswer::DeviceRevoked;
    all.json("LoginAnswer::DeviceRevoked", &revoked, r#"{"type":"device_revoked"}"#);
    let hours = LoginAnswer::OutsideHours { opens: Some(9), zone: "Asia/Tokyo".to_owned() };
    all.json(
        "LoginAnswer::OutsideHours",
        &hours,
        r#"{"type":"outside_hours","opens":9,"zone":"Asia/Tokyo"}"#,
    );
    let addresses = LoginAnswer::OutsideAddresses;
    all.json("LoginAnswer::OutsideAddresses", &addresses, r#"{"type":"outside_addresses"}"#);
    let hardware = LoginAnswer::OutsideHardware;
    all.json("LoginAnswer::OutsideHardware", &hardware, r#"{"type":"outside_hardware"}"#);
    let unreadable = LoginAnswer::LimitsUnreadable;
    all.json("LoginAnswer::LimitsUnreadable", &unreadable, r#"{"type":"limits_unreadable"}"#);
    all.json("Authenticator::Keep", &Authenticator::Keep, r#""keep""#);
    all.json("Authenticator::SetUp", &Authenticator::SetUp, r#""set_up""#);
    all.assert_same();
}

#[test]
fn answers_to_an_administrators_login_keep_their_words() {
    use AdminLoginAnswer as A;
    let mut all = Snapshots::default();
    let sign_in = AdminSignIn { session: "s".to_owned(), expires_in: 60 };
    all.json("AdminSignIn", &sign_in, r#"{"session":"s","expires_in":60}"#);
    all.json(
        "AdminLoginAnswer::SignedIn",
        &A::SignedIn(sign_in),
        r#"{"type":"signed_in","session":"s","expires_in":60}"#,
    );
    all.json("AdminLoginAnswer::NeedsTotp", &A::NeedsTotp, r#"{"type":"needs_totp"}"#);
    let set_up = A::TotpSetup { uri: "otpauth:x".to_owned() };
    all.json("AdminLoginAnswer::TotpSetup", &set_up, r#"{"type":"totp_setup","uri":"otpauth:x"}"#);
    let locked = A::Locked { seconds: 9 };
    all.json("AdminLoginAnswer::Locked", &locked, r#"{"type":"locked","seconds":9}"#);
    let hours = A::OutsideHours { opens: None, zone: "UTC".to_owned() };
    all.json(
        "AdminLoginAnswer::OutsideHours",
        &hours,
        r#"{"type":"outside_hours","opens":null,"zone":"UTC"}"#,
    );
    let addresses = A::OutsideAddresses;
    all.json("AdminLoginAnswer::OutsideAddresses", &addresses, r#"{"type":"outside_addresses"}"#);
    let hardware = A::OutsideHardware;
    all.json("AdminLoginAnswer::OutsideHardware", &hardware, r#"{"type":"outside_hardware"}"#);
    let unreadable = A::LimitsUnreadable;
    all.json("AdminLoginAnswer::LimitsUnreadable", &unreadable, r#"{"type":"limits_unreadable"}"#);
    // As the ledger has it that somebody set them.
    all.json("AdminAction::AdminLimited", &AdminAction::AdminLimited, r#""admin_limited""#);
    all.assert_same();
}

#[test]
fn changes_of_accounts_keys_and_devices_keep_their_words() {
    use {AdminChange as A, DeviceState as D, GroupChange as G, ServerKeyKind as K};
    let mut all = Snapshots::default();
    all.json("AdminChange::Disable", &A::Disable, r#""disable""#);
    all.json("AdminChange::Enable", &A::Enable, r#""enable""#);
    all.json("AdminChange::Remove", &A::Remove, r#""remove""#);
    all.json("AdminChange::Unlock", &A::Unlock, r#""unlock""#);
    all.json("GroupChange::Add", &G::Add, r#""add""#);
    all.json("GroupChange::Remove", &G::Remove, r#""remove""#);
    let join = G::Join { operator: "x".to_owned() };
    all.json("GroupChange::Join", &join, r#"{"join":{"operator":"x"}}"#);
    let leave = G::Leave { operator: "x".to_owned() };
    all.json("GroupChange::Leave", &leave, r#"{"leave":{"operator":"x"}}"#);
    all.json("DeviceState::Pending", &D::Pending, r#""pending""#);
    all.json("DeviceState::Approved", &D::Approved, r#""approved""#);
    all.json("DeviceState::Expired", &D::Expired, r#""expired""#);
    all.json("DeviceState::Revoked", &D::Revoked, r#""revoked""#);
    all.json("ServerKeyKind::Manifest", &K::Manifest, r#""manifest""#);
    all.json("ServerKeyKind::Server", &K::Server, r#""server""#);
    all.assert_same();
}
