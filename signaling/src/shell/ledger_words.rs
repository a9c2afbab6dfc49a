//! What the server's paths saw, in the ledger's words, with people's names in place of numbers.

use std::collections::HashMap;

use sqlx::Row as _;
use tasuki_protocol::ledger::event::{self, Entry};
use tasuki_protocol::ledger::words::AdminAction;

use super::kinds::Told;
use super::names::{Cell, Names, Person};
use super::store::{Event, Store};

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
            None if event.kind.brings_its_author() => event.target.clone(),
            None => event.kind.by_the_machine().unwrap_or_default().to_owned(),
        };
        let target = match operator.as_deref() {
            Some(name) if event.target.is_empty() => name.to_owned(),
            Some(_) | None => event.target.clone(),
        };
        let happened = match event.kind.told() {
            Told::Act(action) => {
                event::Event::AdminDid { admin, action, target, detail: event.detail.clone() }
            }
            Told::Own(happened) => happened,
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

/// Before there is a key to seal records to, only what leads there is done: it is told of afterwards
/// ([`super::ledger::Ledger::tell_of_beginning`]). Everything else that an administrator does waits for it (S56).
pub(super) fn may_go_unrecorded(entry: &Entry) -> bool {
    let event::Event::AdminDid { action, .. } = &entry.event else { return true };
    matches!(
        action,
        AdminAction::AdminEnrolled
            | AdminAction::LoggedIn
            | AdminAction::LoggedOut
            | AdminAction::BundlePublished
    )
}
