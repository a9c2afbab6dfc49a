//! `kill -9` at random moments under load: what was acknowledged is there afterwards, and nothing
//! is there by half (F1, T4, T5, T51, T64).
//!
//! `./dev chaos` runs the same with more rounds.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tasuki_protocol::admin::{OPERATORS_PATH, OperatorList};
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::words::{AdminAction, LoginFailure};
use tasuki_protocol::number::Locator;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{self, AGENT_PATH, OperatorToServer, ServerToAgent, ServerToOperator};

use crate::client::{Operator, PASSWORD, QUICK, World, new_operator};
use crate::deeds::Deeds;
use crate::ledger::{Read, come_and_go, read_until_entry};
use crate::pairing::{agent_offer, join, open, secret};

/// In the tests; [`ROUNDS_WANTED`] asks for others.
const ROUNDS: usize = 20;
const ROUNDS_WANTED: &str = "TASUKI_CHAOS_ROUNDS";
/// How long a start may take after a kill (F1).
const RESTARTED: Duration = Duration::from_secs(5);
/// The latest moment of a kill after the load has begun.
const LATEST_MS: u64 = 200;

/// How talkative its log is, and in which form.
const QUIETLY: (&str, &str) = ("info", "text");

/// The server in a process of its own; killed when dropped.
pub(crate) struct Process(Child);

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tasuki-server"))
}

impl Process {
    pub(crate) fn start(world: &World) -> Self {
        Self::start_with(world, Stdio::null(), QUIETLY)
    }

    /// In the place of the server within the test, and an operator connected to it.
    pub(crate) async fn with_operator(world: &mut World) -> (Self, Operator) {
        let Operator { device, token, socket } = world.operator("hanako").await;
        drop(socket);
        world.stop().await;
        let server = Self::start(world);
        let socket = world.operator_socket(&token, &device).await;
        (server, Operator { device, token, socket })
    }

    /// Its log goes to `log`, so talkative and in that form.
    pub(crate) fn start_with(world: &World, log: impl Into<Stdio>, form: (&str, &str)) -> Self {
        Self::run(program(), world, log, form, &[])
    }

    /// With settings beside [`QUICK`].
    pub(crate) fn start_set(world: &World, settings: &[(&str, &str)]) -> Self {
        Self::run(program(), world, Stdio::null(), QUIETLY, settings)
    }

    /// Whose wall clock is off by what stands in the file `wall`, as libfaketime reads it.
    pub(crate) fn start_by(world: &World, wall: &Path) -> Self {
        let mut command = program();
        let folder = |machine| format!("/usr/lib/{machine}-linux-gnu/faketime");
        command.env("LD_LIBRARY_PATH", ["x86_64", "aarch64"].map(folder).join(":"));
        command.env("LD_PRELOAD", "libfaketime.so.1").env("FAKETIME_TIMESTAMP_FILE", wall);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Self::run(command, world, Stdio::null(), QUIETLY, &[])
    }

    fn run(
        mut command: Command,
        world: &World,
        log: impl Into<Stdio>,
        (level, format): (&str, &str),
        settings: &[(&str, &str)],
    ) -> Self {
        command.args(["run", "--log-format", format, "--json", "--data"]).arg(world.data());
        command
            .args(["--listen", &world.address.to_string()])
            .stdout(Stdio::piped())
            .stderr(log)
            .env("RUST_LOG", level);
        for (key, value) in QUICK.iter().chain(settings) {
            command.args(["--set", &format!("{key}={value}")]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        Self(child)
    }

    /// How large any of its files may be, from now on; gives the limit before.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) -> Option<u64> {
        let pid = Pid::from_child(&self.0);
        // Of this process, which it inherited.
        let limit = Rlimit { current: bytes, maximum: getrlimit(Resource::Fsize).maximum };
        prlimit(Some(pid), Resource::Fsize, limit).unwrap().current
    }

    /// What it held of memory at its most, in MB.
    pub(crate) fn most_memory_mb(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1000
    }

    /// User's and system's time of all its threads.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        ticks as f64 / 100.0
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGTERM; gives its exit code and how long it took to end.
    pub(crate) fn terminate(mut self) -> (Option<i32>, Duration) {
        let asked = Instant::now();
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        (self.0.wait().unwrap().code(), asked.elapsed())
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What the server has answered for while it lived.
#[derive(Default)]
struct Acknowledged {
    /// Session and locator of numbers, and of attempts at them.
    opened: Vec<(Vec<u8>, i64)>,
    attempts: Vec<(Vec<u8>, i64)>,
    /// Operators who were added.
    added: Vec<String>,
    /// Sign-ins that were refused, by account.
    refused: HashMap<String, usize>,
}

/// Until the server is gone: one operator after another.
async fn add(world: &World, round: usize, added: &mut Vec<String>) {
    for number in 0.. {
        let name = format!("added-{round}-{number}");
        let order = new_operator(&name, &[Mode::View]);
        match world.try_admin_post(OPERATORS_PATH, &order).await {
            Some(status) => assert_eq!(status, 201),
            None => return,
        }
        added.push(name);
    }
}

/// Until the server is gone: a stranger guesses at a password; gives how often he was refused.
async fn guess(world: &World, account: &str) -> usize {
    let stranger = SigningKey::from_bytes(&[77; 32]);
    for refused in 0.. {
        match world.try_login(account, "not the password", &stranger).await {
            Some(status) => assert_eq!(status, 401),
            None => return refused,
        }
    }
    0
}

/// Until the server is gone: agents try at a number.
async fn try_at(world: &World, locator: Locator, attempts: &mut Vec<(Vec<u8>, i64)>) {
    let offer = agent_offer(world, &secret(2), 40).0;
    loop {
        let Ok(mut agent) = world.socket(AGENT_PATH, &[]).await else { return };
        if !agent.try_say(&join(locator, &offer)).await {
            return;
        }
        let Some(text) = agent.next().await else { return };
        let Ok(ServerToAgent::Met { session, .. }) = signal::decode(&text) else { panic!("{text}") };
        attempts.push((session.0.to_vec(), i64::from(u32::from(locator))));
    }
}

/// Opens a number and has it tried at, up to three times; each is acknowledged.
async fn burn(
    world: &World,
    operator: &mut Operator,
    tries: usize,
    acknowledged: &mut Acknowledged,
) -> Locator {
    let room = open(world, operator, Mode::View).await;
    let locator = i64::from(u32::from(room.locator));
    let resting = |(_, taken): &(Vec<u8>, i64)| *taken == locator;
    assert!(!acknowledged.opened.iter().any(resting), "a resting locator was given out");
    acknowledged.opened.push((room.session.0.to_vec(), locator));
    for attempt in 0..tries {
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        let seed = u8::try_from(10 + attempt).unwrap();
        agent.say(&join(room.locator, &agent_offer(world, &secret(2), seed).0)).await;
        let ServerToAgent::Met { session, .. } = agent.hear().await else { panic!() };
        acknowledged.attempts.push((session.0.to_vec(), locator));
        drop(agent);
        let arrived: ServerToOperator = operator.socket.hear().await;
        let ServerToOperator::Arrived { session, attempt, .. } = arrived else { panic!() };
        operator.socket.say(&OperatorToServer::PairingFailed { session, attempt }).await;
        // Its answer shows that the failure has been heard, and the next may come.
        operator.socket.say(&OperatorToServer::NeedLeg { session }).await;
        operator.socket.next().await;
    }
    room.locator
}

/// A number of a killed server answers as a dead one, under a face of its own.
async fn is_dead(world: &World, (session, locator): &(Vec<u8>, i64)) {
    let locator = u32::try_from(*locator).unwrap().try_into().unwrap();
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&join(locator, &agent_offer(world, &secret(1), 5).0)).await;
    let ServerToAgent::Met { session: met, .. } = agent.hear().await else { panic!() };
    assert_ne!(met.0.to_vec(), *session);
}

fn rounds() -> usize {
    std::env::var(ROUNDS_WANTED).ok().map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

fn random_moment() -> Duration {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    Duration::from_millis(u64::from_le_bytes(bytes) % LATEST_MS)
}

/// From a start to a kill in the midst of everything; gives how long the start took.
async fn round(
    world: &World,
    number: usize,
    (device, token): (&SigningKey, &str),
    acknowledged: &mut Acknowledged,
    deeds: &mut Deeds,
) -> Duration {
    let began = Instant::now();
    let server = Process::start(world);
    let started = began.elapsed();
    deeds.are_known(world, device).await;
    let socket = world.operator_socket(token, device).await;
    let mut operator = Operator { device: device.clone(), token: token.to_owned(), socket };
    if let Some(number) = acknowledged.opened.last() {
        is_dead(world, number).await;
    }
    if let Some(before) = number.checked_sub(1) {
        // Who was suspended by three refusals is so still, with the right password too.
        let stranger = SigningKey::from_bytes(&[77; 32]);
        let answer = world.login(&guessed(before), PASSWORD, &stranger, None).await;
        assert_eq!(answer.status, 401);
    }
    world.add_operator(&guessed(number), &[Mode::View]).await;
    acknowledged.added.push(guessed(number));
    let locator = burn(world, &mut operator, 1 + number % 3, acknowledged).await;
    deeds.begin(world, device).await;
    let kill = tokio::task::spawn_blocking(move || {
        std::thread::sleep(random_moment());
        server.kill();
    });
    let Acknowledged { attempts, added, .. } = acknowledged;
    let account = guessed(number);
    let load = async {
        tokio::join!(
            add(world, number, added),
            guess(world, &account),
            try_at(world, locator, attempts),
            deeds.go_on(world, device)
        )
    };
    let ((), refused, (), ()) = load.await;
    acknowledged.refused.insert(account, refused);
    kill.await.unwrap();
    started
}

/// The account that is guessed at in a round.
fn guessed(round: usize) -> String {
    format!("guessed-{round}")
}

#[tokio::test]
async fn f1_nothing_acknowledged_is_forgotten_and_nothing_is_half_done_by_a_killed_server() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut deeds = Deeds::begun(&world, &mut operator).await;
    let Operator { device, token, socket } = operator;
    drop(socket);
    world.stop().await;
    let mut acknowledged = Acknowledged::default();
    let mut slowest = Duration::ZERO;
    for number in 0..rounds() {
        let started = round(&world, number, (&device, &token), &mut acknowledged, &mut deeds).await;
        slowest = slowest.max(started);
    }
    let Acknowledged { opened, attempts, added, refused } = &acknowledged;
    eprintln!(
        "{} kills; the slowest start took {} ms; acknowledged: {} numbers, {} tries at them, {} accounts, \
         {} refusals",
        rounds(),
        slowest.as_millis(),
        opened.len(),
        attempts.len(),
        added.len(),
        refused.values().sum::<usize>()
    );
    assert!(slowest <= RESTARTED, "{slowest:?}");
    rows_are_there(&world, &acknowledged).await;
    world.run().await;
    deeds.are_known(&world, &device).await;
    let socket = world.operator_socket(&token, &device).await;
    let mut operator = Operator { device, token, socket };
    // Its end is signed, with everything before it.
    let last = come_and_go(&world, &mut operator).await;
    let is_last = |entry: &Entry| {
        entry.session == Some(last) && matches!(entry.event, Event::SessionClosed { .. })
    };
    let read = read_until_entry(&world, is_last).await;
    records_are_there(&world, &read, &acknowledged).await;
    deeds.are_recorded(&world, &read).await;
}

async fn rows_are_there(world: &World, acknowledged: &Acknowledged) {
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
    assert!(acknowledged.opened.iter().all(|row| kept.contains(row)));
    let mut left: HashMap<(Vec<u8>, i64), usize> = HashMap::new();
    for row in rows("SELECT session, locator FROM attempts").await {
        *left.entry(row).or_default() += 1;
    }
    for row in &acknowledged.attempts {
        let left = left.get_mut(row).filter(|left| **left > 0).expect("an attempt was forgotten");
        *left -= 1;
    }
    pool.close().await;
}

/// The ledger was verified when it was read.
async fn records_are_there(world: &World, read: &Read, acknowledged: &Acknowledged) {
    let mut added = Vec::new();
    let mut refused: HashMap<&str, Vec<LoginFailure>> = HashMap::new();
    for entry in read.entries.iter().flatten() {
        if let Event::AdminDid { action: AdminAction::OperatorAdded, target, .. } = &entry.event {
            added.push(target.clone());
        }
        if let Event::LoginFailed { account, why, .. } = &entry.event {
            refused.entry(account).or_default().push(*why);
        }
    }
    added.sort();
    for name in &acknowledged.added {
        assert!(added.binary_search(name).is_ok(), "{name}: acknowledged, and no record of it");
    }
    let answer = world.admin_get(OPERATORS_PATH).await;
    let list: OperatorList = serde_json::from_slice(&answer.body).unwrap();
    let mut there: Vec<String> = list.operators.into_iter().map(|entry| entry.operator).collect();
    there.sort();
    assert_eq!(there, added, "accounts, and records of their making");
    for (account, times) in &acknowledged.refused {
        let records = refused.get(account.as_str()).map_or(&[][..], Vec::as_slice);
        assert!(records.len() >= *times, "{account}: {times} refusals, {records:?}");
        let asked_again = *account != guessed(rounds() - 1);
        if *times >= 3 && asked_again {
            assert_eq!(records.last(), Some(&LoginFailure::Locked), "{account}");
        }
    }
}
