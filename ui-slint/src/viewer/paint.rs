//! Paints the remote picture off the window's thread: newest wins, a tile at a time.
//!
//! One thread for each picture that is looked at. It waits until the window has taken
//! what was painted before it looks again, so that a slow window skips pictures and
//! queues none. Knows no window.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slint::{Rgb8Pixel, Rgba8Pixel, SharedPixelBuffer};
use tasuki_media::blocks::ChangedBlocks;
use tasuki_media::tiling::{Extent, Tile, Tiling};
use tasuki_media::video::Picture;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_protocol::screen::{CursorShape, Layout};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::frame::{Frame, Place, Zoom};
use super::sheets::Sheets;
use crate::system::thread_cpu;

/// How the window wants the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of the window's part for the picture, in physical pixels; empty when it is not seen.
    pub view: Extent,
    pub zoom: Zoom,
    pub moved: Place,
}

/// What the window is to show anew.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    pub frame: Frame,
    /// Whether tiles of before are void.
    pub afresh: bool,
    pub tiles: Vec<(Tile, SharedPixelBuffer<Rgb8Pixel>)>,
    pub cursor: Cursor,
    pub layout: Option<Layout>,
}

/// The host's cursor, to be drawn over the picture.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// Only when it is another than before.
    pub shape: Option<Shape>,
    /// Of the hot spot, in pixels of the source.
    pub at: Option<(u16, u16)>,
}

#[derive(Debug, Clone)]
pub struct Shape {
    /// `None` for a cursor without pixels: it is hidden.
    pub pixels: Option<SharedPixelBuffer<Rgba8Pixel>>,
    pub hot: (u16, u16),
}

/// Of the painting thread, to be measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub pictures: u64,
    pub tiles: u64,
    /// CPU time, its own.
    pub cpu: Duration,
}

/// A thread that paints until this is dropped.
#[derive(Debug)]
pub struct Painter {
    wanted: watch::Sender<Option<Wanted>>,
    slot: Arc<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    taken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fresh: Option<Fresh>,
    over: bool,
    spent: Spent,
}

impl Painter {
    /// `ring` is called from the painting thread when something is to be taken.
    pub fn start(viewer: Viewer, runtime: Handle, ring: impl Fn() + Send + 'static) -> Self {
        let (wanted, wishes) = watch::channel(Some(Wanted::default()));
        let slot = Arc::new(Slot::default());
        let work = Work {
            viewer,
            wishes,
            slot: Arc::clone(&slot),
            tiling: Tiling::default(),
            sheets: Sheets::default(),
            wanted: Wanted::default(),
            shape: None,
            stirs: 0,
        };
        let named = std::thread::Builder::new().name("tasuki-paint".to_owned());
        if named.spawn(move || work.run(&runtime, ring)).is_err() {
            tracing::error!("the system gives no thread to paint the picture");
        }
        Self { wanted, slot }
    }

    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|now| {
            let differs = *now != Some(wanted);
            *now = Some(wanted);
            differs
        });
    }

    /// What was painted since the last call.
    pub fn take(&self) -> Option<Fresh> {
        let fresh = self.slot.lock().fresh.take();
        self.slot.taken.notify_all();
        fresh
    }

    pub fn spent(&self) -> Spent {
        self.slot.lock().spent
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.slot.lock().over = true;
        self.slot.taken.notify_all();
        self.wanted.send_replace(None);
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` when the window is gone.
    fn put(&self, fresh: Fresh, cpu: Duration) -> bool {
        let mut state = self.lock();
        state.spent.pictures += u64::from(!fresh.tiles.is_empty());
        state.spent.tiles += fresh.tiles.len() as u64;
        state.spent.cpu += cpu;
        state.fresh = Some(fresh);
        !state.over
    }

    fn wait_taken(&self) -> bool {
        let mut state = self.lock();
        while state.fresh.is_some() && !state.over {
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.over
    }
}

struct Work {
    viewer: Viewer,
    wishes: watch::Receiver<Option<Wanted>>,
    slot: Arc<Slot>,
    tiling: Tiling,
    sheets: Sheets,
    wanted: Wanted,
    shape: Option<CursorShape>,
    stirs: u64,
}

impl Work {
    fn run(mut self, runtime: &Handle, ring: impl Fn()) {
        while runtime.block_on(self.stirred()) && self.slot.wait_taken() {
            let before = thread_cpu();
            let Some(fresh) = self.paint() else { continue };
            if !self.slot.put(fresh, thread_cpu().saturating_sub(before)) {
                return;
            }
            ring();
        }
    }

    /// `false` when nobody wants a picture any more.
    async fn stirred(&mut self) -> bool {
        tokio::select! {
            stirs = self.viewer.stirred(self.stirs), if !self.wanted.view.is_empty() => {
                self.stirs = stirs;
                true
            }
            changed = self.wishes.changed() => changed.is_ok() && self.wishes.borrow().is_some(),
        }
    }

    fn paint(&mut self) -> Option<Fresh> {
        let wished = (*self.wishes.borrow_and_update())?;
        if wished.view.is_empty() {
            self.wanted = wished;
            return None;
        }
        let mut fresh = Fresh { layout: self.viewer.layout(), ..Fresh::default() };
        let asked_afresh = self.wanted.view.is_empty();
        self.wanted = wished;
        let viewer = self.viewer.clone();
        viewer.look(|picture, changed| self.tiles(picture, changed, asked_afresh, &mut fresh));
        Some(fresh)
    }

    fn tiles(&mut self, picture: &Picture, changed: &ChangedBlocks, afresh: bool, fresh: &mut Fresh) {
        let Wanted { view, zoom, moved } = self.wanted;
        let source = Extent { width: picture.width(), height: picture.height() };
        fresh.frame = Frame::lay(source, view, zoom, moved);
        let target = fresh.frame.target;
        fresh.afresh = afresh || (source, target) != (self.tiling.source(), self.tiling.target());
        if fresh.afresh {
            self.tiling = Tiling::new(source, target);
            self.sheets = Sheets::default();
        }
        let stale: Vec<Tile> = self
            .tiling
            .tiles()
            .filter(|tile| fresh.afresh || self.tiling.is_stale(*tile, changed))
            .collect();
        for tile in stale {
            let pixels = self.sheets.paint(&mut self.tiling, picture.rgba(), tile);
            fresh.tiles.push((tile, pixels));
        }
        fresh.cursor = self.cursor(picture, fresh.afresh);
    }

    fn cursor(&mut self, picture: &Picture, afresh: bool) -> Cursor {
        let (shape, position) = picture.cursor();
        let mut cursor = Cursor { shape: None, at: position.0 };
        if afresh || shape != self.shape.as_ref() {
            self.shape = shape.cloned();
            cursor.shape = shape.map(look);
        }
        cursor
    }
}

fn look(shape: &CursorShape) -> Shape {
    let (width, height) = (u32::from(shape.width), u32::from(shape.height));
    let empty = width == 0 || height == 0;
    Shape {
        pixels: (!empty).then(|| SharedPixelBuffer::clone_from_slice(&shape.rgba, width, height)),
        hot: (shape.hot_x, shape.hot_y),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use tasuki_media::i420::I420;
    use tasuki_media::screen::Pixels;
    use tasuki_media::vp8::{Bitrate, Coding, Encoder};
    use tasuki_peer::core::io::PictureCommand;
    use tasuki_peer::core::path::VideoFrame;
    use tasuki_protocol::leg::{FrameKind, VideoHeader};

    use super::*;

    const SIDE: u16 = 64;
    const PICTURES: u32 = 50;

    /// All of one grey, brighter with its number.
    fn frame(encoder: &mut Encoder, number: u32) -> VideoFrame {
        let bgra = vec![(number * 5) as u8; usize::from(SIDE) * usize::from(SIDE) * 4];
        let mut picture = I420::new(SIDE, SIDE);
        let (stride, changed) = (usize::from(SIDE) * 4, ChangedBlocks::all(SIDE, SIDE));
        let pixels = Pixels { bgra: &bgra, stride, width: SIDE, height: SIDE, changed: &changed };
        picture.update(&pixels);
        let vp8 = encoder.encode(&picture, Coding::Key).unwrap().bytes;
        VideoFrame { header: VideoHeader { number, kind: FrameKind::Key }, vp8 }
    }

    fn brightness(fresh: &Fresh) -> u8 {
        fresh.tiles[0].1.as_bytes()[0]
    }

    #[test]
    fn of_fifty_pictures_that_the_window_does_not_take_only_the_newest_waits() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (viewer, rings) = (Viewer::default(), Arc::new(AtomicUsize::new(0)));
        let rung = Arc::clone(&rings);
        let ring = move || {
            rung.fetch_add(1, Ordering::SeqCst);
        };
        let painter = Painter::start(viewer.clone(), runtime.handle().clone(), ring);
        let view = Extent { width: SIDE, height: SIDE };
        painter.want(Wanted { view, ..Wanted::default() });
        let mut encoder = Encoder::new(SIDE, SIDE, Bitrate(8_000_000)).unwrap();
        for number in 1..=PICTURES {
            viewer.act(PictureCommand::Frame(frame(&mut encoder, number)));
            // The decoder has it, and the painter could.
            let shown = runtime.block_on(viewer.newer_than(u64::from(number) - 1));
            assert_eq!(shown.count, u64::from(number));
        }
        let last = u8::try_from(PICTURES * 5).unwrap();
        let (mut taken, deadline) = (0, Instant::now() + Duration::from_secs(60));
        loop {
            assert!(Instant::now() < deadline, "the last never came; {taken} were taken");
            let Some(fresh) = painter.take().filter(|fresh| !fresh.tiles.is_empty()) else {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            };
            taken += 1;
            if brightness(&fresh).abs_diff(last) < 8 {
                break;
            }
        }
        assert!(taken <= 2, "one that was painted before, and the newest: {taken}");
        assert!(painter.spent().pictures <= 2 && rings.load(Ordering::SeqCst) <= 3);
        viewer.stop();
    }
}
