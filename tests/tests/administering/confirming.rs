//! What cannot be undone: a person at a terminal types a word, a script says `--yes`, and nobody else does it.

use std::process::Command;
use std::thread;
use std::time::Duration;

use tasuki_tests::running::{Process, program};
use tasuki_tests::stack::House;

use crate::administer;

/// What it exits with and says to a person who types these lines at a terminal.
pub(crate) fn at_terminal(house: &House, arguments: &[&str], typed: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program("tasuki-admin").expect("the program"));
    command.arg("--profile").arg(house.folder().join("admin")).args(arguments).env("LC_ALL", "C");
    let mut process = Process::start_at_terminal("tasuki-admin", &command).expect("it starts");
    for line in typed {
        process.say(line).expect("typed");
    }
    let ended = process.wait_end().expect("it ends");
    // Its last words are read by another thread.
    let mut said = process.log().tail(50);
    loop {
        thread::sleep(Duration::from_millis(200));
        match process.log().tail(50) {
            same if same == said => return (ended.code(), said),
            more => said = more,
        }
    }
}

/// S65, S71, T69: each is refused where nobody is there to be asked, even by who has typed the word before; another
/// word at the terminal does nothing, and what was not confirmed has left no trace at the server.
#[test]
fn s65_t69_what_cannot_be_undone_is_typed_at_a_terminal_or_said_in_advance() {
    let house = House::set_up().expect("a house");
    house.administrate(&["group", "add", "desk"]).expect("a group");
    house.administrate(&["group", "join", "desk", "hanako"]).expect("with somebody in it");
    house.administrate(&["key", "rotate", "server", "--yes"]).expect("its first step");
    let state = || {
        let lists = [
            &["key", "list"] as &[&str],
            &["group", "list"],
            &["operator", "list"],
            &["device", "list"],
        ];
        lists.map(|list| house.administrate(list).expect("a list"))
    };
    let before = state();
    let passphrase = house.secrets()[0];
    let acts: [(&[&str], &str, &[&str]); 7] = [
        (&["group", "remove", "desk"], "desk", &[]),
        (&["operator", "forget-authenticator", "hanako"], "hanako", &[]),
        (&["device", "revoke", "hanako"], "hanako", &[passphrase]),
        (&["operator", "remove", "hanako"], "hanako", &[]),
        (&["key", "rotate", "lock", "--drop-old"], "lock", &[passphrase]),
        (&["key", "rotate", "server", "--finish"], "server", &[passphrase]),
        (&["key", "rotate", "root"], "root", &[passphrase]),
    ];
    for (act, word, _) in &acts {
        let typed = format!("{word}\n{passphrase}\n");
        let (code, said) = administer(&house, "admin", act, &typed);
        assert!(code == Some(7) && said.contains("--yes"), "{act:?}: {code:?} {said}");
        assert_eq!(said.lines().count(), 1, "{act:?}: {said}");
        let (code, said) = administer(&house, "admin", &[&["--lang", "ja"], *act].concat(), &typed);
        assert!(code == Some(7) && said.contains("--yes を付けて"), "{act:?}: {said}");
        let (code, said) = at_terminal(&house, act, &["yes"]);
        assert!(code == Some(7) && said.contains("did not match"), "{act:?}: {code:?} {said}");
    }
    assert_eq!(state(), before, "nothing was done");
    for (act, word, more) in &acts {
        let typed = [&[*word], *more].concat();
        let (code, said) = at_terminal(&house, act, &typed);
        assert_eq!(code, Some(0), "{act:?}: {said}");
    }
    let after = state();
    assert!(after[1]["groups"].as_array().expect("groups").is_empty());
    assert!(after[2]["operators"].as_array().expect("operators").is_empty());
    let version =
        |state: &[serde_json::Value]| state[0]["bundle"]["version"].as_u64().expect("a number");
    // Two new keys, an old one that is gone, and a list of revoked devices that everybody is asked for.
    assert_eq!(version(&after), version(&before) + 4);
    // And what comes after a first step of it.
    let drop_old = ["key", "rotate", "root", "--drop-old"];
    let (code, said) = at_terminal(&house, &drop_old, &["yes"]);
    assert!(code == Some(7) && said.contains("did not match"), "{code:?} {said}");
    assert_eq!(version(&state()), version(&after), "nothing was done");
    let (code, said) = at_terminal(&house, &drop_old, &["root", passphrase]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(version(&state()), version(&after) + 1);
    // S92: nobody notes in passing that he has looked through everything.
    let (code, said) = at_terminal(&house, &["audit", "review"], &["yes"]);
    assert!(code == Some(7) && said.contains("did not match"), "{code:?} {said}");
    house.administrate(&["group", "add", "desk"]).expect("a group");
    house.administrate(&["group", "remove", "desk", "--yes"]).expect("a script has said so");
}
