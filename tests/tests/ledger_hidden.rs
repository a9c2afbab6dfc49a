//! What whoever runs the server hides in its database, and an administrator's program notices.

use std::fs;
use std::process::Command;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tasuki_tests::running::{program, until};
use tasuki_tests::stack::House;

/// Once the newest checkpoint covers it.
fn record_of(house: &House, name: &str) {
    until("a checkpoint over the record", || {
        // Before the first checkpoint there is nothing to read.
        let list = house.administrate(&["audit", "list", "--last", "0", "--event", name]).ok();
        Ok(list.filter(|list| list["records"].as_array().is_some_and(|found| !found.is_empty())))
    })
    .expect("the record is there");
}

/// As `--zone UTC` reads it.
fn now() -> String {
    let told = Command::new("date").args(["-u", "+%FT%T"]).output().expect("date runs");
    String::from_utf8_lossy(&told.stdout).trim().to_owned()
}

/// As whoever runs the server can.
fn in_the_database(house: &House, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(house.folder().join("server/tasuki.db"));
    let done = async {
        let mut database = SqliteConnection::connect_with(&options).await?;
        let done = sqlx::query(statement).execute(&mut database).await?;
        database.close().await?;
        Ok::<_, sqlx::Error>(done.rows_affected())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    assert_ne!(runtime.expect("a runtime").block_on(done).expect("done"), 0);
}

/// The decrees that stand are hidden, a new root is refused in these words, and they are shown again.
fn no_root_is_changed_until_the_server_shows_them(house: &House, words: &str) {
    let rotate = ["key", "rotate", "root", "--yes"];
    let before = fs::read(house.bundle()).expect("a bundle");
    in_the_database(house, "UPDATE ledger_decrees SET kind = 'hidden ' || kind");
    let refused = house.administrate(&rotate).expect_err("it would hold no more").to_string();
    assert!(refused.contains("exit status: 10") && refused.contains(words), "{refused}");
    assert_eq!(fs::read(house.bundle()).expect("a bundle"), before);
    in_the_database(house, "UPDATE ledger_decrees SET kind = substr(kind, 8)");
    assert_eq!(house.administrate(&rotate).expect("rotated")["earlier_decrees"], 1);
}

/// T64, T69: what a root said of the ledger can be handed on once only, and a server that shows none of it then would have
/// made the ledger ill for good.
#[test]
fn t69_no_root_is_changed_while_the_server_hides_what_it_has_said_of_the_ledger() {
    let house = House::set_up().expect("a house");
    record_of(&house, "logged_in");
    let prune = ["audit", "prune", "--zone", "UTC", "--reason", "old", "--yes", "--before"];
    until("a signed checkpoint over records to prune", || {
        Ok(house.administrate(&[&prune[..], &[now().as_str()]].concat()).ok())
    })
    .expect("pruned");
    no_root_is_changed_until_the_server_shows_them(&house, "Nothing was changed");
    assert!(house.administrate(&["audit", "verify"]).expect("it holds")["pruned"].as_u64() > Some(0));
}

/// T67, T69: nor while it hides that a restore was acknowledged: whoever has not been on since would refuse it for good.
#[test]
fn t67_t69_no_root_is_changed_while_the_server_hides_that_a_restore_was_acknowledged() {
    let mut house = House::set_up().expect("a house");
    record_of(&house, "logged_in");
    let backup = house.folder().join("yesterday.backup");
    house.keep("backup", &backup).expect("backed up while it runs");
    house.administrate(&["audit", "review", "--note", "today"]).expect("reviewed");
    record_of(&house, "reviewed");
    house.restore(&backup).expect("restored");
    let acknowledge = ["audit", "acknowledge-restore", "--yes", "--reason", "the disk broke"];
    house.administrate(&acknowledge).expect("acknowledged");
    record_of(&house, "restore_acknowledged");
    no_root_is_changed_until_the_server_shows_them(&house, "acknowledged restore");
}

/// S79: of log keys that the bundle does not sign for nothing is said but that.
#[test]
fn s79_log_keys_that_the_bundle_does_not_sign_for_are_called_so_in_the_list_of_keys() {
    let house = House::set_up().expect("a house");
    house.administrate(&["key", "rotate", "log"]).expect("a second log key");
    let of_log = || {
        let list = house.administrate(&["key", "list"]).expect("a list");
        let keys = list["keys"].as_array().expect("keys").iter();
        let of_log = keys.filter(|key| key["kind"] == "log");
        let told = of_log.map(|key| (key["standing"].clone(), key["since"].is_u64()));
        (list["log_keys_signed"].clone(), told.collect::<Vec<(Value, bool)>>())
    };
    let in_use = |dated| (Value::from("in_use"), dated);
    assert_eq!(of_log(), (true.into(), vec![in_use(true), ("former".into(), true)]));
    in_the_database(&house, "DELETE FROM documents WHERE kind = 'log-key' AND version = 1");
    assert_eq!(of_log(), (false.into(), vec![in_use(false)]));
    for (language, words) in
        [("en", "not those that the bundle signs for"), ("ja", "署名したものではありません")]
    {
        let mut command = Command::new(program("tasuki-admin").expect("the program"));
        command.arg("--profile").arg(house.folder().join("admin"));
        let output = command.args(["--lang", language, "key", "list"]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains(words), "{said}");
    }
}
