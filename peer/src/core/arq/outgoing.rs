//! The sending half: what waits, what is under way, what must be said again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tasuki_protocol::input::InputEvent;
use tasuki_protocol::message::{Either, HostToViewer, Numbered, Packet, SessionMessage, ViewerToHost};

use super::{MAX_FLYING, MAX_FLYING_BYTES, PeerMisbehaved, STALE, size_of};

/// Bytes of messages that go into one packet, unless one alone is larger.
const PACKET_ROOM: usize = 1100;
/// A message of at most this many bytes is repeated in packets that follow it.
const SMALL: usize = 64;
/// How many earlier messages a packet repeats at most.
const REPEATS: usize = 6;
/// Pointer moves wait this long for a newer one to take their place.
const MOVE_SPACING: Duration = Duration::from_millis(4);
/// Messages that may wait for a path or for room.
const MAX_WAITING: usize = 2048;
const MIN_RTO: Duration = Duration::from_millis(30);
const MAX_RTO: Duration = Duration::from_millis(200);
const MAX_BACKOFF: u32 = 3;

#[derive(Debug)]
pub(in crate::core) struct Outgoing {
    waiting: VecDeque<Waiting>,
    flying: VecDeque<Flying>,
    flying_bytes: usize,
    next: u64,
    last_progress: Instant,
    last_new: Option<Instant>,
    backoff: u32,
}

#[derive(Debug)]
struct Waiting {
    message: SessionMessage,
    since: Instant,
}

#[derive(Debug)]
struct Flying {
    number: u64,
    message: SessionMessage,
    size: usize,
    since: Instant,
    sent: Instant,
}

/// What goes into one packet, and on which paths.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::core) struct Batch {
    pub(in crate::core) items: Vec<Numbered>,
    pub(in crate::core) reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Reach {
    ChosenPath,
    /// Something is overdue: whichever path still works shall bring it.
    EveryPath,
}

/// The other end has acknowledged nothing for so long that no more can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Full;

impl Outgoing {
    pub(in crate::core) fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            flying: VecDeque::new(),
            flying_bytes: 0,
            next: 0,
            last_progress: now,
            last_new: None,
            backoff: 0,
        }
    }

    /// # Errors
    /// [`Full`]: the message was not taken.
    pub(in crate::core) fn push(&mut self, message: SessionMessage, now: Instant) -> Result<(), Full> {
        if let Some(last) = self.waiting.back_mut().filter(|last| replaces(&message, &last.message)) {
            last.message = message;
            return Ok(());
        }
        if self.waiting.len() >= MAX_WAITING {
            return Err(Full);
        }
        self.waiting.push_back(Waiting { message, since: now });
        Ok(())
    }

    /// Everything said has arrived.
    pub(in crate::core) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.flying.is_empty()
    }

    /// # Errors
    /// The peer acknowledges what was never sent.
    pub(in crate::core) fn acknowledge(
        &mut self,
        below: u64,
        now: Instant,
    ) -> Result<(), PeerMisbehaved> {
        if below > self.next {
            return Err(PeerMisbehaved::Acknowledged);
        }
        while let Some(done) = self.flying.pop_front_if(|first| first.number < below) {
            self.flying_bytes -= done.size;
            self.last_progress = now;
            self.backoff = 0;
        }
        Ok(())
    }

    /// When input has been under way too long and nothing is acknowledged, all of it
    /// is taken back, and what is held is let go instead. Whether that was so. T50.
    pub(in crate::core) fn withdraw_stale(&mut self, round_trip: Duration, now: Instant) -> bool {
        if !self.is_gap(round_trip, now) {
            return false;
        }
        self.waiting.retain(|w| !is_input(&w.message));
        for flying in self.flying.iter_mut().filter(|f| is_input(&f.message)) {
            self.flying_bytes -= flying.size;
            flying.message = SessionMessage::Withdrawn;
            flying.size = size_of(&flying.message);
            self.flying_bytes += flying.size;
        }
        self.waiting.push_back(Waiting { message: release_all(), since: now });
        true
    }

    fn is_gap(&self, round_trip: Duration, now: Instant) -> bool {
        self.stale_at(round_trip).is_some_and(|at| now >= at)
    }

    /// When input under way becomes stale, unless something is acknowledged.
    pub(in crate::core) fn stale_at(&self, round_trip: Duration) -> Option<Instant> {
        let patience = STALE + round_trip.min(Duration::from_millis(300));
        self.oldest_input().map(|since| since.max(self.last_progress) + patience)
    }

    fn oldest_input(&self) -> Option<Instant> {
        let flying = self.flying.iter().find(|f| is_input(&f.message)).map(|f| f.since);
        let waiting = self.waiting.iter().find(|w| is_input(&w.message)).map(|w| w.since);
        flying.or(waiting)
    }

    /// What is to be sent now; to be asked until there is nothing more.
    pub(in crate::core) fn next_batch(&mut self, round_trip: Duration, now: Instant) -> Option<Batch> {
        if self.retransmission(round_trip).is_some_and(|due| now >= due) {
            return Some(self.repeat_oldest(round_trip, now));
        }
        if self.waiting.is_empty() || now < self.new_due()? {
            return None;
        }
        let mut items = self.repeats();
        let mut room = PACKET_ROOM.saturating_sub(items.iter().map(|i| size_of(&i.message)).sum());
        let mut taken = false;
        while let Some(next) = self.waiting.front() {
            let size = size_of(&next.message);
            let fits = self.flying.len() < MAX_FLYING && self.flying_bytes + size <= MAX_FLYING_BYTES;
            if !fits || (taken && size > room) {
                break;
            }
            let Some(Waiting { message, since }) = self.waiting.pop_front() else { break };
            items.push(self.launch(message, size, since, now));
            room = room.saturating_sub(size);
            taken = true;
        }
        taken.then_some(Batch { items, reach: Reach::ChosenPath })
    }

    /// Small messages under way, to travel with whatever goes now.
    pub(in crate::core) fn repeats(&self) -> Vec<Numbered> {
        let from = self.flying.len().saturating_sub(REPEATS);
        let small = self.flying.iter().skip(from).filter(|f| f.size <= SMALL);
        small.map(numbered).collect()
    }

    /// `message` as the last of this direction, with all that must be received
    /// before it, in one packet: input and what is large is taken back.
    pub(in crate::core) fn last_words(
        &mut self,
        message: SessionMessage,
        now: Instant,
    ) -> Vec<Numbered> {
        self.waiting.clear();
        for flying in self.flying.iter_mut().filter(|f| is_input(&f.message) || f.size > SMALL) {
            flying.message = SessionMessage::Withdrawn;
        }
        let size = size_of(&message);
        let last = self.launch(message, size, now, now);
        let before = self.flying.iter().take(self.flying.len() - 1).map(numbered);
        before.chain([last]).collect()
    }

    /// When [`Self::next_batch`] has something, as long as there is a path.
    pub(in crate::core) fn send_at(&self, round_trip: Duration) -> Option<Instant> {
        [self.retransmission(round_trip), self.new_due()].into_iter().flatten().min()
    }

    fn launch(
        &mut self,
        message: SessionMessage,
        size: usize,
        since: Instant,
        now: Instant,
    ) -> Numbered {
        let flying = Flying { number: self.next, message, size, since, sent: now };
        let item = numbered(&flying);
        self.next += 1;
        self.flying_bytes += size;
        self.flying.push_back(flying);
        self.last_new = Some(now);
        item
    }

    fn retransmission(&self, round_trip: Duration) -> Option<Instant> {
        let rto = (round_trip * 2).clamp(MIN_RTO, MAX_RTO) * 2u32.pow(self.backoff);
        self.flying.front().map(|oldest| oldest.sent + rto)
    }

    fn repeat_oldest(&mut self, round_trip: Duration, now: Instant) -> Batch {
        self.backoff = (self.backoff + 1).min(MAX_BACKOFF);
        let overdue = (round_trip * 3).max(Duration::from_millis(150));
        let oldest = self.flying.front().map_or(now, |f| f.since);
        let reach = if now >= oldest + overdue { Reach::EveryPath } else { Reach::ChosenPath };
        let mut room = PACKET_ROOM;
        let mut items = Vec::new();
        for flying in &mut self.flying {
            if !items.is_empty() && flying.size > room {
                break;
            }
            room = room.saturating_sub(flying.size);
            flying.sent = now;
            items.push(numbered(flying));
        }
        Batch { items, reach }
    }

    /// When what waits may go. Only a lone pointer move is ever held back, and
    /// nothing goes while the window is full.
    fn new_due(&self) -> Option<Instant> {
        let first = self.waiting.front()?;
        let full = self.flying.len() >= MAX_FLYING
            || self.flying_bytes + size_of(&first.message) > MAX_FLYING_BYTES;
        if full {
            return None;
        }
        let held = self.waiting.len() == 1 && is_move(&first.message);
        let spaced = self.last_new.filter(|_| held).map(|last| last + MOVE_SPACING);
        Some(spaced.map_or(first.since, |spaced| spaced.max(first.since)))
    }
}

/// The packet with all input in it taken back, each in its place.
pub(in crate::core) fn without_input(mut packet: Packet) -> Packet {
    for item in packet.items.iter_mut().filter(|item| is_input(&item.message)) {
        item.message = SessionMessage::Withdrawn;
    }
    packet
}

fn numbered(flying: &Flying) -> Numbered {
    Numbered { number: flying.number, message: flying.message.clone() }
}

pub(in crate::core) fn release_all() -> SessionMessage {
    SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::ReleaseAll))
}

/// Letting go is never stale.
fn is_input(message: &SessionMessage) -> bool {
    matches!(message, SessionMessage::ViewerToHost(ViewerToHost::Input(_))) && *message != release_all()
}

fn is_move(message: &SessionMessage) -> bool {
    matches!(
        message,
        SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::PointerMove { .. }))
            | SessionMessage::HostToViewer(HostToViewer::Cursor(_))
    )
}

/// Whether `new` makes `old` pointless, both still waiting.
fn replaces(new: &SessionMessage, old: &SessionMessage) -> bool {
    use SessionMessage as M;
    match (new, old) {
        (M::HostToViewer(new), M::HostToViewer(old)) => matches!(
            (new, old),
            (HostToViewer::Cursor(_), HostToViewer::Cursor(_))
                | (HostToViewer::CursorShape(_), HostToViewer::CursorShape(_))
                | (HostToViewer::Layout(_), HostToViewer::Layout(_))
        ),
        (M::ViewerToHost(new), M::ViewerToHost(old)) => {
            (is_move(&M::ViewerToHost(new.clone())) && is_move(&M::ViewerToHost(old.clone())))
                || (new == old && *new == ViewerToHost::NeedKeyFrame)
        }
        (M::Either(Either::Shown { .. }), M::Either(Either::Shown { .. })) => true,
        (
            M::HostToViewer(_) | M::ViewerToHost(_) | M::Either(_) | M::Withdrawn,
            M::HostToViewer(_) | M::ViewerToHost(_) | M::Either(_) | M::Withdrawn,
        ) => false,
    }
}
