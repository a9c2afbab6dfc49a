//! What the roots so far have said of the ledger, for the next one to sign for: it would else count no more.

use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::{DeviceKey, Digest};
use tasuki_protocol::ledger::audit::{Acknowledgement, Finding, Tombstone};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::wire::{LedgerOpened, OPEN_LEDGER_PATH, OpenLedger};
use tasuki_protocol::ledger::words::ReadPurpose;

use super::init;
use crate::audit::fault::AuditFault;
use crate::audit::reading::{self, Trust};
use crate::audit::source::Source;
use crate::desk::Desk;
use crate::fault::Fault;

/// Nothing of it can be added later: the ledger is gone through once as `root` will see it, and a ledger that holds
/// now must hold then. One that does not hold now stands in no key's way.
///
/// # Errors
/// The server, or [`AuditFault::NotHandedOn`].
pub(super) async fn decrees(desk: &Desk, root: DeviceKey) -> Result<Vec<Digest>, Fault> {
    let none_of_it = OpenLedger { purpose: ReadPurpose::Verify, from: u64::MAX, to: u64::MAX };
    let opened: LedgerOpened = desk.post(OPEN_LEDGER_PATH, &none_of_it).await?;
    let (word, now) = (RootsWord::of(&desk.bundle), init::unix());
    let mut decrees = word.handed_on::<Tombstone>(&opened.tombstones, |stone| stone.at <= now);
    decrees.extend(word.handed_on::<Acknowledgement>(&opened.acknowledgements, |word| word.at <= now));
    let next = RootsWord::succeeding(root, decrees.clone());
    if let Some(finding) = found(desk, |_| next).await?
        && found(desk, RootsWord::of).await?.is_none()
    {
        return Err(AuditFault::NotHandedOn(finding).into());
    }
    Ok(decrees)
}

/// What does not hold of the ledger.
async fn found(desk: &Desk, word: impl FnOnce(&Bundle) -> RootsWord) -> Result<Option<Finding>, Fault> {
    let known = Trust::Known(Box::new(desk.bundle.clone()));
    let mut source = Source::server(desk, ReadPurpose::Verify, 0).await?;
    let passed = reading::pass_under(&mut source, &known, word, &[], |_| Ok(())).await?;
    Ok(passed.verdict.and_then(Result::err))
}
