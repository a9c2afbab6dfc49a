//! What the roots so far have said of the ledger, for the next one to sign for: it would else count no more.

use tasuki_protocol::ids::{DeviceKey, Digest};
use tasuki_protocol::ledger::audit::{Acknowledgement, Tombstone};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::wire::{LedgerOpened, OPEN_LEDGER_PATH, OpenLedger};
use tasuki_protocol::ledger::words::ReadPurpose;

use super::init;
use crate::audit::fault::AuditFault;
use crate::audit::kept;
use crate::audit::reading::{self, Seen, Trust};
use crate::audit::source::Source;
use crate::desk::Desk;
use crate::fault::Fault;

/// By so much another administrator's clock may be ahead.
const CLOCKS_S: u64 = 300;

/// Whether the next root takes on a ledger that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ledger {
    MustHold,
    AsItIs,
}

/// Nothing of it can be added later: the ledger is gone through once as `root` will see it. A server that hides
/// something meanwhile would make it ill for good.
///
/// # Errors
/// The server, or [`AuditFault::NotHandedOn`].
pub(super) async fn decrees(
    desk: &Desk,
    root: DeviceKey,
    ledger: Ledger,
) -> Result<Vec<Digest>, Fault> {
    let none_of_it = OpenLedger { purpose: ReadPurpose::Verify, from: u64::MAX, to: u64::MAX };
    let opened: LedgerOpened = desk.post(OPEN_LEDGER_PATH, &none_of_it).await?;
    let (word, by) = (RootsWord::of(&desk.bundle), init::unix().saturating_add(CLOCKS_S));
    let mut decrees = word.handed_on::<Tombstone>(&opened.tombstones, |stone| stone.at <= by);
    decrees.extend(word.handed_on::<Acknowledgement>(&opened.acknowledgements, |word| word.at <= by));
    if ledger == Ledger::MustHold {
        holds(desk, RootsWord::succeeding(root, decrees.clone())).await?;
    }
    Ok(decrees)
}

async fn holds(desk: &Desk, word: RootsWord) -> Result<(), Fault> {
    // All that was ever seen of it here must be there: not another ledger, nor half of this one.
    kept::follow(desk).await?;
    let seen: Vec<Seen> = kept::kept(desk).map(Seen::Here).into_iter().collect();
    let known = Trust::Known(Box::new(desk.bundle.clone()));
    let mut source = Source::server(desk, ReadPurpose::Verify, 0).await?;
    let passed = reading::pass_under(&mut source, &known, |_| word, &seen, |_| Ok(())).await?;
    match passed.verdict {
        Some(Ok(_)) => Ok(()),
        Some(Err(finding)) => Err(AuditFault::NotHandedOn(finding).into()),
        None => Err(AuditFault::Partial(passed.from).into()),
    }
}
