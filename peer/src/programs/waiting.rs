//! A script's `wait`: for the session, a picture, a colour or a time.
//!
//! Decides when it is over. Always ends: what does not happen is told too.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::commands::Wait;
use crate::shell::desktop::Viewer;
use crate::shell::desktop::viewer::Spot;

/// How far each channel of a colour may be off: the picture is coded with loss.
const NEAR: u8 = 24;

#[derive(Debug, Clone, Copy)]
pub(super) enum Waiting {
    Session { until: Until },
    Frame { after: u64, until: Until },
    Colour { spot: Spot, rgb: [u8; 3], until: Until },
    Time { until: Until },
}

/// The end of a wait, and how long it was to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    at: Instant,
    patience: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Yes { what: &'static str, frame: u64 },
    TooLate { patience: Duration },
}

impl Waiting {
    /// A frame counts when it is decoded after `seen` others.
    pub(super) fn begin(wait: Wait, seen: u64) -> Self {
        let until = |patience: Duration| Until { at: Instant::now() + patience, patience };
        match wait {
            Wait::Session(patience) => Self::Session { until: until(patience) },
            Wait::Frame(patience) => Self::Frame { after: seen, until: until(patience) },
            Wait::Colour { spot, rgb, within } => Self::Colour { spot, rgb, until: until(within) },
            Wait::Time(span) => Self::Time { until: until(span) },
        }
    }

    /// Silent for ever without a wait, and for the session, which its owner hears of. Cancel-safe.
    pub(super) async fn done(waiting: Option<&Self>, viewer: &Viewer) -> Done {
        let Some(waiting) = waiting else { return std::future::pending().await };
        match *waiting {
            Self::Session { until } => {
                sleep_until(until.at).await;
                until.too_late()
            }
            Self::Time { until } => {
                sleep_until(until.at).await;
                Done::Yes { what: "time", frame: 0 }
            }
            Self::Frame { after, until } => {
                match timeout_at(until.at, viewer.newer_than(after)).await {
                    Ok(shown) => Done::Yes { what: "frame", frame: shown.count },
                    Err(_) => until.too_late(),
                }
            }
            Self::Colour { spot, rgb, until } => {
                match timeout_at(until.at, colour_comes(viewer, spot, rgb)).await {
                    Ok(frame) => Done::Yes { what: "colour", frame },
                    Err(_) => until.too_late(),
                }
            }
        }
    }
}

impl Until {
    fn too_late(self) -> Done {
        Done::TooLate { patience: self.patience }
    }
}

async fn colour_comes(viewer: &Viewer, spot: Spot, rgb: [u8; 3]) -> u64 {
    loop {
        let shown = viewer.shown();
        let near = |colour: [u8; 3]| colour.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= NEAR);
        if viewer.colour(spot).is_some_and(near) {
            return shown.count;
        }
        viewer.newer_than(shown.count).await;
    }
}
