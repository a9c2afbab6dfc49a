//! `kill -9` under load: what was acknowledged is there afterwards (F1, T4, T5).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{AGENT_PATH, OperatorToServer, ServerToAgent, ServerToOperator};

use crate::client::{Operator, QUICK, World};
use crate::pairing::{agent_offer, join, open, secret};

const ROUNDS: usize = 20;

struct Process(Child);

impl Process {
    fn start(world: &World) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
        command.args(["run", "--json", "--listen", &world.address.to_string(), "--data"]);
        command.arg(world.data()).stdout(Stdio::piped()).stderr(Stdio::null());
        for (key, value) in QUICK {
            command.args(["--set", &format!("{key}={value}")]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        Self(child)
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn f1_no_acknowledged_number_or_attempt_is_forgotten_by_a_killed_server() {
    let mut world = World::start().await;
    let Operator { device, token, socket } = world.operator("hanako").await;
    drop(socket);
    world.stop().await;
    let mut burnt: Vec<(Vec<u8>, i64)> = Vec::new();
    let mut opened: Vec<(Vec<u8>, i64)> = Vec::new();
    for round in 0..ROUNDS {
        let server = Process::start(&world);
        let socket = world.operator_socket(&token, &device).await;
        let mut operator = Operator { device: device.clone(), token: token.clone(), socket };
        if let Some((session, locator)) = burnt.last() {
            // A number of the killed server answers as a dead one, under a face of its own.
            let locator = u32::try_from(*locator).unwrap().try_into().unwrap();
            let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
            agent.say(&join(locator, &agent_offer(&world, &secret(1), 5).0)).await;
            let ServerToAgent::Met { session: met, .. } = agent.hear().await else { panic!() };
            assert_ne!(met.0.to_vec(), *session);
        }
        let room = open(&world, &mut operator, Mode::View).await;
        let locator = i64::from(u32::from(room.locator));
        assert!(opened.iter().all(|(_, taken)| *taken != locator), "a resting locator was given out");
        opened.push((room.session.0.to_vec(), locator));
        for attempt in 0..=round % 3 {
            let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
            let seed = u8::try_from(10 + attempt).unwrap();
            agent.say(&join(room.locator, &agent_offer(&world, &secret(2), seed).0)).await;
            let ServerToAgent::Met { session, .. } = agent.hear().await else { panic!() };
            burnt.push((session.0.to_vec(), locator));
            drop(agent);
            let arrived: ServerToOperator = operator.socket.hear().await;
            let ServerToOperator::Arrived { session, attempt, .. } = arrived else { panic!() };
            operator.socket.say(&OperatorToServer::PairingFailed { session, attempt }).await;
            // Its answer shows that the failure has been heard, and the next may come.
            operator.socket.say(&OperatorToServer::NeedLeg { session }).await;
            operator.socket.next().await;
        }
        server.kill();
    }
    let options = SqliteConnectOptions::new().filename(world.data().join("tasuki.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let check = sqlx::query("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(check.get::<String, _>(0), "ok");
    let rows = |query: &'static str| {
        let pool = pool.clone();
        async move {
            let rows = sqlx::query(query).fetch_all(&pool).await.unwrap();
            rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(Vec<u8>, i64)>>()
        }
    };
    let kept = rows("SELECT session, locator FROM rooms").await;
    assert!(opened.iter().all(|row| kept.contains(row)));
    let mut kept = rows("SELECT session, locator FROM attempts").await;
    for row in burnt {
        let place = kept.iter().position(|other| *other == row).expect("an attempt was forgotten");
        kept.swap_remove(place);
    }
}
