//! The looks of names, as the database keeps them: two that a person takes for one another have
//! one, and no table takes a second of it, whoever comes at the same moment (T8).
//!
//! Which names look alike is the core's matter.

use sqlx::Row as _;
use tasuki_protocol::admin::ProblemCode;

use super::admins::AdminRefused;
use super::names::{Cell, Names, Person};
use super::store::Store;

/// Whose look it is.
#[derive(Debug, Clone, Copy)]
enum Of {
    Account,
    /// As end users see an operator.
    Shown,
    Group,
}

/// Each with what finds names and looks, and what sets a look.
const TABLES: [(Of, &str, &str); 4] = [
    (
        Of::Account,
        "SELECT id, person, look FROM operators ORDER BY id",
        "UPDATE OR IGNORE operators SET look = ? WHERE id = ?",
    ),
    (
        Of::Shown,
        "SELECT id, person, shown_look FROM operators ORDER BY id",
        "UPDATE OR IGNORE operators SET shown_look = ? WHERE id = ?",
    ),
    (
        Of::Account,
        "SELECT id, person, look FROM admins ORDER BY id",
        "UPDATE OR IGNORE admins SET look = ? WHERE id = ?",
    ),
    (
        Of::Group,
        "SELECT id, name, look FROM groups ORDER BY id",
        "UPDATE OR IGNORE groups SET look = ? WHERE id = ?",
    ),
];

impl Store {
    /// Looks of names that an earlier version wrote, or that one with other tables of likeness did.
    /// Of two that are alike already the older one keeps its look.
    pub(crate) async fn fill_looks(&self, names: &Names) -> Result<(), sqlx::Error> {
        for (of, find, set) in TABLES {
            for row in sqlx::query(find).fetch_all(&self.pool).await? {
                let (id, sealed): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
                let person = || names.open::<Person>(Cell::Person, &sealed);
                let look = match of {
                    Of::Account => person().map(|person| names.look(&person.name)),
                    Of::Shown => person().map(|person| names.shown_look(&person.display_name)),
                    Of::Group => {
                        names.open::<String>(Cell::Group, &sealed).map(|name| names.look(&name))
                    }
                };
                if look.is_some() && look != row.try_get::<Option<Vec<u8>>, _>(2)? {
                    sqlx::query(set).bind(look).bind(id).execute(&self.pool).await?;
                }
            }
        }
        Ok(())
    }

    /// Early and in plain words, what the table itself refuses in the end.
    pub(crate) async fn is_free(&self, find: &'static str, look: &[u8]) -> Result<(), AdminRefused> {
        let taken = sqlx::query(find).bind(look.to_vec()).fetch_optional(&self.pool).await?;
        if taken.is_some() { Err(ProblemCode::Taken.into()) } else { Ok(()) }
    }
}
