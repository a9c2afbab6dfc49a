//! The organisation's keys made by a person at a terminal: he is asked again for what can be mended there and then, and
//! nothing is sent before he has what is shown once.

use std::process::Command;

use tasuki_tests::running::{Mark, Process, Voice, program};
use tasuki_tests::stack::{House, Site};

/// What a terminal shows behind the passphrase.
const WRITTEN: [(&str, &str); 2] = [
    ("en", "type the last word of the passphrase"),
    ("ja", "パスフレーズの最後の語を入力してください"),
];

/// The passphrase that stands on the terminal, once it is asked for.
pub(crate) fn shown_passphrase(process: &Process, language: &str) -> String {
    let (_, question) = WRITTEN.into_iter().find(|(of, _)| *of == language).expect("a language");
    process.wait_for(Mark::default(), question).expect("it waits");
    let lines = process.log().since(Mark::default());
    let shown = lines.iter().filter(|line| line.voice == Voice::Terminal);
    // Ten words alone in their line: a share's have numbers before them.
    let words = shown.map(|line| line.text.trim()).find(|line| {
        line.split(' ').count() == 10 && line.chars().all(|c| c.is_ascii_lowercase() || c == ' ')
    });
    words.expect("a passphrase").to_owned()
}

/// S50, S71: a password that the server knows and a passphrase that can be guessed are asked for again at a terminal, with
/// the same token; and the server has no keys until the passphrase's last word was typed back.
#[test]
fn s50_nothing_is_sent_before_a_person_has_the_passphrase() {
    for (language, question) in WRITTEN {
        let (house, [token, pin]) = House::begin_at(Site::here().expect("a port")).expect("a server");
        let server = format!("https://127.0.0.1:{}", house.port());
        let mut command = Command::new(program("tasuki-admin").expect("the program"));
        command.arg("--profile").arg(house.folder().join("admin")).env("LC_ALL", "C");
        command.args(["--lang", language, "--server", &server, "init", "--fingerprint", &pin]);
        let mut process = Process::start_at_terminal("tasuki-admin", &command).expect("it starts");
        let guessed = "passwordpassword";
        let good = "seven lemons under a tin roof";
        for line in [&*token, guessed, guessed, good, good] {
            process.say(line).expect("typed");
        }
        let passphrase = shown_passphrase(&process, language);
        let last = passphrase.rsplit(' ').next().expect("a word");
        let mark = process.log().mark();
        for other in ["", "no", passphrase.split(' ').next().expect("a word")] {
            process.say(other).expect("typed");
        }
        process.wait_for(mark, question).expect("it asks again");
        assert!(!house.bundle().exists(), "it went on by itself");
        process.say(&last.to_uppercase()).expect("typed");
        assert_eq!(process.wait_end().expect("it ends").code(), Some(0), "{}", process.log().tail(60));
        assert!(house.bundle().exists());
    }
}
