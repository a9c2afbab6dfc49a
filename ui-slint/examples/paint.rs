//! What a picture costs: CPU time of the painting thread and of the window's thread, for a whole
//! 1920x1080 picture and for one letter, at 1:1 and scaled. `measure` runs it.

#![allow(clippy::print_stdout)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use slint::winit_030::WinitWindowAccessor;
use slint::{ComponentHandle, Image, LogicalSize, Model, ModelRc, VecModel};
use tasuki_media::blocks::{Area, ChangedBlocks};
use tasuki_media::tiling::{Extent, Tile, Tiling};
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::{scenes, view};
use tasuki_ui_slint::viewer::sheets::Sheets;
use tasuki_ui_slint::windows::{OperatorWindow, RemoteScreen, ViewTile};

const SOURCE: Extent = Extent { width: 1920, height: 1080 };
const SCALED: Extent = Extent { width: 1440, height: 810 };
const FRAMES: u32 = 60;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let window = OperatorWindow::new()?;
    window.window().set_size(LogicalSize::new(2004.0, 1205.0));
    let scenes = scenes::all(Lang::En, Shade::Light);
    let scene = scenes.iter().find(|scene| scene.name == "operator-viewer").ok_or("no such scene")?;
    view::show(&scene.model, &window);
    println!("| what is painted | painting thread, ms | window's thread, ms |\n|---|---:|---:|");
    let cases = [
        ("1920x1080 at 1:1, all of it", SOURCE, None),
        ("1920x1080 at 1:1, one letter", SOURCE, Some(letter())),
        ("1920x1080 as 1440x810, all of it", SCALED, None),
        ("1920x1080 as 1440x810, one letter", SCALED, Some(letter())),
    ];
    let bench = Rc::new(RefCell::new(Bench::new(cases.to_vec())));
    let shown = window.as_weak();
    let timer = slint::Timer::default();
    timer.start(slint::TimerMode::Repeated, Duration::from_millis(30), move || {
        if let Some(window) = shown.upgrade()
            && !bench.borrow_mut().step(&window)
        {
            let _ = slint::quit_event_loop();
        }
    });
    window.run()?;
    Ok(())
}

fn letter() -> Area {
    Area { left: 640, top: 400, right: 656, bottom: 416 }
}

type Case = (&'static str, Extent, Option<Area>);

struct Bench {
    cases: Vec<Case>,
    case: usize,
    frame: u32,
    painting: Duration,
    begun: Duration,
    tiling: Tiling,
    sheets: Sheets,
    tiles: Rc<VecModel<ViewTile>>,
    pictures: [Vec<u8>; 2],
}

impl Bench {
    fn new(cases: Vec<Case>) -> Self {
        let picture = |seed: usize| {
            let pixels = usize::from(SOURCE.width) * usize::from(SOURCE.height);
            (0..pixels * 4).map(|at| (at * 31 / 7 + seed * 97) as u8).collect()
        };
        Self {
            cases,
            case: 0,
            frame: 0,
            painting: Duration::ZERO,
            begun: Duration::ZERO,
            tiling: Tiling::default(),
            sheets: Sheets::default(),
            tiles: Rc::default(),
            pictures: [picture(0), picture(1)],
        }
    }

    /// `false` when all was measured.
    fn step(&mut self, window: &OperatorWindow) -> bool {
        let Some((name, target, area)) = self.cases.get(self.case).copied() else { return false };
        if self.frame == 0 {
            self.lay(window, target);
        }
        // The first frames settle the window.
        if self.frame == 5 {
            self.begun = thread_cpu();
            self.painting = Duration::ZERO;
        }
        if self.frame == 5 + FRAMES {
            let each = |spent: Duration| spent.as_secs_f64() * 1000.0 / f64::from(FRAMES);
            let all = thread_cpu() - self.begun;
            let windows = each(all.saturating_sub(self.painting));
            println!("| {name} | {:.2} | {windows:.2} |", each(self.painting));
            self.case += 1;
            self.frame = 0;
            return true;
        }
        self.paint(area);
        let _ = window.window().with_winit_window(|window| window.request_redraw());
        self.frame += 1;
        true
    }

    fn lay(&mut self, window: &OperatorWindow, target: Extent) {
        self.tiling = Tiling::new(SOURCE, target);
        self.sheets = Sheets::default();
        let tiles: Vec<ViewTile> = self
            .tiling
            .tiles()
            .map(|tile| ViewTile {
                x: tile.left.into(),
                y: tile.top.into(),
                width: tile.width.into(),
                height: tile.height.into(),
                picture: Image::default(),
            })
            .collect();
        self.tiles = Rc::new(VecModel::from(tiles));
        let remote = window.global::<RemoteScreen<'_>>();
        remote.set_tiles(ModelRc::from(Rc::clone(&self.tiles)));
        remote.set_width(target.width.into());
        remote.set_height(target.height.into());
        remote.set_any(true);
        self.paint(None);
    }

    fn paint(&mut self, area: Option<Area>) {
        let before = thread_cpu();
        let mut changed = ChangedBlocks::none(SOURCE.width, SOURCE.height);
        if let Some(area) = area {
            changed.insert_area(area);
        }
        let stale: Vec<Tile> = self
            .tiling
            .tiles()
            .filter(|tile| area.is_none() || self.tiling.is_stale(*tile, &changed))
            .collect();
        let picture = &self.pictures[self.frame as usize % 2];
        let painted: Vec<_> = stale
            .into_iter()
            .map(|tile| (tile.index, self.sheets.paint(&mut self.tiling, picture, tile)))
            .collect();
        self.painting += thread_cpu() - before;
        for (index, pixels) in painted {
            if let Some(row) = self.tiles.row_data(index) {
                self.tiles.set_row_data(index, ViewTile { picture: Image::from_rgb8(pixels), ..row });
            }
        }
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
