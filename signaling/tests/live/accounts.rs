//! Who gets in, who does not, and that nobody can tell why (T9, T51-T55, S62, S64-S66).

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{
    ADMINS_PATH, AddAdmin, AddOperator, ChangeGroup, ChangeOperator, GROUPS_PATH, GroupChange,
    OPERATOR_CHANGES_PATH, OPERATORS_PATH, OperatorAdded, OperatorChange, OperatorList,
};
use tasuki_protocol::login::{LOGOUT_PATH, LoginAnswer, SignOut};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{CloseReason, OPERATOR_PATH, ServerToAgent, ServerToOperator};
use tokio_tungstenite::tungstenite::error::Error;

use crate::acts::database;
use crate::client::{Answer, PASSWORD, World, new_operator};
use crate::organisation::lock_key;
use crate::pairing::{open, pair};
use crate::second::joined;
use crate::standing::ask;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

async fn change(world: &World, operator: &str, change: OperatorChange) -> Answer {
    let body = ChangeOperator { operator: operator.to_owned(), change };
    world.admin_post(OPERATOR_CHANGES_PATH, &body).await
}

#[tokio::test]
async fn t52_unknown_wrong_locked_disabled_and_a_strange_device_get_the_same_answer() {
    let world = World::start().await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    let unknown = world.login("nobody", PASSWORD, &key(1), None).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(world.login("hanako", "wrong", &key(1), Some(&code)).await, unknown);
    assert_eq!(world.login("hanako", PASSWORD, &key(1), None).await, unknown);
    assert_eq!(world.login("hanako", PASSWORD, &key(1), Some("a wrong code")).await, unknown);
    // Three failures: suspended, and the right password and code get the same answer too.
    assert_eq!(world.login("hanako", PASSWORD, &key(1), Some(&code)).await, unknown);
    assert_eq!(change(&world, "hanako", OperatorChange::Unlock).await.status, 204);
    world.enrol_device("hanako", &key(1), &code).await;
    world.login("hanako", PASSWORD, &key(1), None).await.signed_in();
    assert_eq!(change(&world, "hanako", OperatorChange::Disable).await.status, 204);
    assert_eq!(world.login("hanako", PASSWORD, &key(1), None).await, unknown);
}

#[tokio::test]
async fn t9_a_password_without_an_approved_device_is_nothing_and_a_code_serves_once() {
    let world = World::start().await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    assert_eq!(world.login("hanako", PASSWORD, &key(1), None).await.status, 401);
    for code in [Some(code.as_str()), None] {
        let answer = world.login("hanako", PASSWORD, &key(1), code).await;
        assert_eq!(answer.login(), LoginAnswer::DevicePending);
    }
    assert_eq!(world.login("hanako", PASSWORD, &key(2), Some(&code)).await.status, 401);
    let certificate = world.certificate("hanako", &key(1));
    assert_eq!(world.approve(&certificate, &lock_key()).await.status, 204);
    world.login("hanako", PASSWORD, &key(1), None).await.signed_in();
    let answer = change(&world, "hanako", OperatorChange::NewCode).await;
    let new: OperatorAdded = serde_json::from_slice(&answer.body).unwrap();
    world.enrol_device("hanako", &key(2), &new.enrolment).await;
    world.login("hanako", PASSWORD, &key(2), None).await.signed_in();
}

#[tokio::test]
async fn t51_three_failures_lock_also_in_parallel_and_across_a_restart() {
    let mut world = World::start().await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    let device = key(1);
    let before = world.running.as_ref().unwrap().hashes();
    let tries = (0..50).map(|_| world.login("hanako", "wrong", &device, Some(&code)));
    let answers = futures_util::future::join_all(tries).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 503)));
    // T52: who is suspended costs the same hash as everybody else.
    let refused = answers.iter().filter(|answer| answer.status == 401).count();
    let hashes = world.running.as_ref().unwrap().hashes() - before;
    assert_eq!(hashes, u64::try_from(refused).unwrap());
    assert_eq!(world.login("hanako", PASSWORD, &key(1), Some(&code)).await.status, 401);
    world.stop().await;
    world.run().await;
    assert_eq!(world.login("hanako", PASSWORD, &key(1), Some(&code)).await.status, 401);
}

#[tokio::test]
async fn s64_the_lock_ends_after_its_time_and_only_the_approved_device_is_told() {
    let world = World::with(&[("lock_s", "5")]).await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    for _ in 0..3 {
        world.login("hanako", "wrong", &key(1), Some(&code)).await;
    }
    assert_eq!(world.login("hanako", PASSWORD, &key(1), Some(&code)).await.status, 401);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    world.enrol_device("hanako", &key(1), &code).await;
    for _ in 0..3 {
        assert_eq!(world.login("hanako", "wrong", &key(1), None).await.status, 401);
    }
    for password in [PASSWORD, "wrong"] {
        let answer = world.login("hanako", password, &key(1), None).await.login();
        assert!(matches!(answer, LoginAnswer::Locked { seconds: 1..=5 }), "{answer:?}");
    }
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    world.login("hanako", PASSWORD, &key(1), None).await.signed_in();
}

/// S64: whatever the number was when they were counted: failures of a suspension that is over count no more, those that
/// stand count at once, and `unlock` says of which there are any.
#[tokio::test]
async fn s64_another_number_of_failures_brings_none_back_and_forgives_none() {
    let mut world = World::with(&[("lock_after", "3")]).await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    world.enrol_device("hanako", &key(1), &code).await;
    let unlock = async |world: &World| change(world, "hanako", OperatorChange::Unlock).await.status;
    fail(&world, 3).await;
    let over = "UPDATE failures SET locked_until = 1 WHERE locked_until > 0";
    let over = sqlx::query(over).execute(&mut database(&world).await).await.unwrap();
    assert_eq!(over.rows_affected(), 1);
    from_now_on(&mut world, "5").await;
    assert_eq!(unlock(&world).await, 200, "nothing stands against her");
    fail(&world, 4).await;
    world.login("hanako", PASSWORD, &key(1), None).await.signed_in();

    fail(&world, 4).await;
    from_now_on(&mut world, "2").await;
    fail(&world, 1).await;
    let suspended = world.login("hanako", PASSWORD, &key(1), None).await.login();
    assert!(matches!(suspended, LoginAnswer::Locked { .. }), "{suspended:?}");
    from_now_on(&mut world, "9").await;
    assert_eq!(unlock(&world).await, 204);
    world.login("hanako", PASSWORD, &key(1), None).await.signed_in();
}

async fn fail(world: &World, times: usize) {
    for _ in 0..times {
        assert_eq!(world.login("hanako", "wrong", &key(1), None).await.status, 401);
    }
}

/// So many failures suspend an account.
async fn from_now_on(world: &mut World, lock_after: &str) {
    world.stop().await;
    world.set("lock_after", lock_after);
    world.run().await;
}

#[tokio::test]
async fn t53_a_stranger_cannot_lock_out_an_approved_device() {
    let world = World::start().await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    world.enrol_device("hanako", &key(1), &code).await;
    for _ in 0..5 {
        assert_eq!(world.login("hanako", "wrong", &key(9), None).await.status, 401);
    }
    world.login("hanako", PASSWORD, &key(1), None).await.signed_in();
}

#[tokio::test]
async fn t55_a_token_without_its_device_or_after_sign_out_opens_nothing() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let bearer = format!("Bearer {}", operator.token);
    let headers = [("authorization", bearer.as_str())];
    let mut thief = world.socket(OPERATOR_PATH, &headers).await.unwrap();
    assert!(matches!(thief.hear().await, ServerToOperator::Challenge { .. }));
    let signature = tasuki_protocol::blob::Blob(vec![0; 64]);
    thief.say(&tasuki_protocol::signal::OperatorToServer::Prove { signature }).await;
    let reason = tasuki_protocol::signal::RefusalReason::SignIn;
    assert_eq!(thief.hear::<ServerToOperator>().await, ServerToOperator::Refused { reason });
    assert_eq!(thief.next().await, None);

    let room = open(&world, &mut operator, Mode::View).await;
    let of = (operator.token.as_str(), &operator.device);
    let signed_out = ask(&world, of, LOGOUT_PATH, &[], |proof| SignOut { proof }).await;
    assert_eq!(signed_out.status, 204);
    let closed = ServerToOperator::Closed { session: room.session, reason: CloseReason::Withdrawn };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
    assert_eq!(operator.socket.next().await, None);
    match world.socket(OPERATOR_PATH, &headers).await {
        Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 401),
        Ok(_) => panic!("a dead token opened a socket"),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn s65_a_disabled_operators_session_ends_and_only_his() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut other = world.operator("taro").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let out = async {
        assert_eq!(change(&world, "hanako", OperatorChange::Disable).await.status, 204);
        let reason = CloseReason::Withdrawn;
        assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
        let closed = ServerToOperator::Closed { session: room.session, reason };
        assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
        assert_eq!(operator.socket.next().await, None);
    };
    let five = std::time::Duration::from_secs(5);
    tokio::time::timeout(five, out).await.expect("within five seconds");
    open(&world, &mut other, Mode::View).await;
}

#[tokio::test]
async fn s65_operators_are_listed_removed_and_their_names_free_again() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View, Mode::Show]).await;
    let list = || async {
        let answer = world.admin_get(OPERATORS_PATH).await;
        serde_json::from_slice::<OperatorList>(&answer.body).unwrap().operators
    };
    let operators = list().await;
    assert_eq!(operators.len(), 1);
    assert_eq!((operators[0].operator.as_str(), operators[0].devices), ("hanako", 0));
    assert_eq!(operators[0].modes, [Mode::View, Mode::Show]);
    assert_eq!(change(&world, "hanako", OperatorChange::Remove).await.status, 204);
    assert_eq!(change(&world, "hanako", OperatorChange::Remove).await.status, 404);
    assert!(list().await.is_empty());
    world.add_operator("hanako", &[Mode::View]).await;
}

#[tokio::test]
async fn t62_the_database_alone_shows_no_name_password_or_token() {
    let mut world = World::start().await;
    let operator = world.operator("hanako-the-operator").await;
    let name = "hanako-the-operator";
    let response = world.login(name, PASSWORD, &operator.device, None).await.signed_in();
    world.stop().await;
    for name in ["tasuki.db", "tasuki.db-wal"] {
        let bytes = std::fs::read(world.data().join(name)).unwrap_or_default();
        for secret in ["hanako-the-operator", PASSWORD, &operator.token, &response.token, "127.0.0.1"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {name}");
        }
    }
}

/// T8: at the first look nobody tells them from an account, a group or an administrator that is there.
#[tokio::test]
async fn t8_names_that_deceive_or_look_like_another_are_refused_and_change_nothing() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    let group = |name: &str| ChangeGroup { group: name.to_owned(), change: GroupChange::Add };
    assert_eq!(world.admin_post(GROUPS_PATH, &group("desk")).await.status, 204);
    let deceiving = ["ha\u{202e}nako", "hana\u{200b}ko", "han\tako", "", " hanako", "\u{7}hanako"];
    for name in deceiving {
        let order = new_operator(name, &[Mode::View]);
        assert_eq!(world.admin_post(OPERATORS_PATH, &order).await.status, 422, "{name:?}");
        assert_eq!(world.admin_post(GROUPS_PATH, &group(name)).await.status, 422, "{name:?}");
        let invited = AddAdmin { name: name.to_owned() };
        assert_eq!(world.admin_post(ADMINS_PATH, &invited).await.status, 422, "{name:?}");
    }
    for name in ["h\u{430}nako", "hanak\u{3bf}", "hana\u{300}ko", "hanak\u{585}"] {
        let order = new_operator(name, &[Mode::View]);
        assert_eq!(world.admin_post(OPERATORS_PATH, &order).await.status, 422, "{name}");
        assert_eq!(world.admin_post(GROUPS_PATH, &group(name)).await.status, 422, "{name}");
    }
    for name in ["hanako", "Hanako", "hanak0", "\u{ff48}anako"] {
        let order = new_operator(name, &[Mode::View]);
        assert_eq!(world.admin_post(OPERATORS_PATH, &order).await.status, 409, "{name}");
    }
    for name in ["desk", "DESK", "Desk"] {
        assert_eq!(world.admin_post(GROUPS_PATH, &group(name)).await.status, 409, "{name}");
    }
    let imitated = joined(&world, "Admin", &key(62)).await;
    assert_eq!(imitated.status, 409);
    let operators = world.admin_get(OPERATORS_PATH).await;
    let operators: OperatorList = serde_json::from_slice(&operators.body).unwrap();
    assert_eq!(operators.operators.len(), 1);
}

/// T8: whichever of them is first, the table itself takes no second.
#[tokio::test]
async fn t8_of_names_that_look_alike_and_come_at_one_moment_one_gets_in() {
    let world = World::start().await;
    for round in 0..4 {
        let names = ["hanako", "Hanak0", "HANAKO", "\u{ff48}anako", "hanakO", "hanak\u{ff4f}"];
        let add = names.map(|name| {
            let order = new_operator(&format!("{name}{}", round + 2), &[Mode::View]);
            let world = &world;
            async move { world.admin_post(OPERATORS_PATH, &order).await.status }
        });
        let mut statuses = futures_util::future::join_all(add).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
        let group = ["desk", "DESK", "Desk"].map(|name| {
            let change = GroupChange::Add;
            let order = ChangeGroup { group: format!("{name}{}", round + 2), change };
            let world = &world;
            async move { world.admin_post(GROUPS_PATH, &order).await.status }
        });
        let mut statuses = futures_util::future::join_all(group).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409, 409]);
    }
}

/// T8: names of before looks were kept are guarded from the next start on.
#[tokio::test]
async fn t8_a_name_that_an_earlier_version_wrote_is_not_imitated_either() {
    let mut world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    world.stop().await;
    let mut own = database(&world).await;
    for table in
        ["UPDATE operators SET look = NULL, shown_look = NULL", "UPDATE admins SET look = NULL"]
    {
        sqlx::query(table).execute(&mut own).await.unwrap();
    }
    world.run().await;
    let order = AddOperator {
        display_name: "Somebody else".to_owned(),
        ..new_operator("hanak0", &[Mode::View])
    };
    assert_eq!(world.admin_post(OPERATORS_PATH, &order).await.status, 409);
    let shown = "0perator hanako".to_owned();
    let order = AddOperator { display_name: shown, ..new_operator("taro", &[Mode::View]) };
    assert_eq!(world.admin_post(OPERATORS_PATH, &order).await.status, 409);
}

/// T8: end users tell operators apart by what they are shown, and none of them from the organisation.
#[tokio::test]
async fn t8_a_shown_name_that_another_operator_or_the_organisation_has_is_refused() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    let shown_as = |name: &str, shown: &str| AddOperator {
        display_name: shown.to_owned(),
        ..new_operator(name, &[Mode::View])
    };
    let add = async |name: &str, shown: &str| {
        world.admin_post(OPERATORS_PATH, &shown_as(name, shown)).await.status
    };
    for shown in
        ["Operator hanako", "OPERATOR HANAKO", "Operator hanak0", "Example KK", "ＥＸＡＭＰＬＥ ＫＫ"]
    {
        assert_eq!(add("taro", shown).await, 409, "{shown}");
    }
    for shown in
        ["H\u{435}lp desk", "花\u{430}子", "Zoe\u{308}", "a\u{316}\u{317}\u{318}\u{319}\u{31c}"]
    {
        assert_eq!(add("taro", shown).await, 422, "{shown}");
    }
    let operators = world.admin_get(OPERATORS_PATH).await;
    let operators: OperatorList = serde_json::from_slice(&operators.body).unwrap();
    assert_eq!(operators.operators.len(), 1);
    // What is shown of one may be how another signs in; and whoever leaves leaves his name.
    assert_eq!(add("taro", "hanako").await, 201);
    let gone = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Remove };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &gone).await.status, 204);
    assert_eq!(add("jiro", "Operator hanako").await, 201);
    // Of those that come at one moment one gets in.
    let names = ["a1", "b1", "c1", "d1"].map(|name| add(name, "佐藤 花子"));
    let mut statuses = futures_util::future::join_all(names).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

/// T8: a name is found in whatever form of Unicode a keyboard writes it.
#[tokio::test]
async fn t8_an_operator_signs_in_with_his_name_in_either_form() {
    let world = World::start().await;
    let operator = world.operator("zo\u{eb}").await;
    for name in ["zo\u{eb}", "zoe\u{308}"] {
        world.login(name, PASSWORD, &operator.device, None).await.signed_in();
    }
}
