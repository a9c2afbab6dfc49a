//! What is left on the person's computer when a window is closed, or a session is over.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::Command,
};

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    running::until,
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{OPERATOR, Room, click_until_focused, keys};

/// T21: in Share the picture has all keys while it has the focus, and the end gives them back, whoever ends it.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t21_after_a_session_in_share_the_keyboard_is_free_for_other_programs() {
    let mut room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Share).unwrap();
    let (theirs, hand) = (&room.operators_notes, &mut room.hand);
    click_until_focused(&room.operator, &theirs.title, &mut || {
        agent.click_at_host(hand, OPERATOR, theirs.middle)
    });
    until("the picture to have all keys", || Ok((!keys::is_free(&room.user)).then_some(()))).unwrap();

    let mut stop = room.operator.command("xdotool");
    assert!(stop.args(["key", "ctrl+alt+shift+e"]).status().unwrap().success());
    room.session_after(0);
    until("the keyboard to be free", || Ok(keys::is_free(&room.user).then_some(()))).unwrap();
    let own = &room.users_notes;
    own.take_keys(&room.user).unwrap();
    room.hand.type_line("mine again").unwrap();
    own.wait_for("mine again").unwrap();
}

/// S31: what writes to a folder that no more answers, as on a network that is gone, keeps no program in which
/// everything is over.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s31_a_window_that_is_closed_waits_for_no_folder_that_hangs() {
    let mut room = Room::furnish();
    let Some(folder) = Hung::over(&room.house.folder().join("Pictures")) else {
        eprintln!("not root, or no FUSE: no folder hangs here");
        return;
    };
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let mut agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Share).unwrap();
    agent.press_keep(&mut room.hand).unwrap();
    folder.is_asked();

    agent.close().unwrap();
    agent.process.wait_end().unwrap();
    let heard = room.session_after(0);
    assert!(heard.contains("\"ended_there\""), "{heard}");
}

/// A file system whose server never answers.
struct Hung {
    server: File,
    folder: PathBuf,
}

impl Hung {
    fn over(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let server = OpenOptions::new().read(true).write(true).open("/dev/fuse").ok()?;
        let mut mount = Command::new("mount");
        mount.args(["-i", "-t", "fuse", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0", "hung"]);
        let mounted = mount.arg(folder).stdin(server.try_clone().unwrap()).status().unwrap();
        mounted.success().then(|| Self { server, folder: folder.to_owned() })
    }

    /// Waits until somebody waits for it.
    fn is_asked(&self) {
        use std::io::Read as _;
        // The kernel's own greeting comes first, unanswered.
        let mut asked = vec![0; 128 * 1024];
        assert!((&self.server).read(&mut asked).unwrap() > 0);
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
