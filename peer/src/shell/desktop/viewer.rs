//! The viewer's picture: a decoder thread, the newest picture for whoever looks,
//! and when it came.
//!
//! Decides what happens to frames that come faster than they can be decoded. Does
//! not draw, and never touches a desktop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::time::{ClockId, clock_gettime};
use tasuki_media::video::{Picture, PictureError, WithCursor};
use tasuki_protocol::leg::FrameKind;
use tasuki_protocol::screen::Layout;
use tokio::sync::watch;

use crate::core::io::PictureCommand;
use crate::core::path::VideoFrame;

/// Frames that may wait for the decoder: two seconds of motion.
const QUEUE: usize = 64;

/// The newest decoded picture, as a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Pictures decoded so far in this session.
    pub count: u64,
    /// The frame's own number.
    pub frame: u32,
    /// Microseconds on CLOCK_MONOTONIC when it was decoded.
    pub at_us: u64,
    /// As `at_us`, of the first picture.
    pub first_us: u64,
}

impl Shown {
    fn advance(&mut self, frame: u32) {
        self.count += 1;
        self.frame = frame;
        self.at_us = monotonic_us();
        if self.count == 1 {
            self.first_us = self.at_us;
        }
    }
}

/// A pixel that is watched for a change, to measure how long one takes to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    pub x: u16,
    pub y: u16,
}

/// Cheap to clone; all clones look at one picture.
#[derive(Debug, Clone)]
pub struct Viewer {
    inner: Arc<Inner>,
    shown: watch::Receiver<Shown>,
}

#[derive(Debug)]
struct Inner {
    queue: Mutex<Queue>,
    arrived: Condvar,
    picture: Mutex<Option<Picture>>,
    layout: Mutex<Option<Layout>>,
    mark: watch::Sender<Shown>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<VideoFrame>,
    awaits: Awaits,
    over: Option<()>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Awaits {
    #[default]
    KeyFrame,
    Anything,
}

/// What is to be done about a frame that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Nothing,
    /// The decoder cannot go on without a frame that stands alone.
    KeyFrame,
}

impl Default for Viewer {
    fn default() -> Self {
        let (mark, shown) = watch::channel(Shown::default());
        let inner = Inner {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            picture: Mutex::default(),
            layout: Mutex::default(),
            mark,
            thread: Mutex::default(),
        };
        Self { inner: Arc::new(inner), shown }
    }
}

impl Viewer {
    pub fn act(&self, command: PictureCommand) -> Wanted {
        match command {
            PictureCommand::Layout(layout) => *lock(&self.inner.layout) = Some(layout),
            PictureCommand::CursorShape(shape) => {
                self.with_picture(|picture| picture.set_cursor_shape(shape));
            }
            PictureCommand::Cursor(position) => {
                self.with_picture(|picture| picture.set_cursor_position(position));
            }
            PictureCommand::Frame(frame) => return self.decode(frame),
        }
        Wanted::Nothing
    }

    pub fn layout(&self) -> Option<Layout> {
        lock(&self.inner.layout).clone()
    }

    pub fn shown(&self) -> Shown {
        *self.shown.borrow()
    }

    /// Waits until more than `count` pictures were decoded.
    pub async fn newer_than(&self, count: u64) -> Shown {
        let mut shown = self.shown.clone();
        let newer = shown.wait_for(|shown| shown.count > count).await.map(|shown| *shown);
        match newer {
            Ok(shown) => shown,
            Err(_) => std::future::pending().await,
        }
    }

    /// The newest picture as a PNG file's bytes, and its size in pixels. S7, S22.
    ///
    /// # Errors
    /// [`PictureError::Empty`] before the first frame.
    pub fn png(&self) -> Result<(Vec<u8>, u16, u16), PictureError> {
        let picture = lock(&self.inner.picture);
        let picture = picture.as_ref().ok_or(PictureError::Empty)?;
        Ok((picture.png(WithCursor::Hidden)?, picture.width(), picture.height()))
    }

    /// Red, green and blue at `spot` of the newest picture.
    pub fn colour(&self, spot: Spot) -> Option<[u8; 3]> {
        let picture = lock(&self.inner.picture);
        let picture = picture.as_ref()?;
        if spot.x >= picture.width() || spot.y >= picture.height() {
            return None;
        }
        let at = (usize::from(spot.y) * usize::from(picture.width()) + usize::from(spot.x)) * 4;
        picture.rgba().get(at..at + 3)?.try_into().ok()
    }

    /// Ends the decoder; the last picture stays.
    pub fn stop(&self) {
        {
            let mut queue = lock(&self.inner.queue);
            queue.over = Some(());
            queue.frames.clear();
        }
        self.inner.arrived.notify_all();
        if let Some(thread) = lock(&self.inner.thread).take() {
            let _ = thread.join();
        }
    }

    fn with_picture(&self, change: impl FnOnce(&mut Picture)) {
        let mut picture = lock(&self.inner.picture);
        if picture.is_none() {
            *picture = Picture::new().ok();
        }
        if let Some(picture) = picture.as_mut() {
            change(picture);
        }
    }

    fn decode(&self, frame: VideoFrame) -> Wanted {
        self.start();
        let mut queue = lock(&self.inner.queue);
        if queue.frames.len() >= QUEUE {
            queue.frames.clear();
            queue.awaits = Awaits::KeyFrame;
        }
        if queue.awaits == Awaits::KeyFrame && frame.header.kind == FrameKind::Delta {
            return Wanted::KeyFrame;
        }
        queue.awaits = Awaits::Anything;
        queue.frames.push_back(frame);
        self.inner.arrived.notify_all();
        Wanted::Nothing
    }

    fn start(&self) {
        let mut thread = lock(&self.inner.thread);
        if thread.is_none() {
            let inner = Arc::clone(&self.inner);
            let named = std::thread::Builder::new().name("tasuki-decode".to_owned());
            *thread = named.spawn(move || work(&inner)).ok();
        }
    }
}

fn work(inner: &Inner) {
    while let Some(frame) = next_frame(inner) {
        let decoded = {
            let mut picture = lock(&inner.picture);
            if picture.is_none() {
                *picture = Picture::new().ok();
            }
            picture.as_mut().is_some_and(|picture| picture.show(&frame.vp8).is_ok())
        };
        if !decoded {
            let mut queue = lock(&inner.queue);
            queue.frames.clear();
            queue.awaits = Awaits::KeyFrame;
        }
        if decoded {
            inner.mark.send_modify(|shown| shown.advance(frame.header.number));
        }
    }
}

fn next_frame(inner: &Inner) -> Option<VideoFrame> {
    let mut queue = lock(&inner.queue);
    loop {
        if queue.over.is_some() {
            return None;
        }
        if let Some(frame) = queue.frames.pop_front() {
            return Some(frame);
        }
        queue = inner.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Microseconds on CLOCK_MONOTONIC, which every program of one machine shares.
pub fn monotonic_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let micros = time.tv_sec * 1_000_000 + time.tv_nsec / 1000;
    u64::try_from(micros).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
