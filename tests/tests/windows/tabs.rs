//! Several sessions in one operator's window.

use std::process::Command;

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Painter, Size},
    running::run,
    stack::{House, OperatorWindow, Way},
};
use x11rb::protocol::xproto::Rectangle;

use super::{OPERATOR, USER, taking_turns};

/// S3: each in its tab, with the monitor that was chosen there.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s3_two_sessions_are_seen_in_their_tabs_one_on_the_monitor_that_was_chosen_and_stand_in_the_history()
{
    let _turn = taking_turns();
    let house = House::set_up().unwrap();
    let operator = Desktop::start(Size::new(OPERATOR.0, OPERATOR.1)).unwrap();
    let desk = || Desktop::start_bare(Size::new(USER.0, USER.1)).unwrap();
    let (one, other) = (desk(), desk());
    xrandr(&one, "--setmonitor left 640/169x800/211+0+0 screen");
    xrandr(&one, "--setmonitor right 640/169x800/211+640+0 none");
    let _sheets = [
        sheet(&one, (0, 640), [180, 60, 30]),
        sheet(&one, (640, 640), [30, 60, 180]),
        sheet(&other, (0, USER.0), [20, 130, 60]),
    ];
    let window = OperatorWindow::open(&house, &operator, Way::Auto).unwrap();
    window.wait_for_history(0).unwrap();

    let mut first = window.connect(&house, &one, Mode::Control).unwrap();
    window.choose_monitor(1).unwrap();
    window.wait_for_monitor(&one, 1).unwrap();
    let mut second = window.connect(&house, &other, Mode::View).unwrap();

    window.choose_tab(0).unwrap();
    window.wait_for_monitor(&one, 1).unwrap();
    window.choose_tab(1).unwrap();
    window.wait_for_monitor(&other, 0).unwrap();
    window.end(&mut second).unwrap();
    window.choose_tab(0).unwrap();
    window.wait_for_monitor(&one, 1).unwrap();
    window.end(&mut first).unwrap();
    window.wait_for_history(2).unwrap();
}

/// A part of the desktop, from the left and so wide, in one colour.
fn sheet(desk: &Desktop, (left, width): (i16, u16), colour: [u8; 3]) -> Painter {
    let place = Rectangle { x: left, y: 0, width, height: USER.1 };
    let painter = Painter::open(desk, place).unwrap();
    painter.fill(Rectangle { x: 0, y: 0, ..place }, colour).unwrap();
    painter
}

fn xrandr(desk: &Desktop, arguments: &str) {
    let mut command: Command = desk.command("xrandr");
    command.args(arguments.split(' '));
    run(command).unwrap();
}
