//! The words of signed documents and of the administrator's requests.

use tasuki_protocol::{
    admin::{OperatorChange, OperatorState, ProblemCode, TokenOf},
    bundle::Bundle,
    consent::Answer,
    grant::Change,
    ids::{DeviceKey, Digest, PROTOCOL_VERSION, Role, TenantId},
    message::Asked,
    policy::{exchange::SessionStage, preset::Preset},
    receipt::{Ender, ReceiptPathKind},
    rights::{Capability, Mode},
    terms::{AddressDisclosure, Approval, Requirement},
};

use crate::Snapshots;

#[test]
fn roles_and_modes_keep_their_words() {
    let mut all = Snapshots::default();
    all.json("Role::Operator", &Role::Operator, r#""operator""#);
    all.json("Role::Agent", &Role::Agent, r#""agent""#);
    all.postcard("Role::Operator", &Role::Operator, "00");
    all.postcard("Role::Agent", &Role::Agent, "01");
    all.json("Mode::Manage", &Mode::Manage, r#""manage""#);
    all.json("Mode::Control", &Mode::Control, r#""control""#);
    all.json("Mode::View", &Mode::View, r#""view""#);
    all.json("Mode::Share", &Mode::Share, r#""share""#);
    all.json("Mode::Show", &Mode::Show, r#""show""#);
    all.assert_same();
}

#[test]
fn capabilities_keep_their_words() {
    use Capability as C;
    let mut all = Snapshots::default();
    all.json("Capability::SeeScreen", &C::SeeScreen, r#""see_screen""#);
    all.json("Capability::Operate", &C::Operate, r#""operate""#);
    all.json("Capability::ChooseScreen", &C::ChooseScreen, r#""choose_screen""#);
    all.json("Capability::FetchFiles", &C::FetchFiles, r#""fetch_files""#);
    all.json("Capability::SendFiles", &C::SendFiles, r#""send_files""#);
    all.json("Capability::ReadClipboard", &C::ReadClipboard, r#""read_clipboard""#);
    all.json("Capability::WriteClipboard", &C::WriteClipboard, r#""write_clipboard""#);
    all.json("Capability::Screenshot", &C::Screenshot, r#""screenshot""#);
    all.json("Capability::Record", &C::Record, r#""record""#);
    all.json("Capability::Chat", &C::Chat, r#""chat""#);
    all.json("Capability::Point", &C::Point, r#""point""#);
    all.json("Capability::Reconnect", &C::Reconnect, r#""reconnect""#);
    all.postcard("Capability::SeeScreen", &C::SeeScreen, "00");
    all.postcard("Capability::Reconnect", &C::Reconnect, "0b");
    all.assert_same();
}

#[test]
fn changes_of_rights_and_receipts_keep_their_words() {
    let mut all = Snapshots::default();
    all.json("Change::Granted", &Change::Granted, r#""granted""#);
    all.json("Change::Refused", &Change::Refused, r#""refused""#);
    all.json("Change::Silent", &Change::Silent, r#""silent""#);
    all.json("Change::TakenAway", &Change::TakenAway, r#""taken_away""#);
    all.json("Change::GivenBack", &Change::GivenBack, r#""given_back""#);
    all.json("Asked::MoreRights", &Asked::MoreRights, r#""more_rights""#);
    all.json("ReceiptPathKind::Direct", &ReceiptPathKind::Direct, r#""direct""#);
    all.json("ReceiptPathKind::Relayed", &ReceiptPathKind::Relayed, r#""relayed""#);
    all.json("Ender::Operator", &Ender::Operator, r#""operator""#);
    all.json("Ender::Agent", &Ender::Agent, r#""agent""#);
    all.json("Ender::Server", &Ender::Server, r#""server""#);
    all.json("Ender::Nobody", &Ender::Nobody, r#""nobody""#);
    all.assert_same();
}

#[test]
fn policies_and_answers_keep_their_words() {
    let mut all = Snapshots::default();
    all.json("Requirement::Off", &Requirement::Off, r#""off""#);
    all.json("Requirement::Optional", &Requirement::Optional, r#""optional""#);
    all.json("Requirement::Required", &Requirement::Required, r#""required""#);
    all.json("AddressDisclosure::RelayOnly", &AddressDisclosure::RelayOnly, r#""relay-only""#);
    all.json("AddressDisclosure::Public", &AddressDisclosure::Public, r#""public""#);
    all.json("AddressDisclosure::All", &AddressDisclosure::All, r#""all""#);
    all.json("Answer::Accepted", &Answer::Accepted, r#""accepted""#);
    all.json("Answer::Refused", &Answer::Refused, r#""refused""#);
    all.json("Answer::Silent", &Answer::Silent, r#""silent""#);
    all.assert_same();
}

#[test]
fn a_policy_keeps_its_words() {
    let mut all = Snapshots::default();
    all.json("Approval::Never", &Approval::Never, r#""never""#);
    all.json("Approval::Ask", &Approval::Ask, r#""ask""#);
    all.json("Approval::Allow", &Approval::Allow, r#""allow""#);
    all.json("Preset::Teach", &Preset::Teach, r#""teach""#);
    all.json("Preset::ViewOnly", &Preset::ViewOnly, r#""view-only""#);
    let preset = Preset::ControlWithoutFiles;
    all.json("Preset::ControlWithoutFiles", &preset, r#""control-without-files""#);
    all.json("Preset::ApplicationsOnly", &Preset::ApplicationsOnly, r#""applications-only""#);
    all.json("Preset::Full", &Preset::Full, r#""full""#);
    all.json("SessionStage::Waiting", &SessionStage::Waiting, r#""waiting""#);
    all.json("SessionStage::Meeting", &SessionStage::Meeting, r#""meeting""#);
    all.json("SessionStage::Paired", &SessionStage::Paired, r#""paired""#);
    all.assert_same();
}

#[test]
fn an_administrators_words_are_kept() {
    let mut all = Snapshots::default();
    all.json("OperatorState::Enabled", &OperatorState::Enabled, r#""enabled""#);
    all.json("OperatorState::Disabled", &OperatorState::Disabled, r#""disabled""#);
    all.json("TokenOf::Setup", &TokenOf::Setup, r#""setup""#);
    all.json("TokenOf::Administrator", &TokenOf::Administrator, r#""administrator""#);
    all.json("OperatorChange::Disable", &OperatorChange::Disable, r#""disable""#);
    all.json("OperatorChange::Enable", &OperatorChange::Enable, r#""enable""#);
    all.json("OperatorChange::Remove", &OperatorChange::Remove, r#""remove""#);
    all.json("OperatorChange::NewCode", &OperatorChange::NewCode, r#""new_code""#);
    all.json("OperatorChange::Unlock", &OperatorChange::Unlock, r#""unlock""#);
    let forget = OperatorChange::ForgetAuthenticator;
    all.json("OperatorChange::ForgetAuthenticator", &forget, r#""forget_authenticator""#);
    all.json("ProblemCode::SignIn", &ProblemCode::SignIn, r#""sign_in""#);
    all.json("ProblemCode::Unauthorised", &ProblemCode::Unauthorised, r#""unauthorised""#);
    all.json("ProblemCode::Malformed", &ProblemCode::Malformed, r#""malformed""#);
    all.json("ProblemCode::Taken", &ProblemCode::Taken, r#""taken""#);
    all.json("ProblemCode::Unusable", &ProblemCode::Unusable, r#""unusable""#);
    all.json("ProblemCode::NotFound", &ProblemCode::NotFound, r#""not_found""#);
    all.json("ProblemCode::Conflict", &ProblemCode::Conflict, r#""conflict""#);
    all.json("ProblemCode::Yourself", &ProblemCode::Yourself, r#""yourself""#);
    all.json("ProblemCode::Certified", &ProblemCode::Certified, r#""certified""#);
    all.json("ProblemCode::Policy", &ProblemCode::Policy, r#""policy""#);
    all.json("ProblemCode::DigitsUsed", &ProblemCode::DigitsUsed, r#""digits_used""#);
    all.json("ProblemCode::OtherName", &ProblemCode::OtherName, r#""other_name""#);
    all.json("ProblemCode::TooMany", &ProblemCode::TooMany, r#""too_many""#);
    all.json("ProblemCode::TooManyWrong", &ProblemCode::TooManyWrong, r#""too_many_wrong""#);
    all.json("ProblemCode::Busy", &ProblemCode::Busy, r#""busy""#);
    all.json("ProblemCode::Version", &ProblemCode::Version, r#""version""#);
    all.json("ProblemCode::NotInitialised", &ProblemCode::NotInitialised, r#""not_initialised""#);
    all.json("ProblemCode::AdminSignIn", &ProblemCode::AdminSignIn, r#""admin_sign_in""#);
    all.json("ProblemCode::Confirm", &ProblemCode::Confirm, r#""confirm""#);
    all.json("ProblemCode::Breached", &ProblemCode::Breached, r#""breached""#);
    all.json("ProblemCode::Document", &ProblemCode::Document, r#""document""#);
    all.json("ProblemCode::OwnCertificate", &ProblemCode::OwnCertificate, r#""own_certificate""#);
    all.assert_same();
}

/// T69: programs of before read a bundle whose root was never changed, and this one reads theirs.
#[test]
fn a_bundle_names_words_of_former_roots_where_there_are_any() {
    let bundle = |earlier_decrees| Bundle {
        v: PROTOCOL_VERSION,
        version: 7,
        tenant: TenantId([1; 8]),
        organisation: "Example".to_owned(),
        host: "help.example".to_owned(),
        port: 443,
        root: DeviceKey([2; 32]),
        server_pins: Vec::new(),
        manifest_keys: Vec::new(),
        checkpoint_keys: Vec::new(),
        lock_keys: Vec::new(),
        log_keys: Vec::new(),
        wrapped_log_keys: None,
        least_list: None,
        earlier_decrees,
        issued_at: 3,
        expires_at: 4,
    };
    let (key, words) = ("02".repeat(32), "05".repeat(32));
    let keys =
        r#""server_pins":[],"manifest_keys":[],"checkpoint_keys":[],"lock_keys":[],"log_keys":[]"#;
    let head = format!(
        r#"{{"v":1,"version":7,"tenant":"0101010101010101","organisation":"Example","host":"help.example","port":443,"root":"{key}",{keys}"#
    );
    let mut all = Snapshots::default();
    let without = format!(r#"{head},"issued_at":3,"expires_at":4}}"#);
    all.json("Bundle", &bundle(Vec::new()), &without);
    let with = format!(r#"{head},"earlier_decrees":["{words}"],"issued_at":3,"expires_at":4}}"#);
    all.json("Bundle, its root changed", &bundle(vec![Digest([5; 32])]), &with);
    all.assert_same();
}
