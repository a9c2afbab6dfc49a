//! What the server's paths saw, in the ledger's words, with people's names in place of numbers.

use std::collections::HashMap;

use sqlx::Row as _;
use tasuki_protocol::ledger::event::{self, Entry};
use tasuki_protocol::ledger::words::{AdminAction, LogoutCause};

use super::names::{Cell, Names, Person};
use super::recovery::RECOVERY_TOKEN_MADE;
use super::store::{Event, Store};

/// Who stands in the ledger where no administrator acted but somebody at the server's machine.
const BY_THE_MACHINE: &str = "tasuki-server recovery-token";

/// Account names by their rows' numbers; a removed account keeps its name here.
#[derive(Debug)]
pub(crate) struct Words {
    pub(super) names: Names,
    known: HashMap<i64, String>,
}

impl Words {
    pub(crate) fn new(names: Names) -> Self {
        Self { names, known: HashMap::new() }
    }

    pub(crate) async fn entry(&mut self, event: &Event, store: &Store) -> Entry {
        let operator = match event.operator {
            Some(id) => Some(self.name(id, store).await),
            None => None,
        };
        let admin = match event.admin {
            Some(id) => self.name(-id, store).await,
            // He comes with this act.
            None if matches!(event.kind, "admin.enrolled" | "admin.recovered") => event.target.clone(),
            None if event.kind == RECOVERY_TOKEN_MADE => BY_THE_MACHINE.to_owned(),
            None => String::new(),
        };
        let target = match operator.as_deref() {
            Some(name) if event.target.is_empty() => name.to_owned(),
            Some(_) | None => event.target.clone(),
        };
        let did = |action| event::Event::AdminDid {
            admin: admin.clone(),
            action,
            target: target.clone(),
            detail: event.detail.clone(),
        };
        let happened = match event.kind {
            "logout" => event::Event::LoggedOut { why: LogoutCause::Asked },
            "admin.enrolled" => did(AdminAction::AdminEnrolled),
            "admin.recovered" => did(AdminAction::AdminRecovered),
            RECOVERY_TOKEN_MADE => did(AdminAction::RecoveryTokenMade),
            "admin.login" => did(AdminAction::LoggedIn),
            "admin.logout" => did(AdminAction::LoggedOut),
            "admin.invited" => did(AdminAction::AdminInvited),
            "admin.enabled" => did(AdminAction::AdminEnabled),
            "admin.disabled" => did(AdminAction::AdminDisabled),
            "admin.removed" => did(AdminAction::AdminRemoved),
            "admin.unlocked" => did(AdminAction::AdminUnlocked),
            "operator.authenticator_forgotten" => did(AdminAction::AuthenticatorForgotten),
            "operator.limited" => did(AdminAction::OperatorChanged),
            "group.added" | "group.removed" | "group.joined" | "group.left" => {
                did(AdminAction::GroupChanged)
            }
            "device.approved" => did(AdminAction::DeviceApproved),
            "device.revoked" => did(AdminAction::DeviceRevoked),
            "key.prepared" => did(AdminAction::KeyRotated),
            "policy.published" => did(AdminAction::PolicyPublished),
            "session.ended_by_admin" => did(AdminAction::SessionEnded),
            "bundle.published" => did(AdminAction::BundlePublished),
            "operator.added" => did(AdminAction::OperatorAdded),
            "operator.disabled" => did(AdminAction::OperatorDisabled),
            "operator.enabled" => did(AdminAction::OperatorEnabled),
            "operator.removed" => did(AdminAction::OperatorRemoved),
            "operator.code" => did(AdminAction::CodeIssued),
            "operator.unlocked" => did(AdminAction::OperatorUnlocked),
            other => event::Event::AdminDid {
                admin,
                action: AdminAction::SettingsChanged,
                target,
                detail: format!("{other} {}", event.detail).trim_end().to_owned(),
            },
        };
        Entry::server(happened).of(None, operator)
    }

    async fn name(&mut self, id: i64, store: &Store) -> String {
        let find = if id < 0 {
            sqlx::query("SELECT person FROM admins WHERE id = -?").bind(id)
        } else {
            sqlx::query("SELECT person FROM operators WHERE id = ?").bind(id)
        };
        let row = find.fetch_optional(&store.pool).await.ok().flatten();
        let sealed = row.and_then(|row| row.try_get::<Vec<u8>, _>(0).ok());
        if let Some(person) = sealed.and_then(|sealed| self.names.open::<Person>(Cell::Person, &sealed))
        {
            self.known.insert(id, person.name);
        }
        self.known.get(&id).cloned().unwrap_or_else(|| format!("#{id}"))
    }
}
