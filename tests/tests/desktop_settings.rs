//! S3: whatever the operator does to the computer that he sees, he goes on seeing it; and what the terminal of whoever
//! is seen goes on saying (T33).

#![allow(clippy::unwrap_used)]

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Notepad, Painter, Size, middle_of, open_terminal, wait_focused},
    running::{Line, Mark, run, until},
    stack::{Desks, House, Session, Way},
};
use x11rb::protocol::xproto::Rectangle;

const SIZE: Size = Size::new(800, 600);
const MOVING: Rectangle = Rectangle { x: 560, y: 380, width: 160, height: 120 };
/// Alike to the eye; see `Picture::likeness`.
const ALIKE: f64 = 30.0;
/// Two seconds: of a machine that does other things as well.
const MOST_BETWEEN: usize = 20;
const A_MINUTE_AND_MORE: Duration = Duration::from_secs(90);

/// The operator starts an application and changes a setting of the system, and sees all of it:
/// something moves on the screen ten times a second, and he sees it move all the while.
#[test]
fn s3_an_application_is_started_and_a_setting_changed_without_a_gap_in_the_picture() {
    let house = House::set_up().unwrap();
    let mut desks =
        Desks { operator: Desktop::start_bare(SIZE).unwrap(), user: Desktop::start(SIZE).unwrap() };
    open_terminal(&mut desks.user, "Shell", "40x8+20+20", "sh").unwrap();
    let path = house.folder().join("notes.txt");
    let notes = Notepad::open(&mut desks.user, "Notes", "40x8+20+300", &path).unwrap();
    let painter = Painter::open(&desks.user, MOVING).unwrap();
    let mut session = Session::start(&house, &desks, Mode::Control, Way::Auto).unwrap();
    session.operator.say("watch 620 420").unwrap();
    let (stop, over) = mpsc::sync_channel::<()>(1);
    let painted = thread::spawn(move || paint_until(&over, &painter));
    let is_pixel = |e: &serde_json::Value| e["event"] == "pixel";
    session.operator.event(Mark::default(), "movement", is_pixel).unwrap();
    let mark = session.operator.log().mark();

    let shell = middle_of(&desks.user, "Shell").unwrap();
    let mut write = |title: &str, (x, y): (i16, i16), line: &str| {
        session.operator.say(&format!("click {x} {y}")).unwrap();
        wait_focused(&desks.user, title).unwrap();
        session.operator.say(&format!("type {line}")).unwrap();
        session.operator.say("key Return").unwrap();
    };
    write("Shell", shell, "setxkbmap fr; xclock -geometry 150x150+560+40 &");
    middle_of(&desks.user, "xclock").unwrap();
    let query = || {
        let mut command = desks.user.command("setxkbmap");
        command.arg("-query");
        run(command)
    };
    let is_french =
        |set: &String| set.lines().any(|line| line.split_whitespace().eq(["layout:", "fr"]));
    until("the keyboard's layout", || Ok(Some(query()?).filter(is_french))).unwrap();
    // The letters stand elsewhere now, and what the operator means still arrives.
    write("Notes", notes.middle, "azqw 123 é");
    notes.wait_for("azqw 123 é").unwrap();
    // All that may take less than a tenth of a second; what is seen afterwards counts as well.
    let seen =
        || -> Vec<Instant> { session.operator.log().since(mark).iter().filter_map(pixel_at).collect() };
    let seen = until("the picture to move on", || Ok(Some(seen()).filter(|s| s.len() >= MOST_BETWEEN)));
    let seen = seen.unwrap();

    drop(stop);
    let painted = painted.join().unwrap();
    let missed =
        |pair: &[Instant]| painted.iter().filter(|at| (pair[0]..pair[1]).contains(*at)).count();
    let longest = seen.windows(2).map(missed).max().unwrap_or(usize::MAX);
    assert!(longest <= MOST_BETWEEN, "the picture stood still for {longest} paintings");
    session.end().unwrap();
}

#[test]
fn s3_the_picture_follows_a_screen_that_changes_its_size() {
    let house = House::set_up().unwrap();
    let desks =
        Desks { operator: Desktop::start_bare(SIZE).unwrap(), user: Desktop::start(SIZE).unwrap() };
    let mut session = Session::start(&house, &desks, Mode::Manage, Way::Auto).unwrap();
    let file = house.folder().join("resized.png");
    session.alike(&desks, &file, ALIKE).unwrap();
    for change in [
        "--newmode small 31.5 640 664 704 832 480 489 491 520",
        "--addmode screen small",
        "--output screen --mode small",
    ] {
        let mut command = desks.user.command("xrandr");
        command.args(change.split(' '));
        run(command).unwrap();
    }
    let (host, _) = session.alike(&desks, &file, ALIKE).unwrap();
    assert_eq!((host.width, host.height), (640, 480));
    session.end().unwrap();
}

/// A terminal has no bar that stays in sight: at each Enter, and each minute without one.
#[test]
fn t33_the_terminal_of_whoever_is_seen_says_again_and_again_by_whom_and_how_to_end_it() {
    let house = House::set_up().unwrap();
    let desks = Desks { operator: Desktop::start(SIZE).unwrap(), user: Desktop::start(SIZE).unwrap() };
    let mut session = Session::start(&house, &desks, Mode::View, Way::Auto).unwrap();
    let is_told = |line: &Line| {
        let words = ["Hanako Sato", "still sees your screen", "view", "for ", "type end"];
        words.iter().all(|word| line.text.contains(word)).then_some(())
    };
    let told_since = |session: &Session, mark| {
        session.agent.log().wait(mark, "word of who sees it", A_MINUTE_AND_MORE, is_told).unwrap();
        session.agent.log().mark()
    };
    let begun = session.agent.log().mark();
    session.agent.say("").unwrap();
    let at_enter = told_since(&session, begun);
    told_since(&session, at_enter);
    // Nor does it say so while it is not so.
    let paused = session.agent.log().mark();
    session.agent.say("pause").unwrap();
    let held = |line: &Line| line.text.contains("picture_paused").then_some(());
    session.agent.log().wait(paused, "the pause", A_MINUTE_AND_MORE, held).unwrap();
    session.agent.say("").unwrap();
    let is_still = |line: &Line| line.text.contains("nothing new of your screen").then_some(());
    session.agent.log().wait(paused, "word of the pause", A_MINUTE_AND_MORE, is_still).unwrap();
    let ended = session.agent.log().mark();
    session.end().unwrap();
    let said = session.agent.log().since(ended);
    assert!(said.iter().all(|line| is_told(line).is_none()), "nobody sees it any more: {said:?}");
}

/// Nor is an Enter without an answer while the connection is away.
#[test]
fn t33_the_terminal_of_whoever_was_seen_says_at_enter_that_the_connection_is_being_restored() {
    let house = House::set_up().unwrap();
    let desks = Desks { operator: Desktop::start(SIZE).unwrap(), user: Desktop::start(SIZE).unwrap() };
    let mut session = Session::start(&house, &desks, Mode::View, Way::Relayed).unwrap();
    let cut = session.agent.log().mark();
    house.server.signal(Signal::STOP).unwrap();
    session.agent.event(cut, "the gap", |e| e["event"] == "reconnecting").unwrap();
    let asked = session.agent.log().mark();
    session.agent.say("").unwrap();
    let words = ["being restored", "nothing new is seen", "type end"];
    let is_told = |line: &Line| words.iter().all(|word| line.text.contains(word)).then_some(());
    session.agent.log().wait(asked, "word of the gap", A_MINUTE_AND_MORE, is_told).unwrap();
    house.server.signal(Signal::CONT).unwrap();
    session.agent.event(asked, "a path again", |e| e["event"] == "path_chosen").unwrap();
    session.end().unwrap();
}

/// Another colour every tenth of a second; when each was painted.
fn paint_until(over: &mpsc::Receiver<()>, painter: &Painter) -> Vec<Instant> {
    let all = Rectangle { x: 0, y: 0, ..MOVING };
    let mut painted = Vec::new();
    let tick = Duration::from_millis(100);
    while over.recv_timeout(tick) == Err(mpsc::RecvTimeoutError::Timeout) {
        let colour = if painted.len() % 2 == 0 { [210, 40, 30] } else { [40, 60, 220] };
        painted.push(Instant::now());
        painter.fill(all, colour).unwrap();
    }
    painted
}

/// When the line came, if it tells of a pixel.
fn pixel_at(line: &Line) -> Option<Instant> {
    let event: serde_json::Value = serde_json::from_str(&line.text).ok()?;
    (event["event"] == "pixel").then_some(line.at)
}
