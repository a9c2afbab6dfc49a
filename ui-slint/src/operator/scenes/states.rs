//! Made-up states of one session.

use tasuki_peer::core::able;
use tasuki_peer::core::io::{PersonQuestion, PersonQuestionKind};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::screen::{Layout, Monitor, MonitorId};

use super::NOW;
use crate::operator::model::{Number, Question, Stage, Tab};

pub(super) fn asked() -> Rights {
    Rights::of(&[Capability::Operate])
}

/// As a session has it whose policy allows everything: what this version cannot do is nobody's.
pub(super) fn granted(mode: Mode) -> Rights {
    mode.ceiling().and(able())
}

pub(super) fn go_on() -> Question {
    let question = PersonQuestion { kind: PersonQuestionKind::Continue, seconds: 300, inert_ms: 800 };
    Question { question, since: NOW - 28, seen_since: Some(NOW - 28) }
}

/// As UDP was of no use.
pub(super) fn relayed(tab: &mut Tab) {
    tab.link.path = Some(PathKind::Relayed);
    tab.link.why_not_direct = Some("this network lets no UDP through".to_owned());
    tab.link.cipher_words =
        Some("Noise_NNpsk0_25519_AESGCM_SHA256, TLS13_AES_256_GCM_SHA384".to_owned());
    tab.link.round_trip_ms = Some(61);
}

pub(super) fn live_stage() -> Stage {
    Stage::Live { since: NOW - 754 }
}

/// Of who signed in on Wednesday and comes back in the night.
pub(super) fn hours_over() -> Fault {
    let (opens, zone) = ("2026-11-26 09:00".to_owned(), "Asia/Tokyo".to_owned());
    Fault::HoursOver { opens, zone }
}

pub(super) fn number(wrong_tries: u8) -> Number {
    Number {
        spoken: "4829 1530 6126".to_owned(),
        link: "tasuki://join/48291#5306126".to_owned(),
        expires_at: NOW + 581,
        wrong_tries,
    }
}

/// As a session stands some minutes after its beginning.
pub(super) fn connect(tab: &mut Tab, since: u64) {
    let monitor =
        |id, x, primary| Monitor { id: MonitorId(id), x, y: 0, width: 1280, height: 800, primary };
    tab.live_since = Some(since);
    tab.granted = granted(tab.mode);
    tab.view.first_ms = Some(412);
    tab.view.layout = Some(Layout {
        monitors: vec![monitor(0, 0, true), monitor(1, 1280, false)],
        shown: MonitorId(0),
    });
    tab.link.path = Some(PathKind::Direct);
    tab.link.rates.pictures = 24.0;
    tab.link.rates.bits = 1_840_000.0;
    tab.link.cipher_words = Some("TLS_AES_256_GCM_SHA384, AEAD_AES_256_GCM".to_owned());
    tab.link.round_trip_ms = Some(38);
}
