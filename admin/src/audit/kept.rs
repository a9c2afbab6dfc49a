//! The newest checkpoint that this administrator has seen, and what he demands of a server by it.

use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ledger::checkpoint::Checkpoint;
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::follow::{Base, Followed, LedgerRefused, News};
use tasuki_protocol::ledger::wire::{ADMIN_CHECKPOINT_PATH, AskCheckpoint, CheckpointAnswer};

use super::fault::AuditFault;
use super::source::unix_ms;
use crate::desk::Desk;
use crate::fault::Fault;

/// Restores that are followed one behind another.
const MAX_EXCUSES: usize = 8;

pub(crate) fn followed(bundle: &Bundle) -> Followed {
    let (tenant, word) = (bundle.tenant, RootsWord::of(bundle));
    Followed { tenant, checkpoint_keys: bundle.checkpoint_keys.clone(), word, now: unix_ms() / 1000 }
}

/// What is kept here of the organisation's ledger. It was checked when it was kept: a key that was
/// replaced since makes nobody forget it.
pub(crate) fn kept(desk: &Desk) -> Option<Checkpoint> {
    let note = desk.profile.checkpoint()?;
    Checkpoint::of_kept(&note, desk.bundle.tenant).ok()
}

/// The newest checkpoint, once it is proven to have grown out of the one kept here; it takes
/// that one's place. `None`: nothing was ever recorded.
///
/// # Errors
/// [`AuditFault::Refused`] for a fork or an older ledger.
pub(crate) async fn follow(desk: &Desk) -> Result<Option<Checkpoint>, Fault> {
    let followed = followed(&desk.bundle);
    let mut known = kept(desk).map(|kept| followed.base(kept, desk.profile.checkpoint_seen()));
    for _ in 0..MAX_EXCUSES {
        let answer = ask(desk, known).await?;
        match followed.news(known, &answer).map_err(AuditFault::Refused)? {
            News::Nothing => return Ok(None),
            News::AskFrom(base) => known = Some(base),
            News::Goes { note, checkpoint } => {
                desk.profile.keep_checkpoint(&note)?;
                return Ok(Some(checkpoint));
            }
        }
    }
    let known = known.map_or(0, |known| known.size);
    Err(AuditFault::Refused(LedgerRefused::Forked { known }).into())
}

pub(crate) async fn ask(desk: &Desk, known: Option<Base>) -> Result<CheckpointAnswer, Fault> {
    let known = known.map_or(0, |known| known.size);
    desk.post(ADMIN_CHECKPOINT_PATH, &AskCheckpoint { known }).await
}
