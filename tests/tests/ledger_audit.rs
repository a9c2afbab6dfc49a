//! The administrator reads, exports and verifies the ledger of a real server, through the
//! commands that he has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tasuki_protocol::bundle::Bundle;
use tasuki_tests::running::{COMPUTED, Mark, Process, program, until};
use tasuki_tests::stack::{House, all_bytes_below};

/// Events of one name in what `audit list` printed.
fn of<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    let records = list["records"].as_array().expect("records");
    records.iter().filter(|record| record["event"]["type"] == name).collect()
}

/// Once the newest checkpoint covers what was waited for.
fn list_with(house: &House, name: &str) -> Value {
    until("a checkpoint over the record", || {
        // Before the first checkpoint there is nothing to read.
        let list = house.administrate(&["audit", "list", "--last", "0"]).ok();
        Ok(list.filter(|list| !of(list, name).is_empty()))
    })
    .expect("the record is there")
}

/// S47, S49, S52, S54, S56, S57, T62: what happened is there for the holder of the passphrase, the
/// reading itself is recorded, an exported file verifies with nothing else, and neither it nor the
/// server's folder names anybody.
#[test]
fn an_administrator_lists_reports_and_exports_what_happened_and_an_auditor_verifies_it() {
    let house = House::set_up().expect("a house");
    let list = list_with(&house, "ledger_read");
    let signed_in = of(&list, "logged_in");
    assert_eq!(signed_in.len(), 1, "{list}");
    assert_eq!(signed_in[0]["operator"], "hanako");
    assert_eq!(signed_in[0]["event"]["from"], "127.0.0.1");
    let acts = of(&list, "admin_did");
    let added = acts.iter().find(|record| record["event"]["action"] == "operator_added");
    let added = &added.expect("an operator was added")["event"];
    assert_eq!((&added["admin"], &added["target"]), (&"administrator".into(), &"hanako".into()));
    assert!(!acts.iter().any(|act| act["event"]["action"] == "settings_changed"), "{list}");
    assert_eq!(of(&list, "ledger_read")[0]["event"]["purpose"], "list");

    let report = house.administrate(&["audit", "report"]).expect("a report");
    assert_eq!(report["totals"][0]["logins"], 1, "{report}");

    let file = house.folder().join("july.export");
    let path = file.to_str().expect("a name");
    let exported = house.administrate(&["audit", "export", path]).expect("an export");
    let verified = house.administrate(&["audit", "verify", "--file", path]).expect("it holds");
    assert_eq!(verified["records"], exported["records"]);
    assert_eq!(verified["root_known"], true);
    assert!(house.administrate(&["audit", "export", path]).is_err(), "nothing is overwritten");
    let again = house.administrate(&["audit", "list", "--file", path]).expect("the file opens");
    assert_eq!(of(&again, "logged_in"), signed_in);
    let everything = all_bytes_below(house.folder().join("server").as_path()).expect("the folder");
    for bytes in [&fs::read(&file).expect("the file"), &everything] {
        for name in ["hanako", "Hanako Sato"] {
            assert!(!bytes.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
        }
    }

    let mut bytes = fs::read(&file).expect("the file");
    // Among the records: the wrapped log keys in front of them are no evidence.
    let at = bytes.len() / 4 * 3;
    bytes[at] ^= 1;
    fs::write(&file, bytes).expect("written");
    assert!(house.administrate(&["audit", "verify", "--file", path]).is_err());
}

/// As `--zone UTC` reads it.
fn now() -> String {
    let told = Command::new("date").args(["-u", "+%FT%T"]).output().expect("date runs");
    String::from_utf8_lossy(&told.stdout).trim().to_owned()
}

/// S92, S95, T64: a review is written down and told in reports; content of old records goes under
/// the root key's word, and what is left verifies.
#[test]
fn an_administrator_reviews_the_ledger_and_prunes_it_and_it_still_holds() {
    let house = House::set_up().expect("a house");
    let list = list_with(&house, "logged_in");
    let reviewed = house.administrate(&["audit", "review", "--note", "monthly"]).expect("reviewed");
    assert!(reviewed["up_to"].as_u64() >= list["found"].as_u64(), "{reviewed}");
    let none =
        house.administrate(&["audit", "prune", "--before", "2020-01-01", "--reason", "x", "--yes"]);
    assert!(none.is_err(), "nothing is so old");
    list_with(&house, "reviewed");
    let report = house.administrate(&["audit", "report"]).expect("a report");
    assert!(report["reviewed"]["up_to"].is_u64(), "{report}");
    let prune = |before: &str| {
        let prune = ["audit", "prune", "--zone", "UTC", "--reason", "retention", "--yes", "--before"];
        house.administrate(&[&prune[..], &[before]].concat())
    };
    let to_come = prune("2999-01-01").expect_err("a day to come").to_string();
    assert!(to_come.contains("still to come"), "{to_come}");
    let now = now();
    let count = |told: Value| told["pruned"].as_u64().expect("a count");
    let mut pruned = count(prune(&now).expect("pruned"));
    // What no checkpoint covered yet at the first time; what is written after it is not older.
    let again = loop {
        match prune(&now) {
            Ok(more) => pruned += count(more),
            Err(refused) => break refused.to_string(),
        }
    };
    assert!(again.contains("No record is older"), "{again}");
    let list = list_with(&house, "pruned");
    let gone = list["records"].as_array().expect("records").iter();
    assert_eq!(gone.filter(|record| record["pruned"] == true).count() as u64, pruned);
    assert!(of(&list, "logged_in").is_empty());
    let verified = house.administrate(&["audit", "verify"]).expect("it holds");
    assert_eq!(verified["pruned"], pruned);
}

/// S57, S95, T69: what one root took away the next one signs for, and so on: the ledger goes on holding, at the server
/// and for who has nothing but a file and the newest bundle.
#[test]
fn t69_a_ledger_that_was_pruned_holds_after_its_root_was_changed_and_changed_again() {
    let house = House::set_up().expect("a house");
    list_with(&house, "logged_in");
    let verified = |export: &str| {
        let file = house.folder().join(export);
        house.administrate(&["audit", "export", text(&file)]).expect("an export that holds");
        let bundle = house.bundle();
        let offline = ["audit", "verify", "--file", text(&file), "--bundle", text(&bundle)];
        let offline = house.administrate(&offline).expect("it holds");
        let here = house.administrate(&["audit", "verify"]).expect("it holds");
        assert_eq!((&offline["pruned"], &offline["root_known"]), (&here["pruned"], &true.into()));
        here["pruned"].as_u64().expect("a count")
    };
    let mut gone = 0;
    for (words, export) in ["once", "twice"].into_iter().zip(["one.export", "two.export"]) {
        let pruned = until("a signed checkpoint over records to prune", || {
            let prune = ["audit", "prune", "--zone", "UTC", "--reason", words, "--yes", "--before"];
            Ok(house.administrate(&[&prune[..], &[now().as_str()]].concat()).ok())
        });
        gone += pruned.expect("pruned")["pruned"].as_u64().expect("a count");
        let rotated = house.administrate(&["key", "rotate", "root", "--yes"]).expect("rotated");
        let so_far = if words == "once" { 1 } else { 2 };
        assert_eq!(rotated["earlier_decrees"], so_far, "{rotated}");
        assert_eq!(verified(export), gone);
    }
}

/// T67, F21: a server restored from yesterday's backup is refused by who saw today, until the root
/// key says that it was a restore; the ledger says it, too.
#[test]
fn a_restored_backup_is_noticed_and_taken_on_under_the_root_key_alone() {
    let mut house = House::set_up().expect("a house");
    list_with(&house, "logged_in");
    let backup = house.folder().join("yesterday.backup");
    house.keep("backup", &backup).expect("backed up while it runs");
    house.administrate(&["audit", "review", "--note", "today"]).expect("reviewed");
    list_with(&house, "reviewed");
    opened(&house).expect("the operator's program has seen today, too");
    house.administrate(&["audit", "verify"]).expect("this computer has seen no less");
    let asleep = Seen::of(&house);
    house.server.kill();
    let refused = house.keep("restore", &backup).expect_err("there is a database").to_string();
    assert!(refused.contains("exit status: 13"), "{refused}");
    house.restore(&backup).expect("restored");
    let refused = house.administrate(&["audit", "list"]).expect_err("an older ledger").to_string();
    assert!(
        refused.contains("exit status: 11") && refused.contains("acknowledge-restore"),
        "{refused}"
    );
    assert_eq!(opened(&house), Err(Some(41)), "whoever was signed in is so no more");
    house.sign_in().expect("signed in again");
    assert_eq!(opened(&house), Err(Some(75)), "no session at an older ledger");
    let reason = ["audit", "acknowledge-restore", "--reason", "the disk broke", "--yes"];
    let unasked = house.administrate(&reason[..4]).expect_err("nobody is asked").to_string();
    assert!(unasked.contains("exit status: 7") && unasked.contains("--yes"), "{unasked}");
    let acknowledged = house.administrate(&reason).expect("acknowledged");
    let list = list_with(&house, "restore_acknowledged");
    assert!(of(&list, "reviewed").is_empty(), "it is the older ledger");
    assert_eq!(of(&list, "restored").len(), 1, "{list}");
    tells_of_the_gap(&house, &acknowledged, "after.export");
    opened(&house).expect("it goes on from there");
    let again = house.administrate(&reason).expect("nothing is missing, and that is no fault");
    assert_eq!(again["acknowledged"], false, "{again}");
    for (language, words) in
        [("en", "does not say that no backup was restored"), ("ja", "復元がなかったとは限りません")]
    {
        let mut command = Command::new(program("tasuki-admin").expect("the program"));
        command.arg("--profile").arg(house.folder().join("admin")).args(["--lang", language]);
        let output = command.args(reason).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains(words), "{said}");
    }
    // T69: so it is for who comes when the root is another by then.
    house.administrate(&["key", "rotate", "root", "--yes"]).expect("rotated");
    tells_of_the_gap(&house, &acknowledged, "rotated.export");
    asleep.put_back();
    house.sign_in().expect("the new root is known");
    opened(&house).expect("the restore was acknowledged");
}

/// What the operator's program has seen of the ledger.
struct Seen(PathBuf, Vec<u8>);

impl Seen {
    fn of(house: &House) -> Self {
        let files =
            fs::read_dir(house.profile()).expect("a profile").map(|file| file.expect("one").path());
        let note = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "note");
        let file = files.into_iter().find(note).expect("a checkpoint is kept");
        let bytes = fs::read(&file).expect("read");
        Self(file, bytes)
    }

    fn put_back(&self) {
        fs::write(&self.0, &self.1).expect("written");
    }
}

/// T67: the ledger is whole, and is not the one that was seen before: `audit verify` says so, at the server and of a file,
/// in both languages.
fn tells_of_the_gap(house: &House, acknowledged: &Value, export: &str) {
    let (seen, from) = (&acknowledged["seen"], &acknowledged["goes_on_from"]);
    let file = house.folder().join(export);
    house.administrate(&["audit", "export", text(&file)]).expect("exported");
    for of in [&[] as &[&str], &["--file", text(&file)]] {
        let verify = [&["audit", "verify"], of].concat();
        let verified = house.administrate(&verify).expect("it holds");
        let [restore] = verified["restores"].as_array().expect("restores").as_slice() else {
            panic!("{verified}")
        };
        assert_eq!((&restore["seen"], &restore["goes_on_from"]), (seen, from), "{verified}");
        assert_eq!(restore["reason"], "the disk broke");
        for (language, words) in
            [("en", "A restore was acknowledged on"), ("ja", "復元が承認されています")]
        {
            let verify = [&["--lang", language], &verify[..]].concat();
            let mut command = Command::new(program("tasuki-admin").expect("the program"));
            command.arg("--profile").arg(house.folder().join("admin")).args(verify);
            let output = command.output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && said.contains(words), "{said}");
            assert!(said.contains(&seen.to_string()) && said.contains(&from.to_string()), "{said}");
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name")
}

fn bundle(house: &House) -> Bundle {
    Bundle::open_first(&fs::read(house.bundle()).expect("read")).expect("a bundle")
}

/// What is refused, and how.
#[track_caller]
fn refused(house: &House, arguments: &[&str], code: u8, words: &str) {
    let said = house.administrate(arguments).expect_err("it is refused").to_string();
    assert!(said.contains(&format!("exit status: {code}")) && said.contains(words), "{said}");
}

/// T69, T67, F21: what comes back is older than the newest bundle, its log key and even its root. Everybody
/// refuses the server, until the administrator says that it was a restore, with the root key.
#[test]
fn a_backup_from_before_the_newest_bundle_has_a_way_back_that_the_root_key_alone_opens() {
    let mut house = House::set_up().expect("a house");
    house.sign_in_administrator().expect("signed in");
    let (first, backup) = (bundle(&house), house.folder().join("old.backup"));
    house.keep("backup", &backup).expect("backed up while it runs");
    let way_back = ["key", "republish", "--yes"];
    refused(&house, &way_back, 7, "has the newest bundle");
    let taken_on = ["audit", "acknowledge-restore", "--reason", "the disk broke", "--yes"];
    for rotated in [&["manifest", "log"] as &[&str], &["root"]] {
        for kind in rotated {
            house.administrate(&["key", "rotate", kind, "--yes"]).expect("rotated");
        }
        house.sign_in().expect("the operator's program has seen the newest bundle");
        house.reopen_server().expect("all of it is signed");
        house.administrate(&["audit", "verify"]).expect("and seen here");
        let newest = bundle(&house);
        house.restore(&backup).expect("restored");
        let shut_out = house.sign_in().expect_err("an older bundle").to_string();
        assert!(!shut_out.contains("panicked"), "{shut_out}");
        refused(&house, &["operator", "list"], 11, "key republish");
        refused(&house, &["key", "renew"], 11, "key republish");
        let is_same_root = first.root == newest.root;
        if is_same_root {
            house.administrate(&taken_on).expect("the ledger may be taken on before the bundle");
            let export = house.folder().join("restored.export");
            refused(&house, &["audit", "export", text(&export)], 10, "key republish");
            refused(&house, &way_back[..2], 7, "--yes");
        } else {
            refused(&house, &taken_on, 11, "key republish");
        }
        house.administrate(&way_back).expect("published");
        let after = bundle(&house);
        assert!(after.version > newest.version && after.root == newest.root, "{after:?}");
        assert_eq!(after.manifest_keys, newest.manifest_keys);
        assert_ne!(after.log_keys, newest.log_keys, "its private half was in the lost database");
        if !is_same_root {
            house.administrate(&taken_on).expect("acknowledged");
        }
        house.sign_in().expect("the operator's program follows");
        opened(&house).expect("and is given numbers");
        house.administrate(&["operator", "list"]).expect("in service");
        house.reopen_server().expect("it starts again");
        house.administrate(&["audit", "verify"]).expect("it holds");
    }
    list_with(&house, "restore_acknowledged");
}

/// Whether the operator's program is given a number; else what it exits with.
fn opened(house: &House) -> Result<(), Option<i32>> {
    let mut command = Command::new(program("tasuki").expect("the program"));
    command.args(["open", "--mode", "view", "--json", "--profile"]).arg(house.profile());
    let mut process = Process::start("tasuki", command).expect("it starts");
    let answer = until("a number or an end", || {
        let number = process.events(Mark::default()).iter().any(|event| event["event"] == "number");
        Ok((number || !process.is_running()).then_some(number))
    });
    if answer.expect("an answer") { Ok(()) } else { Err(process.wait_end().expect("ended").code()) }
}

/// S92: what is done once a week, by the one script that is shipped for it: an export that holds, a page of what was done,
/// and the mark that somebody looked.
#[test]
fn s92_the_weekly_report_keeps_an_export_makes_the_page_and_marks_the_review() {
    let house = House::set_up().expect("a house");
    list_with(&house, "logged_in");
    let (kept, tools) = (house.folder().join("kept"), program("tasuki-admin").expect("the program"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../admin/dist/tasuki-report");
    let mut command = Command::new(script);
    command.arg(&kept).env("TASUKI_ADMIN_PROFILE", house.folder().join("admin")).env("LC_ALL", "C");
    let path = std::env::var("PATH").expect("a path");
    command.env("PATH", format!("{}:{path}", tools.parent().expect("its folder").display()));
    let mut report = Process::start_at_terminal("tasuki-report", &command).expect("it starts");
    // As a person types them when he is asked; the terminal keeps them until then.
    report.say(house.secrets()[0]).expect("typed");
    report.say("nothing odd").expect("typed");
    let ended = report.wait_end_within(COMPUTED).expect("it ends");
    assert!(ended.success(), "{}", report.log().tail(20));
    let ending = |end: &str| -> Vec<PathBuf> {
        let files = fs::read_dir(&kept).expect("its folder").map(|file| file.expect("a file").path());
        files.filter(|file| file.extension().is_some_and(|is| is == end)).collect()
    };
    let page = fs::read_to_string(&ending("html")[0]).expect("the page");
    assert!(page.contains("hanako"), "{page}");
    let export = &ending("export")[0];
    let whole = house.administrate(&["audit", "verify", "--file", export.to_str().expect("a name")]);
    assert_eq!(whole.expect("it holds")["root_known"], true);
    let list = list_with(&house, "reviewed");
    assert_eq!(of(&list, "reviewed")[0]["event"]["note"], "nothing odd", "{list}");
    assert!(kept.join("last").exists(), "from when the next one counts");
}
