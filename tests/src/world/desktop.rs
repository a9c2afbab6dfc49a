//! A host's desktop that exists only in the test: a picture with a revision, a
//! keyboard that remembers what was typed on it.

use std::collections::{BTreeSet, VecDeque};

use tasuki_peer::core::io::{DesktopCommand, DesktopEvent, KeyFrame};
use tasuki_peer::core::path::VideoFrame;
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::screen::{CursorPosition, Layout, Monitor, MonitorId};

#[derive(Debug)]
pub struct Desktop {
    pub capture: Module,
    pub injector: Module,
    /// Everything injected, in order.
    pub injected: Vec<InputEvent>,
    pub keys: BTreeSet<PhysicalKey>,
    pub buttons: Vec<PointerButton>,
    pub shown: MonitorId,
    /// What is on the screen now, and what was last captured of it.
    pub revision: u32,
    captured: Option<u32>,
    demand: Option<KeyFrame>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    NeverRan,
    Runs,
    Stopped,
}

impl Default for Desktop {
    fn default() -> Self {
        Self {
            capture: Module::NeverRan,
            injector: Module::NeverRan,
            injected: Vec::new(),
            keys: BTreeSet::new(),
            buttons: Vec::new(),
            shown: MonitorId(0),
            revision: 0,
            captured: None,
            demand: None,
        }
    }
}

pub const WIDTH: u16 = 1920;
pub const HEIGHT: u16 = 1080;

pub fn layout(shown: MonitorId) -> Layout {
    let monitor = |id: u8| Monitor {
        id: MonitorId(id),
        x: i32::from(id) * i32::from(WIDTH),
        y: 0,
        width: WIDTH,
        height: HEIGHT,
        primary: id == 0,
    };
    Layout { monitors: vec![monitor(0), monitor(1)], shown }
}

impl Desktop {
    /// Carries the command out; what the desktop tells at once.
    pub fn act(&mut self, command: DesktopCommand) -> VecDeque<DesktopEvent> {
        let mut told = VecDeque::new();
        match command {
            DesktopCommand::StartCapture(_) => {
                self.capture = Module::Runs;
                told.push_back(DesktopEvent::Layout(layout(self.shown)));
                told.push_back(DesktopEvent::Cursor(CursorPosition(Some((1, 1)))));
            }
            DesktopCommand::StartInjector(_) => self.injector = Module::Runs,
            DesktopCommand::Demand(demand) => {
                self.demand = Some(demand.key_frame);
                told.extend(self.capture_frame());
            }
            DesktopCommand::ShowMonitor(id) => {
                self.shown = id;
                self.revision += 1;
                told.push_back(DesktopEvent::Layout(layout(id)));
                told.extend(self.capture_frame());
            }
            DesktopCommand::Inject(_, event) => self.inject(event),
            DesktopCommand::ReleaseAll => self.release_all(),
            DesktopCommand::Stop => {
                self.capture = stopped(self.capture);
                self.injector = stopped(self.injector);
                self.demand = None;
            }
        }
        told
    }

    /// The person at the host draws something.
    pub fn change(&mut self) -> Option<DesktopEvent> {
        self.revision += 1;
        self.capture_frame()
    }

    fn capture_frame(&mut self) -> Option<DesktopEvent> {
        let demand = self.demand?;
        let changed = self.captured != Some(self.revision);
        if self.capture != Module::Runs || (!changed && demand == KeyFrame::AsNeeded) {
            return None;
        }
        self.demand = None;
        self.captured = Some(self.revision);
        // The first byte is VP8's, as far as a path looks at it.
        let (kind, first) = match demand {
            KeyFrame::Forced => (FrameKind::Key, 0x10),
            KeyFrame::AsNeeded => (FrameKind::Delta, 0x11),
        };
        let mut vp8 = vec![first];
        vp8.extend_from_slice(super::MARKER);
        vp8.extend_from_slice(&self.revision.to_be_bytes());
        Some(DesktopEvent::Frame(VideoFrame { header: VideoHeader { number: 0, kind }, vp8 }))
    }

    fn inject(&mut self, event: InputEvent) {
        match &event {
            InputEvent::Key { key, action: KeyAction::Press } => {
                self.keys.insert(*key);
            }
            InputEvent::Key { key, action: KeyAction::Release } => {
                self.keys.remove(key);
            }
            InputEvent::Button { button, action: KeyAction::Press } => self.buttons.push(*button),
            InputEvent::Button { button, action: KeyAction::Release } => {
                self.buttons.retain(|held| held != button);
            }
            InputEvent::PointerMove { .. } | InputEvent::Wheel { .. } | InputEvent::Text(_) => {}
            InputEvent::ReleaseAll => self.release_all(),
        }
        self.injected.push(event);
    }

    fn release_all(&mut self) {
        self.keys.clear();
        self.buttons.clear();
    }

    /// What was typed here, in order: texts that are numbers.
    pub fn typed(&self) -> Vec<u32> {
        let text = |event: &InputEvent| match event {
            InputEvent::Text(text) => text.parse().ok(),
            InputEvent::PointerMove { .. }
            | InputEvent::Button { .. }
            | InputEvent::Wheel { .. }
            | InputEvent::Key { .. }
            | InputEvent::ReleaseAll => None,
        };
        self.injected.iter().filter_map(text).collect()
    }
}

fn stopped(module: Module) -> Module {
    match module {
        Module::NeverRan => Module::NeverRan,
        Module::Runs | Module::Stopped => Module::Stopped,
    }
}
