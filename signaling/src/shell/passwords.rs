//! Argon2id behind a gate: at most one hash per core at a time, a short queue, and
//! no more (stack.md: a hundred logins at once would take 6.4 GiB).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::folder::Secret;

/// Logins that may wait for their turn.
const QUEUE: usize = 32;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pepper: Secret,
    params: Params,
    turns: Semaphore,
    places: AtomicUsize,
    most: usize,
    hashes: AtomicU64,
    /// Hash of nothing anybody knows, to be compared with where there is no account.
    decoy: String,
}

/// Too many are waiting already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl Passwords {
    /// # Errors
    /// The system has no randomness for a salt.
    pub(crate) fn new(pepper: Secret, cost: Cost, decoy: &[u8; 32]) -> Result<Self, Fault> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None);
        let Ok(params) = params else { unreachable!("the settings allow no such cost") };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash(&pepper, &params, decoy).ok_or(Fault::NoRandomness)?;
        Ok(Self(Arc::new(Inner {
            pepper,
            params,
            turns: Semaphore::new(cores),
            places: AtomicUsize::new(0),
            most: cores + QUEUE,
            hashes: AtomicU64::new(0),
            decoy,
        })))
    }

    /// Hashes computed so far.
    pub(crate) fn hashes(&self) -> u64 {
        self.0.hashes.load(Ordering::Relaxed)
    }

    /// The PHC string to store.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Busy> {
        let hashed =
            self.in_turn(move |inner| hash(&inner.pepper, &inner.params, password.as_bytes())).await?;
        hashed.ok_or(Busy)
    }

    /// Takes the same time whether there is a `stored` hash or not.
    pub(crate) async fn verify(
        &self,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<bool, Busy> {
        self.in_turn(move |inner| {
            let known = stored.is_some();
            let text = stored.unwrap_or_else(|| inner.decoy.clone());
            let argon2 = argon2(&inner.pepper, &inner.params);
            let right = PasswordHash::new(&text).is_ok_and(|parsed| {
                argon2.is_ok_and(|a| a.verify_password(password.as_bytes(), &parsed).is_ok())
            });
            right && known
        })
        .await
    }

    async fn in_turn<T, F>(&self, work: F) -> Result<T, Busy>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> T + Send + 'static,
    {
        let place = Place::take(&self.0)?;
        let turn = self.0.turns.acquire().await.map_err(|_| Busy)?;
        self.0.hashes.fetch_add(1, Ordering::Relaxed);
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await.map_err(|_| Busy);
        drop((turn, place));
        done
    }
}

struct Place<'a>(&'a Inner);

impl<'a> Place<'a> {
    fn take(inner: &'a Inner) -> Result<Self, Busy> {
        let before = inner.places.fetch_add(1, Ordering::Relaxed);
        let place = Self(inner);
        if before < inner.most { Ok(place) } else { Err(Busy) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.places.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2<'a>(pepper: &'a Secret, params: &Params) -> argon2::Result<Argon2<'a>> {
    Argon2::new_with_secret(&pepper.0, Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(pepper: &Secret, params: &Params, password: &[u8]) -> Option<String> {
    let hashed = argon2(pepper, params).ok()?.hash_password(password).ok()?;
    Some(hashed.to_string())
}
