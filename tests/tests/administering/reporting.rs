//! Reports of a real server's ledger.

use serde_json::Value;
use tasuki_tests::stack::House;

use crate::started;
use crate::walking::{done, signs_in};

/// Which records a column of the totals counts.
const COUNTED: [(&str, &[&str]); 7] = [
    ("logins", &["logged_in"]),
    ("login_failures", &["login_failed"]),
    ("lockouts", &["locked_out"]),
    ("admin_acts", &["admin_did", "reviewed"]),
    ("admin_refused", &["admin_refused"]),
    ("ledger_reads", &["ledger_read"]),
    ("sessions", &["paired"]),
];

/// The numbers of the records of these kinds, as `audit list` shows them.
fn of_kind(list: &Value, kinds: &[&str]) -> Vec<u64> {
    let records = list["records"].as_array().expect("records").iter();
    let of_kind = records.filter(|record| kinds.iter().any(|kind| record["event"]["type"] == *kind));
    of_kind.map(|record| record["seq"].as_u64().expect("a number")).collect()
}

/// S54: what happened at a server is counted and listed in its report as its records are, one by one, and the totals on a
/// terminal are those that a script reads.
#[test]
fn s54_a_report_of_a_server_has_its_records_and_on_the_terminal_the_figures_of_the_one_for_scripts() {
    let mut house = House::set_up().expect("a house");
    let [_, password, _] = house.secrets();
    for _ in 0..3 {
        assert!(!signs_in(&house, "not her password at all"));
    }
    done(&house, &["operator", "unlock", "hanako"]);
    assert!(signs_in(&house, password));
    house.reopen_server().expect("all of it is signed");
    let file = house.folder().join("one.export");
    let file = file.to_str().expect("a name");
    done(&house, &["audit", "export", file]);
    let list = done(&house, &["audit", "list", "--last", "0", "--file", file]);
    let json = done(&house, &["audit", "report", "--file", file]);
    let total = &json["totals"][0];
    for (column, kinds) in COUNTED {
        assert_eq!(total[column], of_kind(&list, kinds).len(), "{column}: {total}");
    }
    let counts = ["logins", "login_failures", "lockouts"].map(|column| total[column].clone());
    assert_eq!(counts, [2, 3, 1]);
    let admins = of_kind(&list, &["admin_did", "admin_refused", "ledger_read", "reviewed"]);
    let sign_ins = of_kind(&list, &["login_failed", "locked_out"]);
    assert!(admins.len() > 2 && sign_ins.len() == 4, "{list}");
    for (table, expected) in [("sign_ins", sign_ins), ("admin", admins)] {
        let rows = json[table].as_array().expect("rows");
        let numbers = rows.iter().filter_map(|row| row["record"].as_u64());
        assert_eq!(numbers.collect::<Vec<_>>(), expected, "{table}");
    }
    let of_hers = json["totals"].as_array().expect("rows").iter();
    let of_hers: Vec<_> = of_hers.filter(|row| row["name"] == "hanako").collect();
    let [of_hers] = of_hers.as_slice() else { panic!("{json}") };
    assert_eq!((&of_hers["login_failures"], &of_hers["lockouts"]), (&3.into(), &1.into()));
    the_terminal_says_the_same(&house, &json, file);
}

fn the_terminal_says_the_same(house: &House, json: &Value, file: &str) {
    let [passphrase, ..] = house.secrets();
    let report = ["audit", "report", "--table", "totals", "--file", file];
    let output = started(house, "admin", &report, &format!("{passphrase}\n"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for total in json["totals"].as_array().expect("rows") {
        let mut counts: Vec<u64> =
            total.as_object().expect("a row").values().filter_map(Value::as_u64).collect();
        counts.sort_unstable();
        assert!(counts.iter().any(|count| *count > 0), "{total}");
        let is_row = |line: &str| {
            let mut shown: Vec<u64> =
                line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            shown.sort_unstable();
            shown == counts
        };
        assert!(text.lines().any(is_row), "{total} is in no line of\n{text}");
    }
}
