//! What is acknowledged was synced before: where every sync fails, nothing is acknowledged (F5, T65).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tasuki_protocol::admin::OPERATORS_PATH;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::record::seal_at_end;
use tasuki_protocol::ledger::wire::{END_ROWS_PATH, EndRow, EndRows, EndRowsTaken};
use tasuki_protocol::policy::exchange::POLICY_PATH;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{OperatorToServer, RefusalReason, ServerToOperator};

use crate::acts::database;
use crate::client::{PASSWORD, PATIENCE, World, new_operator};
use crate::crash::Process;
use crate::faults::{assert_sound, until_ready};
use crate::ledger::{come_and_go, read_until_entry};
use crate::pairing::{hellos, open, pair};
use crate::policy::publish;

/// Of a process, from when this was made until it is dropped.
struct FailingSyncs {
    strace: Child,
    told: PathBuf,
}

impl FailingSyncs {
    fn of(server: &Process, told: &Path) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=fsync,fdatasync", "-e", "signal=none"]);
        command.args(["-e", "inject=fsync,fdatasync:error=EIO", "-p", &server.id().to_string()]);
        command.stdin(Stdio::null()).stderr(File::create(told).unwrap());
        let strace = command.spawn().expect("strace");
        let failing = Self { strace, told: told.to_owned() };
        let end = Instant::now() + PATIENCE;
        while !failing.said().contains("attached") {
            let said = failing.said();
            assert!(
                Instant::now() < end,
                "strace cannot attach; kernel.yama.ptrace_scope is 0? {said}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        failing
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.told).unwrap()
    }
}

impl Drop for FailingSyncs {
    fn drop(&mut self) {
        // It lets go of the process first.
        kill_process(Pid::from_child(&self.strace), Signal::INT).ok();
        self.strace.wait().ok();
    }
}

/// One record of the operator's end, sealed as his program does it.
pub(crate) fn rows(world: &World, session: SessionId, ticket: &Blob, number: u64) -> EndRows {
    let bundle = world.bundle();
    let event = Event::PairingTried { attempt: 7, from: "192.0.2.9".to_owned() };
    let entry = Entry { by: Witness::Operator, session: Some(session), operator: None, event };
    let at = (session, Role::Operator, number);
    let seed = Seed::from_bytes([44; 32]);
    let sealed = seal_at_end(&entry, at, &bundle.log_keys, bundle.tenant, &seed).unwrap();
    EndRows { ticket: ticket.clone(), known: 0, rows: vec![EndRow { number, sealed }] }
}

/// F5, T65: EIO on every sync. Whatever is acknowledged on disk only is refused, and counts for nothing; the
/// same server goes on when the disk does.
#[tokio::test]
async fn f5_t65_what_a_disk_did_not_sync_is_acknowledged_to_nobody() {
    let mut world = World::start().await;
    let (server, mut operator) = Process::with_operator(&mut world).await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let _session = pair(&world, &mut operator, &mut room).await;
    read_until_entry(&world, |entry| matches!(entry.event, Event::Paired { .. })).await;
    operator.socket.say(&OperatorToServer::NeedLedgerTicket { session: room.session }).await;
    let ServerToOperator::LedgerTicket { ticket, .. } = operator.socket.hear().await else { panic!() };
    let rows = rows(&world, room.session, &ticket, 0);

    let failing = FailingSyncs::of(&server, &world.folder.path().join("strace"));
    // More than suspend an account.
    for _ in 0..4 {
        assert_eq!(world.login("hanako", PASSWORD, &operator.device, None).await.status, 503);
    }
    let taro = new_operator("taro", &[Mode::View]);
    assert_eq!(world.admin_post(OPERATORS_PATH, &taro).await.status, 503);
    let rules = r#"{"operator":{"hanako":{"modes":["view"]}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 503, "{POLICY_PATH}");
    assert_eq!(world.post(END_ROWS_PATH, &rows, &[]).await.status, 503);
    let hellos = hellos(&world, &operator);
    operator.socket.say(&OperatorToServer::OpenRoom { mode: Mode::View, hellos, reason: None }).await;
    let refused = ServerToOperator::Refused { reason: RefusalReason::Unavailable };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
    assert!(failing.said().contains("INJECTED"), "no sync was tried at all: {}", failing.said());
    drop(failing);

    until_ready(&world).await;
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    assert_eq!(world.admin_post(OPERATORS_PATH, &taro).await.status, 201);
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    let taken = world.post(END_ROWS_PATH, &rows, &[]).await;
    assert_eq!(taken.status, 200);
    assert_eq!(serde_json::from_slice::<EndRowsTaken>(&taken.body).unwrap().next, 1);
    let last = come_and_go(&world, &mut operator).await;
    let is_last = |entry: &Entry| {
        entry.session == Some(last) && matches!(entry.event, Event::SessionClosed { .. })
    };
    // Verified as it is read.
    read_until_entry(&world, is_last).await;
    let mut own = database(&world).await;
    let next = sqlx::query_scalar::<_, i64>("SELECT next FROM ledger_ends");
    assert_eq!(next.fetch_all(&mut own).await.unwrap(), [1], "what the end said is there once");
    drop(server);
    assert_sound(&world.data()).await;
}
