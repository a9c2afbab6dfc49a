//! One delivery of sealed records to the server, and the newer checkpoint that comes with its answer.

use std::collections::VecDeque;

use hyper::StatusCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ledger::follow::{Base, LedgerRefused};
use tasuki_protocol::ledger::wire::{END_ROWS_PATH, EndRow, EndRows, EndRowsTaken, MAX_END_ROWS};
use tasuki_protocol::signal;

use super::checkpoint::{self, Taken};
use super::ledger_desk::Desk;
use super::request;

/// The most bytes of one delivery; the server reads no more.
const MAX_BATCH_BYTES: usize = 48 * 1024;
/// Restores that are followed one behind another.
const MAX_EXCUSES: usize = 8;

pub(super) fn first_of(waiting: &VecDeque<EndRow>) -> Vec<EndRow> {
    let mut bytes = 0;
    let fits = |row: &&EndRow| {
        bytes += signal::encode(*row).len();
        bytes <= MAX_BATCH_BYTES
    };
    waiting.iter().take(MAX_END_ROWS).take_while(fits).cloned().collect()
}

pub(super) enum Delivered {
    /// Everything before `next` is on the server's disk.
    Taken {
        next: u64,
        /// Its ledger is not what the one known here became.
        refused: Option<LedgerRefused>,
    },
    NotNow,
    /// The ticket's time is over, or the server can make nothing of the records.
    Never,
}

pub(super) async fn deliver(batch: &EndRows, desk: &Desk) -> Delivered {
    let Some(first) = batch.rows.first().map(|row| row.number) else { return Delivered::Never };
    let known = checkpoint::kept(desk);
    let batch = EndRows { known: known.map_or(0, |known| known.size), ..batch.clone() };
    let asked =
        request::post((&desk.trust, &desk.proxies), END_ROWS_PATH, &[], |_| signal::encode(&batch));
    let (status, answer) = match asked.await {
        Ok(answer) => answer,
        Err(fault) => {
            tracing::info!(%fault, "records wait for the server");
            return Delivered::NotNow;
        }
    };
    if status.is_success() {
        return match signal::decode::<EndRowsTaken>(&answer) {
            Ok(taken) => {
                let refused = heed(desk, known, &taken, &batch.ticket).await.err();
                if taken.next > first {
                    return Delivered::Taken { next: taken.next, refused };
                }
                if let Some(refused) = refused {
                    tracing::error!(%refused, "the server's ledger");
                }
                // It says that it has them not, and will not: the same again would be for ever.
                Delivered::Never
            }
            Err(_) => Delivered::Never,
        };
    }
    tracing::warn!(%status, "the server did not take this session's records");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => {
            Delivered::Never
        }
        _ => Delivered::NotNow,
    }
}

/// Keeps the newer checkpoint that came with an answer, along acknowledged restores.
async fn heed(
    desk: &Desk,
    known: Option<Base>,
    taken: &EndRowsTaken,
    ticket: &Blob,
) -> Result<(), LedgerRefused> {
    let mut held = known;
    let mut next = checkpoint::take(desk, held, known, &taken.checkpoint)?;
    for _ in 0..MAX_EXCUSES {
        let base = match next {
            Taken::Kept => return Ok(()),
            Taken::AskFrom(base) => Some(base),
            Taken::Overtaken(now) => {
                held = now;
                now
            }
        };
        let size = base.map_or(0, |base| base.size);
        let ask = EndRows { ticket: ticket.clone(), known: size, rows: Vec::new() };
        let asked =
            request::post((&desk.trust, &desk.proxies), END_ROWS_PATH, &[], |_| signal::encode(&ask));
        // Not now is no fork: the next delivery asks again.
        let Ok((StatusCode::OK, answer)) = asked.await else { return Ok(()) };
        let Ok(taken) = signal::decode::<EndRowsTaken>(&answer) else { return Ok(()) };
        next = checkpoint::take(desk, held, base, &taken.checkpoint)?;
    }
    Ok(())
}
