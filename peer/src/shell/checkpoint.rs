//! The newest checkpoint of the organisation's ledger that this user's programs have seen, and
//! what they demand of a server by it (T64, T67).
//!
//! What an answer means is decided by [`tasuki_protocol::ledger::follow`].

use std::io::Read;

use hyper::StatusCode;
use tasuki_protocol::ledger::checkpoint::MAX_NOTE_BYTES;
use tasuki_protocol::ledger::follow::{Base, Followed, LedgerRefused, News};
use tasuki_protocol::ledger::wire::{AskCheckpoint, CHECKPOINT_PATH, CheckpointAnswer};
use tasuki_protocol::signal;

use super::fault::Fault;
use super::ledger::Desk;
use super::profile::SignIn;
use super::request;

/// In the state folder, behind the organisation's name: each has a ledger of its own.
const FILE: &str = "checkpoint";
/// Restores that are followed one behind another.
const MAX_EXCUSES: usize = 8;

/// What is kept here, while a key of the bundle still vouches for it.
pub(super) fn kept(desk: &Desk) -> Option<Base> {
    let mut note = String::new();
    let file = std::fs::File::open(desk.profile.state.join(name(desk))).ok()?;
    let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
    file.take(limit).read_to_string(&mut note).ok()?;
    followed(desk).open(&note).ok().map(Base::from)
}

/// Takes an answer that was asked for with the size of `known`: keeps what is newer.
/// `Some`: a restore was acknowledged, ask again with this.
///
/// # Errors
/// A fork, or an older ledger; nothing is kept then.
pub(super) fn take(
    desk: &Desk,
    known: Option<Base>,
    answer: &CheckpointAnswer,
) -> Result<Option<Base>, LedgerRefused> {
    match followed(desk).news(known, answer)? {
        News::Nothing => Ok(None),
        News::AskFrom(base) => Ok(Some(base)),
        News::Goes { note, .. } => {
            if let Err(fault) = desk.profile.write(&name(desk), note.as_bytes()) {
                tracing::warn!(%fault, "the newest checkpoint is not kept");
            }
            Ok(None)
        }
    }
}

/// Demands of the server that its ledger grew out of the one that is known, before a session.
///
/// # Errors
/// [`Fault::LedgerOlder`], [`Fault::LedgerForked`]; or the server does not answer as it must.
pub async fn follow(desk: &Desk, sign_in: &SignIn) -> Result<(), Fault> {
    let mut known = kept(desk);
    for _ in 0..MAX_EXCUSES {
        let answer = ask(desk, sign_in, known).await?;
        match take(desk, known, &answer).map_err(Fault::from)? {
            Some(base) => known = Some(base),
            None => return Ok(()),
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
    let (tenant, root) = (bundle.tenant, bundle.root);
    Followed { tenant, checkpoint_keys: bundle.checkpoint_keys.clone(), root }
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
