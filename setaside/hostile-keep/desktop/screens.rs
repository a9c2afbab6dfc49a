//! S3: whatever the operator does to the screen that he sees, he goes on seeing it.

use std::{
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tasuki_protocol::{ids::Role, rights::Mode};
use tasuki_tests::{
    desktop::{Desktop, Painter, Picture, middle_of, open_terminal},
    running::{Line, Mark, run, until},
    stack::Way,
};
use x11rb::protocol::xproto::Rectangle;

use super::{ALIKE, Room};

/// S3
#[test]
fn s3_the_picture_follows_a_screen_that_changes_its_size() {
    let room = Room::furnish();
    let mut session = room.start(Mode::Control, Way::Auto);
    let file = room.house.folder().join("resized.png");
    session.alike(&room.desks, &file, ALIKE).unwrap();
    xrandr(&room.desks.user, "--newmode small 31.5 640 664 704 832 480 489 491 520");
    xrandr(&room.desks.user, "--addmode screen small");
    xrandr(&room.desks.user, "--output screen --mode small");
    let (host, _) = session.alike(&room.desks, &file, ALIKE).unwrap();
    assert_eq!((host.width, host.height), (640, 480));
    session.end().unwrap();
}

/// S3: the operator starts an application and changes a setting of the system, and sees all of it:
/// something moves on the screen ten times a second, and he sees it move all the while.
#[test]
fn s3_an_application_is_started_and_a_setting_changed_without_a_gap_in_the_picture() {
    let mut room = Room::furnish();
    open_terminal(&mut room.desks.user, "Shell", "40x8+40+40", "sh").unwrap();
    let painter = Painter::open(&room.desks.user, MOVING).unwrap();
    let mut session = room.start(Mode::Control, Way::Auto);
    session.operator.say("watch 620 420").unwrap();
    let (stop, over) = mpsc::channel::<()>();
    let painted = thread::spawn(move || paint_until(&over, &painter));
    let is_pixel = |e: &serde_json::Value| e["event"] == "pixel";
    session.operator.event(Mark::default(), "movement", is_pixel).unwrap();
    let mark = session.operator.log().mark();

    let shell = middle_of(&room.desks.user, "Shell").unwrap();
    session.type_line(shell, "setxkbmap fr; xclock &").unwrap();
    middle_of(&room.desks.user, "xclock").unwrap();
    let query = || {
        let mut command = room.desks.user.command("setxkbmap");
        command.arg("-query");
        run(command)
    };
    let is_french =
        |set: &String| set.lines().any(|line| line.split_whitespace().eq(["layout:", "fr"]));
    until("the keyboard's layout", || Ok(Some(query()?).filter(is_french))).unwrap();
    // The letters stand elsewhere now, and what the operator means still arrives.
    let notes = room.notes(Role::Agent);
    session.type_line(notes.middle, "azqw 123 é").unwrap();
    notes.wait_for("azqw 123 é").unwrap();

    drop(stop);
    let painted = painted.join().unwrap();
    let seen: Vec<Instant> = session.operator.log().since(mark).iter().filter_map(pixel_at).collect();
    let missed =
        |pair: &[Instant]| painted.iter().filter(|at| (pair[0]..pair[1]).contains(*at)).count();
    let longest = seen.windows(2).map(missed).max().unwrap_or(usize::MAX);
    println!("{} paintings, {} seen, at most {longest} between two", painted.len(), seen.len());
    assert!(longest <= MOST_BETWEEN, "the picture stood still for {longest} paintings");
    session.end().unwrap();
}

const MOVING: Rectangle = Rectangle { x: 560, y: 380, width: 160, height: 120 };
/// Two seconds: of a machine that does other things as well.
const MOST_BETWEEN: usize = 20;

/// Another colour every tenth of a second; when each was painted.
fn paint_until(over: &mpsc::Receiver<()>, painter: &Painter) -> Vec<Instant> {
    let all = Rectangle { x: 0, y: 0, ..MOVING };
    let mut painted = Vec::new();
    let tick = Duration::from_millis(100);
    while over.recv_timeout(tick) == Err(mpsc::RecvTimeoutError::Timeout) {
        let colour = if painted.len() % 2 == 0 { [210, 40, 30] } else { [40, 60, 220] };
        painted.push(painter.fill(all, colour).unwrap());
    }
    painted
}

/// When the line came, if it tells of a pixel.
fn pixel_at(line: &Line) -> Option<Instant> {
    let event: serde_json::Value = serde_json::from_str(&line.text).ok()?;
    (event["event"] == "pixel").then_some(line.at)
}

/// S3, S16: only with the right to choose.
#[test]
fn s3_the_operator_sees_the_monitor_that_he_asks_for_and_in_view_he_cannot_ask() {
    let room = Room::furnish();
    xrandr(&room.desks.user, "--setmonitor left 400/106x600/159+0+0 screen");
    xrandr(&room.desks.user, "--setmonitor right 400/106x600/159+400+0 none");
    let place = Rectangle { x: 500, y: 100, width: 200, height: 200 };
    let painter = Painter::open(&room.desks.user, place).unwrap();
    painter.fill(Rectangle { x: 0, y: 0, ..place }, [200, 30, 160]).unwrap();
    let file = room.house.folder().join("monitors.png");
    let is_right =
        |picture: &Picture| picture.width == 400 && picture.is_near((200, 200), [200, 30, 160], 24);
    let mut session = room.start(Mode::Control, Way::Relayed);
    assert!(!is_right(&session.picture(&file).unwrap()));
    session.operator.say("monitor 1").unwrap();
    until("the right monitor", || Ok(is_right(&session.picture(&file)?).then_some(()))).unwrap();
    session.end().unwrap();

    let mut session = room.start(Mode::View, Way::Relayed);
    session.operator.say("monitor 1").unwrap();
    session.operator.event(Mark::default(), "refusal", |e| e["event"] == "refused").unwrap();
    assert!(!is_right(&session.picture(&file).unwrap()));
    session.end().unwrap();
}

fn xrandr(desktop: &Desktop, arguments: &str) {
    let mut command: Command = desktop.command("xrandr");
    command.args(arguments.split(' '));
    run(command).unwrap();
}
