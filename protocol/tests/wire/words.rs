//! The single words that stand in records of the ledger.

use tasuki_protocol::ledger::words::{
    AdminAction, Class, Direction, FileVerdict, LockedOut, LoginFailure, LogoutCause, Overwrote,
    ReadPurpose, Repeated, Witness,
};

use crate::Snapshots;

#[test]
fn the_small_words_of_records_are_kept() {
    let mut all = Snapshots::default();
    all.json("Witness::Server", &Witness::Server, r#""server""#);
    all.json("Witness::Operator", &Witness::Operator, r#""operator""#);
    all.json("Witness::Agent", &Witness::Agent, r#""agent""#);
    all.json("Class::Server", &Class::Server, r#""server""#);
    all.json("Class::Login", &Class::Login, r#""login""#);
    all.json("Class::Admin", &Class::Admin, r#""admin""#);
    all.json("Class::Session", &Class::Session, r#""session""#);
    all.json("Class::Content", &Class::Content, r#""content""#);
    all.json("LoginFailure::UnknownAccount", &LoginFailure::UnknownAccount, r#""unknown_account""#);
    all.json("LoginFailure::Password", &LoginFailure::Password, r#""password""#);
    all.json("LoginFailure::SecondFactor", &LoginFailure::SecondFactor, r#""second_factor""#);
    all.json("LoginFailure::Device", &LoginFailure::Device, r#""device""#);
    all.json("LoginFailure::EnrolmentCode", &LoginFailure::EnrolmentCode, r#""enrolment_code""#);
    all.json("LoginFailure::Locked", &LoginFailure::Locked, r#""locked""#);
    all.json("LoginFailure::Disabled", &LoginFailure::Disabled, r#""disabled""#);
    all.json("LoginFailure::Place", &LoginFailure::Place, r#""place""#);
    all.json("LoginFailure::Hours", &LoginFailure::Hours, r#""hours""#);
    all.json("LoginFailure::Limits", &LoginFailure::Limits, r#""limits""#);
    all.json("LockedOut::ThisDevice", &LockedOut::ThisDevice, r#""this_device""#);
    all.json("LockedOut::UnknownDevices", &LockedOut::UnknownDevices, r#""unknown_devices""#);
    all.json("LogoutCause::Asked", &LogoutCause::Asked, r#""asked""#);
    all.json("LogoutCause::Expired", &LogoutCause::Expired, r#""expired""#);
    all.json("LogoutCause::Revoked", &LogoutCause::Revoked, r#""revoked""#);
    all.json("Repeated::Refusals", &Repeated::Refusals, r#""refusals""#);
    all.json("Repeated::Screenshots", &Repeated::Screenshots, r#""screenshots""#);
    all.json("Repeated::Violations", &Repeated::Violations, r#""violations""#);
    all.json("Repeated::Questions", &Repeated::Questions, r#""questions""#);
    all.json("Repeated::Changes", &Repeated::Changes, r#""changes""#);
    all.json("Repeated::Paths", &Repeated::Paths, r#""paths""#);
    all.json("ReadPurpose::List", &ReadPurpose::List, r#""list""#);
    all.json("ReadPurpose::Show", &ReadPurpose::Show, r#""show""#);
    all.json("ReadPurpose::Search", &ReadPurpose::Search, r#""search""#);
    all.json("ReadPurpose::Verify", &ReadPurpose::Verify, r#""verify""#);
    all.json("ReadPurpose::Export", &ReadPurpose::Export, r#""export""#);
    all.json("ReadPurpose::Report", &ReadPurpose::Report, r#""report""#);
    all.json("Direction::ToOperator", &Direction::ToOperator, r#""to_operator""#);
    all.json("Direction::ToUser", &Direction::ToUser, r#""to_user""#);
    all.json("Overwrote::Nothing", &Overwrote::Nothing, r#""nothing""#);
    all.json("Overwrote::Announced", &Overwrote::Announced, r#""announced""#);
    all.json("FileVerdict::Delivered", &FileVerdict::Delivered, r#""delivered""#);
    all.json("FileVerdict::RefusedByUser", &FileVerdict::RefusedByUser, r#""refused_by_user""#);
    all.json("FileVerdict::RefusedByRule", &FileVerdict::RefusedByRule, r#""refused_by_rule""#);
    all.json("FileVerdict::Vetoed", &FileVerdict::Vetoed, r#""vetoed""#);
    all.json("FileVerdict::Failed", &FileVerdict::Failed, r#""failed""#);
    all.json("FileVerdict::Cancelled", &FileVerdict::Cancelled, r#""cancelled""#);
    all.assert_same();
}

#[test]
fn the_acts_of_administrators_keep_their_words() {
    let mut all = Snapshots::default();
    all.json("AdminAction::AdminEnrolled", &AdminAction::AdminEnrolled, r#""admin_enrolled""#);
    all.json("AdminAction::AdminInvited", &AdminAction::AdminInvited, r#""admin_invited""#);
    all.json("AdminAction::AdminEnabled", &AdminAction::AdminEnabled, r#""admin_enabled""#);
    all.json("AdminAction::AdminDisabled", &AdminAction::AdminDisabled, r#""admin_disabled""#);
    all.json("AdminAction::AdminUnlocked", &AdminAction::AdminUnlocked, r#""admin_unlocked""#);
    let own = AdminAction::PasswordChanged;
    all.json("AdminAction::PasswordChanged", &own, r#""password_changed""#);
    all.json("AdminAction::PasswordReset", &AdminAction::PasswordReset, r#""password_reset""#);
    let withdrawn = AdminAction::InvitationWithdrawn;
    all.json("AdminAction::InvitationWithdrawn", &withdrawn, r#""invitation_withdrawn""#);
    let forgotten = AdminAction::AuthenticatorForgotten;
    all.json("AdminAction::AuthenticatorForgotten", &forgotten, r#""authenticator_forgotten""#);
    all.json("AdminAction::AdminRemoved", &AdminAction::AdminRemoved, r#""admin_removed""#);
    let made = AdminAction::RecoveryTokenMade;
    all.json("AdminAction::RecoveryTokenMade", &made, r#""recovery_token_made""#);
    all.json("AdminAction::AdminRecovered", &AdminAction::AdminRecovered, r#""admin_recovered""#);
    all.json("AdminAction::BackupMade", &AdminAction::BackupMade, r#""backup_made""#);
    all.json("AdminAction::LoggedIn", &AdminAction::LoggedIn, r#""logged_in""#);
    all.json("AdminAction::LoggedOut", &AdminAction::LoggedOut, r#""logged_out""#);
    all.json("AdminAction::OperatorAdded", &AdminAction::OperatorAdded, r#""operator_added""#);
    all.json("AdminAction::OperatorEnabled", &AdminAction::OperatorEnabled, r#""operator_enabled""#);
    all.json("AdminAction::OperatorDisabled", &AdminAction::OperatorDisabled, r#""operator_disabled""#);
    all.json("AdminAction::OperatorRemoved", &AdminAction::OperatorRemoved, r#""operator_removed""#);
    all.json("AdminAction::OperatorUnlocked", &AdminAction::OperatorUnlocked, r#""operator_unlocked""#);
    all.json("AdminAction::OperatorChanged", &AdminAction::OperatorChanged, r#""operator_changed""#);
    all.json("AdminAction::CodeIssued", &AdminAction::CodeIssued, r#""code_issued""#);
    all.json("AdminAction::DeviceApproved", &AdminAction::DeviceApproved, r#""device_approved""#);
    all.json("AdminAction::DeviceRevoked", &AdminAction::DeviceRevoked, r#""device_revoked""#);
    all.json("AdminAction::GroupChanged", &AdminAction::GroupChanged, r#""group_changed""#);
    all.json("AdminAction::PolicyPublished", &AdminAction::PolicyPublished, r#""policy_published""#);
    all.json("AdminAction::SessionEnded", &AdminAction::SessionEnded, r#""session_ended""#);
    all.json("AdminAction::BundlePublished", &AdminAction::BundlePublished, r#""bundle_published""#);
    all.json("AdminAction::KeyRotated", &AdminAction::KeyRotated, r#""key_rotated""#);
    all.json("AdminAction::RecordingFetched", &AdminAction::RecordingFetched, r#""recording_fetched""#);
    all.byte("Class::Server", Class::Server as u8, 1);
    all.byte("Class::Login", Class::Login as u8, 2);
    all.byte("Class::Admin", Class::Admin as u8, 3);
    all.byte("Class::Session", Class::Session as u8, 4);
    all.byte("Class::Content", Class::Content as u8, 5);
    all.assert_same();
}
