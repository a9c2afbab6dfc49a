//! Sessions between two real desktops: what a real application receives, and what the viewer's
//! pixels are. Everything is done through the programs' commands.

#![allow(clippy::unwrap_used)]

use std::{process::Command, thread, time::Duration};

use rustix::process::Signal;
use tasuki_protocol::{
    ids::Role,
    rights::{Capability, Mode},
};
use tasuki_tests::{
    desktop::{Desktop, Ear, Notepad, Painter, Picture, Size, nudge_pointer},
    running::{Line, Mark, PATIENCE, Process, Voice, program, run, threads_of, until},
    stack::{Desks, House, Session, Way, an_answer_counts, assert_aes_256, start_agent, stats_of},
};
use x11rb::protocol::xproto::Rectangle;

const SIZE: Size = Size::new(800, 600);
/// Alike to the eye; see `Picture::likeness`.
const ALIKE: f64 = 30.0;

/// A server, two desktops, and on each a program that keeps what is typed.
struct Room {
    desks: Desks,
    notes: [Notepad; 2],
    house: House,
}

impl Room {
    fn furnish() -> Self {
        let house = House::set_up().unwrap();
        let mut desks =
            Desks { operator: Desktop::start(SIZE).unwrap(), user: Desktop::start(SIZE).unwrap() };
        let notes = [Role::Operator, Role::Agent].map(|role| {
            let path = house.folder().join(format!("{role:?}.txt"));
            Notepad::open(desks.of_mut(role), "Notes", "50x10+40+250", &path).unwrap()
        });
        for role in [Role::Operator, Role::Agent] {
            let middle = notes[role as usize].middle;
            nudge_pointer(desks.of(role), middle.0, middle.1).unwrap();
        }
        Self { desks, notes, house }
    }

    fn notes(&self, role: Role) -> &Notepad {
        match role {
            Role::Operator => &self.notes[0],
            Role::Agent => &self.notes[1],
        }
    }

    fn start(&self, mode: Mode, way: Way) -> Session {
        Session::start(&self.house, &self.desks, mode, way).unwrap()
    }
}

fn may_operate(mode: Mode) -> bool {
    mode.ceiling().has(Capability::Operate)
}

/// What the viewer types in a mode where he may, and what becomes of it where he may not.
fn show_a_mode(room: &Room, mode: Mode, way: Way) {
    let mut session = room.start(mode, way);
    let notes = room.notes(mode.host());
    let before = notes.text().unwrap();
    let ear = Ear::open(room.desks.of(mode.host())).unwrap();
    let line = format!("{mode} 漢字かな {}", way.name());
    session.type_line(notes.middle, &line).unwrap();
    if may_operate(mode) {
        notes.wait_for(&line).unwrap();
    } else {
        session.viewer_mut().say("chat behind it").unwrap();
        session.host().wait_for(Mark::default(), "behind it").unwrap();
        assert_eq!(ear.heard().unwrap(), 0, "input reached the host in {mode}");
        assert_eq!(notes.text().unwrap(), before);
    }
    let picture = room.house.folder().join(format!("{mode}.png"));
    session.alike(&room.desks, &picture, ALIKE).unwrap();
    let stats = session.stats().unwrap();
    assert_eq!(stats["path"], way.name());
    if mode.ceiling().has(Capability::Screenshot) {
        // S7: `alike` has kept pictures of the host's screen, and its person was told.
        let is_told = |e: &serde_json::Value| e["event"] == "screenshot_taken";
        session.host().event(Mark::default(), "screenshot's mention", is_told).unwrap();
    }
    assert_logged(&session, &stats["ciphers"]);
    // S22: whoever shows his own screen hears before there is a number that pictures can be kept.
    let told = &session.operator.events(Mark::default())[0];
    let may_keep = |told: &serde_json::Value| told["viewer_may"].to_string().contains("\"screenshot\"");
    assert_eq!(told["event"] == "own_screen" && may_keep(told), mode.host() == Role::Operator);
    session.end().unwrap();
}

/// S45, R7: what protects the path stands in both ends' logs, as it does in `stats`.
fn assert_logged(session: &Session, ciphers: &serde_json::Value) {
    let (up, names) = match ciphers["kind"].as_str() {
        Some("direct") => ("a direct path is up", ["dtls", "srtp"]),
        other => {
            assert_eq!(other, Some("relayed"));
            ("a relayed path is up", ["noise", "tls"])
        }
    };
    for role in [Role::Operator, Role::Agent] {
        let end = session.end_of(role);
        let is_line = |line: &Line| line.voice != Voice::Output && line.text.contains(up);
        let line = |line: &Line| is_line(line).then(|| line.text.clone());
        let line = end.log().wait(Mark::default(), up, PATIENCE, line).unwrap();
        for name in names {
            let cipher = ciphers[name].as_str().unwrap();
            assert_aes_256(cipher).unwrap();
            assert!(line.contains(cipher), "{role:?}: no {cipher} in {line}");
        }
    }
}

/// S1, S2, S7, S11, S12, S14, S18, S19, S22, S24, S28, S45, R7.
#[test]
fn s1_each_of_the_five_modes_does_what_it_may_and_nothing_else_over_the_relay() {
    let room = Room::furnish();
    for mode in Mode::ALL {
        show_a_mode(&room, mode, Way::Relayed);
    }
}

/// S1, S2, S14, S19, S24, S45, R7.
#[test]
fn s1_each_of_the_five_modes_does_what_it_may_and_nothing_else_on_the_direct_path() {
    let room = Room::furnish();
    for mode in Mode::ALL {
        show_a_mode(&room, mode, Way::Direct);
    }
}

#[test]
fn s2_a_drawn_colour_arrives_in_the_viewers_pixels_and_follows_each_change() {
    let room = Room::furnish();
    let mut session = room.start(Mode::Control, Way::Auto);
    let place = Rectangle { x: 300, y: 40, width: 160, height: 120 };
    let painter = Painter::open(&room.desks.user, place).unwrap();
    let all = Rectangle { x: 0, y: 0, ..place };
    let file = room.house.folder().join("seen.png");
    for colour in [[210, 40, 30], [30, 190, 60], [40, 60, 220], [128, 128, 128]] {
        painter.fill(all, colour).unwrap();
        session.wait_colour(&file, (380, 100), colour).unwrap();
    }
    session.end().unwrap();
}

#[test]
fn s2_clicks_keys_and_the_wheel_reach_a_real_program() {
    let room = Room::furnish();
    let mut session = room.start(Mode::Control, Way::Auto);
    let notes = room.notes(Role::Agent);
    let ear = Ear::open(&room.desks.user).unwrap();
    session.operator.say("scroll 0 2").unwrap();
    until("input to be heard", || Ok((ear.heard()? > 0).then_some(()))).unwrap();
    let (x, y) = notes.middle;
    session.operator.say(&format!("click {x} {y}")).unwrap();
    for key in ["h", "shift+i", "1", "enter"] {
        session.operator.say(&format!("key {key}")).unwrap();
    }
    notes.wait_for("hI1").unwrap();
    session.end().unwrap();
}

/// S29, S30, S27, T1, T2.
#[test]
fn s29_without_a_yes_no_frame_and_no_input_passes_in_any_mode() {
    let room = Room::furnish();
    for mode in Mode::ALL {
        let mut session = Session::ring(&room.house, &room.desks, mode, Way::Auto).unwrap();
        let ear = Ear::open(room.desks.of(mode.host())).unwrap();
        let notes = room.notes(mode.host());
        // Typed at the operator's end only: a line at the user's terminal would be his answer.
        let (x, y) = notes.middle;
        session.operator.say(&format!("click {x} {y}")).unwrap();
        session.operator.say("type nobody said yes").unwrap();
        session.operator.say("key enter").unwrap();
        let stats = stats_of(&mut session.operator).unwrap();
        assert_eq!(ear.heard().unwrap(), 0, "input before the yes in {mode}");
        assert_eq!((&stats["frames"], &stats["decoded"]), (&0.into(), &0.into()), "{mode}");
        session.answer("no").unwrap();
        let ended = |e: &serde_json::Value| e["event"] == "ended";
        let end = session.operator.event(Mark::default(), "end", ended).unwrap().0;
        assert_eq!(end["reason"], "user_refused", "{mode}");
        for role in [Role::Operator, Role::Agent] {
            let all = session.end_of(role).events(Mark::default());
            assert!(all.iter().all(|e| e["event"] != "first_frame"), "{mode}: {all:?}");
        }
        assert_eq!(notes.text().unwrap(), "");
    }
}

/// S29, T2: what is typed before the question could be read is no answer.
#[test]
fn s29_a_yes_that_comes_with_the_question_is_thrown_away() {
    let room = Room::furnish();
    let mut session = loop {
        let mut session = Session::ring(&room.house, &room.desks, Mode::Control, Way::Auto).unwrap();
        let asked = session.agent.event(Mark::default(), "question", |e| e["event"] == "question");
        session.agent.say("yes").unwrap();
        // On a machine that had other things to do this was a yes in time.
        if asked.unwrap().1.elapsed() < Duration::from_millis(500) {
            break session;
        }
    };
    // Longer than a first frame takes; nothing is expected to come.
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(stats_of(&mut session.operator).unwrap()["decoded"], 0);
    session.answer("yes").unwrap();
    session.first_frame().unwrap();
    session.end().unwrap();
}

/// T2: no pipe, file or script can say yes.
#[test]
fn s30_an_agent_without_a_terminal_refuses_to_start() {
    let room = Room::furnish();
    let mut command = room.desks.user.command(program("tasuki-agentd").unwrap());
    command.arg("--tenant").arg(room.house.bundle()).arg("--json");
    command.arg("--profile").arg(room.house.folder().join("pipe"));
    let mut agent = Process::start("tasuki-agentd", command).unwrap();
    // It may be gone already, and then does not read this.
    let _ = agent.say("yes");
    let status = agent.wait_end().unwrap();
    assert_eq!(status.code(), Some(12), "{}", agent.log().tail(5));
}

/// F12: dates decide only where they must, and then the sentence names the clock.
#[test]
fn f12_a_clock_a_day_off_keeps_nobody_out_and_one_three_days_behind_is_named() {
    let room = Room::furnish();
    let call = |whose: Role, clock: &str| {
        let mut open = room.desks.operator.command(program("tasuki").unwrap());
        open.args(["open", "--mode", "view", "--path", "relayed", "--json", "--profile"]);
        open.arg(room.house.profile());
        let mut knock = room.desks.user.command(program("tasuki-agentd").unwrap());
        knock.arg("--tenant").arg(room.house.bundle()).arg("--json");
        knock.arg("--profile").arg(room.house.folder().join(format!("agent{whose:?}{clock}")));
        let wrong = if whose == Role::Operator { &mut open } else { &mut knock };
        wrong.env("LD_PRELOAD", "libfaketime.so.1").env("FAKETIME", clock);
        let folder = |machine| format!("/usr/lib/{machine}-linux-gnu/faketime");
        wrong.env("LD_LIBRARY_PATH", ["x86_64", "aarch64"].map(folder).join(":"));
        wrong.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let operator = Process::start("tasuki", open).unwrap();
        let number = operator.event(Mark::default(), "number", |e| e["event"] == "number").unwrap().0;
        let mut agent = Process::start_at_terminal("tasuki-agentd", &knock).unwrap();
        agent.say(number["number"].as_str().unwrap()).unwrap();
        (operator, agent)
    };
    for whose in [Role::Operator, Role::Agent] {
        for clock in ["+24h", "-24h"] {
            let (operator, mut agent) = call(whose, clock);
            agent.event(Mark::default(), "question", |e| e["event"] == "question").unwrap();
            an_answer_counts(&agent, Mark::default()).unwrap();
            agent.say("yes").unwrap();
            operator.event(Mark::default(), "picture", |e| e["event"] == "first_frame").unwrap();
            agent.say("end").unwrap();
            agent.wait_end().unwrap();
        }
    }
    let (mut operator, mut agent) = call(Role::Agent, "-72h");
    assert_eq!(agent.wait_end().unwrap().code(), Some(55), "{}", agent.log().tail(9));
    agent.wait_for(Mark::default(), "check this computer's date").unwrap();
    operator.kill();
}

/// S31: what is painted after the person was told of the end never leaves his computer.
#[test]
fn s31_an_end_by_the_user_stops_the_capture_before_he_is_told_and_without_a_server() {
    let mut room = Room::furnish();
    let place = Rectangle { x: 300, y: 40, width: 160, height: 120 };
    let painter = Painter::open(&room.desks.user, place).unwrap();
    let all = Rectangle { x: 0, y: 0, ..place };
    let mut session = room.start(Mode::Control, Way::Direct);
    let (red, blue) = ([210, 40, 30], [40, 60, 220]);
    painter.fill(all, red).unwrap();
    session.wait_colour(&room.house.folder().join("seen.png"), (380, 100), red).unwrap();
    session.operator.say("watch 380 100").unwrap();
    let is_red = |e: &serde_json::Value| e["event"] == "pixel" && rgb_of(e)[0] > rgb_of(e)[2];
    session.operator.event(Mark::default(), "red", is_red).unwrap();
    room.house.server.kill();
    let mark = session.agent.log().mark();
    session.agent.say("end").unwrap();
    let ended = |e: &serde_json::Value| e["event"] == "ended";
    session.agent.event(mark, "end", ended).unwrap();
    assert_eq!(desktop_threads(session.agent.id()), [""; 0]);
    painter.fill(all, blue).unwrap();
    session.operator.event(Mark::default(), "end", ended).unwrap();
    let events = session.operator.events(Mark::default());
    assert!(events.iter().filter(|e| e["event"] == "pixel").all(is_red), "{events:?}");
}

/// S31: neither the network nor the other program is needed to stop.
#[test]
fn s31_an_end_with_the_network_gone_and_the_operators_program_hanging_stops_capture_and_hands() {
    let mut room = Room::furnish();
    let mut session = room.start(Mode::Control, Way::Relayed);
    assert_ne!(desktop_threads(session.agent.id()), [""; 0], "the picture is taken by threads");
    session.operator.signal(Signal::STOP).unwrap();
    room.house.server.kill();
    let mark = session.agent.log().mark();
    session.agent.say("end").unwrap();
    session.agent.event(mark, "end", |e| e["event"] == "ended").unwrap();
    assert_eq!(desktop_threads(session.agent.id()), [""; 0]);
    session.operator.signal(Signal::CONT).unwrap();
}

/// Which threads of a process capture a desktop or operate it; none once it is gone.
fn desktop_threads(pid: u32) -> Vec<String> {
    let mut names = threads_of(pid);
    names.retain(|name| ["tasuki-capture", "tasuki-hands"].contains(&name.as_str()));
    names
}

/// A `pixel` event's colour.
fn rgb_of(event: &serde_json::Value) -> [u8; 3] {
    let colour = event["colour"].as_str().unwrap();
    let [_, red, green, blue] = u32::from_str_radix(colour, 16).unwrap().to_be_bytes();
    [red, green, blue]
}

/// T32: the person at the host comes first. S19: in Share that is the operator.
#[test]
fn s19_t32_the_hosts_own_mouse_suspends_the_viewers_input_for_two_seconds() {
    let room = Room::furnish();
    for mode in [Mode::Control, Mode::Share] {
        let mut session = room.start(mode, Way::Auto);
        let notes = room.notes(mode.host());
        session.type_line(notes.middle, "before").unwrap();
        notes.wait_for("before").unwrap();
        let mark = session.viewer().log().mark();
        let (x, y) = notes.middle;
        nudge_pointer(room.desks.of(mode.host()), x + 3, y).unwrap();
        session.viewer().event(mark, "pause", |e| e["event"] == "input_paused").unwrap();
        session.viewer_mut().say("type lost").unwrap();
        session.viewer_mut().say("key enter").unwrap();
        session.viewer().event(mark, "resumption", |e| e["event"] == "input_resumed").unwrap();
        session.type_line(notes.middle, "after").unwrap();
        notes.wait_for("after").unwrap();
        assert_eq!(notes.text().unwrap(), "before\nafter\n", "{mode}");
        session.end().unwrap();
    }
}

/// S13: nothing of it is left that could listen or dial, and its number is dead.
#[test]
fn s13_a_control_session_does_not_come_back_after_the_desktop_is_gone() {
    let mut room = Room::furnish();
    let mut session = room.start(Mode::Control, Way::Relayed);
    let number = session.number().to_owned();
    room.desks.user.crash();
    let ended = |e: &serde_json::Value| e["event"] == "ended";
    session.operator.event(Mark::default(), "end", ended).unwrap();
    session.agent.wait_end().unwrap();
    room.desks.user = Desktop::start(SIZE).unwrap();
    let mut again = start_agent(&room.house, &room.desks.user).unwrap();
    let mark = again.log().mark();
    again.say(&number).unwrap();
    again.wait_for(mark, "does not open a session").unwrap();
    let asked = again.events(Mark::default());
    assert!(asked.iter().all(|e| e["event"] != "question"), "{asked:?}");
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
