//! Whether a sign-in still stands: a connection that asks for nothing, and is closed when it does not.
//!
//! Decides when to dial again, and what of the server is told to whoever waits. Begins no session and signs nobody out.

use std::time::Instant;

use tasuki_protocol::signal::ServerToOperator;
use tokio::sync::mpsc;

use super::checkpoint;
use super::fault::Fault;
use super::ledger_desk::Desk;
use super::server::{
    Answered, Caller, Entrance, FIRST_PAUSE, LONGEST_PAUSE, ServerEvent, converse, unit_random,
};
use super::settings::Settings;
use super::trust::Trust;
use crate::core::io::ServerMessage;

/// What there is to tell of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The server knows it. Until when this device is certified, in unix seconds.
    Stands { certified_until: u64 },
    /// The server's keys or its ledger are not what became of those that this user's programs have seen (T67): no session
    /// would begin. It is asked again.
    WentBack(Fault),
    /// The server knows it no more: its time is over, or the account, the device or its certificate were taken away (T17,
    /// T55), or it is outside the account's hours or addresses. The last word.
    Fell(Fault),
}

/// Tells what the server says of the sign-in of the profile, until that falls. What stands in the way of asking is no
/// answer, and the server is asked again later.
pub async fn watch(settings: &Settings, words: mpsc::Sender<Word>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let word = match stay(settings, &words).await {
            Ok(()) => None,
            Err(why) => word_for(why),
        };
        let is_last = matches!(word, Some(Word::Fell(_)));
        if let Some(word) = word {
            let _ = words.send(word).await;
        }
        if is_last {
            return;
        }
        let lasted = began.elapsed() > LONGEST_PAUSE;
        pause = if lasted { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        // As whoever dials again (F14).
        tokio::time::sleep(pause.mul_f64(unit_random())).await;
    }
}

fn word_for(why: Fault) -> Option<Word> {
    if matches!(why, Fault::SignInOver | Fault::NotSignedIn | Fault::HoursOver { .. }) {
        return Some(Word::Fell(why));
    }
    tracing::info!(why = %why, "nobody says whether the sign-in stands");
    let went_back = matches!(
        why,
        Fault::ServerWentBack
            | Fault::LedgerOlder { .. }
            | Fault::LedgerForked { .. }
            | Fault::LedgerUnsigned
    );
    went_back.then_some(Word::WentBack(why))
}

/// Until the connection is closed.
async fn stay(settings: &Settings, words: &mpsc::Sender<Word>) -> Result<(), Fault> {
    let (profile, proxies) = (&settings.profile, &settings.proxies);
    let trust = Trust::current(settings.tenant.as_deref(), profile, proxies).await?;
    let (sign_in, device) = (profile.sign_in()?, Box::new(profile.device_key()?));
    let desk = Desk { trust: trust.clone(), proxies: proxies.clone(), profile: profile.clone() };
    let entrance = Entrance::Operator { sign_in: sign_in.clone(), device };
    let caller = Caller { trust, proxies: proxies.clone(), entrance };
    let Answered { mut socket, certified_until, .. } = caller.dial().await?;
    // As before a session.
    checkpoint::follow(&desk, &sign_in).await?;
    tell(words, certified_until).await;
    let (_nobody_asks, mut wanted) = mpsc::channel(1);
    let (told, mut heard) = mpsc::channel(1);
    tokio::select! {
        _ = converse(&caller, &mut socket, &mut wanted, &told) => {}
        () = async {
            while let Some(event) = heard.recv().await {
                tell(words, renewed(&event)).await;
            }
        } => {}
    }
    Ok(())
}

async fn tell(words: &mpsc::Sender<Word>, certified_until: Option<u64>) {
    if let Some(certified_until) = certified_until {
        let _ = words.send(Word::Stands { certified_until }).await;
    }
}

/// The device has another certificate.
fn renewed(event: &ServerEvent) -> Option<u64> {
    match event {
        ServerEvent::Message(ServerMessage::Operator(ServerToOperator::Ready { certified_until })) => {
            Some(*certified_until)
        }
        ServerEvent::Up | ServerEvent::Message(_) | ServerEvent::Down => None,
    }
}
