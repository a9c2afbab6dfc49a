//! What is done about the ledger itself: reviewed, pruned, taken on after a restore.

use clap::Args;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::ledger::audit::{Acknowledgement, Item, Tombstone};
use tasuki_protocol::ledger::checkpoint::Checkpoint;
use tasuki_protocol::ledger::follow::LedgerRefused;
use tasuki_protocol::ledger::tree::{Frontier, Hash};
use tasuki_protocol::ledger::wire::{ACKNOWLEDGE_PATH, Decree, PRUNE_PATH, REVIEW_PATH, Review};
use tasuki_protocol::ledger::words::ReadPurpose;

use super::init;
use super::key::unlock;
use crate::audit::fault::AuditFault;
use crate::audit::kept::{self, follow, followed};
use crate::audit::reading::{self, Trust};
use crate::audit::source::Source;
use crate::audit::times::Zone;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::texts::Language;

#[derive(Debug, Args)]
pub struct ReviewOptions {
    /// What was found, at most 500 characters
    #[arg(long, default_value = "")]
    note: String,
    /// Everything before this record was looked through [default: everything there is]
    #[arg(long, value_name = "RECORD")]
    up_to: Option<u64>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct PruneOptions {
    /// The content of records of days before this one goes, e.g. 2025-07-01
    #[arg(long, value_name = "DATE")]
    before: String,
    /// Why, as it will stand in the ledger, at most 500 characters
    #[arg(long)]
    reason: String,
    /// Time zone of the date, e.g. Asia/Tokyo [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// Why, as it will stand in the ledger, at most 500 characters; the server gives it to every operator's and end user's program, so name nobody
    #[arg(long)]
    reason: String,
    /// The most records that any program says it has seen [default: those seen on this computer]
    #[arg(long, value_name = "COUNT")]
    seen: Option<u64>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// S92.
pub(super) async fn review(settings: &Settings, options: &ReviewOptions) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    let newest = follow(&desk).await?.map_or(0, |newest| newest.size);
    let up_to = options.up_to.unwrap_or(newest);
    if up_to > newest {
        return Err(AuditFault::NoRecord(up_to).into());
    }
    if prompt::is_person() {
        let question = desk.language.ask_review(up_to);
        prompt::confirm(Sure::said(options.yes), &question, &up_to.to_string())?;
    }
    let review = Review { up_to, note: options.note.clone() };
    desk.post::<serde_json::Value>(REVIEW_PATH, &review).await?;
    let json = serde_json::json!({ "reviewed": true, "up_to": up_to });
    Ok(Printed { text: desk.language.reviewed(up_to), json })
}

/// Retention (S95): old content goes under the root key's signed word; the leaves stay, so that the
/// rest verifies as before.
pub(super) async fn prune(settings: &Settings, options: &PruneOptions) -> Result<Printed, Fault> {
    let at = Zone::named(options.zone.as_deref())?.read(&options.before)?;
    if at > init::unix().saturating_mul(1000) {
        return Err(AuditFault::Future(options.before.clone()).into());
    }
    let desk = Desk::open(settings).await?;
    follow(&desk).await?;
    let Old { before, root, whole } = older_than(&desk, at).await?;
    if whole == 0 {
        return Err(AuditFault::NothingToPrune.into());
    }
    let language = desk.language;
    prompt::confirm(Sure::said(options.yes), &language.ask_prune(whole), &whole.to_string())?;
    let (master, _) = unlock(&desk)?;
    let stone = Tombstone {
        tenant: desk.bundle.tenant,
        before,
        root,
        admin: String::new(),
        reason: options.reason.clone(),
        at: init::unix(),
    };
    let decree = Decree { envelope: Blob(dsse::sign(&stone, &master.root())) };
    desk.post::<serde_json::Value>(PRUNE_PATH, &decree).await?;
    let json = serde_json::json!({ "pruned": whole, "before": before });
    Ok(Printed { text: language.pruned(whole), json })
}

/// Records before a day.
struct Old {
    /// The first record that is of that day or later.
    before: u64,
    /// Over all before it.
    root: Hash,
    /// Those of them whose content is there still.
    whole: u64,
}

/// Of a ledger that holds.
async fn older_than(desk: &Desk, at: u64) -> Result<Old, Fault> {
    let known = Trust::Known(Box::new(desk.bundle.clone()));
    let mut source = Source::server(desk, ReadPurpose::Verify, 0).await?;
    let (mut frontier, mut reached, mut whole) = (Frontier::default(), false, 0);
    let passed = reading::pass(&mut source, &known, &[], |item| {
        if let Item::Record(stored) = item {
            reached |= stored.row.as_ref().is_some_and(|row| row.place.at >= at);
            if !reached {
                whole += u64::from(stored.row.is_some());
                frontier.push(stored.leaf, |_, _| {});
            }
        }
        Ok(())
    });
    match passed.await?.verdict {
        Some(Err(finding)) => Err(AuditFault::Found(finding).into()),
        Some(Ok(_)) | None => Ok(Old { before: frontier.size(), root: frontier.root(), whole }),
    }
}

/// F21: the ledger is an older one, since a backup was restored, and goes on from there.
pub(super) async fn acknowledge(
    settings: &Settings,
    options: &RestoreOptions,
) -> Result<Printed, Fault> {
    let (desk, server) = Desk::open_behind(settings).await?;
    // A server that does not know this root yet would not take its word.
    if let Some(server) = server.filter(|server| server.root != desk.bundle.root) {
        return Err(desk.behind(&server));
    }
    let known = kept::kept(&desk);
    let lost = match (follow(&desk).await, options.seen) {
        (Err(fault), seen) if is_missing_records(&fault) => {
            seen.or(known.map(|known| known.size)).unwrap_or_default()
        }
        (Err(fault), _) => return Err(fault),
        // This computer has seen nothing that is missing; another one has.
        (Ok(_), Some(seen)) => seen,
        (Ok(_), None) => return Ok(nothing_to_acknowledge(desk.language)),
    };
    let answer = kept::ask(&desk, None).await?;
    let note = answer.note.ok_or(AuditFault::NothingToAcknowledge)?;
    let newest = followed(&desk.bundle).open(&note).map_err(AuditFault::Refused)?;
    let Checkpoint { size, root, .. } = newest;
    let question = desk.language.ask_acknowledgement(lost, size);
    prompt::confirm(Sure::said(options.yes), &question, &size.to_string())?;
    let (master, _) = unlock(&desk)?;
    let word = Acknowledgement {
        tenant: desk.bundle.tenant,
        lost,
        size,
        root,
        admin: String::new(),
        reason: options.reason.clone(),
        at: init::unix(),
    };
    let decree = Decree { envelope: Blob(dsse::sign(&word, &master.root())) };
    desk.post::<serde_json::Value>(ACKNOWLEDGE_PATH, &decree).await?;
    desk.profile.keep_checkpoint(&note)?;
    let json = serde_json::json!({ "acknowledged": true, "seen": lost, "goes_on_from": size });
    Ok(Printed { text: desk.language.acknowledged(lost, size), json })
}

/// In the order of docs/administration.md this is no fault: the computer that brings the server back may have seen
/// nothing of what is missing.
fn nothing_to_acknowledge(language: Language) -> Printed {
    let text = language.fault(&AuditFault::NothingToAcknowledge.into());
    Printed { text, json: serde_json::json!({ "acknowledged": false }) }
}

fn is_missing_records(fault: &Fault) -> bool {
    let Fault::Audit(fault) = fault else { return false };
    matches!(**fault, AuditFault::Refused(LedgerRefused::Older { .. } | LedgerRefused::Forked { .. }))
}
