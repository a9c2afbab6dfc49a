//! A database that an earlier version left, with people in it: after the update they come in, the policy is
//! in force and the ledger holds (F20, S78).

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Row as _};
use tasuki_protocol::admin::{ChangeGroup, GROUPS_PATH, GroupChange};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OperatorToServer, RefusalReason, ServerToOperator};

use crate::client::{PASSWORD, World};
use crate::faults::steps;
use crate::ledger::read_until;
use crate::organisation::lock_key;
use crate::policy::publish;

async fn columns(pool: &SqlitePool, schema: &str, table: &str) -> BTreeSet<String> {
    let query = format!("SELECT name FROM pragma_table_info('{table}', '{schema}')");
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Turns the database of `data` into one that had taken `taken` steps when these rows were written.
pub(crate) async fn grow_younger(data: &Path, taken: usize) {
    let (today, then) = (data.join("tasuki.db"), data.join("then.db"));
    let options = SqliteConnectOptions::new().filename(&then).create_if_missing(true);
    let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = one.connect_with(options).await.unwrap();
    let old: Vec<_> = steps().into_iter().take(taken).collect();
    Migrator { migrations: old.into(), ..Migrator::DEFAULT }.run(&pool).await.unwrap();
    let attach = sqlx::query("ATTACH ? AS today").bind(today.to_str().unwrap());
    attach.execute(&pool).await.unwrap();
    let tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE '%sql%'";
    let tables = sqlx::query(tables).fetch_all(&pool).await.unwrap();
    for table in tables.iter().map(|row| row.get::<String, _>(0)) {
        let both: Vec<String> = columns(&pool, "main", &table)
            .await
            .intersection(&columns(&pool, "today", &table).await)
            .cloned()
            .collect();
        let both = both.join(", ");
        let fill = format!("INSERT INTO main.{table} ({both}) SELECT {both} FROM today.{table}");
        sqlx::query(AssertSqlSafe(fill)).execute(&pool).await.unwrap();
    }
    pool.close().await;
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(data.join(format!("tasuki.db{end}"))).ok();
    }
    std::fs::rename(then, today).unwrap();
}

/// S78: from the first version that had a policy, and from the first whose certificates stay.
#[tokio::test]
async fn s78_f20_an_old_database_signs_its_people_in_keeps_its_policy_and_its_ledger_verifies() {
    for (taken, certificates_stay) in [(5, false), (6, true)] {
        let mut world = World::start().await;
        let operator = world.operator("hanako").await;
        let rules = r#"{"group":{"desk":{"modes":["view"]}}}"#;
        assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
        for change in [GroupChange::Add, GroupChange::Join { operator: "hanako".to_owned() }] {
            let order = ChangeGroup { group: "desk".to_owned(), change };
            assert_eq!(world.admin_post(GROUPS_PATH, &order).await.status, 204);
        }
        world.stop().await;
        grow_younger(&world.data(), taken).await;
        world.run().await;
        // Of a version in which a key alone was taken for signed in.
        world.sign_in().await;
        if !certificates_stay {
            let asked = world.login("hanako", PASSWORD, &operator.device, None).await.login();
            assert_eq!(asked, LoginAnswer::DevicePending, "once, without another code");
            let certificate = world.certificate("hanako", &operator.device);
            assert_eq!(world.approve(&certificate, &lock_key()).await.status, 204);
        }
        let token = world.login("hanako", PASSWORD, &operator.device, None).await.signed_in().token;
        let mut socket = world.operator_socket(&token, &operator.device).await;
        let ask = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: Vec::new(), reason: None };
        socket.say(&ask).await;
        let refused = ServerToOperator::Refused { reason: RefusalReason::Mode };
        assert_eq!(socket.hear::<ServerToOperator>().await, refused);
        // From the first record on, verified as it is read.
        let refusal = |event: &Event| matches!(event, Event::RequestRefused { .. });
        let read = read_until(&world, refusal).await;
        let of_then = read.entries.iter().flatten().any(|entry| {
            let added = AdminAction::OperatorAdded;
            matches!(&entry.event, Event::AdminDid { action, target, .. } if *action == added && target == "hanako")
        });
        assert!(of_then, "what stood there before the update");
    }
}
