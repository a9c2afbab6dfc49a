//! The viewer's picture: a decoder thread, the newest picture for whoever looks,
//! and when it came.
//!
//! Decides what happens to frames that come faster than they can be decoded. Does
//! not draw, and never touches a desktop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tasuki_media::blocks::ChangedBlocks;
use tasuki_media::video::{Picture, PictureError, WithCursor};
use tasuki_protocol::leg::FrameKind;
use tasuki_protocol::screen::Layout;
use tokio::sync::watch;

use crate::core::io::PictureCommand;
use crate::core::path::VideoFrame;
use crate::shell::system::monotonic_us;

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
    stirs: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Inner {
    queue: Mutex<Queue>,
    arrived: Condvar,
    picture: Mutex<Option<Picture>>,
    /// What a looker has not seen yet; a set of another size when the picture's changed.
    unseen: Mutex<Option<ChangedBlocks>>,
    layout: Mutex<Option<Layout>>,
    mark: watch::Sender<Shown>,
    /// Counts everything that looks different: pictures, cursor, layout.
    stir: watch::Sender<u64>,
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
        let (stir, stirs) = watch::channel(0);
        let inner = Inner {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            picture: Mutex::default(),
            unseen: Mutex::default(),
            layout: Mutex::default(),
            mark,
            stir,
            thread: Mutex::default(),
        };
        Self { inner: Arc::new(inner), shown, stirs }
    }
}

impl Viewer {
    pub fn act(&self, command: PictureCommand) -> Wanted {
        match command {
            PictureCommand::Layout(layout) => {
                *lock(&self.inner.layout) = Some(layout);
                self.inner.stir();
            }
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

    /// Waits until something looks different than after `stirs` changes; gives their
    /// count. Of many changes the newest is waited for, never each.
    pub async fn stirred(&self, stirs: u64) -> u64 {
        let mut counted = self.stirs.clone();
        let newer = counted.wait_for(|count| *count > stirs).await.map(|count| *count);
        match newer {
            Ok(count) => count,
            Err(_) => std::future::pending().await,
        }
    }

    /// Shows the newest picture and the blocks of it that were not looked at before.
    /// For one looker; the decoder waits meanwhile. `None` before the first picture.
    pub fn look<R>(&self, see: impl FnOnce(&Picture, &ChangedBlocks) -> R) -> Option<R> {
        let picture = lock(&self.inner.picture);
        let picture = picture.as_ref().filter(|picture| picture.width() > 0)?;
        let unseen = lock(&self.inner.unseen).take();
        let none = || ChangedBlocks::none(picture.width(), picture.height());
        Some(see(picture, &unseen.unwrap_or_else(none)))
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
        self.inner.stir();
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
            match picture.as_mut().map(|picture| picture.show(&frame.vp8)) {
                Some(Ok(changed)) => {
                    inner.note_unseen(changed);
                    true
                }
                Some(Err(_)) | None => false,
            }
        };
        if !decoded {
            let mut queue = lock(&inner.queue);
            queue.frames.clear();
            queue.awaits = Awaits::KeyFrame;
        }
        if decoded {
            inner.mark.send_modify(|shown| shown.advance(frame.header.number));
            inner.stir();
        }
    }
}

impl Inner {
    fn stir(&self) {
        self.stir.send_modify(|count| *count += 1);
    }

    fn note_unseen(&self, changed: ChangedBlocks) {
        let mut unseen = lock(&self.unseen);
        match unseen.as_mut() {
            Some(before)
                if before.marks().len() == changed.marks().len() && before.cols() == changed.cols() =>
            {
                before.union(&changed)
            }
            Some(_) | None => *unseen = Some(changed),
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cursor_that_moves_stirs_whoever_looks_and_many_moves_once() {
        let viewer = Viewer::default();
        for x in 0..5 {
            let place = tasuki_protocol::screen::CursorPosition(Some((x, 0)));
            viewer.act(PictureCommand::Cursor(place));
        }
        assert_eq!(viewer.stirred(0).await, 5);
    }

    #[test]
    fn blocks_that_nobody_looked_at_add_up_until_the_size_changes() {
        let viewer = Viewer::default();
        let marked = |width, column| {
            let mut blocks = ChangedBlocks::none(width, 64);
            blocks.insert(column, 0);
            blocks
        };
        viewer.inner.note_unseen(marked(64, 0));
        viewer.inner.note_unseen(marked(64, 3));
        assert_eq!(lock(&viewer.inner.unseen).as_ref().map(ChangedBlocks::count), Some(2));
        viewer.inner.note_unseen(marked(128, 1));
        assert_eq!(lock(&viewer.inner.unseen).as_ref().map(ChangedBlocks::count), Some(1));
    }

    #[test]
    fn there_is_nothing_to_look_at_before_the_first_picture() {
        let viewer = Viewer::default();
        assert_eq!(viewer.look(|_, _| ()), None);
    }
}
