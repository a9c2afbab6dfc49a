//! Every window in every state, language and colour, as the software renderer paints it, against
//! the committed picture in `docs/images/windows/`. `TASUKI_WRITE_PICTURES=1` (`./dev screenshots`)
//! writes them anew. The bars, red by day and by night, in one colour.

#![allow(clippy::unwrap_used)]

mod bared;
mod painting;

use std::time::Instant;

use bared::Stand;
use painting::Gallery;
use slint::{ComponentHandle, LogicalSize, Rgba8Pixel, SharedPixelBuffer};
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::agent::scenes::{self, Scene};
use tasuki_ui_slint::agent::view;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator;
use tasuki_ui_slint::operator::model::{Halts, Model};
use tasuki_ui_slint::operator::sharing::{self, Sharings};
use tasuki_ui_slint::viewer::made_up;
use tasuki_ui_slint::windows::{
    Agent, AgentWindow, BannerWindow, Opened, QuestionKind, Said, SharingBar,
};

#[test]
fn s100_every_state_looks_as_committed_in_both_languages_and_colours() {
    painting::start();
    // What is neither is the window that the operator's test paints.
    let mut gallery = Gallery::new(|name| !is_of_operators_window(name));
    for (lang, shade) in painting::manners() {
        for scene in scenes::pictured(lang, shade, Instant::now()) {
            if !painting::is_due(scene.name) {
                continue;
            }
            gallery.hang(scene.name, (lang, shade), &painted(&scene, scene.size()));
            // As it stands there at first, with more to scroll to.
            if scene.name == "agent-consent-control" {
                let seen = painted(&scene, (460.0, 740.0));
                gallery.hang("agent-consent-at-first", (lang, shade), &seen);
            }
        }
    }
    for lang in [Lang::En, Lang::Ja] {
        let manner = (lang, Shade::Light);
        for scene in scenes::all(lang, Shade::Light, Instant::now()) {
            let name = match scene.name {
                "agent-live-control" => "agent-bar",
                "agent-live-paused" => "agent-bar-paused",
                _ => continue,
            };
            for (name, size) in
                [(name.to_owned(), (860.0, 56.0)), (format!("{name}-narrow"), (472.0, 104.0))]
            {
                let bar = BannerWindow::new().unwrap();
                bar.window().set_size(LogicalSize::new(size.0, size.1));
                view::show_banner(&scene.model, &bar, scene.now);
                bar.show().unwrap();
                gallery.hang(&name, manner, &bar.window().take_snapshot().unwrap());
            }
        }
        for scene in operator::scenes::all(lang, Shade::Light) {
            let bar = match scene.name {
                "operator-show-paused" => "operator-bar-paused",
                "operator-share" => "operator-bar-share",
                "operator-share-question" => "operator-bar-asked",
                _ => continue,
            };
            gallery.hang(bar, manner, &painted_bar(&scene.model, manner));
            if scene.name == "operator-show-paused" {
                let mut model = scene.model;
                model.tabs[0].view.halts = Halts::default();
                gallery.hang("operator-bar-show", manner, &painted_bar(&model, manner));
            }
        }
    }
    gallery.close();
    nothing_is_red_where_nothing_failed();
    nothing_lies_over_a_picture_that_goes_past_the_toolkit();
}

/// What cannot happen, what to look at and what to do are no failures. What was refused by its person is his own word.
fn nothing_is_red_where_nothing_failed() {
    let calm = [
        "agent-number",
        "agent-notice",
        "agent-consent-control",
        "agent-consent-view",
        "agent-consent-show",
        "agent-ended",
        "agent-ended-refused",
    ];
    let (light, dark) = ([0xc3, 0x25, 0x36], [0xff, 0x7a, 0x85]);
    for (shade, red) in [(Shade::Light, light), (Shade::Dark, dark)] {
        let mut seen = 0;
        for scene in scenes::all(Lang::En, shade, Instant::now()) {
            let picture = painted(&scene, scene.size());
            let pixels = picture.as_slice().iter();
            let reds =
                pixels.filter(|p| [p.r, p.g, p.b].iter().zip(red).all(|(a, b)| a.abs_diff(b) < 8));
            let reds = reds.count();
            if calm.contains(&scene.name) {
                assert_eq!(reds, 0, "{} {shade:?}", scene.name);
                seen += 1;
            }
            // So red looks.
            if scene.name == "agent-live-control" {
                assert!(reds > 100, "{reds} of the button that ends it");
            }
        }
        assert_eq!(seen, calm.len());
    }
}

fn nothing_lies_over_a_picture_that_goes_past_the_toolkit() {
    let all = scenes::all(Lang::En, Shade::Light, Instant::now());
    let mut bare = Vec::new();
    for scene in &all {
        for width in [460.0, 1000.0] {
            let window = AgentWindow::new().unwrap();
            window.window().set_size(LogicalSize::new(width, 740.0));
            let stand = Stand::of(&window);
            made_up::lay_into(&window);
            view::show(&scene.model, &window, scene.now);
            made_up::seen(&window, scene.shows_picture());
            window.show().unwrap();
            if !stand.is_bare(&window, scene.name) {
                continue;
            }
            bare.push(scene.name);
            let agent = || window.global::<Agent<'_>>();
            agent().set_opened(Opened::Talk);
            // Beside the picture where there is room, else in its place.
            assert_eq!(stand.is_bare(&window, scene.name), width > 760.0, "what is written");
            agent().set_opened(Opened::Nothing);
            assert!(stand.is_bare(&window, scene.name));
            agent().set_said(Said::PictureKept);
            assert!(!stand.is_bare(&window, scene.name), "what is told lies under the picture");
            agent().set_said(Said::None);
            agent().set_question(QuestionKind::GoOn);
            assert!(!stand.is_bare(&window, scene.name), "a question lies under the picture");
            agent().set_question(QuestionKind::None);
            agent().set_about(true);
            assert!(!stand.is_bare(&window, scene.name), "a message lies under the picture");
        }
    }
    assert!(!bare.is_empty());
}

fn painted_bar(model: &Model, manner: (Lang, Shade)) -> SharedPixelBuffer<Rgba8Pixel> {
    let bar = SharingBar::new().unwrap();
    bar.window().set_size(LogicalSize::new(640.0, 52.0));
    sharing::say(&Sharings::of(model).shown[0], &bar, manner);
    bar.show().unwrap();
    bar.window().take_snapshot().unwrap()
}

fn is_of_operators_window(name: &str) -> bool {
    name.starts_with("operator-") && !name.starts_with("operator-bar-")
}

fn painted(scene: &Scene, (width, height): (f32, f32)) -> SharedPixelBuffer<Rgba8Pixel> {
    let window = AgentWindow::new().unwrap();
    window.window().set_size(LogicalSize::new(width, height));
    made_up::lay_into(&window);
    view::show(&scene.model, &window, scene.now);
    made_up::seen(&window, scene.shows_picture());
    window.show().unwrap();
    window.window().take_snapshot().unwrap()
}
