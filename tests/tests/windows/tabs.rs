//! Several sessions in one operator's window.

use std::{fs, process::Command};

use serde_json::Value;
use tasuki_peer::shell::receipt;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Painter, Reader, Size, role},
    running::{Mark, run, until},
    stack::{House, OperatorWindow},
};
use x11rb::protocol::xproto::Rectangle;

use super::{OPERATOR, USER, beside_others, entering, scaled::lands};

const CUSTOMER: &str = "Suzuki Shoten";
const TICKET: &str = "#4410";
/// On the second monitor, off the places at which pictures are compared.
const THERE: (i16, i16) = (123, 333);
const REASON: &str = "the printer is silent";

/// S3: each in its tab, with the monitor that was chosen there. S62, S63, S64: before that, the way in. S53, S69: what
/// was noted of them is read by whom it concerns and stands in the record.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s3_s53_s62_s64_who_signs_in_at_a_new_computer_holds_two_sessions_in_tabs_that_are_recorded() {
    let _turn = beside_others();
    let mut house = House::set_up().unwrap();
    entering::be_strict(&mut house);
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
    let (reader, profile) = (Reader::start().unwrap(), house.folder().join("new-computer"));
    let window = OperatorWindow::open_anew(&house, &operator, &profile, &reader).unwrap();
    let key = entering::at_a_new_computer(&house, &window, &reader);
    entering::after_three_wrong_passwords(&house, &window, &reader, &key);
    window.wait_for_history(0).unwrap();

    window.note_down(CUSTOMER, TICKET, "").unwrap();
    reader.press(role::RADIO_BUTTON, "Control").unwrap();
    reader.wait_for(role::LABEL, "Write down the reason first.").unwrap();
    reader.press(role::RADIO_BUTTON, "Control").unwrap();
    window.note_down("", "", REASON).unwrap();
    let mut first = window.connect(&house, &one, Mode::Control).unwrap();
    let (asked, _) = first.event(Mark::default(), "question", |e| e["event"] == "question").unwrap();
    assert!(asked.to_string().contains(&format!("{TICKET} {REASON}")), "{asked}");
    window.choose_monitor(1).unwrap();
    window.wait_for_monitor(&one, 1).unwrap();
    window.click_in_picture(&reader, (640, USER.1), THERE).unwrap();
    lands(&one, (640 + THERE.0, THERE.1));
    window.note_down("", "", REASON).unwrap();
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
    until("the customer in the history", || {
        let listed = reader.names(role::LIST_ITEM);
        Ok(listed.iter().any(|line| line.contains(CUSTOMER)).then_some(()))
    })
    .unwrap();
    what_was_noted_is_recorded(&house);
    entering::another_password(&house, &window, &reader);
    entering::is_known_by_name_when_it_starts_again(&house, window, (&operator, &profile), &reader);
}

fn what_was_noted_is_recorded(house: &House) {
    let mut last = Value::Null;
    until("the record of whom it was for", || {
        last = house.administrate(&["audit", "list", "--last", "0"])?;
        let mut records = last["records"].as_array().into_iter().flatten();
        let customer = records
            .any(|record| record["event"]["type"] == "customer" && record["event"]["name"] == CUSTOMER);
        Ok(customer.then_some(()))
    })
    .unwrap_or_else(|why| panic!("{why:#}: {last}"));
    // The reason is in what both have signed, of which the record has the digest.
    let folder = fs::read_dir(house.folder().join("agent/receipts")).unwrap();
    let reasons: Vec<_> =
        folder.map(|file| receipt::verify(&file.unwrap().path()).unwrap().manifest.reason).collect();
    let noted = Some(format!("{TICKET} {REASON}"));
    assert!(reasons.contains(&noted), "{reasons:?}");
}

/// A part of the desktop, from the left and so wide, in one colour.
fn sheet(desk: &Desktop, (left, width): (i16, u16), colour: [u8; 3]) -> Painter {
    let place = Rectangle { x: left, y: 0, width, height: USER.1 };
    let painter = Painter::open(desk, place).unwrap();
    painter.fill(Rectangle { x: 0, y: 0, ..place }, colour).unwrap();
    painter
}

pub(super) fn xrandr(desk: &Desktop, arguments: &str) {
    let mut command: Command = desk.command("xrandr");
    command.args(arguments.split(' '));
    run(command).unwrap();
}
