//! What surfaces show of a running session: numbers and words, no authority.

use std::time::Instant;

use tasuki_protocol::rights::{Capability, Mode};

use super::{Session, Side};
use crate::core::paths::Lane;
use crate::core::snapshot::{
    AskingLine, InputState, RightLine, SessionStats, Snapshot, StageName, Who, seconds,
};

impl Session {
    pub(in crate::core) fn mode(&self) -> Mode {
        self.authority.manifest().mode
    }

    pub(in crate::core) fn stats(&self) -> SessionStats {
        let (frames, video_bytes) = self.picture_totals();
        let chosen: Option<&Lane> = self.paths.chosen();
        let round_trip = self.paths.measured_round_trip();
        SessionStats {
            mode: Some(self.mode()),
            path: chosen.map(Lane::shown_as),
            ciphers: chosen.and_then(Lane::ciphers),
            round_trip_ms: round_trip.and_then(|rtt| u32::try_from(rtt.as_millis()).ok()),
            frames,
            video_bytes,
            violations: self.violations.total(),
            last_path_end: self.paths.last_end().map(str::to_owned),
        }
    }

    pub(in crate::core) fn pictures_said(&self) -> u64 {
        self.pictures_said
    }

    pub(super) fn picture_totals(&self) -> (u64, u64) {
        match &self.side {
            Side::Host(host) => (host.pump.frames, host.pump.bytes),
            Side::Viewer(viewer) => (viewer.frames, viewer.bytes),
        }
    }

    pub(in crate::core) fn snapshot(&self, organisation: &str, now: Instant) -> Snapshot {
        let manifest = self.authority.manifest();
        let (frames_per_second, bits_per_second) = self.meter.rates(now);
        let grantable = self.authority.grantable();
        let line = |right| RightLine::of(right, self.authority.stand(right, now), grantable, now);
        let stage = match &self.parting {
            Some(_) => StageName::Parting,
            None => StageName::Session,
        };
        Snapshot {
            who: Some(Who::of(manifest)),
            host: Some(manifest.mode.host()),
            began_unix_s: Some(self.chronicle.began_at()),
            lasted_s: Some(self.chronicle.after(now)),
            ends_in_s: Some(seconds(self.authority.ends(), now)),
            rights: self.authority.contract().iter().map(line).collect(),
            not_direct: self.paths.not_direct(),
            reconnecting_for_s: self.paths.missing_for(now).map(|span| span.as_secs()),
            frames_per_second,
            bits_per_second,
            recording: manifest.recording.into(),
            input: self.input_state(now),
            asking: self.asking(now),
            ..Snapshot::bare(organisation, stage)
        }
    }

    fn asking(&self, now: Instant) -> Option<AskingLine> {
        match &self.side {
            Side::Host(host) => host.askings.line(now),
            Side::Viewer(viewer) => viewer.asking(now),
        }
    }

    fn input_state(&self, now: Instant) -> InputState {
        if self.parting.is_some() || !self.authority.allows(Capability::Operate, now) {
            return InputState::Off;
        }
        match &self.side {
            Side::Host(host) => host.input_state(now),
            Side::Viewer(viewer) => viewer.input_state(now),
        }
    }
}
