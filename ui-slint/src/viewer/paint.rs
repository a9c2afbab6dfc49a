//! Paints the remote picture off the window's thread: newest wins, a tile at a time.
//!
//! One thread for each picture that is looked at. It waits until the window has taken
//! what was painted before it looks again, so that a slow window skips pictures and
//! queues none. What goes past the toolkit wakes no window. Knows none.

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
use super::past::{Past, Sight, Way};
use super::sheets::Sheets;
use crate::system::thread_cpu;

/// How the window wants the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of the window's part for the picture, in physical pixels; empty when it is not seen.
    pub view: Extent,
    pub zoom: Zoom,
    pub moved: Place,
    /// While nothing of the window lies over the picture.
    pub past: Option<Way>,
}

/// What the window is to show anew.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    pub frame: Frame,
    /// Who shows the picture, and its cursor.
    pub shown_by: ShownBy,
    /// Whether tiles of before are void.
    pub afresh: bool,
    pub tiles: Vec<(Tile, SharedPixelBuffer<Rgb8Pixel>)>,
    pub cursor: Cursor,
    pub layout: Option<Layout>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShownBy {
    #[default]
    Toolkit,
    /// [`super::past`] has done it.
    Painter,
}

/// What the painting thread calls the window for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// Something is to be taken.
    Fresh,
    /// Parts of the window that it painted once are to be shown again.
    Bared,
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
    /// Tiles, or parts that went past the toolkit.
    pub tiles: u64,
    /// CPU time of the thread, whatever it did.
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
    /// `ring` is called from the painting thread.
    pub fn start(viewer: Viewer, runtime: Handle, ring: impl Fn(Ring) + Send + 'static) -> Self {
        let (wanted, wishes) = watch::channel(Some(Wanted::default()));
        let slot = Arc::new(Slot::default());
        let work = Work {
            viewer,
            wishes,
            slot: Arc::clone(&slot),
            tiling: Tiling::default(),
            sheets: Sheets::default(),
            past: Past::default(),
            wanted: Wanted::default(),
            shape: None,
            told: None,
            bared: false,
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

    fn count(&self, parts: u64) {
        let mut state = self.lock();
        state.spent.pictures += u64::from(parts > 0);
        state.spent.tiles += parts;
        state.spent.cpu = thread_cpu();
    }

    /// `false` when the window is gone.
    fn put(&self, fresh: Fresh) -> bool {
        let mut state = self.lock();
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
    past: Past,
    wanted: Wanted,
    shape: Option<CursorShape>,
    /// What the window knows by now.
    told: Option<Told>,
    bared: bool,
    stirs: u64,
}

type Told = (Frame, ShownBy, Option<Layout>);

impl Work {
    fn run(mut self, runtime: &Handle, ring: impl Fn(Ring)) {
        while runtime.block_on(self.stirred()) && self.slot.wait_taken() {
            let within = runtime.enter();
            let fresh = self.paint();
            drop(within);
            if std::mem::take(&mut self.bared) {
                ring(Ring::Bared);
            }
            let Some(fresh) = fresh else { continue };
            if !self.slot.put(fresh) {
                break;
            }
            ring(Ring::Fresh);
        }
        if self.past.hide() {
            ring(Ring::Bared);
        }
    }

    /// `false` when nobody wants a picture any more.
    async fn stirred(&mut self) -> bool {
        tokio::select! {
            stirs = self.viewer.stirred(self.stirs), if !self.wanted.view.is_empty() => {
                self.stirs = stirs;
                true
            }
            () = self.past.lost_pixels() => true,
            changed = self.wishes.changed() => changed.is_ok() && self.wishes.borrow().is_some(),
        }
    }

    /// What the window has to know or to show.
    fn paint(&mut self) -> Option<Fresh> {
        let wished = (*self.wishes.borrow_and_update())?;
        let asked_afresh = self.wanted.view.is_empty();
        self.wanted = wished;
        if wished.view.is_empty() || wished.past.is_none() {
            self.bared |= self.past.hide();
        }
        if wished.view.is_empty() {
            return None;
        }
        let mut fresh = Fresh { layout: self.viewer.layout(), ..Fresh::default() };
        let viewer = self.viewer.clone();
        let parts =
            viewer.look(|picture, changed| self.show(picture, changed, asked_afresh, &mut fresh));
        self.slot.count(parts.unwrap_or_default());
        let told = (fresh.frame, fresh.shown_by, fresh.layout.clone());
        let is_known = self.told.as_ref() == Some(&told) && fresh.cursor.shape.is_none();
        if fresh.shown_by == ShownBy::Painter && is_known {
            return None;
        }
        self.told = Some(told);
        Some(fresh)
    }

    /// How many parts were painted.
    fn show(
        &mut self,
        picture: &Picture,
        changed: &ChangedBlocks,
        afresh: bool,
        fresh: &mut Fresh,
    ) -> u64 {
        let Wanted { view, zoom, moved, past } = self.wanted;
        let source = Extent { width: picture.width(), height: picture.height() };
        fresh.frame = Frame::lay(source, view, zoom, moved);
        let target = fresh.frame.target;
        let resized = (source, target) != (self.tiling.source(), self.tiling.target());
        if resized {
            self.tiling = Tiling::new(source, target);
            self.sheets = Sheets::default();
        }
        fresh.cursor = self.cursor(picture, afresh || resized);
        let sight = Sight {
            frame: fresh.frame,
            rgba: picture.rgba(),
            changed,
            afresh: afresh || resized,
            cursor: self.shape.as_ref(),
            other_cursor: fresh.cursor.shape.is_some(),
            at: fresh.cursor.at,
        };
        let done = past.and_then(|way| self.past.show(way, &mut self.tiling, &sight));
        if let Some(done) = done {
            self.bared |= done.bares;
            fresh.shown_by = ShownBy::Painter;
            return done.parts;
        }
        self.bared |= self.past.hide();
        let before = self.told.as_ref().map(|(_, shown_by, _)| *shown_by);
        fresh.afresh = afresh || resized || before == Some(ShownBy::Painter);
        self.tiles(picture, changed, fresh)
    }

    fn tiles(&mut self, picture: &Picture, changed: &ChangedBlocks, fresh: &mut Fresh) -> u64 {
        let stale: Vec<Tile> = self
            .tiling
            .tiles()
            .filter(|tile| fresh.afresh || self.tiling.is_stale(*tile, changed))
            .collect();
        for tile in stale {
            let pixels = self.sheets.paint(&mut self.tiling, picture.rgba(), tile);
            fresh.tiles.push((tile, pixels));
        }
        fresh.tiles.len() as u64
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
    fn frame(encoder: &mut Encoder, side: u16, number: u32) -> VideoFrame {
        let bgra = vec![(number * 5) as u8; usize::from(side) * usize::from(side) * 4];
        let mut picture = I420::new(side, side);
        let (stride, changed) = (usize::from(side) * 4, ChangedBlocks::all(side, side));
        let pixels = Pixels { bgra: &bgra, stride, width: side, height: side, changed: &changed };
        picture.update(&pixels);
        let vp8 = encoder.encode(&picture, Coding::Key).unwrap().bytes;
        VideoFrame { header: VideoHeader { number, kind: FrameKind::Key }, vp8 }
    }

    fn brightness(fresh: &Fresh) -> u8 {
        fresh.tiles[0].1.as_bytes()[0]
    }

    /// Who paints hears no key and no click meanwhile: that is never the window's thread, which only takes.
    #[test]
    fn s3_a_picture_is_painted_on_a_thread_of_its_own_and_costs_the_windows_next_to_nothing() {
        const LARGE: u16 = 1024;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (viewer, threads) = (Viewer::default(), Arc::new(Mutex::new(Vec::new())));
        let rung = Arc::clone(&threads);
        let ring = move |_| {
            let thread = std::thread::current();
            rung.lock().unwrap().push((thread.id(), thread.name().map(str::to_owned)));
        };
        let painter = Painter::start(viewer.clone(), runtime.handle().clone(), ring);
        // Smaller than the picture: each of its pixels is reckoned.
        painter.want(Wanted { view: Extent { width: 900, height: 900 }, ..Wanted::default() });
        let mut encoder = Encoder::new(LARGE, LARGE, Bitrate(8_000_000)).unwrap();
        let mut taking = Duration::ZERO;
        for number in 1..=8 {
            viewer.act(PictureCommand::Frame(frame(&mut encoder, LARGE, number)));
            let deadline = Instant::now() + Duration::from_secs(60);
            loop {
                assert!(Instant::now() < deadline, "{number} never came");
                let before = thread_cpu();
                let fresh = painter.take();
                taking += thread_cpu().saturating_sub(before);
                if fresh.is_some_and(|fresh| !fresh.tiles.is_empty()) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let (spent, threads) = (painter.spent(), threads.lock().unwrap().clone());
        assert!(taking * 4 < spent.cpu, "{taking:?} here, {:?} there", spent.cpu);
        assert!(spent.pictures >= 8 && threads.len() >= 8, "{spent:?}");
        let here = std::thread::current().id();
        for (id, name) in threads {
            assert_eq!((id == here, name.as_deref()), (false, Some("tasuki-paint")));
        }
        viewer.stop();
    }

    #[test]
    fn of_fifty_pictures_that_the_window_does_not_take_only_the_newest_waits() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (viewer, rings) = (Viewer::default(), Arc::new(AtomicUsize::new(0)));
        let rung = Arc::clone(&rings);
        let ring = move |_| {
            rung.fetch_add(1, Ordering::SeqCst);
        };
        let painter = Painter::start(viewer.clone(), runtime.handle().clone(), ring);
        let view = Extent { width: SIDE, height: SIDE };
        painter.want(Wanted { view, ..Wanted::default() });
        let mut encoder = Encoder::new(SIDE, SIDE, Bitrate(8_000_000)).unwrap();
        for number in 1..=PICTURES {
            viewer.act(PictureCommand::Frame(frame(&mut encoder, SIDE, number)));
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
