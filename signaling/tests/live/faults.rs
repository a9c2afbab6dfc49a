//! The real server program on disks that take nothing, and killed in the midst of a migration
//! (F5, F20, T65).

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Signal, geteuid};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Row as _, SqlSafeStr as _};
use tasuki_protocol::admin::OPERATORS_PATH;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::policy::exchange::{HEALTH_PATH, READY_PATH};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AgentToServer, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};

use crate::client::{Operator, PASSWORD, PATIENCE, QUICK, World, new_operator};
use crate::crash::Process;
use crate::ledger::{come_and_go, read_until_entry};
use crate::older::grow_younger;
use crate::operations::plain;
use crate::pairing::{hellos, open, pair};

const SERVER: &str = env!("CARGO_BIN_EXE_tasuki-server");

pub(crate) async fn until_ready(world: &World) {
    let ready = async {
        while world.get(READY_PATH, &[]).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("it recovers alone");
}

/// F5, T65: from one moment on no file may grow or change, as on a full disk. What needs the disk is
/// refused with its reason and counts for nothing; who is in a session goes on; room helps alone.
#[tokio::test]
async fn f5_a_disk_that_takes_nothing_refuses_and_the_same_server_goes_on_when_it_does() {
    let mut world = World::start().await;
    let Operator { device, token, socket } = world.operator("hanako").await;
    drop(socket);
    world.stop().await;
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Process::start_set(&world, &[("metrics", &metrics.to_string())]);
    let socket = world.operator_socket(&token, &device).await;
    let mut operator = Operator { device, token, socket };
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    // One whose beginning could not be recorded would end (T65).
    let begins = |entry: &Entry| matches!(entry.event, Event::Paired { .. });
    read_until_entry(&world, begins).await;

    let before = server.limit_files(Some(0));
    let order = OperatorToServer::OpenRoom {
        mode: Mode::View,
        hellos: hellos(&world, &operator),
        reason: None,
    };
    operator.socket.say(&order).await;
    let refused = ServerToOperator::Refused { reason: RefusalReason::Unavailable };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
    // More than suspend an account.
    for _ in 0..4 {
        assert_eq!(world.login("hanako", PASSWORD, &operator.device, None).await.status, 503);
    }
    let added = world.admin_post(OPERATORS_PATH, &new_operator("taro", &[Mode::View])).await;
    assert_eq!(added.status, 503);
    assert_eq!(world.get(HEALTH_PATH, &[]).await.status, 200);
    // S76: strangers learn that, and who runs the server why.
    let ready = world.get(READY_PATH, &[]).await;
    assert_eq!((ready.status, ready.body.as_slice()), (503, &br#"{"ready":false}"#[..]));
    let told = plain(metrics, READY_PATH).await;
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    let told = told.split("\r\n\r\n").nth(1).unwrap();
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    let checks = told["checks"].as_array().unwrap();
    let writer = checks.iter().find(|check| check["name"] == "writer").unwrap();
    assert_eq!(writer["ok"], false, "{told}");
    assert!(writer["why"].as_str().is_some_and(|why| why.contains("disk")), "{told}");
    let body = tasuki_protocol::blob::Blob(b"sealed between the ends".to_vec());
    let (forward, of) = (AgentToServer::Forward { body: body.clone() }, room.session);
    session.agent.say(&forward).await;
    let heard: ServerToOperator = operator.socket.hear().await;
    assert_eq!(heard, ServerToOperator::Forwarded { session: of, body: body.clone() });
    operator.socket.say(&OperatorToServer::Forward { session: of, body: body.clone() }).await;
    assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Forwarded { body });

    server.limit_files(before);
    until_ready(&world).await;
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    world.add_operator("taro", &[Mode::View]).await;
    let last = come_and_go(&world, &mut operator).await;
    let is_last = |entry: &Entry| {
        entry.session == Some(last) && matches!(entry.event, Event::SessionClosed { .. })
    };
    // Verified as it is read.
    read_until_entry(&world, is_last).await;
    drop(server);
    assert_sound(&world.data()).await;
}

/// As whom nothing in this folder may be written: a user who owns it and has taken the right from
/// himself; root, whom no right stops, as nobody.
fn without_rights(folder: &Path, data: &Path) -> impl Fn(&[&str]) -> Command + use<> {
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let is_root = geteuid().is_root();
    let program = folder.join("tasuki-server");
    if is_root {
        std::fs::copy(SERVER, &program).unwrap();
        mode(&program, 0o755);
    }
    let mut all = vec![folder.to_owned(), data.to_owned()];
    all.extend(std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()));
    for path in &all {
        if is_root {
            chown(path, Some(65534), Some(65534)).unwrap();
        }
        mode(path, if path.is_dir() { 0o500 } else { 0o400 });
    }
    let data = data.to_owned();
    move |arguments| {
        let mut command = match is_root {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
                command
            }
            false => Command::new(SERVER),
        };
        command.args(arguments).arg("--data").arg(&data).stdin(Stdio::null()).env("LC_ALL", "C");
        command
    }
}

/// F5: one sentence that says which file and what is wrong with it, and nothing is touched.
#[tokio::test]
async fn f5_a_folder_that_may_not_be_written_is_said_to_be_that_and_not_damaged() {
    let mut world = World::start().await;
    world.stop().await;
    let before = std::fs::read(world.data().join("tasuki.db")).unwrap();
    let as_nobody = without_rights(world.folder.path(), &world.data());
    let out = world.data().join("a.backup").display().to_string();
    for arguments in
        [&["run", "--listen", "127.0.0.1:0"] as &[&str], &["recovery-token"], &["backup", &out]]
    {
        let output = as_nobody(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(11), 1), "{said}");
        assert!(said.contains("cannot be read or written (permission denied)"), "{said}");
    }
    let after = Command::new("cat").arg(world.data().join("tasuki.db")).output().unwrap().stdout;
    assert!(after == before || !geteuid().is_root(), "the database was touched");
    // So that the folder can be removed.
    for path in [world.folder.path(), &world.data()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Every step of the schema, as the server has them.
pub(crate) fn steps() -> Vec<Migration> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shell/migrations");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let step = |file: &PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let (number, name) = name.split_once('_').unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let statements = sqlx::AssertSqlSafe(text).into_sql_str();
        let number = number.parse().unwrap();
        Migration::new(number, name.to_owned().into(), MigrationType::Simple, statements, false)
    };
    files.iter().map(step).collect()
}

async fn pool(data: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(data.join("tasuki.db"));
    SqlitePool::connect_with(options.create_if_missing(true)).await.unwrap()
}

pub(crate) async fn assert_sound(data: &Path) {
    let pool = pool(data).await;
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(check, "ok");
    pool.close().await;
}

/// A database of the first `taken` steps where today's was; of three, with an account in it.
async fn grow_young(data: &Path, taken: usize) {
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(data.join(format!("tasuki.db{end}"))).ok();
    }
    let pool = pool(data).await;
    if taken > 0 {
        let old = steps().into_iter().take(taken).collect::<Vec<_>>();
        Migrator { migrations: old.into(), ..Migrator::DEFAULT }.run(&pool).await.unwrap();
        for row in [
            "INSERT INTO operators (name_index, person, password, modes, state, created)
             VALUES (x'01', x'02', 'p', 'view', 'enabled', 1)",
            "INSERT INTO devices (operator, key, state, added) VALUES (1, x'03', 'approved', 1)",
            "INSERT INTO admin_tokens (hash, kind, expires) VALUES (x'04', 'first', 9223372036854775807)",
            "PRAGMA journal_mode = WAL",
        ] {
            sqlx::query(row).execute(&pool).await.unwrap();
        }
    }
    pool.close().await;
}

/// What people would miss: who has an account, and at which computer.
pub(crate) async fn people(data: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pool = pool(data).await;
    let query = "SELECT operators.name_index, devices.key FROM operators
         LEFT JOIN devices ON devices.operator = operators.id ORDER BY 1, 2";
    let rows = sqlx::query(query).fetch_all(&pool).await.unwrap_or_default();
    pool.close().await;
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

pub(crate) fn copied(from: &Path, to: &Path) {
    std::fs::remove_dir_all(to).ok();
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The program, dead at the first write behind `limit` bytes of any file; whether it came to listen.
pub(crate) fn started(data: &Path, limit: Option<usize>) -> Result<Child, ExitStatus> {
    let mut command = Command::new("prlimit");
    command.arg("--core=0").args(limit.map(|bytes| format!("--fsize={bytes}")));
    command.args([SERVER, "run", "--json", "--listen", "127.0.0.1:0", "--set", "metrics=off"]);
    for (key, value) in QUICK {
        command.args(["--set", &format!("{key}={value}")]);
    }
    command.arg("--data").arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.contains("listening") { Ok(child) } else { Err(child.wait().unwrap()) }
}

pub(crate) fn stop(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Which steps a database has taken.
pub(crate) async fn taken(data: &Path) -> Vec<i64> {
    let pool = pool(data).await;
    let kept = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let is_kept = sqlx::query_scalar::<_, i64>(kept).fetch_one(&pool).await.unwrap() == 1;
    let rows = match is_kept {
        true => sqlx::query("SELECT version, success FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&pool)
            .await
            .unwrap(),
        false => Vec::new(),
    };
    pool.close().await;
    assert!(rows.iter().all(|row| row.get::<bool, _>(1)), "a step is half taken");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Kills the program at each write by which a file grows, and has another start end what it began; gives after how many
/// steps it died.
async fn killed_at_each_write(data: &Path, tried: &Path) -> BTreeSet<usize> {
    let every: Vec<i64> = steps().iter().map(|step| step.version).collect();
    let (before, who) = (taken(data).await, people(data).await);
    let mut lengths = BTreeSet::new();
    // A page and its head in the log, each; the odd bytes cut in the midst of one.
    for limit in (0..).step_by(4120 + 7) {
        copied(data, tried);
        match started(tried, Some(limit)) {
            Ok(child) => {
                stop(child);
                break;
            }
            Err(status) => assert_eq!(status.signal(), Some(Signal::XFSZ.as_raw()), "{status}"),
        }
        assert_sound(tried).await;
        let steps = taken(tried).await;
        assert!(every.starts_with(&steps) && steps.starts_with(&before), "{limit}: {steps:?}");
        lengths.insert(steps.len());
        stop(started(tried, None).unwrap_or_else(|status| panic!("killed at {limit}: {status}")));
        assert_eq!(taken(tried).await, every, "killed at {limit}");
        assert_eq!(people(tried).await, who, "killed at {limit}");
    }
    lengths
}

/// F20: SQLite changes its files with nothing but writes, so a kill at each of them is a kill at each statement. Every
/// one leaves whole steps alone, and the next start takes the others: of a database with nothing in it, of an old one, and
/// of one with people, a policy and a ledger.
#[tokio::test]
async fn f20_a_migration_that_is_killed_at_any_write_leaves_whole_steps_and_is_ended_by_the_next_start()
{
    let mut world = World::uninitialised().await;
    world.stop().await;
    let tried = world.folder.path().join("tried");
    for from in [0, 3] {
        grow_young(&world.data(), from).await;
        assert_eq!(people(&world.data()).await.len(), usize::from(from > 0));
        let lengths = killed_at_each_write(&world.data(), &tried).await;
        // Dead before each of the steps that this database lacks.
        let all = (from..steps().len()).all(|steps| lengths.contains(&steps));
        assert!(all, "from {from}, where it was killed: {lengths:?}");
    }
    let mut world = World::start().await;
    for name in ["hanako", "taro"] {
        drop(world.operator(name).await);
    }
    world.stop().await;
    grow_younger(&world.data(), 5).await;
    assert_eq!(people(&world.data()).await.len(), 2);
    let lengths = killed_at_each_write(&world.data(), &tried).await;
    assert!((5..steps().len()).all(|steps| lengths.contains(&steps)), "{lengths:?}");
}

/// F20: nobody's data is touched by an older program, which says what to do.
#[tokio::test]
async fn f20_a_database_of_a_newer_version_is_left_alone_and_called_that() {
    let mut world = World::start().await;
    world.stop().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of tomorrow', TRUE, x'00', 0)";
    let pool = pool(&world.data()).await;
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;
    let mut command = Command::new(SERVER);
    command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(world.data());
    let output = command.env("LC_ALL", "C").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(8) && said.contains("a newer version"), "{said}");
}

/// T64: records taken away behind the server's back. It takes no new ones then, and says why.
#[tokio::test]
async fn t64_a_ledger_that_lost_its_newest_records_is_told_at_the_start_and_by_doctor() {
    let mut world = World::start().await;
    drop(world.operator("hanako").await);
    world.stop().await;
    let file = world.data().join("tasuki.db");
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&file)).await.unwrap();
    let cut = "DELETE FROM ledger WHERE seq > (SELECT MAX(seq) - 5 FROM ledger)";
    assert_eq!(sqlx::query(cut).execute(&pool).await.unwrap().rows_affected(), 5);
    pool.close().await;
    for order in ["run", "doctor"] {
        // One that takes such a ledger would run on.
        let mut command = Command::new("timeout");
        command.args(["60", SERVER, order, "--data"]).arg(world.data()).env("LC_ALL", "C");
        if order == "run" {
            command.args(["--listen", &world.address.to_string()]);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("lacks its newest records"), "{order}: {said}");
        let code = if order == "run" { 8 } else { 12 };
        assert_eq!(output.status.code(), Some(code), "{said}");
    }
}
