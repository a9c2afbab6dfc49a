//! Argon2id behind a gate: at most one hash per core at a time, a short queue, and
//! no more: a hundred logins at once would take 6.4 GiB. Who has shown a key that was let in waits in
//! a queue of his own, so that a flood of strangers keeps nobody out who belongs here (F16).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::folder::Secret;
use crate::core::guesses::Place;

/// Logins that may wait for their turn, in each queue.
const QUEUE: usize = 32;
/// Of a queue of strangers, what one address may have: so no one of them keeps a new device out elsewhere.
const OF_ONE_PLACE: usize = 12;
/// Of the other, what one key may have: more than a person has under way, and no stolen computer keeps others out.
const OF_ONE_KEY: usize = 4;

/// Who waits for a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Whose device was approved, or whose key is an administrator's, and who has just proven it. `None`: what an
    /// administrator orders who is signed in.
    Known(Option<Whose>),
    Stranger(Place),
}

/// By which key somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    Device([u8; 32]),
    Administrator(i64),
}

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
    turns: Arc<Semaphore>,
    /// What a stranger needs beside a turn: so no more of them stand before the turns than can be
    /// served at once, and a known one waits for one hash at most.
    strangers: Arc<Semaphore>,
    known_waiting: Queue<Option<Whose>>,
    strangers_waiting: Queue<Place>,
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
            turns: Arc::new(Semaphore::new(cores)),
            strangers: Arc::new(Semaphore::new(cores)),
            known_waiting: Queue::default(),
            strangers_waiting: Queue::default(),
            most: cores + QUEUE,
            hashes: AtomicU64::new(0),
            decoy,
        })))
    }

    /// Hashes computed so far.
    pub(crate) fn hashes(&self) -> u64 {
        self.0.hashes.load(Ordering::Relaxed)
    }

    /// The PHC string to store, for somebody known.
    pub(crate) async fn hash(
        &self,
        password: Zeroizing<String>,
        whose: Option<Whose>,
    ) -> Result<String, Busy> {
        let place = self.queue(Lane::Known(whose))?;
        let hashed =
            place.in_turn(move |inner| hash(&inner.pepper, &inner.params, password.as_bytes())).await?;
        hashed.ok_or(Busy)
    }

    /// Taken before a try is counted as a failure: one that nobody has time to look at is none.
    pub(crate) fn queue(&self, lane: Lane) -> Result<Turn, Busy> {
        let inner = &self.0;
        let has_room = match lane {
            Lane::Known(whose) => {
                let own = if whose.is_some() { OF_ONE_KEY } else { inner.most };
                inner.known_waiting.enter(whose, own, inner.most)
            }
            Lane::Stranger(place) => inner.strangers_waiting.enter(place, OF_ONE_PLACE, inner.most),
        };
        // Left again by being dropped, where there is no room.
        let turn = Turn { inner: Arc::clone(inner), lane };
        if has_room { Ok(turn) } else { Err(Busy) }
    }
}

/// How many of each are in it.
#[derive(Debug)]
struct Queue<K>(Mutex<BTreeMap<K, usize>>);

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord> Queue<K> {
    /// Whether there was room, of its own and of all; in it is whoever came, until he leaves.
    fn enter(&self, who: K, own: usize, most: usize) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = waiting.values().sum();
        let here = waiting.entry(who).or_default();
        *here += 1;
        all < most && *here <= own
    }

    fn leave(&self, who: &K) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = waiting.get_mut(who) {
            *here -= 1;
        }
        waiting.retain(|_, here| *here > 0);
    }
}

/// One in the queue; leaves it when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    inner: Arc<Inner>,
    lane: Lane,
}

impl Turn {
    /// Takes the same time whether there is a `stored` hash or not.
    pub(crate) async fn verify(
        self,
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

    async fn in_turn<T, F>(self, work: F) -> Result<T, Busy>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> T + Send + 'static,
    {
        let among_strangers = match self.lane {
            Lane::Known(_) => None,
            Lane::Stranger(_) => Some(permit(&self.inner.strangers).await?),
        };
        let turn = permit(&self.inner.turns).await?;
        self.inner.hashes.fetch_add(1, Ordering::Relaxed);
        // A hash that has begun is done, also where whoever asked hangs up: its turn lasts as long.
        let working = tokio::task::spawn_blocking(move || {
            let done = work(&self.inner);
            drop((turn, among_strangers, self));
            done
        });
        working.await.map_err(|_| Busy)
    }
}

async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Busy> {
    Arc::clone(of).acquire_owned().await.map_err(|_| Busy)
}

impl Drop for Turn {
    fn drop(&mut self) {
        match self.lane {
            Lane::Known(whose) => self.inner.known_waiting.leave(&whose),
            Lane::Stranger(place) => self.inner.strangers_waiting.leave(&place),
        }
    }
}

fn argon2<'a>(pepper: &'a Secret, params: &Params) -> argon2::Result<Argon2<'a>> {
    Argon2::new_with_secret(&pepper.0, Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(pepper: &Secret, params: &Params, password: &[u8]) -> Option<String> {
    let hashed = argon2(pepper, params).ok()?.hash_password(password).ok()?;
    Some(hashed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F16: as many as there are turns for all together, of one stolen computer, and everybody else is served.
    #[test]
    fn f16_one_key_has_four_turns_at_a_time_and_takes_nobody_elses() {
        let cost = Cost { memory_kib: 64, passes: 1 };
        let passwords = Passwords::new(Secret([1; 32]), cost, &[0; 32]).unwrap();
        let of = |whose| passwords.queue(Lane::Known(whose));
        let hostile = Some(Whose::Device([7; 32]));
        let mut held: Vec<Turn> = (0..4).map(|_| of(hostile).unwrap()).collect();
        for _ in 0..1000 {
            assert!(of(hostile).is_err());
        }
        let others = [Some(Whose::Device([8; 32])), Some(Whose::Administrator(1)), None];
        assert!(others.into_iter().all(|whose| of(whose).is_ok()));
        held.pop();
        held.push(of(hostile).expect("one was answered"));
        assert!(of(hostile).is_err());
        drop(held);
        // And all together no more than there is room for.
        let all: Vec<_> = (0..=u8::MAX).map(|n| of(Some(Whose::Device([n; 32])))).collect();
        assert!(all.iter().any(Result::is_err));
    }
}
