//! A ledger, read through once: verified as it comes, kept as a file, opened with the log keys.

use std::path::Path;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::keys::WrappedLogKey;
use tasuki_protocol::ledger::audit::{Auditor, Finding, Header, Item, Verified};
use tasuki_protocol::ledger::checkpoint::Checkpoint;
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::log_key::{LogPublicKey, LogSecretKey};

use super::export::Export;
use super::fault::AuditFault;
use super::record::{Gap, Opener, Record};
use super::source::Source;
use crate::fault::Fault;
use crate::profile::Profile;
use crate::vault::{Master, Passphrase, unwrap_log_key};

/// Each that does not open costs a password hash (T59): far more than an organisation ever rotates.
pub(crate) const MOST_LOG_KEYS: usize = 64;

/// From a bundle's date, by the clock of whoever signs it, to when everybody has it: his clock may be wrong by some
/// minutes, and a passphrase is typed in between.
const BUNDLE_DELAY_S: u64 = 3600;

/// Whose ledger it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// That of the organisation whose bundle is known.
    Known(Box<Bundle>),
    /// Nothing is known here: the file's own root key is told, to be compared.
    Unknown,
}

/// The signed bundle of an export's header, if it is the known organisation's.
///
/// # Errors
/// [`AuditFault::OtherRoot`]; [`Finding::Head`] where nobody can tell whose it is any more.
pub fn bundle_of(header: &Header, trust: &Trust) -> Result<Bundle, AuditFault> {
    let bundle = Bundle::open_first(&header.bundle.0).map_err(|_| AuditFault::Found(Finding::Head))?;
    let Trust::Known(known) = trust else { return Ok(bundle) };
    if known.tenant != bundle.tenant || known.root != bundle.root {
        return Err(AuditFault::OtherRoot);
    }
    // Signed by the same root: keys of both count, whichever is newer.
    let mut keys = bundle.checkpoint_keys.clone();
    keys.extend(known.checkpoint_keys.iter().filter(|key| !bundle.checkpoint_keys.contains(key)));
    Ok(Bundle { checkpoint_keys: keys, ..bundle })
}

/// What a passage through a ledger found.
#[derive(Debug)]
pub struct Passed {
    pub bundle: Bundle,
    /// `None`: it began in the middle, where nothing can be verified.
    pub verdict: Option<Result<Verified, Finding>>,
    pub records: u64,
    /// The first record's number.
    pub from: u64,
    /// Records' keys that are sealed to no log key of the file: whoever holds it alone cannot read those.
    pub unreadable: u64,
}

/// A checkpoint that the ledger must have passed through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A note that somebody handed in: a key of the bundle must have signed it.
    Elsewhere(String),
    /// What this administrator's own programs have checked and kept.
    Here(Checkpoint),
}

/// Goes through everything; `each` sees an item before it is judged.
///
/// # Errors
/// The source, `each`, or a header of another organisation. What is wrong with the ledger itself
/// is a verdict and no error: the rest is evidence, and is gone through too.
pub async fn pass(
    source: &mut Source<'_>,
    trust: &Trust,
    witnesses: &[Seen],
    each: impl FnMut(&Item) -> Result<(), Fault>,
) -> Result<Passed, Fault> {
    pass_under(source, trust, RootsWord::of, witnesses, each).await
}

/// As [`pass`], by whose word `word` says instead of the bundle.
///
/// # Errors
/// As there.
pub async fn pass_under(
    source: &mut Source<'_>,
    trust: &Trust,
    word: impl FnOnce(&Bundle) -> RootsWord,
    witnesses: &[Seen],
    mut each: impl FnMut(&Item) -> Result<(), Fault>,
) -> Result<Passed, Fault> {
    let Some(Item::Header(header)) = source.item().await? else {
        return Err(AuditFault::Found(Finding::Head).into());
    };
    let bundle = bundle_of(&header, trust)?;
    each(&Item::Header(header.clone()))?;
    let (from, whole) = (header.from, header.from == 0);
    let mut auditor = Auditor::new(bundle.tenant, bundle.checkpoint_keys.clone(), word(&bundle));
    let witnessed = witnesses.iter().try_for_each(|seen| match seen {
        Seen::Elsewhere(note) => auditor.witness(note),
        Seen::Here(checkpoint) => auditor.witness_kept(checkpoint),
    });
    let head = if whole { header.check(&bundle) } else { Ok(()) };
    let (mut finding, mut records, mut unreadable) = (head.and(witnessed).err(), 0, 0);
    let own: Vec<LogPublicKey> =
        wrapped(&header.wrapped).into_iter().map(|wrapped| wrapped.public).collect();
    while let Some(item) = source.item().await? {
        each(&item)?;
        if let Item::Key(envelope) = &item {
            unreadable += u64::from(!envelope.is_to_any(&own));
        }
        records += u64::from(matches!(item, Item::Record(_)));
        if whole && finding.is_none() {
            finding = check(&mut auditor, &item).err();
        }
    }
    let verdict = whole.then(|| finding.map_or_else(|| auditor.finish(), Err));
    let verdict = verdict.map(|verdict| verdict.and_then(|found| of_its_time(found, &bundle, trust)));
    Ok(Passed { bundle, verdict, records, from, unreadable })
}

/// A file that goes on after the known bundle was made was written by who had that one: with an older one in its head
/// somebody has put its log keys back to that one's (S57).
fn of_its_time(found: Verified, bundle: &Bundle, trust: &Trust) -> Result<Verified, Finding> {
    let Trust::Known(known) = trust else { return Ok(found) };
    let by = known.issued_at.saturating_add(BUNDLE_DELAY_S);
    let ends_later = found.newest.is_some_and(|newest| newest.at > by);
    if known.version > bundle.version && ends_later { Err(Finding::WrappedKeys) } else { Ok(found) }
}

fn check(auditor: &mut Auditor, item: &Item) -> Result<(), Finding> {
    match item {
        Item::Header(_) => Ok(()),
        Item::Tombstone(stone) => auditor.tombstone(&stone.0),
        Item::Key(envelope) => {
            auditor.key(envelope);
            Ok(())
        }
        Item::Record(stored) => auditor.record(stored),
        Item::Checkpoint(note) => auditor.checkpoint(note),
        Item::Acknowledgement(word) => auditor.acknowledgement(&word.0),
    }
}

/// Writes everything to `file`; what is wrong with the ledger is kept, as evidence.
///
/// # Errors
/// The source or the file, which is not there then.
pub async fn export(
    source: &mut Source<'_>,
    trust: &Trust,
    witnesses: &[Seen],
    file: &Path,
) -> Result<Passed, Fault> {
    let mut export = Export::create(file)?;
    let passed = pass(source, trust, witnesses, |item| Ok(export.item(item)?)).await?;
    export.finish()?;
    Ok(passed)
}

/// Records, opened.
#[derive(Debug)]
pub struct Read {
    pub records: Vec<Record>,
    pub gaps: Vec<Gap>,
    pub passed: Passed,
}

/// Opens everything. `unlock` gives the private halves of wrapped keys.
///
/// # Errors
/// As [`pass`], and those of `unlock`.
pub async fn read(
    source: &mut Source<'_>,
    trust: &Trust,
    unlock: impl FnOnce(&[WrappedLogKey]) -> Result<Vec<LogSecretKey>, Fault>,
) -> Result<Read, Fault> {
    let (mut unlock, mut opener, mut records) = (Some(unlock), None::<Opener>, Vec::new());
    let passed = pass(source, trust, &[], |item| {
        if let (Item::Header(header), Some(unlock)) = (item, unlock.take()) {
            let bundle = bundle_of(header, trust)?;
            hashed_for_the_roots_own(header, &bundle)?;
            let secrets = unlock(&wrapped(&header.wrapped)).map_err(|fault| match header.check(&bundle) {
                // Where the keys were changed, it is not the passphrase.
                Err(found) if matches!(&fault, Fault::Audit(why) if matches!(**why, AuditFault::NoLogKey)) => {
                    AuditFault::Found(found).into()
                }
                Ok(()) | Err(_) => fault,
            })?;
            opener = Some(Opener::new(bundle.tenant, secrets, header.from, header.before));
        }
        let Some(opener) = &mut opener else { return Ok(()) };
        if let Item::Key(envelope) = item {
            opener.key(envelope);
        }
        if let Item::Record(stored) = item {
            records.push(opener.record(stored));
        }
        Ok(())
    });
    let passed = passed.await?;
    let gaps = opener.map_or_else(Vec::new, |opener| opener.gaps);
    Ok(Read { records, gaps, passed })
}

/// A file or a server names what costs a password hash each: where the root signed for other keys, none is tried (T59).
fn hashed_for_the_roots_own(header: &Header, bundle: &Bundle) -> Result<(), Fault> {
    let is_signed_for = bundle.wrapped_log_keys.is_some();
    match header.check(bundle) {
        Err(Finding::WrappedKeys) if is_signed_for => {
            Err(AuditFault::Found(Finding::WrappedKeys).into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn wrapped(blobs: &[Blob]) -> Vec<WrappedLogKey> {
    let keys = blobs.iter().filter_map(|blob| strict_json(&blob.0).ok());
    keys.take(MOST_LOG_KEYS).collect()
}

/// The private halves that the passphrase opens: through this profile's vault, if it has one.
///
/// # Errors
/// [`AuditFault::NoLogKey`]: none.
pub fn unlock(
    wrapped: &[WrappedLogKey],
    profile: Option<&Profile>,
    passphrase: &Passphrase,
) -> Result<Vec<LogSecretKey>, Fault> {
    let vault = profile.and_then(|profile| profile.vault().ok());
    let master = vault.and_then(|vault| Master::unwrap(&vault, passphrase).ok());
    let opened = wrapped.iter().filter_map(|key| {
        let by_master = master.as_ref().and_then(|master| master.unwrap_log_key(key).ok());
        by_master.or_else(|| unwrap_log_key(key, passphrase).ok())
    });
    let opened: Vec<LogSecretKey> = opened.collect();
    if opened.is_empty() { Err(AuditFault::NoLogKey.into()) } else { Ok(opened) }
}
