//! Both windows by Tab, Shift+Tab, Enter and Escape alone, in every state and both languages: each control is
//! reached and seen to be, in an order that can be followed, and nothing holds the keys.

#![allow(clippy::unwrap_used)]

mod order;
mod painting;
mod tips;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery, mock_elapsed_time};
use order::{is_read_from_top_to_bottom, is_read_part_by_part};
use slint::platform::{Key, WindowEvent};
use slint::private_unstable_api::re_exports::{ItemWeak, WindowInner};
use slint::{ComponentHandle, LogicalSize, Rgba8Pixel, SharedPixelBuffer, SharedString};
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::agent;
use tasuki_ui_slint::agent::model::Msg;
use tasuki_ui_slint::agent::wiring::{self, Ear, Opening};
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::session::Wish;
use tasuki_ui_slint::operator::update::update;
use tasuki_ui_slint::operator::{self, mock, scenes, wire};
use tasuki_ui_slint::viewer::made_up;
use tasuki_ui_slint::windows::{AgentWindow, Means, OperatorWindow};

const CONTROLS: [AccessibleRole; 5] = [
    AccessibleRole::Button,
    AccessibleRole::Switch,
    AccessibleRole::TextInput,
    AccessibleRole::RadioButton,
    AccessibleRole::Tab,
];
/// In the names of states over which something stands that must be answered or closed.
const COVERED: [&str; 7] =
    ["agent-about", "question", "more-rights", "continue", "details", "checkup", "dialog"];
/// More than any state has.
const MANY: usize = 80;

#[derive(Debug, Clone, Default)]
struct Heard(Rc<RefCell<Vec<String>>>);

impl Ear for Heard {
    fn send(&self, msg: Msg) {
        self.0.borrow_mut().push(format!("{msg:?}"));
    }

    fn pressed(&self, opening: Opening, means: Means) {
        self.0.borrow_mut().push(format!("{opening:?} by {means:?}"));
    }
}

#[test]
fn s100_every_control_of_both_windows_is_reached_seen_and_left_by_keys_alone() {
    painting::start();
    an_answer_that_goes_by_itself_leaves_the_keys();
    a_tab_that_is_closed_leaves_the_keys();
    tips::what_is_told_of_an_icon_that_is_gone_goes();
    for lang in [Lang::En, Lang::Ja] {
        tips::s100_every_icon_is_told_in_words(lang);
        let mut met = BTreeSet::new();
        for scene in agent::scenes::pictured(lang, Shade::Light, Instant::now()) {
            let order = walk(scene.name, &agents(&scene).0, &mut met);
            is_read_from_top_to_bottom(scene.name, &order);
            escape_is_heard(scene.name, || agents(&scene));
            if lang == Lang::En {
                each_control_operates(scene.name, order.len(), || agents(&scene));
            }
        }
        met.clear();
        for scene in scenes::pictured(lang, Shade::Light) {
            let order = walk(scene.name, &operators(&scene).0, &mut met);
            is_read_part_by_part(scene.name, &order);
            escape_is_heard(scene.name, || operators(&scene));
            if lang == Lang::En {
                each_control_operates(scene.name, order.len(), || operators(&scene));
            }
        }
    }
}

/// What is told in passing goes while its button has the keys.
fn an_answer_that_goes_by_itself_leaves_the_keys() {
    let scenes = agent::scenes::all(Lang::En, Shade::Light, Instant::now());
    let mut scene = scenes.into_iter().find(|scene| scene.name == "agent-live-message").unwrap();
    let (window, _) = agents(&scene);
    tab_to(&window, "Answer");
    let _ = scene.model.update(Msg::NoticeGone, scene.now);
    agent::view::show(&scene.model, &window, scene.now);
    keys_are_somewhere(&window, "an answer");
}

/// By its own cross, which goes with it.
fn a_tab_that_is_closed_leaves_the_keys() {
    let scenes = scenes::all(Lang::En, Shade::Light);
    let mut scene = scenes.into_iter().find(|scene| scene.name == "operator-viewer").unwrap();
    let (window, _) = operators(&scene);
    tab_to(&window, "Close the tab Kenta Suzuki, Osaka");
    press(&window, Key::Return.into());
    let second = scene.model.tabs.last().unwrap().id;
    let _ = update(&mut scene.model, operator::update::Msg::Wish(second, Wish::Close));
    assert_eq!(scene.model.tabs.len(), 1);
    mock::show(&scene, &window);
    keys_are_somewhere(&window, "a tab");
}

fn tab_to(window: &(impl ComponentHandle + 'static), label: &str) {
    for _ in 0..MANY {
        tab(window);
        let all = controls(window);
        let at = Stop::of(window).and_then(|stop| stop.is_of(&all));
        if at.is_some_and(|at| all[at].label == label) {
            return;
        }
    }
    panic!("no key comes to {label}");
}

fn keys_are_somewhere(window: &(impl ComponentHandle + 'static), after: &str) {
    let _ = picture(window);
    mock_elapsed_time(Duration::from_millis(10));
    assert!(keys_at(window).upgrade().is_some(), "the keys went with {after}");
    tab(window);
    assert!(Stop::of(window).is_some(), "no way goes on after {after}");
}

fn agents(scene: &agent::scenes::Scene) -> (AgentWindow, Heard) {
    let (window, heard) = (AgentWindow::new().unwrap(), Heard::default());
    window.window().set_size(LogicalSize::new(460.0, 740.0));
    agent::view::show(&scene.model, &window, scene.now);
    wiring::wire(&window, &heard);
    show(&window);
    (window, heard)
}

fn operators(scene: &scenes::Scene) -> (OperatorWindow, Heard) {
    let (window, heard) = (OperatorWindow::new().unwrap(), Heard::default());
    window.window().set_size(LogicalSize::new(1280.0, 800.0));
    made_up::lay_into(&window);
    mock::show(scene, &window);
    let told = heard.clone();
    wire::wire(&window, move |msg| told.0.borrow_mut().push(format!("{msg:?}")));
    show(&window);
    (window, heard)
}

fn show(window: &impl ComponentHandle) {
    window.show().unwrap();
    window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    let _ = picture(window);
}

/// Once round by Tab and once back: where the keys were, in order. Each control is looked at where it is met first.
fn walk(
    state: &str,
    window: &(impl ComponentHandle + 'static),
    met: &mut BTreeSet<String>,
) -> Vec<Stop> {
    tab(window);
    let first = Stop::of(window).unwrap_or_else(|| panic!("{state}: nothing has the keys"));
    let mut before = look_at(&first, window, met);
    let mut order = vec![first.clone()];
    loop {
        tab(window);
        let stop = Stop::of(window).unwrap_or_else(|| panic!("{state}: nothing has the keys"));
        let left = order.last().unwrap();
        if let Some(before) = before {
            let differs = before.as_bytes() != picture(window).as_bytes();
            let is_seen = differs || is_under_a_toast(window, left.middle);
            assert!(is_seen, "{state}: nobody sees the keys at {left:?}");
        }
        if stop.item == first.item {
            break;
        }
        let came_back = order.iter().any(|known| known.item == stop.item);
        assert!(
            !came_back && order.len() < MANY,
            "{state}: the keys are caught at {stop:?}: {order:#?}"
        );
        before = look_at(&stop, window, met);
        order.push(stop);
    }
    for due in order.iter().rev() {
        back(window);
        let item = keys_at(window);
        let is_same = item == due.item || middle(&item) == Some(due.middle);
        assert!(is_same, "{state}: the way back is another one: {:?}, not {due:?}", middle(&item));
    }
    let now: Vec<Stop> = order.iter().filter_map(Stop::again).collect();
    let controls = controls(window);
    let cards: Vec<_> = order.iter().filter(|stop| stop.at == At::Nothing).collect();
    if COVERED.iter().any(|name| state.contains(name)) {
        let outside = order.iter().find(|stop| stop.middle.1 < 90.0);
        assert!(outside.is_none(), "{state}: the keys are behind the question: {order:?}");
        assert!(order.len() > cards.len() && cards.len() <= 1, "{state}: {order:?}");
        return Vec::new();
    }
    for control in &controls {
        let reached = now.iter().any(|stop| stop.is_of(&controls) == Some(control.index));
        let (label, at) = (&control.label, control.at);
        assert!(reached, "{state}: no key comes to {label} at {at:?}; they come to {order:?}");
    }
    assert!(cards.is_empty(), "{state}: the keys are at nothing: {cards:?} of {order:?}");
    order
}

fn look_at(
    stop: &Stop,
    window: &(impl ComponentHandle + 'static),
    met: &mut BTreeSet<String>,
) -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let all = controls(window);
    let label = stop.is_of(&all).map(|index| all[index].label.clone()).unwrap_or_default();
    met.insert(label).then(|| picture(window))
}

/// Return says what the control is for, or is seen in the window itself.
fn each_control_operates<W: ComponentHandle + 'static>(
    state: &str,
    many: usize,
    open: impl Fn() -> (W, Heard),
) {
    let at_the = |place: usize| {
        let (window, heard) = open();
        (0..place).for_each(|_| tab(&window));
        (window, heard)
    };
    let (mut window, mut heard) = open();
    for at in 0..many {
        tab(&window);
        let all = controls(&window);
        let Some(index) = Stop::of(&window).and_then(|stop| stop.is_of(&all)) else { continue };
        if !all[index].is_pressed {
            continue;
        }
        heard.0.borrow_mut().clear();
        press(&window, Key::Return.into());
        if heard.0.borrow().is_empty() {
            let (anew, _) = at_the(at + 1);
            let before = picture(&anew);
            press(&anew, Key::Return.into());
            let differs = before.as_bytes() != picture(&anew).as_bytes();
            assert!(differs, "{state}: {} does nothing", all[index].label);
            (window, heard) = at_the(at + 1);
        }
    }
}

/// What stands over a window goes away.
fn escape_is_heard<W: ComponentHandle + 'static>(state: &str, open: impl FnOnce() -> (W, Heard)) {
    // Who is asked by the other side answers.
    if state.contains("question") || !COVERED.iter().any(|name| state.contains(name)) {
        return;
    }
    let (window, heard) = open();
    press(&window, Key::Escape.into());
    assert!(!heard.0.borrow().is_empty(), "{state}: Escape leaves it standing");
}

/// Where the keys are.
#[derive(Clone)]
struct Stop {
    item: ItemWeak,
    middle: (f32, f32),
    /// Left and right of what is pressed.
    edges: (f32, f32),
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Something,
    /// As at the card of what stands over a window.
    Nothing,
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.middle)
    }
}

impl Stop {
    fn of(window: &(impl ComponentHandle + 'static)) -> Option<Self> {
        let weak = keys_at(window);
        let middle = middle(&weak)?;
        let half = weak.upgrade()?.geometry().size.width / 2.0;
        let edges = (middle.0 - half, middle.0 + half);
        let stop = Self { item: weak, middle, edges, at: At::Something };
        let all = controls(window);
        if let Some(control) = stop.is_of(&all).map(|index| &all[index]) {
            return Some(Self { edges: (control.at.0, control.at.0 + control.size.0), ..stop });
        }
        Some(if is_a_picture(window, &stop) { stop } else { Self { at: At::Nothing, ..stop } })
    }

    /// As the window is scrolled now.
    fn again(&self) -> Option<Self> {
        Some(Self { middle: middle(&self.item)?, ..self.clone() })
    }

    /// The smallest one around it.
    fn is_of(&self, controls: &[Control]) -> Option<usize> {
        let around = controls.iter().filter(|control| control.holds(self.middle));
        around.min_by(|one, other| one.area().total_cmp(&other.area())).map(|control| control.index)
    }
}

fn keys_at(window: &impl ComponentHandle) -> ItemWeak {
    WindowInner::from_pub(window.window()).focus_item.borrow().clone()
}

fn middle(weak: &ItemWeak) -> Option<(f32, f32)> {
    let item = weak.upgrade()?;
    let place = item.geometry();
    let at = item.map_to_window(place.origin);
    Some((at.x + place.size.width / 2.0, at.y + place.size.height / 2.0))
}

#[derive(Debug)]
struct Control {
    index: usize,
    label: String,
    at: (f32, f32),
    size: (f32, f32),
    /// No field, and not out of use.
    is_pressed: bool,
}

impl Control {
    fn of(index: usize, element: &ElementHandle) -> Self {
        let (at, size) = (element.absolute_position(), element.size());
        let label = element.accessible_label().unwrap_or_default().to_string();
        let is_field = element.accessible_role() == Some(AccessibleRole::TextInput);
        let is_pressed = !is_field && element.accessible_enabled() != Some(false);
        Self { index, label, at: (at.x, at.y), size: (size.width, size.height), is_pressed }
    }

    fn holds(&self, (x, y): (f32, f32)) -> bool {
        (self.at.0..=self.at.0 + self.size.0).contains(&x)
            && (self.at.1..=self.at.1 + self.size.1).contains(&y)
    }

    fn area(&self) -> f32 {
        self.size.0 * self.size.1
    }
}

/// What there is to press or to fill in.
fn controls(window: &(impl ComponentHandle + 'static)) -> Vec<Control> {
    let role = |element: &ElementHandle| element.accessible_role();
    let is_one = move |element: &ElementHandle| role(element).is_some_and(|it| CONTROLS.contains(&it));
    let found = ElementQuery::from_root(window).match_predicate(is_one).find_all();
    let usable = found.into_iter().filter(|element| {
        let is_field = role(element) == Some(AccessibleRole::TextInput);
        let dead = is_field && element.accessible_enabled() == Some(false);
        let named = element.accessible_label().is_some_and(|label| !label.is_empty());
        named && !dead && element.size().width > 0.0
    });
    usable.enumerate().map(|(index, element)| Control::of(index, &element)).collect()
}

/// For the few seconds of what is told in passing.
fn is_under_a_toast(window: &(impl ComponentHandle + 'static), at: (f32, f32)) -> bool {
    let toasts = ElementQuery::from_root(window).match_descendants().match_inherits("Toast").find_all();
    let told = |toast: &&ElementHandle| toast.accessible_label().is_some_and(|line| !line.is_empty());
    toasts.iter().filter(told).any(|toast| Control::of(0, toast).holds(at))
}

fn is_a_picture(window: &(impl ComponentHandle + 'static), stop: &Stop) -> bool {
    let all = ElementQuery::from_root(window).match_descendants();
    let pictures = all.match_accessible_role(AccessibleRole::Image).find_all();
    pictures.iter().any(|element| Control::of(0, element).holds(stop.middle))
}

fn picture(window: &impl ComponentHandle) -> SharedPixelBuffer<Rgba8Pixel> {
    window.window().take_snapshot().unwrap()
}

fn tab(window: &impl ComponentHandle) {
    press(window, Key::Tab.into());
}

fn back(window: &impl ComponentHandle) {
    press(window, Key::Backtab.into());
}

fn press(window: &impl ComponentHandle, key: SharedString) {
    window.window().dispatch_event(WindowEvent::KeyPressed { text: key.clone() });
    window.window().dispatch_event(WindowEvent::KeyReleased { text: key });
}
