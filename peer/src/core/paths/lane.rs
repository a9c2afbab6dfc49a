//! The paths that exist at the moment, each being tried or up.

use std::time::{Duration, Instant};

use super::pulse::{Pulse, Tempo};
use crate::core::path::{PathId, PathKind, Route};

/// An attempt that the path itself has not given up by then is closed.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Silence after which a path is closed and tried afresh. ICE can recover a
/// direct path by itself; what a relay forwards seldom comes back in time.
const SILENT_DIRECT: Duration = Duration::from_secs(15);
const SILENT_RELAYED: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(in crate::core) struct Lane {
    pub(in crate::core) id: PathId,
    pub(in crate::core) kind: PathKind,
    state: State,
    route: Route,
    room: Room,
    pub(in crate::core) bits_per_second: Option<u64>,
}

#[derive(Debug)]
enum State {
    Trying { since: Instant },
    Up(Box<Pulse>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Room {
    ForOneFrame,
    None,
}

impl Lane {
    pub(super) fn pulse(&self) -> Option<&Pulse> {
        match &self.state {
            State::Trying { .. } => None,
            State::Up(pulse) => Some(pulse),
        }
    }

    /// What people are told that it is: what a relay forwards is relayed, whatever it is made of.
    pub(in crate::core) fn shown_as(&self) -> PathKind {
        match self.route {
            Route::Straight => self.kind,
            Route::ByRelay => PathKind::Relayed,
        }
    }

    pub(super) fn route(&self) -> Route {
        self.route
    }

    pub(in crate::core) fn room(&self) -> Room {
        self.room
    }

    pub(in crate::core) fn ciphers(&self) -> Option<crate::core::path::Ciphers> {
        self.pulse().map(|pulse| pulse.ciphers.clone())
    }

    pub(super) fn deadline(&self, tempo: Tempo) -> Option<Instant> {
        let beat = self.pulse().map(|pulse| pulse.beat_due(tempo));
        let doubt = self.pulse().and_then(|pulse| pulse.doubt_due(tempo));
        [beat, doubt, Some(self.closes_at())].into_iter().flatten().min()
    }

    fn closes_at(&self) -> Instant {
        let pulse = match &self.state {
            State::Trying { since } => return *since + ATTEMPT,
            State::Up(pulse) => pulse,
        };
        let silence = match self.shown_as() {
            PathKind::Direct => SILENT_DIRECT,
            PathKind::Relayed => SILENT_RELAYED,
        };
        pulse.heard_at() + silence
    }
}

#[derive(Debug, Default)]
pub(super) struct Lanes {
    list: Vec<Lane>,
    next: u32,
}

impl Lanes {
    pub(super) fn add(&mut self, kind: PathKind, now: Instant) -> PathId {
        let id = PathId(self.next);
        self.next += 1;
        let state = State::Trying { since: now };
        let (route, room) = (Route::Straight, Room::None);
        self.list.push(Lane { id, kind, state, route, room, bits_per_second: None });
        id
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.list.iter()
    }

    pub(super) fn up(&self) -> impl Iterator<Item = (&Lane, &Pulse)> {
        self.list.iter().filter_map(|lane| lane.pulse().map(|pulse| (lane, pulse)))
    }

    pub(super) fn find(&self, id: PathId) -> Option<&Lane> {
        self.list.iter().find(|lane| lane.id == id)
    }

    fn find_mut(&mut self, id: PathId) -> Option<&mut Lane> {
        self.list.iter_mut().find(|lane| lane.id == id)
    }

    pub(super) fn newest(&self, kind: PathKind) -> Option<PathId> {
        self.list.iter().rev().find(|lane| lane.kind == kind).map(|lane| lane.id)
    }

    /// The lane's kind, if it was being tried.
    pub(super) fn raise(&mut self, id: PathId, pulse: Pulse) -> Option<PathKind> {
        let lane = self.find_mut(id).filter(|lane| lane.pulse().is_none())?;
        lane.state = State::Up(Box::new(pulse));
        Some(lane.kind)
    }

    pub(super) fn remove(&mut self, id: PathId) -> Option<Lane> {
        let place = self.list.iter().position(|lane| lane.id == id)?;
        Some(self.list.remove(place))
    }

    pub(super) fn pulse_mut(&mut self, id: PathId) -> Option<&mut Pulse> {
        match &mut self.find_mut(id)?.state {
            State::Trying { .. } => None,
            State::Up(pulse) => Some(pulse),
        }
    }

    pub(super) fn set_route(&mut self, id: PathId, route: Route) {
        if let Some(lane) = self.find_mut(id) {
            lane.route = route;
        }
    }

    pub(super) fn set_room(&mut self, id: PathId) {
        if let Some(lane) = self.find_mut(id) {
            lane.room = Room::ForOneFrame;
        }
    }

    pub(super) fn clear_room(&mut self, id: PathId) {
        if let Some(lane) = self.find_mut(id) {
            lane.room = Room::None;
        }
    }

    pub(super) fn set_capacity(&mut self, id: PathId, bits_per_second: u64) {
        if let Some(lane) = self.find_mut(id) {
            lane.bits_per_second = Some(bits_per_second);
        }
    }

    /// Relayed lanes that a newer one, now up, makes pointless.
    pub(super) fn older_relayed(&self, than: PathId) -> Vec<PathId> {
        let relayed = self.list.iter().filter(|lane| lane.kind == PathKind::Relayed);
        relayed.filter(|lane| lane.id < than).map(|lane| lane.id).collect()
    }

    /// Relayed lanes that never came up, when another leg is handed out: there
    /// are never more than two.
    pub(super) fn stale_relayed(&self) -> Vec<PathId> {
        let relayed = self.list.iter().filter(|lane| lane.kind == PathKind::Relayed);
        relayed.filter(|lane| lane.pulse().is_none()).map(|lane| lane.id).collect()
    }

    pub(super) fn silent(&self, now: Instant) -> Vec<PathId> {
        self.list.iter().filter(|lane| now >= lane.closes_at()).map(|lane| lane.id).collect()
    }

    pub(super) fn judge(&mut self, tempo: Tempo, now: Instant) {
        for lane in &mut self.list {
            if let State::Up(pulse) = &mut lane.state {
                pulse.judge(tempo, now);
            }
        }
    }
}
