//! What is left of a session: pictures, the receipt's page, the record.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tasuki_protocol::{
    ids::Role,
    rights::{Capability, Mode},
};
use tasuki_tests::{
    desktop::Hand,
    running::{program, run, until},
    stack::{AgentWindow, House, OperatorWindow, assert_aes_256},
};

/// As the page tells moments.
pub(super) fn now() -> String {
    let mut date = Command::new("date");
    date.args(["-u", "+%F %T UTC"]);
    run(date).unwrap().trim().to_owned()
}

/// S22, T27: by the person, of the operator's screen, and the operator reads it.
pub(super) fn a_picture_is_kept_as_the_screen_stands(
    agent: &AgentWindow<'_>,
    hand: &mut Hand,
    window: &OperatorWindow<'_>,
) {
    let says = |wanted| Ok((window.says_in_passing()? == wanted).then_some(()));
    until("what was said before to be gone", || says(false)).unwrap();
    let screen = window.picture().unwrap();
    let kept = agent.keep_picture(hand).unwrap();
    until("the operator to be told of the picture", || says(true)).unwrap();
    let alike = kept.likeness(&screen).unwrap();
    assert!(alike > 25.0, "the file is like the operator's screen by {alike:.1} dB");
}

/// S97, S99: one value after the other, with who ended it; and the program that checks the page takes it. Gives whether
/// both ends have signed it.
pub(super) fn it_says_what_was(
    file: &Path,
    (mode, ended_by): (Mode, Role),
    kept: usize,
    began: &str,
) -> bool {
    let page = Page::read(file);
    assert_eq!(page.one("組織 / Organisation"), "Example Help");
    assert_eq!(page.one("オペレータ / Operator"), "Hanako Sato (hanako)");
    assert!(page.one("モード / Mode").to_lowercase().ends_with(mode.name()), "{page:?}");
    let at = page.one("開始 / Began");
    assert!(began <= at && at <= now().as_str(), "{began} {page:?}");
    let lasted = page.one("時間 / Lasted").strip_suffix(" 秒 / s").map(str::parse::<u64>);
    assert!(lasted.is_some_and(|seconds| seconds.is_ok_and(|s| (2..600).contains(&s))), "{page:?}");
    let granted = page.one("許可 / Granted");
    for (right, words) in [
        (Capability::SeeScreen, "see the screen"),
        (Capability::Operate, "operate mouse and keyboard"),
        (Capability::ChooseScreen, "choose the screen"),
        (Capability::Screenshot, "keep pictures"),
    ] {
        assert_eq!(granted.contains(words), mode.ceiling().has(right), "{words} in {mode}: {granted}");
    }
    assert_eq!(page.one("保存された画像 / Pictures kept"), kept.to_string());
    assert_eq!(page.one("コピーされたファイル / Files copied"), "0");
    let paths = page.all("経路と暗号 / Path and ciphers");
    assert!(!paths.is_empty(), "{page:?}");
    for path in paths {
        let (way, ciphers) = path.rsplit_once(": ").unwrap();
        assert!(way.ends_with("direct") || way.ends_with("relayed"), "{path}");
        ciphers.split(", ").for_each(|cipher| assert_aes_256(cipher).unwrap());
    }
    let software = page.one("ソフトウェア / Software");
    assert!(software.matches(env!("CARGO_PKG_VERSION")).count() == 2, "{software}");
    assert!(page.one("ポリシーの版 / Policy version").parse::<u64>().is_ok(), "{page:?}");
    let ended = match ended_by {
        Role::Agent => "利用者が終了 / the end user ended it (利用者 / end user)",
        Role::Operator => "オペレータが終了 / the operator ended it (オペレータ / operator)",
    };
    assert_eq!(page.one("終了 / Ended"), ended);
    assert_eq!(page.one("省略 / Entries left out"), "0");
    // The other end's name is waited for only so long, which a busy machine may exceed.
    let signed_by = page.one("署名 / Signed by");
    assert!(signed_by.contains("利用者 / end user"), "{page:?}");
    let session = page.one("セッション / Session");
    assert!(file.to_string_lossy().contains(session), "{session}");

    let mut verify = Command::new(program("tasuki-agentd").unwrap());
    verify.args(["receipt", "verify", "--json"]).arg(file);
    let said: Value = serde_json::from_str(run(verify).unwrap().trim()).unwrap();
    assert_eq!(said["session"], session, "{said}");
    signed_by.contains("オペレータ / operator")
}

/// S11, S99: of a session in Control without the right to operate.
pub(super) fn it_grants_no_hand(file: &Path) {
    let page = Page::read(file);
    let granted = page.one("許可 / Granted");
    assert!(granted.contains("see the screen") && !granted.contains("operate"), "{granted}");
    assert!(page.all("許可の変更 / Change of rights").is_empty(), "{page:?}");
}

/// S99: of the session in which control was taken back, lent and taken back again, and one picture was kept.
pub(super) fn it_lists_what_was_lent_and_taken_back(file: &Path) {
    let page = Page::read(file);
    assert_eq!(page.one("保存された画像 / Pictures kept"), "1");
    let changes = page.all("許可の変更 / Change of rights");
    let words = ["taken away", "granted", "taken away"];
    assert_eq!(changes.len(), words.len(), "{changes:?}");
    for (change, word) in changes.iter().zip(words) {
        assert!(change.contains(word) && change.contains("operate mouse and keyboard"), "{change}");
        assert_eq!(change.ends_with(", 900 s"), word == "granted", "{change}");
    }
}

/// T27: the operator's own end is told of each, and its record has it.
pub(super) fn the_record_has_pictures_of_the_operators_screen(house: &House, wanted: usize) {
    let mut last = Value::Null;
    until("the record of each picture", || {
        last = house.administrate(&["audit", "list", "--last", "0"])?;
        let records = last["records"].as_array().into_iter().flatten();
        let kept = records.filter(|record| {
            record["event"]["type"] == "screenshot_taken" && record["by"] == "operator"
        });
        Ok((kept.count() == wanted).then_some(()))
    })
    .unwrap_or_else(|why| panic!("{why:#}: {last}"));
}

/// The table of a page: each line's label and value.
#[derive(Debug)]
struct Page(Vec<(String, String)>);

impl Page {
    fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let lines = text.split("<tr><th>").skip(1).map(|line| {
            let (label, rest) = line.split_once("</th><td>").unwrap();
            (label.to_owned(), rest.split_once("</td></tr>").unwrap().0.to_owned())
        });
        Self(lines.collect())
    }

    fn all(&self, label: &str) -> Vec<&str> {
        self.0.iter().filter(|line| line.0 == label).map(|line| line.1.as_str()).collect()
    }

    /// The value of what stands there once.
    fn one(&self, label: &str) -> &str {
        let all = self.all(label);
        assert_eq!(all.len(), 1, "{label}: {self:?}");
        all[0]
    }
}
