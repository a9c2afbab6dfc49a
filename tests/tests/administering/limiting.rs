//! From where and when people may sign in, and how often in vain, as the programs tell them.

use std::path::Path;
use std::process::Command;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tasuki_tests::running::{Mark, Process, program};
use tasuki_tests::stack::House;

use crate::mending::another_day;
use crate::people::enrolled;
use crate::walking::{done, login, signs_in};
use crate::{administer, started};

/// S62, S63: one administrator limits another, who reads which limit holds, in his language; nobody limits himself out.
#[test]
fn s63_s62_an_administrator_is_limited_by_another_and_told_which_limit_holds_and_none_shuts_himself_out()
 {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    let own = "eight lemons under a tin roof\n";
    let hours = format!("{} 09:00-18:00 Asia/Tokyo", another_day());
    for (limit, english, japanese) in [
        (["--hours", &hours], "They begin next", "次に使えるようになるのは"),
        (["--address", "192.0.2.0/24"], "from this network address", "このネットワークアドレスからは"),
        (["--mac", "02:00:00:00:00:77"], "network cards", "MAC アドレスでは"),
    ] {
        let set = done(&house, &[&["admin", "limit", "taro"], &limit[..]].concat());
        let shown = done(&house, &["admin", "limit", "taro"]);
        assert_eq!(set["limits"], shown["limits"], "what is asked alone changes nothing");
        for (language, words) in
            [("en", english), ("ja", japanese), ("en", "not counted"), ("ja", "数えていません")]
        {
            let (code, said) = administer(&house, "taro", &["--lang", language, "admin", "list"], own);
            assert!(code == Some(6) && said.contains(words), "{limit:?}: {code:?} {said}");
        }
        let listed = started(&house, "admin", &["admin", "list"], "");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains(limit[1]), "{listed}");
        let himself = [&["admin", "limit", "administrator"], &limit[..]].concat();
        for (language, words) in [("en", "nobody shuts himself out"), ("ja", "自分自身")] {
            let arguments = [&["--lang", language], &himself[..]].concat();
            let (code, said) = administer(&house, "admin", &arguments, "");
            assert!(code == Some(7) && said.contains(words), "{said}");
        }
        done(&house, &["admin", "limit", "taro", "--none"]);
        assert_eq!(administer(&house, "taro", &["admin", "list"], own).0, Some(0), "{limit:?}");
    }
    let (code, said) =
        administer(&house, "admin", &["admin", "limit", "taro", "--hours", "mo 09:00-18:00"], "");
    assert!(code == Some(7) && said.contains("are no days"), "{said}");
}

/// The program of a computer of which the server knows nothing yet.
fn new_computer(house: &House, profile: &Path, language: &str) -> Process {
    let mut command = Command::new(program("tasuki").expect("the program"));
    command.args(["login", "--operator", "hanako", "--password-stdin", "--lang", language, "--tenant"]);
    command.arg(house.bundle()).arg("--profile").arg(profile);
    let mut process = Process::start("tasuki", command).expect("it starts");
    process.say("not her password at all").expect("typed");
    process.close_input();
    process
}

/// T53: with the limit that a server has if nobody says otherwise.
#[test]
fn t53_after_ten_wrong_sign_ins_a_new_computer_reads_that_none_is_looked_at_and_an_approved_one_is_in()
{
    let house = House::set_up().expect("a house");
    let folder = tempfile::tempdir().expect("a folder");
    let mut ended = Vec::new();
    for _ in 0..11 {
        let mut process = new_computer(&house, folder.path(), "en");
        ended.push(process.wait_end().expect("it ends").code());
    }
    assert_eq!(ended, [vec![Some(40); 10], vec![Some(37)]].concat());
    for (language, words) in [("en", "Wait a quarter of an hour"), ("ja", "15 分ほど待つか")] {
        let mut process = new_computer(&house, folder.path(), language);
        assert_eq!(process.wait_end().expect("it ends").code(), Some(37));
        process.wait_for(Mark::default(), words).expect("what to do");
    }
    let [_, password, _] = house.secrets();
    assert!(signs_in(&house, password), "the approved one");
}

/// Of all operators, and of the administrator who came last.
fn spoil_limits(house: &House) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let spoilt = runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(house.folder().join("server/tasuki.db"));
        let mut database = SqliteConnection::connect_with(&options).await?;
        let operators = "UPDATE operators SET limits = x'00112233'";
        let admins = "UPDATE admins SET limits = x'00112233' WHERE id = (SELECT max(id) FROM admins)";
        for statement in [operators, admins] {
            let spoilt = sqlx::query(statement).execute(&mut database).await?;
            assert_eq!(spoilt.rows_affected(), 1);
        }
        database.close().await
    });
    spoilt.expect("the database is another process's, and takes it");
}

/// S63, T62: nobody is told of a wrong address where what is wrong is that the limits cannot be read.
#[test]
fn s63_whose_limits_cannot_be_read_is_told_that_and_who_sets_them_anew() {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    spoil_limits(&house);
    let [_, password, _] = house.secrets();
    for (language, words) in [("en", "operator limit"), ("ja", "読み取れないため")] {
        let mut process = login(&house, &["--lang", language]);
        process.say(password).expect("typed");
        process.close_input();
        assert_eq!(process.wait_end().expect("it ends").code(), Some(38));
        process.wait_for(Mark::default(), words).expect("what to do");
        let own = "eight lemons under a tin roof\n";
        let (code, said) = administer(&house, "taro", &["--lang", language, "admin", "list"], own);
        let words = if language == "en" { "cannot read from where and when" } else { words };
        assert!(code == Some(6) && said.contains(words), "{code:?} {said}");
    }
    done(&house, &["operator", "limit", "hanako", "--none"]);
    assert!(signs_in(&house, password), "set anew");
}
