//! Logins, as many as the cap on hashes lets through, beside the bare hash that each must cost.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use ed25519_dalek::SigningKey;
use tasuki_protocol::rights::Mode;

use crate::Figure;
use crate::client::{PASSWORD, World};
use crate::server::{Server, own_cpu_seconds};

pub(crate) async fn measure(world: &World, server: &Server, seconds: u64) -> Vec<Figure> {
    let device = SigningKey::from_bytes(&[31; 32]);
    let code = world.add_operator("login", &Mode::ALL).await;
    world.enrol_device("login", &device, &code).await;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (began, before) = (Instant::now(), server.cpu_seconds());
    let end = began + Duration::from_secs(seconds);
    let one_after_another = || async {
        let mut times = 0_u32;
        while Instant::now() < end {
            assert_eq!(world.try_login("login", PASSWORD, &device).await, Some(200));
            times += 1;
        }
        times
    };
    // Twice as many as may hash at a time: the others wait for their turn.
    let all = (0..2 * cores).map(|_| one_after_another());
    let logins: u32 = futures_util::future::join_all(all).await.into_iter().sum();
    let (passed, cpu) = (began.elapsed().as_secs_f64(), server.cpu_seconds() - before);
    let per_cpu_second = f64::from(logins) / cpu;
    eprintln!("{logins} logins in {passed:.0} s");
    vec![
        Figure::plain(
            "logins a second, at the cap of one hash a core",
            format!("{:.1}", f64::from(logins) / passed),
        ),
        Figure::plain("the same for a CPU-second of the server", format!("{per_cpu_second:.2}")),
        Figure::plain(
            "CPU time of a login beside the bare Argon2id (64 MiB, 3 passes)",
            format!("{:.2} times", 1.0 / per_cpu_second / bare_hash()),
        ),
    ]
}

/// What one hash costs, in seconds.
fn bare_hash() -> f64 {
    const TIMES: u32 = 8;
    let params = Params::new(64 * 1024, 3, 1, None).unwrap();
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; 32];
    let before = own_cpu_seconds();
    for _ in 0..TIMES {
        argon.hash_password_into(PASSWORD.as_bytes(), &[7; 16], &mut out).unwrap();
    }
    (own_cpu_seconds() - before) / f64::from(TIMES)
}
