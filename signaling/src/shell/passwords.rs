//! Password hashing: Argon2id under a pepper, never more at once than there are cores.
//!
//! A hash costs 64 MiB and a third of a second; without a cap a hundred sign-ins
//! would take the machine's memory (threats B7, F16). Who finds the queue full is
//! told to come again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many sign-ins may wait for a core.
const QUEUE: usize = 32;

/// A secret outside the database, without which its hashes cannot be tried.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pepper([u8; 32]);

impl Pepper {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// What one hash costs.
#[derive(Debug, Clone, Copy)]
pub struct HashCost {
    pub memory_kib: u32,
    pub passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins at once")]
pub struct QueueFull;

#[derive(Debug, Clone)]
pub struct Passwords {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pepper: Pepper,
    cost: Params,
    cores: Semaphore,
    waiting: AtomicUsize,
    /// Of no password: checked for names that do not exist, so that they take as long.
    decoy: String,
}

impl Passwords {
    /// # Errors
    /// The cost is outside of Argon2's bounds.
    pub fn new(pepper: Pepper, cost: HashCost, salt: [u8; 16]) -> Result<Self, argon2::Error> {
        let cost = Params::new(cost.memory_kib, cost.passes, 1, None)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash(&pepper, &cost, b"", &salt);
        Ok(Self {
            inner: Arc::new(Inner {
                pepper,
                cost,
                cores: Semaphore::new(cores),
                waiting: AtomicUsize::new(0),
                decoy,
            }),
        })
    }

    /// The hash to store, in PHC form.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub async fn hash(&self, password: Zeroizing<String>, salt: [u8; 16]) -> Result<String, QueueFull> {
        self.run(move |inner| hash(&inner.pepper, &inner.cost, password.as_bytes(), &salt)).await
    }

    /// Whether the password is that of `stored`; a missing one takes as long and is wrong.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub async fn check(
        &self,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<Verdict, QueueFull> {
        self.run(move |inner| {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| inner.decoy.clone());
            let same = verify(&inner.pepper, &inner.cost, password.as_bytes(), &stored);
            if same && known { Verdict::Right } else { Verdict::Wrong }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, QueueFull> {
        let _place = Place::take(&self.inner)?;
        let _core = self.inner.cores.acquire().await.map_err(|_| QueueFull)?;
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(|_| QueueFull)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
}

struct Place(Arc<Inner>);

impl Place {
    fn take(inner: &Arc<Inner>) -> Result<Self, QueueFull> {
        let place = Self(inner.clone());
        let before = inner.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= QUEUE { Err(QueueFull) } else { Ok(place) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn peppered(pepper: &Pepper, password: &[u8]) -> Zeroizing<[u8; 32]> {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&pepper.0) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(password);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn hasher(cost: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.clone())
}

fn hash(pepper: &Pepper, cost: &Params, password: &[u8], salt: &[u8; 16]) -> String {
    let hashed = hasher(cost).hash_password_with_salt(&*peppered(pepper, password), salt);
    let Ok(hashed) = hashed else { unreachable!("salt and cost were checked") };
    hashed.to_string()
}

fn verify(pepper: &Pepper, cost: &Params, password: &[u8], stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else { return false };
    hasher(cost).verify_password(&*peppered(pepper, password), &stored).is_ok()
}
