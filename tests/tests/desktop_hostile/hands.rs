//! The viewer's hands where they must not be: in the terminal that asks, and down after a crash.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tasuki_protocol::rights::Mode;
use tasuki_tests::desktop::{Desktop, Notepad, Size, middle_of, open_terminal, wait_focused};
use tasuki_tests::running::{Mark, Process, program, run, until};
use tasuki_tests::stack::{Desks, House, Session, Way, start_operator};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::ConnectionExt as _;

const SIZE: Size = Size::new(800, 600);
const TERMINAL: &str = "the agent's terminal";

/// An agent in a terminal window on the very desktop that it shows.
struct InTheOpen {
    told: PathBuf,
}

impl InTheOpen {
    fn start(house: &House, desk: &mut Desktop, number: &str) -> Result<Self> {
        let told = house.folder().join("told.txt");
        let script = format!(
            "'{}' --tenant '{}' --profile '{}' --json --number '{number}' > '{}'",
            program("tasuki-agentd")?.display(),
            house.bundle().display(),
            house.folder().join("agent").display(),
            told.display()
        );
        open_terminal(desk, TERMINAL, "60x10+20+300", &script)?;
        Ok(Self { told })
    }

    fn heard(&self, words: &str) -> Result<usize> {
        Ok(fs::read_to_string(&self.told)?.matches(words).count())
    }

    fn wait_for(&self, words: &str) {
        until(words, || Ok((self.heard(words)? > 0).then_some(()))).unwrap();
    }
}

/// What the person at the desktop types, into the window that has the keys.
fn person_types(desk: &Desktop, line: &str) {
    person_types_only(desk, line);
    person_does(desk, ["key", "Return"]);
}

/// And has not sent yet.
fn person_types_only(desk: &Desktop, text: &str) {
    person_does(desk, ["type", text]);
}

fn person_does(desk: &Desktop, act: [&str; 2]) {
    let mut command = desk.command("xdotool");
    command.args(act);
    run(command).unwrap();
}

/// The person turns to a window, as with Alt+Tab.
fn wait_focused_by_person(desk: &Desktop, title: &str) {
    let mut command = desk.command("xdotool");
    command.args(["search", "--name", title, "windowactivate", "--sync"]);
    run(command).unwrap();
    wait_focused(desk, title).unwrap();
}

/// As long as the person's own hand counts, the operator's does not (T32): he tries until it does.
fn operator_writes(operator: &mut Process, notes: &Notepad, line: &str) {
    let tried = until("what the operator types", || {
        write_at(operator, notes.middle, line)?;
        std::thread::sleep(Duration::from_millis(500));
        Ok(notes.text()?.lines().any(|written| written == line).then_some(()))
    });
    tried.unwrap();
}

fn write_at(operator: &mut Process, (x, y): (i16, i16), line: &str) -> Result<()> {
    for command in [format!("click {x} {y}"), format!("type {line}"), "key Return".to_owned()] {
        operator.say(&command)?;
    }
    Ok(())
}

/// T2, T17: what the person takes away in her terminal nobody gives back for her.
#[test]
fn t2_t17_an_operator_in_control_types_nothing_into_the_terminal_that_asks() {
    let house = House::set_up().unwrap();
    let (there, mut here) = (Desktop::start(SIZE).unwrap(), Desktop::start(SIZE).unwrap());
    let kept = house.folder().join("kept.txt");
    let notes = Notepad::open(&mut here, "Notes", "40x8+300+20", &kept).unwrap();
    let mut operator = start_operator(&house, &there, Mode::Control, Way::Relayed).unwrap();
    let (number, _) = operator.event(Mark::default(), "number", |e| e["event"] == "number").unwrap();
    let agent = InTheOpen::start(&house, &mut here, number["number"].as_str().unwrap()).unwrap();
    let terminal = middle_of(&here, TERMINAL).unwrap();
    agent.wait_for("\"question_open\"");
    wait_focused(&here, TERMINAL).unwrap();
    person_types(&here, "yes");
    operator.event(Mark::default(), "a frame", |e| e["event"] == "first_frame").unwrap();
    person_types(&here, "grant take screenshot");
    agent.wait_for("\"rights_changed\"");
    let changes = agent.heard("\"rights_changed\"").unwrap();

    operator_writes(&mut operator, &notes, "before");
    write_at(&mut operator, terminal, "grant back screenshot").unwrap();
    write_at(&mut operator, terminal, "end").unwrap();
    operator_writes(&mut operator, &notes, "after");

    // A key that was pressed elsewhere repeats wherever the focus goes: what she has half typed it
    // must not send for her.
    wait_focused_by_person(&here, TERMINAL);
    person_types_only(&here, "grant back screenshot");
    operator_writes(&mut operator, &notes, "meanwhile");
    operator.say(&format!("click {} {}", notes.middle.0, notes.middle.1)).unwrap();
    operator.say("press Return").unwrap();
    until("a held key", || Ok(is_anything_down(&here)?.then_some(()))).unwrap();
    wait_focused_by_person(&here, TERMINAL);
    agent.wait_for("\"not_a_person\"");
    operator.say("release Return").unwrap();
    operator_writes(&mut operator, &notes, "long after");
    assert_eq!(agent.heard("\"rights_changed\"").unwrap(), changes, "a right came back");
    assert_eq!(agent.heard("\"ended\"").unwrap(), 0);
    // Her own word counts, once the other hand rests: what it still did a moment ago may be on its way.
    wait_focused_by_person(&here, TERMINAL);
    person_types(&here, "");
    let given = until("the right", || {
        std::thread::sleep(Duration::from_millis(1_200));
        person_types(&here, "grant back screenshot");
        std::thread::sleep(Duration::from_millis(300));
        Ok((agent.heard("\"rights_changed\"")? > changes).then_some(()))
    });
    given.unwrap();
    operator.say("end").unwrap();
    operator.wait_end().unwrap();
}

pub(crate) fn is_anything_down(desk: &Desktop) -> Result<bool> {
    let connection = desk.connect()?;
    let root = connection.setup().roots[0].root;
    let keys = connection.query_keymap()?.reply()?.keys;
    let pointer = connection.query_pointer(root)?.reply()?;
    Ok(keys.iter().any(|byte| *byte != 0) || pointer.mask != 0_u16.into())
}

/// F19, T50. Where nobody was killed, no watchdog stays behind.
#[test]
fn f19_t50_an_agent_killed_while_keys_and_a_button_are_held_leaves_none_down() {
    let house = House::set_up().unwrap();
    let desks = Desks { operator: Desktop::start(SIZE).unwrap(), user: Desktop::start(SIZE).unwrap() };
    let mut session = Session::start(&house, &desks, Mode::Control, Way::Relayed).unwrap();
    let agent = session.agent.id();
    until("a watchdog", || Ok((children_of(agent).len() == 1).then_some(()))).unwrap();
    let watchdog = Path::new("/proc").join(children_of(agent)[0].to_string());
    session.end().unwrap();
    until("the watchdog's end", || Ok((!watchdog.exists()).then_some(()))).unwrap();

    let mut session = Session::start(&house, &desks, Mode::Control, Way::Relayed).unwrap();
    for command in ["move 400 300", "press Shift_L", "press a", "button press left"] {
        session.operator.say(command).unwrap();
    }
    until("a held key", || Ok(is_anything_down(&desks.user)?.then_some(()))).unwrap();
    let mark = session.operator.log().mark();
    session.agent.kill();
    until("nothing to be held", || Ok((!is_anything_down(&desks.user)?).then_some(()))).unwrap();
    session.operator.event(mark, "the loss", |e| e["event"] == "path_down").unwrap();
}

/// proc(5): the fourth field of `stat` is the parent, behind a name that may hold anything.
fn children_of(process: u32) -> Vec<u32> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let child = |folder: fs::DirEntry| {
        let stat = fs::read_to_string(folder.path().join("stat")).ok()?;
        let parent: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        (parent == process).then(|| folder.file_name().to_str()?.parse().ok())?
    };
    folders.filter_map(child).collect()
}
