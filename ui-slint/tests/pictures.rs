//! Every window in every state, language and colour, as the software renderer paints it, against
//! the committed picture in `docs/images/windows/`. `TASUKI_WRITE_PICTURES=1` (`./dev screenshots`)
//! writes them anew.

#![allow(clippy::unwrap_used)]

mod painting;

use std::time::Instant;

use painting::Gallery;
use slint::{ComponentHandle, LogicalSize};
use tasuki_ui_slint::agent::{scenes, view};
use tasuki_ui_slint::windows::AgentWindow;

#[test]
fn s100_every_state_looks_as_committed_in_both_languages_and_colours() {
    painting::start();
    let mut gallery = Gallery::default();
    for (lang, shade) in painting::manners() {
        for scene in scenes::all(lang, shade, Instant::now()) {
            let window = AgentWindow::new().unwrap();
            window.window().set_size(LogicalSize::new(460.0, 740.0));
            view::show(&scene.model, &window, scene.now);
            window.show().unwrap();
            gallery.hang(scene.name, (lang, shade), &window.window().take_snapshot().unwrap());
        }
    }
    gallery.close();
}
