//! Everybody who was there comes back at once after the server was killed (F14).

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::future::select_ok;
use rustix::process::{Resource, getrlimit, setrlimit};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::signal::{self, DEVICE_PROOF, OPERATOR_PATH, OperatorToServer, ServerToOperator};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{PASSWORD, Socket, World};
use crate::crash::Process;

/// How many come back at once: `./dev storm` has more.
const STORM: usize = 300;
/// How many come at a time before anything happened: there is no storm yet.
const PACED: usize = 100;
/// As our programs dial again: full jitter, within a pause that doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long they wait for a server that does not answer.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// Between two people who sign in while everybody comes back.
const LOGIN_EVERY: Duration = Duration::from_millis(250);
/// When one of them knocks again while nothing came of it, as our programs do.
const KNOCKS: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(1500), Duration::from_millis(4500)];
/// F14: by then 99 of 100 are back, and nineteen of twenty sign-ins take so long at most.
const BACK: Duration = Duration::from_secs(90);
const SIGNED_IN: Duration = Duration::from_secs(3);
/// How long is waited for who is later than that.
const ALL_BACK: Duration = Duration::from_secs(150);

fn wanted() -> Option<usize> {
    std::env::var("TASUKI_STORM").ok().map(|count| count.parse().unwrap())
}

impl World {
    /// As [`World::operator_socket`], at a server that may be gone; for as long as it takes.
    async fn try_operator_socket(&self, token: &str, device: &SigningKey) -> Option<Socket> {
        let bearer = format!("Bearer {token}");
        let mut socket = self.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.ok()?;
        let challenge = signal::decode(&socket.text().await?).ok()?;
        let ServerToOperator::Challenge { challenge } = challenge else { panic!("{challenge:?}") };
        let digest = Sha256::digest(token.as_bytes());
        let message = [DEVICE_PROOF, &challenge.0, digest.as_slice()].concat();
        let signature = Blob(device.sign(&message).to_bytes().to_vec());
        if !socket.try_say(&OperatorToServer::Prove { signature }).await {
            return None;
        }
        let ready = signal::decode(&socket.text().await?).ok()?;
        matches!(ready, ServerToOperator::Ready { .. }).then_some(socket)
    }
}

/// Everybody has the same operator's token, as one person at many computers would.
struct Crowd {
    world: World,
    device: SigningKey,
    token: String,
    paced: Semaphore,
}

impl Crowd {
    /// Dials until the server takes it.
    async fn dialled(&self) -> Socket {
        let mut ceiling = FIRST_PAUSE;
        loop {
            tokio::time::sleep(ceiling.mul_f64(unit_random())).await;
            let dialling = self.world.try_operator_socket(&self.token, &self.device);
            if let Ok(Some(socket)) = timeout(HANDSHAKE, dialling).await {
                return socket;
            }
            ceiling = (ceiling * 2).min(LONGEST_PAUSE);
        }
    }

    /// One end's life: comes, stays until the server is gone, comes back, and stays.
    async fn live(self: Arc<Self>, came: mpsc::Sender<()>, back: mpsc::Sender<Instant>) {
        let mut socket = {
            let _turn = self.paced.acquire().await.unwrap();
            self.dialled().await
        };
        came.send(()).await.unwrap();
        while socket.text().await.is_some() {}
        drop(socket);
        let mut socket = self.dialled().await;
        back.send(Instant::now()).await.ok();
        while socket.text().await.is_some() {}
    }
}

fn unit_random() -> f64 {
    let mut drawn = [0; 4];
    getrandom::fill(&mut drawn).unwrap();
    f64::from(u32::from_le_bytes(drawn)) / f64::from(u32::MAX)
}

/// People who sign in, one beginning after another whether or not the one before is in; how long
/// each had to wait. From a thread of its own: who signs in has a computer of his own.
fn sign_ins(crowd: Arc<Crowd>, device: SigningKey, over: mpsc::Receiver<()>) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut signing_in = JoinSet::new();
        while !over.is_closed() {
            let (crowd, device) = (Arc::clone(&crowd), device.clone());
            signing_in.spawn(async move {
                let began = Instant::now();
                while !signed_in(&crowd.world, &device).await {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                began.elapsed()
            });
            tokio::time::sleep(LOGIN_EVERY).await;
        }
        signing_in.join_all().await
    })
}

/// Whether the first knock that came in was answered with a token; one that is turned away ends no other.
async fn signed_in(world: &World, device: &SigningKey) -> bool {
    let knocks = KNOCKS.map(|wait| {
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            world.try_tls().await
        })
    });
    let Ok((stream, _)) = select_ok(knocks).await else { return false };
    world.try_login_over(stream, "taro", PASSWORD, device).await == Some(200)
}

/// How long each took: what a share of a hundred was done in.
struct Spread(Vec<Duration>);

impl Spread {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        Self(took)
    }

    fn within(&self, of_hundred: usize) -> Duration {
        self.0[(self.0.len() * of_hundred).div_ceil(100).saturating_sub(1)]
    }

    /// Past the test's own capture, for `./dev storm`.
    fn tell(&self, what: &str) {
        let [half, most, nearly_all, all] =
            [50, 95, 99, 100].map(|share| self.within(share).as_secs_f32());
        let told = writeln!(
            std::io::stderr(),
            "{} {what}: 50 % in {half:.1} s, 95 % in {most:.1} s, 99 % in {nearly_all:.1} s, all in {all:.1} s",
            self.0.len()
        );
        told.unwrap();
    }
}

/// F14: everybody at once; each is back with his own token, and who signs in meanwhile gets in.
#[tokio::test]
async fn f14_after_a_kill_all_who_were_there_come_back_at_once_and_a_login_gets_through() {
    let many = wanted().unwrap_or(STORM);
    // A file for each, here and in the server, which has this limit from here.
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).unwrap();
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let other = world.operator("taro").await;
    world.stop().await;
    let most = (many + 700).to_string();
    let wide = [("connections_per_address", most.as_str()), ("connections", &most)];
    let server = Process::start_set(&world, &wide);
    let paced = Semaphore::new(PACED);
    let crowd = Crowd { world, device: operator.device, token: operator.token, paced };
    let crowd = Arc::new(crowd);

    let (came, mut comers) = mpsc::channel(many);
    let (back, mut returners) = mpsc::channel(many);
    let mut ends = JoinSet::new();
    for _ in 0..many {
        ends.spawn(Arc::clone(&crowd).live(came.clone(), back.clone()));
    }
    drop((came, back));
    for _ in 0..many {
        comers.recv().await.expect("everybody comes");
    }
    server.kill();
    let killed = Instant::now();
    // All find out, and knock at a door that is not there yet.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let server = Process::start_set(&crowd.world, &wide);
    let (over, until) = mpsc::channel(1);
    let signing_in = Arc::clone(&crowd);
    let logins = tokio::task::spawn_blocking(move || sign_ins(signing_in, other.device, until));
    let mut returned = Vec::with_capacity(many);
    let all = async {
        while returned.len() < many {
            let at: Instant = returners.recv().await.expect("nobody gives up");
            returned.push(at - killed);
        }
    };
    timeout(ALL_BACK, all).await.ok();
    drop(over);
    let logins = Spread::of(logins.await.unwrap());
    logins.tell("signed in meanwhile");
    writeln!(std::io::stderr(), "the server took {:.1} CPU-seconds", server.cpu_seconds()).unwrap();
    let in_time = returned.iter().filter(|took| **took <= BACK).count();
    Spread::of(returned).tell("came back");
    assert!(in_time * 100 >= many * 99, "{in_time} of {many} are back within {BACK:?}");
    if wanted().is_some() {
        assert!(logins.within(95) <= SIGNED_IN, "{:?} to sign in", logins.within(95));
    }
}
