//! What the roots so far have said of the ledger, for the next one to sign for: it would else count no more.

use tasuki_protocol::ids::{DeviceKey, Digest, TenantId};
use tasuki_protocol::ledger::audit::{Acknowledgement, Item, Tombstone};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::wire::{LedgerOpened, OPEN_LEDGER_PATH, OpenLedger};
use tasuki_protocol::ledger::words::ReadPurpose;
use tasuki_protocol::log_key::LogSecretKey;

use super::init;
use crate::audit::fault::AuditFault;
use crate::audit::kept;
use crate::audit::reading::{self, Seen, Trust};
use crate::audit::record::Opener;
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
/// something meanwhile would make it ill for good, or shut out who has seen what was before a restore.
///
/// # Errors
/// The server, [`AuditFault::NotHandedOn`], or [`AuditFault::RestoreHidden`].
pub(super) async fn decrees(
    desk: &Desk,
    root: DeviceKey,
    (ledger, secrets): (Ledger, &[LogSecretKey]),
) -> Result<Vec<Digest>, Fault> {
    let none_of_it = OpenLedger { purpose: ReadPurpose::Verify, from: u64::MAX, to: u64::MAX };
    let opened: LedgerOpened = desk.post(OPEN_LEDGER_PATH, &none_of_it).await?;
    let (word, by) = (RootsWord::of(&desk.bundle), init::unix().saturating_add(CLOCKS_S));
    let mut decrees = word.handed_on::<Tombstone>(&opened.tombstones, |stone| stone.at <= by);
    decrees.extend(word.handed_on::<Acknowledgement>(&opened.acknowledgements, |word| word.at <= by));
    if ledger == Ledger::MustHold {
        let word = RootsWord::succeeding(root, decrees.clone());
        let restores = opened.acknowledgements.iter().filter_map(|envelope| {
            let restore = word.open::<Acknowledgement>(&envelope.0).ok()??;
            Some((restore.lost, restore.size))
        });
        let restores = restores.collect();
        holds(desk, word, Restores { restores, secrets: secrets.to_vec(), opener: None, hidden: None })
            .await?;
    }
    Ok(decrees)
}

async fn holds(desk: &Desk, word: RootsWord, mut restores: Restores) -> Result<(), Fault> {
    // All that was ever seen of it here must be there: not another ledger, nor half of this one.
    kept::follow(desk).await?;
    let seen: Vec<Seen> = kept::kept(desk).map(Seen::Here).into_iter().collect();
    let known = Trust::Known(Box::new(desk.bundle.clone()));
    let mut source = Source::server(desk, ReadPurpose::Verify, 0).await?;
    let passed = reading::pass_under(
        &mut source,
        &known,
        |_| word,
        &seen,
        |item| {
            restores.look_at(item, desk.bundle.tenant);
            Ok(())
        },
    );
    let passed = passed.await?;
    match (passed.verdict, restores.hidden) {
        (Some(Ok(_)), None) => Ok(()),
        (Some(Ok(_)), Some(record)) => Err(AuditFault::RestoreHidden(record).into()),
        (Some(Err(finding)), _) => Err(AuditFault::NotHandedOn(finding).into()),
        (None, _) => Err(AuditFault::Partial(passed.from).into()),
    }
}

/// The records say which restores the root has acknowledged: of each the next root must have its word. Where a record is
/// pruned nobody knows any more.
struct Restores {
    /// What was seen before each that is handed on, and from where the ledger went on.
    restores: Vec<(u64, u64)>,
    secrets: Vec<LogSecretKey>,
    opener: Option<Opener>,
    /// The first record of one that is not.
    hidden: Option<u64>,
}

impl Restores {
    fn look_at(&mut self, item: &Item, tenant: TenantId) {
        if let Item::Header(header) = item {
            let secrets = std::mem::take(&mut self.secrets);
            self.opener = Some(Opener::new(tenant, secrets, header.from, header.before));
        }
        let Some(opener) = &mut self.opener else { return };
        if let Item::Key(envelope) = item {
            opener.key(envelope);
        }
        if let Item::Record(stored) = item {
            let record = opener.record(stored);
            let event = record.entry().map(|entry| &entry.event);
            if let Some(Event::RestoreAcknowledged { from, to, .. }) = event
                && !self.restores.contains(&(*from, *to))
            {
                self.hidden.get_or_insert(record.seq);
            }
        }
    }
}
