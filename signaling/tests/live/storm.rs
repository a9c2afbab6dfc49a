//! Everybody who was there comes back at once after the server was killed (F14).

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::client::{PASSWORD, PATIENCE, World};
use crate::crash::Process;

/// How many come back at once: `./dev storm` has more.
const STORM: usize = 300;

fn storm() -> usize {
    std::env::var("TASUKI_STORM").ok().and_then(|count| count.parse().ok()).unwrap_or(STORM)
}

/// Until the next try: no patience and no manners; a great many as our programs do it, somewhere in
/// half a second that doubles up to thirty.
async fn wait_to_try(many: usize, tries: u32) {
    if many <= STORM {
        return tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let most = (500_u64 << tries.min(6)).min(30_000);
    let mut drawn = [0; 4];
    getrandom::fill(&mut drawn).unwrap();
    let drawn = u64::from(u32::from_ne_bytes(drawn)) % most;
    tokio::time::sleep(Duration::from_millis(drawn)).await;
}

/// How long each took, as `./dev storm` prints it: the median, nineteen of twenty, 99 of 100, the last.
fn spread(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |of: usize| took[(took.len() * of / 100).min(took.len() - 1)].as_secs_f32();
    let (half, most, nearly_all, last) = (at(50), at(95), at(99), at(100));
    let told = writeln!(
        std::io::stderr(),
        "{what}: 50 % in {half:.1} s, 95 % in {most:.1} s, 99 % in {nearly_all:.1} s, all in {last:.1} s"
    );
    told.unwrap();
}

/// F14: everybody at once; each is back with his own token, and who signs in meanwhile gets in.
#[tokio::test]
async fn f14_after_a_kill_all_who_were_there_come_back_at_once_and_a_login_gets_through() {
    let many = storm();
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let other = world.operator("taro").await;
    world.stop().await;
    let most = (many + 700).to_string();
    let wide = [("connections_per_address", most.as_str()), ("connections", &most)];
    let server = Process::start_set(&world, &wide);
    let came = async || {
        let mut tries = 0;
        loop {
            let token = &operator.token;
            if let Some(socket) = world.try_operator_socket(token, &operator.device).await {
                return socket;
            }
            wait_to_try(many, tries).await;
            tries += 1;
        }
    };
    let there = futures_util::future::join_all((0..many).map(|_| came())).await;
    assert_eq!(there.len(), many);
    server.kill();
    let killed = Instant::now();
    // All find out, and knock at a door that is not there yet.
    let back = futures_util::future::join_all(there.into_iter().map(async |mut socket| {
        while socket.next().await.is_some() {}
        (came().await, killed.elapsed())
    }));
    let start = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let server = Process::start_set(&world, &wide);
        let mut logins = Vec::new();
        for _ in 0..(many / STORM).max(1) {
            let began = Instant::now();
            while world.try_login("taro", PASSWORD, &other.device).await != Some(200) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            logins.push(began.elapsed());
        }
        (server, logins)
    };
    let all = async { tokio::join!(back, start) };
    let (back, (_server, logins)) =
        tokio::time::timeout(3 * PATIENCE, all).await.expect("all are back");
    assert_eq!(back.len(), many);
    spread("back", back.into_iter().map(|(_, took)| took).collect());
    spread("signed in meanwhile", logins);
}
