//! From where and when an administrator may sign in, as the administrator's program sets it and tells of it.

use tasuki_tests::stack::House;

use crate::mending::another_day;
use crate::people::enrolled;
use crate::walking::done;
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
