//! Whether a sign-in still stands: a connection that asks for nothing, and is closed when it does not.
//!
//! Decides when to dial again. Begins no session and signs nobody out.

use std::time::Instant;

use tokio::sync::mpsc;

use super::fault::Fault;
use super::server::{Caller, Entrance, FIRST_PAUSE, LONGEST_PAUSE, converse, unit_random};
use super::settings::Settings;
use super::trust::Trust;

/// Waits until the server knows the sign-in of the profile no more: its time is over, or the account, the device or its
/// certificate were taken away (T17, T55), or it is outside the account's hours or addresses. What stands in the way of
/// asking is no answer, and the server is asked again later.
pub async fn until_it_falls(settings: &Settings) -> Fault {
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        match stay(settings).await {
            Ok(()) => {}
            Err(fault @ (Fault::SignInOver | Fault::NotSignedIn)) => return fault,
            Err(why) => tracing::info!(why = %why, "nobody says whether the sign-in stands"),
        }
        let lasted = began.elapsed() > LONGEST_PAUSE;
        pause = if lasted { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        // As whoever dials again (F14).
        tokio::time::sleep(pause.mul_f64(unit_random())).await;
    }
}

/// Until the connection is closed.
async fn stay(settings: &Settings) -> Result<(), Fault> {
    let (profile, proxies) = (&settings.profile, &settings.proxies);
    let trust = Trust::current(settings.tenant.as_deref(), profile, proxies).await?;
    let (sign_in, device) = (profile.sign_in()?, Box::new(profile.device_key()?));
    let entrance = Entrance::Operator { sign_in, device };
    let caller = Caller { trust, proxies: proxies.clone(), entrance };
    let (mut socket, _) = caller.dial().await?;
    let (_nobody_asks, mut wanted) = mpsc::channel(1);
    let (told, mut heard) = mpsc::channel(1);
    tokio::select! {
        _ = converse(&caller, &mut socket, &mut wanted, &told) => {}
        () = async { while heard.recv().await.is_some() {} } => {}
    }
    Ok(())
}
