//! The newest checkpoint of the organisation's ledger that this user's programs have seen, and
//! what they demand of a server by it (T64, T67).
//!
//! What an answer means is decided by [`tasuki_protocol::ledger::follow`].

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::time::UNIX_EPOCH;

use hyper::StatusCode;
use tasuki_protocol::ledger::checkpoint::{Checkpoint, MAX_NOTE_BYTES};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::follow::{Base, Followed, LedgerRefused, News};
use tasuki_protocol::ledger::wire::{AskCheckpoint, CHECKPOINT_PATH, CheckpointAnswer};
use tasuki_protocol::signal;

use super::fault::Fault;
use super::ledger_desk::Desk;
use super::profile::SignIn;
use super::request;
use super::system;
use super::trust::unix;

/// In the state folder, behind the organisation's name: each has a ledger of its own.
const FILE: &str = "checkpoint";
/// Restores that are followed one behind another.
const MAX_EXCUSES: usize = 8;

/// What is kept here. It was checked when it was kept: a key that was replaced since makes nobody
/// forget it.
pub(super) fn kept(desk: &Desk) -> Option<Base> {
    let mut note = String::new();
    let file = File::open(desk.profile.state.join(name(desk))).ok()?;
    let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
    let seen = file.metadata().and_then(|about| about.modified()).ok();
    let seen = seen.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
    file.take(limit).read_to_string(&mut note).ok()?;
    let kept = Checkpoint::of_kept(&note, desk.trust.bundle.tenant).ok()?;
    Some(followed(desk).base(kept, seen))
}

/// What an answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// What is newer is kept.
    Kept,
    /// A restore was acknowledged: ask again with this.
    AskFrom(Base),
    /// Another of this user's programs has kept something meanwhile, out of which the answer is
    /// not proven to have grown: ask again with that.
    Overtaken(Option<Base>),
}

/// Takes an answer that was asked for with the size of `known`, when `held` was what is kept here.
///
/// # Errors
/// A fork, or an older ledger; nothing is kept then.
pub(super) fn take(
    desk: &Desk,
    held: Option<Base>,
    known: Option<Base>,
    answer: &CheckpointAnswer,
) -> Result<Taken, LedgerRefused> {
    match followed(desk).news(known, answer)? {
        News::Nothing => Ok(Taken::Kept),
        News::AskFrom(base) => Ok(Taken::AskFrom(base)),
        News::Goes { note, .. } => {
            let _alone = alone(desk);
            let now = kept(desk);
            if now != held {
                return Ok(Taken::Overtaken(now));
            }
            if let Err(fault) = desk.profile.write(&name(desk), note.as_bytes()) {
                tracing::warn!(%fault, "the newest checkpoint is not kept");
            }
            Ok(Taken::Kept)
        }
    }
}

/// Of all programs of this user, for as long as it lives. A folder that takes no file takes no
/// checkpoint either.
fn alone(desk: &Desk) -> Option<File> {
    let path = desk.profile.state.join(format!("{FILE}.lock"));
    let file = system::private(OpenOptions::new().create(true).append(true)).open(path).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// Demands of the server that its ledger grew out of the one that is known, before a session.
///
/// # Errors
/// [`Fault::LedgerOlder`], [`Fault::LedgerForked`]; or the server does not answer as it must.
pub async fn follow(desk: &Desk, sign_in: &SignIn) -> Result<(), Fault> {
    let mut held = kept(desk);
    let mut known = held;
    for _ in 0..MAX_EXCUSES {
        let answer = ask(desk, sign_in, known).await?;
        match take(desk, held, known, &answer).map_err(Fault::from)? {
            Taken::Kept => return Ok(()),
            Taken::AskFrom(base) => known = Some(base),
            Taken::Overtaken(now) => (held, known) = (now, now),
        }
    }
    Err(Fault::LedgerForked { known: known.map_or(0, |known| known.size) })
}

async fn ask(desk: &Desk, sign_in: &SignIn, known: Option<Base>) -> Result<CheckpointAnswer, Fault> {
    let bearer = format!("Bearer {}", sign_in.token);
    let ask = AskCheckpoint { known: known.map_or(0, |known| known.size) };
    let headers = [("authorization", bearer.as_str())];
    let asked = request::post((&desk.trust, &desk.proxies), CHECKPOINT_PATH, &headers, |_| {
        signal::encode(&ask)
    });
    let (status, answer) = asked.await?;
    match status {
        StatusCode::OK => signal::decode(&answer).map_err(|_| Fault::Misunderstood),
        StatusCode::UNAUTHORIZED => Err(Fault::SignInOver),
        // A server that will not say is not believed.
        _ => Err(Fault::Unavailable),
    }
}

fn followed(desk: &Desk) -> Followed {
    let bundle = &desk.trust.bundle;
    let (tenant, word) = (bundle.tenant, RootsWord::of(bundle));
    Followed { tenant, checkpoint_keys: bundle.checkpoint_keys.clone(), word, now: unix() }
}

fn name(desk: &Desk) -> String {
    format!("{FILE}-{}.note", desk.trust.bundle.tenant)
}

impl From<LedgerRefused> for Fault {
    fn from(refused: LedgerRefused) -> Self {
        match refused {
            LedgerRefused::Older { known, found } => Self::LedgerOlder { known, found },
            LedgerRefused::Forked { known } => Self::LedgerForked { known },
            LedgerRefused::Unsigned => Self::LedgerUnsigned,
        }
    }
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::bundle::Bundle;
    use tasuki_protocol::dsse;
    use tasuki_protocol::ids::TenantId;
    use tasuki_protocol::ledger::tree::{Frontier, Hash, Subtree, consistency, leaf_hash};

    use super::*;
    use crate::shell::profile::Profile;
    use crate::shell::proxy::Proxies;
    use crate::shell::trust::Trust;
    use crate::shell::trust::tests::{bundle, key};

    /// A user of an organisation whose ledger `signer` signs.
    fn desk(folder: &tempfile::TempDir, signer: u8, version: u64) -> Desk {
        let public = tasuki_protocol::ids::DeviceKey(key(signer).verifying_key().to_bytes());
        let bundle = Bundle { checkpoint_keys: vec![public], ..bundle("Example", 1, version) };
        let file = folder.path().join("given.json");
        std::fs::write(&file, dsse::sign(&bundle, &key(1))).expect("written");
        let profile = Profile::at(folder.path());
        let trust = Trust::load(Some(&file), &profile).expect("trusted");
        Desk { trust, proxies: Proxies::Straight, profile }
    }

    /// The answer of a ledger of `size` records, signed by `signer`, to who knows `known`.
    fn answer(known: u64, size: u64, signer: u8) -> CheckpointAnswer {
        let leaves: Vec<Hash> = (0..size).map(|at| leaf_hash(&[&at.to_be_bytes()])).collect();
        let root_of = |of: &[Hash]| {
            let mut frontier = Frontier::default();
            of.iter().for_each(|leaf| frontier.push(*leaf, |_, _| {}));
            frontier.root()
        };
        let subtree = |at: Subtree| -> Result<Hash, ()> {
            let (width, place) = (1_usize << at.level, usize::try_from(at.place).map_err(|_| ())?);
            Ok(root_of(&leaves[place * width..(place + 1) * width]))
        };
        let proof = consistency(known, size, subtree).expect("a proof");
        let tenant = TenantId([1; 8]);
        let checkpoint = Checkpoint { tenant, size, root: root_of(&leaves), at: 1 };
        let note = Some(checkpoint.sign(&key(signer)));
        CheckpointAnswer { note, proof, acknowledgements: Vec::new() }
    }

    fn size(base: Option<Base>) -> Option<u64> {
        base.map(|base| base.size)
    }

    /// T67: a key that signs no more makes nobody forget what he has seen.
    #[test]
    fn t67_a_replaced_key_makes_nobody_forget() {
        let folder = tempfile::tempdir().expect("a folder");
        let before = desk(&folder, 51, 1);
        assert_eq!(take(&before, None, None, &answer(0, 5, 51)), Ok(Taken::Kept));
        let after = desk(&folder, 61, 2);
        let known = kept(&after);
        assert_eq!(size(known), Some(5));
        let older = take(&after, known, known, &answer(0, 3, 61));
        assert_eq!(older, Err(LedgerRefused::Older { known: 5, found: 3 }));
        assert_eq!(take(&after, known, known, &answer(5, 8, 61)), Ok(Taken::Kept));
        assert_eq!(size(kept(&after)), Some(8));
    }

    /// T64: of two programs that asked at once, the slower keeps nothing over what the other kept.
    #[test]
    fn t64_an_answer_that_was_overtaken_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = desk(&folder, 51, 1);
        let nothing = kept(&desk);
        assert_eq!(take(&desk, nothing, nothing, &answer(0, 7, 51)), Ok(Taken::Kept));
        let newer = kept(&desk);
        let slower = take(&desk, nothing, nothing, &answer(0, 4, 51));
        assert_eq!(slower, Ok(Taken::Overtaken(newer)));
        assert_eq!((size(kept(&desk)), size(newer)), (Some(7), Some(7)));
        assert_eq!(take(&desk, newer, newer, &answer(7, 9, 51)), Ok(Taken::Kept));
        assert_eq!(size(kept(&desk)), Some(9));
    }
}
