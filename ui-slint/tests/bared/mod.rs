//! Whether anything lies over the picture where a window says that nothing does: there it would be under it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle, Global, Model};
use tasuki_ui_slint::windows::RemoteScreen;

/// What a window says of its picture.
#[derive(Debug, Default)]
pub(crate) struct Stand {
    view: Cell<(f32, f32)>,
    edge: Cell<f32>,
    bare: Cell<bool>,
}

impl Stand {
    /// From before it is shown.
    pub(crate) fn of<W: ComponentHandle + 'static>(window: &W) -> Rc<Self>
    where
        for<'a> RemoteScreen<'a>: Global<'a, W>,
    {
        let stand = Rc::new(Self::default());
        let remote = window.global::<RemoteScreen<'_>>();
        let told = Rc::clone(&stand);
        remote.on_placed(move |x, y, edge| {
            told.view.set((x, y));
            told.edge.set(edge);
        });
        let told = Rc::clone(&stand);
        remote.on_uncovered(move |bare| told.bare.set(bare));
        stand
    }

    /// Whether it says that nothing lies over the picture; then that is so.
    ///
    /// # Panics
    /// When something does.
    pub(crate) fn is_bare<W: ComponentHandle>(&self, window: &W, state: &str) -> bool
    where
        for<'a> RemoteScreen<'a>: Global<'a, W>,
    {
        // What changed is made, told, and painted.
        let _ = window.window().take_snapshot().unwrap();
        i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(20));
        if !self.bare.get() {
            return false;
        }
        let seen = window.window().take_snapshot().unwrap();
        let (width, remote) = (seen.width(), window.global::<RemoteScreen<'_>>());
        let corner = (self.view.get().0 + remote.get_x(), self.view.get().1 + remote.get_y());
        let cursor = (remote.get_cursor_x(), remote.get_cursor_y());
        let is_cursors = |x: f32, y: f32| {
            (cursor.0..cursor.0 + remote.get_cursor_width()).contains(&x)
                && (cursor.1..cursor.1 + remote.get_cursor_height()).contains(&y)
        };
        let edge = self.edge.get();
        let is_edges = |at: f32, length: f32| at < edge || at >= length - edge;
        for tile in remote.get_tiles().iter() {
            let picture = tile.picture.to_rgb8().unwrap();
            for (at, pixel) in (0..).zip(picture.as_slice()) {
                let (x, y) = (at % picture.width(), at / picture.width());
                let (x, y) = (tile.x + x as f32, tile.y + y as f32);
                if is_cursors(x, y)
                    || is_edges(x, remote.get_width())
                    || is_edges(y, remote.get_height())
                {
                    continue;
                }
                let (x, y) = ((corner.0 + x) as u32, (corner.1 + y) as u32);
                let shown = seen.as_slice()[(y * width + x) as usize];
                let (shown, picture) = ([shown.r, shown.g, shown.b], [pixel.r, pixel.g, pixel.b]);
                assert_eq!(shown, picture, "{state}: something lies over the picture at {x}, {y}");
            }
        }
        true
    }
}
