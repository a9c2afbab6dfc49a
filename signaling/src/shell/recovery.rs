//! An administrator whose computer is lost: a token that only the server's own machine makes, and
//! the root key's word, which needs the recovery shares. Neither is worth anything alone.
//!
//! It refuses to know who may use the machine: whoever can read its key files and write its
//! database is the one who runs the server.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustix::process::getuid;
use sqlx::Row as _;
use tasuki_protocol::admin::{AdminSignIn, ProblemCode, RECOVERY_TOKEN, RecoverAdmin, recovery_proof};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::{Digest, TenantId};

use super::accounts::{Accounts, digest, signed};
use super::acts::Step;
use super::admins::{AdminRefused, Coming};
use super::certificate;
use super::clock;
use super::fault::Fault;
use super::folder::{DATABASE, Folder};
use super::kinds::Kind;
use super::ledger::{Ledger, Unwritten, Work};
use super::store::{Event, Store};
use super::store_fault;
use super::tls;

/// From the making of a token to its end, in seconds: enough to type two shares.
pub(crate) const TOKEN_S: i64 = 15 * 60;

/// Whether the ledger will say of something that the machine did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    Yes,
    No,
}

/// Who stands at the machine, as far as it knows.
fn by() -> String {
    format!("system user {}", getuid().as_raw())
}

/// A token, told once and stored nowhere.
pub(crate) struct RecoveryToken {
    pub(crate) token: String,
    pub(crate) tenant: TenantId,
    pub(crate) url: String,
    /// SHA-256 of the server's public key as it is now: what `init --recover` asks for. The certificate cannot be
    /// read where there is none, and whoever comes back has a bundle then, or nothing.
    pub(crate) pin: Option<Digest>,
}

/// Makes a token for the server of the folder `data`, which may be running. One is good at a time.
///
/// # Errors
/// The folder cannot be read or written, or the organisation has no keys that could be lost.
pub(crate) async fn make_token(data: &Path) -> Result<RecoveryToken, Fault> {
    let (facts, _) = Folder::look(data)?;
    let database = data.join(DATABASE);
    // Held to the end, where no server has it: none begins in the midst of this.
    let (store, _folder) = match Folder::open(data) {
        Ok(folder) => (Store::open(&database).await?, Some(folder)),
        Err(Fault::FolderInUse(_)) => (Store::beside(&database).await?, None),
        Err(fault) => return Err(fault),
    };
    let bytes: [u8; 32] = clock::random()?;
    let token = format!("{RECOVERY_TOKEN}{}", URL_SAFE_NO_PAD.encode(bytes));
    let made = store.keep_recovery_token(&token).await;
    store.close().await;
    match made {
        Ok(true) => {
            let certificate = std::fs::read(data.join(tls::Pair::IN_USE.certificate)).ok();
            let pin = certificate.and_then(|pem| Some(certificate::facts(&pem)?.pin));
            Ok(RecoveryToken { token, tenant: facts.tenant, url: facts.url(), pin })
        }
        Ok(false) => Err(Fault::NothingToRecover(data.to_owned())),
        Err(error) => Err(not_kept(&error, data)),
    }
}

fn not_kept(error: &sqlx::Error, data: &Path) -> Fault {
    let said = error.as_database_error().map(|error| error.message().to_owned());
    if said.is_some_and(|said| said.contains("no such table")) {
        // A server of an earlier version is at work there.
        return Fault::FolderInUse(data.to_owned());
    }
    store_fault::of_database(error, &data.join(DATABASE))
}

impl Store {
    /// False: nobody has published keys that could be lost. The token and what the ledger is to say
    /// of it stand together or not at all.
    async fn keep_recovery_token(&self, token: &str) -> Result<bool, sqlx::Error> {
        let now = self.steady_now().await?.now();
        let mut own = self.writes.begin_with("BEGIN IMMEDIATE").await?;
        let bundle = sqlx::query("SELECT 1 FROM documents WHERE kind = 'bundle'");
        if bundle.fetch_optional(&mut *own).await?.is_none() {
            return Ok(false);
        }
        sqlx::query("DELETE FROM admin_tokens WHERE kind = 'recovery'").execute(&mut *own).await?;
        let insert = "INSERT INTO admin_tokens (hash, kind, expires) VALUES (?, 'recovery', ?)";
        let insert = sqlx::query(insert).bind(digest(token).to_vec());
        insert.bind(now.saturating_add(TOKEN_S)).execute(&mut *own).await?;
        let by = by();
        let tell = sqlx::query("INSERT INTO recoveries (made_at, by) VALUES (?, ?)");
        tell.bind(clock::unix_row()).bind(by).execute(&mut *own).await?;
        own.commit().await.map(|()| true)
    }

    /// For the ledger of the server of this database, which may be running, and of an earlier
    /// version: then there is no row for it.
    pub(crate) async fn note_backup(path: &Path) -> Recorded {
        let Ok(store) = Self::beside(path).await else { return Recorded::No };
        let note = sqlx::query("INSERT INTO backups (made_at, by) VALUES (?, ?)");
        let noted = note.bind(clock::unix_row()).bind(by()).execute(&store.writes).await;
        store.close().await;
        if noted.is_ok() { Recorded::Yes } else { Recorded::No }
    }
}

impl Ledger {
    /// Puts into the ledger which tokens the machine has made since.
    pub(crate) async fn tell_of_recoveries(&self) -> Result<(), Unwritten> {
        let find = "SELECT id, made_at, by FROM recoveries ORDER BY id";
        let forget = "DELETE FROM recoveries WHERE id = ?";
        self.tell_of_machine(Kind::RecoveryTokenMade, find, forget).await
    }

    /// As [`Self::tell_of_recoveries`], and which backups.
    pub(crate) async fn tell_of_all(&self) -> Result<(), Unwritten> {
        self.tell_of_recoveries().await?;
        let find = "SELECT id, made_at, by FROM backups ORDER BY id";
        let forget = "DELETE FROM backups WHERE id = ?";
        self.tell_of_machine(Kind::BackupMade, find, forget).await
    }

    /// Who came first, and that his keys are in force: what there was no key to record under (S56).
    pub(crate) async fn tell_of_beginning(&self) -> Result<(), Unwritten> {
        let rows =
            sqlx::query("SELECT id FROM admins ORDER BY id LIMIT 1").fetch_all(&self.store.pool).await;
        for row in rows.map_err(|_| Unwritten::Disk)? {
            let id: i64 = row.try_get(0).map_err(|_| Unwritten::Disk)?;
            for kind in [Kind::AdminEnrolled, Kind::BundlePublished] {
                self.ask(Work::Happened(Event::new(kind).by_admin(id))).await?;
            }
        }
        Ok(())
    }

    async fn tell_of_machine(
        &self,
        kind: Kind,
        find: &'static str,
        forget: &'static str,
    ) -> Result<(), Unwritten> {
        let rows = sqlx::query(find).fetch_all(&self.store.pool).await;
        for row in rows.map_err(|_| Unwritten::Disk)? {
            let (id, made_at, by): (i64, i64, String) =
                match (row.try_get(0), row.try_get(1), row.try_get(2)) {
                    (Ok(id), Ok(made_at), Ok(by)) => (id, made_at, by),
                    _ => return Err(Unwritten::Disk),
                };
            let at = jiff::Timestamp::from_second(made_at).map(|at| at.to_string());
            let mut event = Event::new(kind);
            event.detail = format!("{by}, {}", at.unwrap_or_default());
            tracing::warn!(kind = kind.name(), by, made_at, "done at this machine");
            // Whoever else tells of it at this moment told it.
            let told = Step::new(forget).with(id).or(ProblemCode::Conflict);
            self.ask(Work::Act { event, steps: vec![told] }).await?;
        }
        Ok(())
    }

    /// The machine's own verbs have no other way to say that they did something.
    pub(crate) async fn watch_machine(self) {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            self.tell_of_all().await.ok();
        }
    }
}

impl Accounts {
    /// The rows of an administrator who comes back with new keys, and of everybody else's end: who
    /// has the lost computer has an administrator's key, and an invitation perhaps.
    ///
    /// # Errors
    /// [`ProblemCode::SignIn`]: no such token, or none any more. [`ProblemCode::Document`]: the token
    /// is right, and the root's word is not.
    pub(crate) async fn recover_admin(
        &self,
        request: &RecoverAdmin,
        bundle: &Bundle,
    ) -> Result<(Vec<Step>, AdminSignIn), AdminRefused> {
        let enrol = &request.enrol;
        if !self.admin_token_holds(&enrol.token, Coming::Recovering).await? {
            return Err(ProblemCode::SignIn.into());
        }
        let proof = recovery_proof(self.tenant, &enrol.token, &enrol.key);
        if bundle.tenant != self.tenant || !signed(&bundle.root, proof.as_bytes(), &request.root.0) {
            return Err(ProblemCode::Document.into());
        }
        let of_old = |statement: &'static str| Step::new(statement).with(self.names.index(&enrol.name));
        let (steps, sign_in) = self.enrol_admin(enrol, Coming::Recovering).await?;
        let mut steps = steps.into_iter();
        let use_up = steps.next();
        let between = [
            Step::new("DELETE FROM admin_tokens"),
            Step::new("DELETE FROM admin_sessions"),
            Step::new("UPDATE admins SET state = 'disabled'"),
            of_old(
                "DELETE FROM failures WHERE operator IN (SELECT -id FROM admins WHERE name_index = ?)",
            ),
            of_old("DELETE FROM admins WHERE name_index = ?"),
        ];
        Ok((use_up.into_iter().chain(between).chain(steps).collect(), sign_in))
    }
}
