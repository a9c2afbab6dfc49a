//! What happens outside the rooms, under which name the log and the metrics have it, and what the
//! ledger calls it.

use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::{AdminAction, LogoutCause};

/// Every kind of event that is no room's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    OperatorAdded,
    OperatorDisabled,
    OperatorEnabled,
    OperatorRemoved,
    OperatorCode,
    OperatorUnlocked,
    AuthenticatorForgotten,
    OperatorLimited,
    OperatorNamed,
    OperatorPassword,
    GroupAdded,
    GroupRemoved,
    GroupJoined,
    GroupLeft,
    AdminEnrolled,
    AdminRecovered,
    AdminLogin,
    AdminLogout,
    AdminInvited,
    AdminDisabled,
    AdminEnabled,
    AdminRemoved,
    AdminUnlocked,
    AdminLimited,
    AdminPassword,
    InvitationWithdrawn,
    DeviceApproved,
    DeviceRevoked,
    KeyPrepared,
    BundlePublished,
    PolicyPublished,
    SessionEnded,
    RecoveryTokenMade,
    BackupMade,
    SignedOut,
    /// A line of an operator ended with its time.
    LineExpired,
    /// A line of an operator ended with his account or his device.
    LineRevoked,
    PasswordChanged,
}

/// What the ledger has of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// An act of whoever rules the server.
    Act(AdminAction),
    /// What an operator did, or what befell him.
    Own(Event),
}

impl Kind {
    /// For the log and the metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OperatorAdded => "operator.added",
            Self::OperatorDisabled => "operator.disabled",
            Self::OperatorEnabled => "operator.enabled",
            Self::OperatorRemoved => "operator.removed",
            Self::OperatorCode => "operator.code",
            Self::OperatorUnlocked => "operator.unlocked",
            Self::AuthenticatorForgotten => "operator.authenticator_forgotten",
            Self::OperatorLimited => "operator.limited",
            Self::OperatorNamed => "operator.named",
            Self::OperatorPassword => "operator.password",
            Self::GroupAdded => "group.added",
            Self::GroupRemoved => "group.removed",
            Self::GroupJoined => "group.joined",
            Self::GroupLeft => "group.left",
            Self::AdminEnrolled => "admin.enrolled",
            Self::AdminRecovered => "admin.recovered",
            Self::AdminLogin => "admin.login",
            Self::AdminLogout => "admin.logout",
            Self::AdminInvited => "admin.invited",
            Self::AdminDisabled => "admin.disabled",
            Self::AdminEnabled => "admin.enabled",
            Self::AdminRemoved => "admin.removed",
            Self::AdminUnlocked => "admin.unlocked",
            Self::AdminLimited => "admin.limited",
            Self::AdminPassword => "admin.password",
            Self::InvitationWithdrawn => "admin.invitation_withdrawn",
            Self::DeviceApproved => "device.approved",
            Self::DeviceRevoked => "device.revoked",
            Self::KeyPrepared => "key.prepared",
            Self::BundlePublished => "bundle.published",
            Self::PolicyPublished => "policy.published",
            Self::SessionEnded => "session.ended_by_admin",
            Self::RecoveryTokenMade => "admin.recovery_token",
            Self::BackupMade => "server.backup",
            Self::SignedOut => "logout",
            Self::LineExpired => "logout.expired",
            Self::LineRevoked => "logout.revoked",
            Self::PasswordChanged => "password.changed",
        }
    }

    pub(super) fn told(self) -> Told {
        match self {
            Self::OperatorAdded => Told::Act(AdminAction::OperatorAdded),
            Self::OperatorDisabled => Told::Act(AdminAction::OperatorDisabled),
            Self::OperatorEnabled => Told::Act(AdminAction::OperatorEnabled),
            Self::OperatorRemoved => Told::Act(AdminAction::OperatorRemoved),
            Self::OperatorCode => Told::Act(AdminAction::CodeIssued),
            Self::OperatorUnlocked => Told::Act(AdminAction::OperatorUnlocked),
            Self::AuthenticatorForgotten => Told::Act(AdminAction::AuthenticatorForgotten),
            Self::OperatorLimited | Self::OperatorNamed => Told::Act(AdminAction::OperatorChanged),
            Self::OperatorPassword => Told::Act(AdminAction::PasswordReset),
            Self::GroupAdded | Self::GroupRemoved | Self::GroupJoined | Self::GroupLeft => {
                Told::Act(AdminAction::GroupChanged)
            }
            Self::AdminEnrolled => Told::Act(AdminAction::AdminEnrolled),
            Self::AdminRecovered => Told::Act(AdminAction::AdminRecovered),
            Self::AdminLogin => Told::Act(AdminAction::LoggedIn),
            Self::AdminLogout => Told::Act(AdminAction::LoggedOut),
            Self::AdminInvited => Told::Act(AdminAction::AdminInvited),
            Self::AdminDisabled => Told::Act(AdminAction::AdminDisabled),
            Self::AdminEnabled => Told::Act(AdminAction::AdminEnabled),
            Self::AdminRemoved => Told::Act(AdminAction::AdminRemoved),
            Self::AdminUnlocked => Told::Act(AdminAction::AdminUnlocked),
            Self::AdminLimited => Told::Act(AdminAction::AdminLimited),
            Self::AdminPassword => Told::Act(AdminAction::PasswordChanged),
            Self::InvitationWithdrawn => Told::Act(AdminAction::InvitationWithdrawn),
            Self::DeviceApproved => Told::Act(AdminAction::DeviceApproved),
            Self::DeviceRevoked => Told::Act(AdminAction::DeviceRevoked),
            Self::KeyPrepared => Told::Act(AdminAction::KeyRotated),
            Self::BundlePublished => Told::Act(AdminAction::BundlePublished),
            Self::PolicyPublished => Told::Act(AdminAction::PolicyPublished),
            Self::SessionEnded => Told::Act(AdminAction::SessionEnded),
            Self::RecoveryTokenMade => Told::Act(AdminAction::RecoveryTokenMade),
            Self::BackupMade => Told::Act(AdminAction::BackupMade),
            Self::SignedOut => Told::Own(Event::LoggedOut { why: LogoutCause::Asked }),
            Self::LineExpired => Told::Own(Event::LoggedOut { why: LogoutCause::Expired }),
            Self::LineRevoked => Told::Own(Event::LoggedOut { why: LogoutCause::Revoked }),
            Self::PasswordChanged => Told::Own(Event::PasswordChanged),
        }
    }

    /// The verb of the server's machine that stands in the ledger where an administrator would.
    pub(super) fn by_the_machine(self) -> Option<&'static str> {
        match self {
            Self::RecoveryTokenMade => Some("tasuki-server recovery-token"),
            Self::BackupMade => Some("tasuki-server backup"),
            Self::OperatorAdded
            | Self::OperatorDisabled
            | Self::OperatorEnabled
            | Self::OperatorRemoved
            | Self::OperatorCode
            | Self::OperatorUnlocked
            | Self::AuthenticatorForgotten
            | Self::OperatorLimited
            | Self::OperatorNamed
            | Self::OperatorPassword
            | Self::GroupAdded
            | Self::GroupRemoved
            | Self::GroupJoined
            | Self::GroupLeft
            | Self::AdminEnrolled
            | Self::AdminRecovered
            | Self::AdminLogin
            | Self::AdminLogout
            | Self::AdminInvited
            | Self::AdminDisabled
            | Self::AdminEnabled
            | Self::AdminRemoved
            | Self::AdminUnlocked
            | Self::AdminLimited
            | Self::AdminPassword
            | Self::InvitationWithdrawn
            | Self::DeviceApproved
            | Self::DeviceRevoked
            | Self::KeyPrepared
            | Self::BundlePublished
            | Self::PolicyPublished
            | Self::SessionEnded
            | Self::SignedOut
            | Self::LineExpired
            | Self::LineRevoked
            | Self::PasswordChanged => None,
        }
    }

    /// Who acts is who comes by this very act.
    pub(super) fn brings_its_author(self) -> bool {
        matches!(self, Self::AdminEnrolled | Self::AdminRecovered)
    }
}
