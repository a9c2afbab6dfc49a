//! The organisation's keys, on the administrator's machine: the only place where they are
//! ever unwrapped (R9).
//!
//! The tenant root and the lock keys grow from one master key, which lies in `vault.json`
//! under the passphrase and is never sent anywhere. So a copy of the profile folder alone
//! signs no bundle and no certificate. Log keys have secrets of their own, wrapped by
//! passphrase and by master key, and lie on the server in that form.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::keys::{Kdf, Vault, Wrapped, WrappedLogKey};
use tasuki_protocol::log_key::{LogPublicKey, LogSecretKey};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::words;
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::random::random;

/// Words of a generated passphrase: 110 bits.
const PASSPHRASE_WORDS: usize = 10;
/// The least characters of an own passphrase.
pub const LEAST_CHARS: usize = 15;
/// What a guess costs: 1.6 s on one core of 2024, and a quarter of a GiB.
const COST: Cost = Cost { memory_kib: 256 * 1024, passes: 4, lanes: 4 };
/// How often a lock key may have been changed, when it is looked for after a recovery.
const GENERATIONS: u32 = 1000;

/// Of Argon2id, as [`Kdf`] has it.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// The master key, unwrapped.
pub struct Master {
    bytes: Zeroizing<[u8; 32]>,
    pub lock_generation: u32,
}

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master(..)")
    }
}

/// What a document is wrapped as: goes into the seal, so that none passes as another.
#[derive(Debug, Clone, Copy)]
enum Purpose<'a> {
    Master,
    LogKey(&'a LogPublicKey),
}

impl Purpose<'_> {
    fn context(self, tenant: TenantId) -> Vec<u8> {
        match self {
            Self::Master => [b"tasuki-master-v1".as_slice(), &tenant.0].concat(),
            Self::LogKey(public) => [b"tasuki-log-key-v1".as_slice(), &tenant.0, &public.0.0].concat(),
        }
    }
}

impl Master {
    pub fn generate() -> Result<Self, Fault> {
        Ok(Self { bytes: random()?, lock_generation: 0 })
    }

    /// The master key of recovery shares, and the generation whose lock key is the newest of `known`: the
    /// first. One that was changed for it may stand behind it still.
    ///
    /// # Errors
    /// [`Fault::WrongShares`]: it is not this organisation's.
    pub fn recover(
        bytes: Zeroizing<[u8; 32]>,
        root: DeviceKey,
        known: &[DeviceKey],
    ) -> Result<Self, Fault> {
        let mut master = Self { bytes, lock_generation: 0 };
        if public(&master.root()) != root {
            return Err(Fault::WrongShares);
        }
        while known.first() != Some(&public(&master.lock())) {
            master.lock_generation += 1;
            if master.lock_generation > GENERATIONS {
                return Err(Fault::WrongShares);
            }
        }
        Ok(master)
    }

    /// Goes on to a lock key that is none of `known`, whatever this vault has heard of them.
    pub fn change_lock(&mut self, known: &[DeviceKey]) {
        self.lock_generation += 1;
        while known.contains(&public(&self.lock())) {
            self.lock_generation += 1;
        }
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Signs bundles.
    pub fn root(&self) -> SigningKey {
        SigningKey::from_bytes(&Zeroizing::new(self.seed().derive("tasuki-root-v1")))
    }

    /// A bundle under the root's word.
    ///
    /// # Errors
    /// [`Fault::OtherRoot`]: everybody would follow the root that it names from now on (T14).
    pub fn sign_bundle(&self, bundle: &Bundle) -> Result<Vec<u8>, Fault> {
        self.is_root_of(bundle)?;
        Ok(dsse::sign(bundle, &self.root()))
    }

    /// As the one before it, too, where the root is changed.
    ///
    /// # Errors
    /// [`Self::sign_bundle`].
    pub fn succeed(&self, before: &Self, bundle: &Bundle) -> Result<Vec<u8>, Fault> {
        self.is_root_of(bundle)?;
        Ok(dsse::sign_by_all(bundle, &[&self.root(), &before.root()]))
    }

    /// # Errors
    /// [`Fault::OtherRoot`]: the bundle is another organisation's.
    pub fn is_root_of(&self, bundle: &Bundle) -> Result<(), Fault> {
        if public(&self.root()) == bundle.root { Ok(()) } else { Err(Fault::OtherRoot) }
    }

    /// Signs operators' device certificates and their revocation.
    pub fn lock(&self) -> SigningKey {
        let label = format!("tasuki-lock-v1 {}", self.lock_generation);
        SigningKey::from_bytes(&Zeroizing::new(self.seed().derive(&label)))
    }

    fn seed(&self) -> Seed {
        Seed::from_bytes(*self.bytes)
    }

    fn wrapping_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.seed().derive("tasuki-log-wrap-v1"))
    }

    /// As it lies in `vault.json`.
    pub fn wrap(&self, tenant: TenantId, passphrase: &Passphrase) -> Result<Vault, Fault> {
        self.wrap_at(tenant, passphrase, COST)
    }

    /// At a cost of one's own, as for a house that is made for a test.
    pub fn wrap_at(
        &self,
        tenant: TenantId,
        passphrase: &Passphrase,
        cost: Cost,
    ) -> Result<Vault, Fault> {
        let context = Purpose::Master.context(tenant);
        Ok(Vault {
            v: PROTOCOL_VERSION,
            tenant,
            lock_generation: self.lock_generation,
            master: passphrase.wrap(&self.bytes, &context, cost)?,
        })
    }

    /// # Errors
    /// [`Fault::WrongPassphrase`], also for a damaged vault: nobody can tell the two apart.
    pub fn unwrap(vault: &Vault, passphrase: &Passphrase) -> Result<Self, Fault> {
        let context = Purpose::Master.context(vault.tenant);
        let bytes = passphrase.unwrap(&vault.master, &context)?;
        Ok(Self { bytes, lock_generation: vault.lock_generation })
    }

    pub fn wrap_log_key(
        &self,
        secret: &LogSecretKey,
        tenant: TenantId,
        created_at: u64,
        passphrase: &Passphrase,
    ) -> Result<WrappedLogKey, Fault> {
        let public = secret.public();
        let context = Purpose::LogKey(&public).context(tenant);
        let bytes = Zeroizing::new(secret.to_bytes());
        let (nonce, sealed) = seal(&self.wrapping_key(), &bytes, &context)?;
        Ok(WrappedLogKey {
            v: PROTOCOL_VERSION,
            tenant,
            created_at,
            by_passphrase: passphrase.wrap(&bytes, &context, COST)?,
            by_master: Wrapped { kdf: None, nonce, sealed },
            public,
        })
    }

    /// # Errors
    /// [`Fault::WrongPassphrase`]: another master key wrapped it.
    pub fn unwrap_log_key(&self, wrapped: &WrappedLogKey) -> Result<LogSecretKey, Fault> {
        let context = Purpose::LogKey(&wrapped.public).context(wrapped.tenant);
        let bytes = open(&self.wrapping_key(), &wrapped.by_master, &context)?;
        checked(LogSecretKey::from_bytes(*bytes), wrapped)
    }
}

/// A log key's private half, for whoever knows the passphrase and has no vault.
///
/// # Errors
/// [`Fault::WrongPassphrase`].
pub fn unwrap_log_key(wrapped: &WrappedLogKey, passphrase: &Passphrase) -> Result<LogSecretKey, Fault> {
    let context = Purpose::LogKey(&wrapped.public).context(wrapped.tenant);
    let bytes = passphrase.unwrap(&wrapped.by_passphrase, &context)?;
    checked(LogSecretKey::from_bytes(*bytes), wrapped)
}

fn checked(secret: LogSecretKey, wrapped: &WrappedLogKey) -> Result<LogSecretKey, Fault> {
    if secret.public() == wrapped.public { Ok(secret) } else { Err(Fault::WrongPassphrase) }
}

/// What the administrator keeps in his head or in a safe.
pub struct Passphrase {
    text: Zeroizing<String>,
    /// What it was made into for the last thing that was wrapped: one derivation does for all that is wrapped at one
    /// time. Never of what was opened: a server would choose the salt of what is wrapped behind it.
    derived: Mutex<Option<(Kdf, Zeroizing<[u8; 32]>)>>,
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Passphrase {
    /// Ten words drawn by the machine.
    pub fn generate() -> Result<Self, Fault> {
        let bytes = random::<16>()?;
        Ok(Self::of(words::words(&*bytes, PASSPHRASE_WORDS)))
    }

    /// One of the person's own making: long and hard to guess (zxcvbn's highest score).
    ///
    /// # Errors
    /// [`Fault::WeakPassphrase`].
    pub fn own(text: &str, organisation: &str) -> Result<Self, Fault> {
        let passphrase = Self::entered(text);
        let strength = zxcvbn::zxcvbn(&passphrase.text, &[organisation, "tasuki"]);
        let long = passphrase.text.chars().count() >= LEAST_CHARS;
        if long && strength.score() == zxcvbn::Score::Four {
            Ok(passphrase)
        } else {
            Err(Fault::WeakPassphrase)
        }
    }

    /// As typed, with single spaces.
    pub fn entered(text: &str) -> Self {
        Self::of(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn of(text: String) -> Self {
        Self { text: Zeroizing::new(text), derived: Mutex::default() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    fn wrap(&self, bytes: &[u8; 32], context: &[u8], cost: Cost) -> Result<Wrapped, Fault> {
        let Cost { memory_kib, passes, lanes } = cost;
        let new = Kdf { memory_kib, passes, lanes, salt: Blob(random::<16>()?.to_vec()) };
        let known = self.known().as_ref().map(|(kdf, _)| kdf.clone());
        let known = known.filter(|kdf| Kdf { salt: new.salt.clone(), ..kdf.clone() } == new);
        let kdf = known.unwrap_or(new);
        let key = self.key(&kdf)?;
        *self.known() = Some((kdf.clone(), key.clone()));
        let (nonce, sealed) = seal(&key, bytes, &bound(&kdf, context))?;
        Ok(Wrapped { kdf: Some(kdf), nonce, sealed })
    }

    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<Zeroizing<[u8; 32]>, Fault> {
        let kdf = wrapped.kdf.as_ref().filter(|kdf| kdf.is_sane()).ok_or(Fault::WrongPassphrase)?;
        let key = self.key(kdf)?;
        open(&key, wrapped, &bound(kdf, context))
    }

    fn known(&self) -> MutexGuard<'_, Option<(Kdf, Zeroizing<[u8; 32]>)>> {
        self.derived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, kdf: &Kdf) -> Result<Zeroizing<[u8; 32]>, Fault> {
        if let Some((_, key)) = self.known().as_ref().filter(|(of, _)| of == kdf) {
            return Ok(key.clone());
        }
        let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(32));
        let params = params.map_err(|_| Fault::WrongPassphrase)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Zeroizing::new([0; 32]);
        argon2
            .hash_password_into(self.text.as_bytes(), &kdf.salt.0, &mut *key)
            .map_err(|_| Fault::WrongPassphrase)?;
        Ok(key)
    }
}

/// The costs are part of what is sealed: nobody lowers them unnoticed.
fn bound(kdf: &Kdf, context: &[u8]) -> Vec<u8> {
    let costs = format!("{} {} {}", kdf.memory_kib, kdf.passes, kdf.lanes);
    [costs.as_bytes(), &kdf.salt.0, context].concat()
}

fn seal(key: &[u8; 32], bytes: &[u8; 32], context: &[u8]) -> Result<(Blob, Blob), Fault> {
    let nonce = random::<12>()?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let payload = Payload { msg: bytes, aad: context };
    let sealed = cipher.encrypt(&Nonce::from(*nonce), payload).map_err(|_| Fault::WrongPassphrase)?;
    Ok((Blob(nonce.to_vec()), Blob(sealed)))
}

fn open(key: &[u8; 32], wrapped: &Wrapped, context: &[u8]) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let wrong = || Fault::WrongPassphrase;
    let nonce: [u8; 12] = wrapped.nonce.0.as_slice().try_into().map_err(|_| wrong())?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let payload = Payload { msg: &wrapped.sealed.0, aad: context };
    let opened = cipher.decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new);
    let opened = opened.map_err(|_| wrong())?;
    <[u8; 32]>::try_from(opened.as_slice()).map(Zeroizing::new).map_err(|_| wrong())
}

pub fn public(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId([3; 8]);

    fn master() -> Master {
        Master { bytes: Zeroizing::new([7; 32]), lock_generation: 2 }
    }

    #[test]
    fn s50_t59_a_vault_opens_with_its_passphrase_and_unaltered_only() {
        let passphrase = Passphrase::generate().unwrap();
        assert_eq!(passphrase.text().split(' ').count(), PASSPHRASE_WORDS);
        let vault = master().wrap(TENANT, &passphrase).unwrap();
        let spaced = Passphrase::entered(&passphrase.text().replace(' ', "  "));
        let opened = Master::unwrap(&vault, &spaced).unwrap();
        assert_eq!(opened.bytes(), master().bytes());
        assert_eq!(public(&opened.lock()), public(&master().lock()));
        let other = Passphrase::entered("another passphrase of ten words or so");
        assert!(matches!(Master::unwrap(&vault, &other), Err(Fault::WrongPassphrase)));
        let mut cheap = vault.clone();
        cheap.master.kdf.as_mut().unwrap().memory_kib = 1;
        assert!(matches!(Master::unwrap(&cheap, &passphrase), Err(Fault::WrongPassphrase)));
        // T59: what would take the machine's memory, or minutes, is refused unhashed.
        for dearer in [
            |kdf: &mut Kdf| kdf.memory_kib = 256 * 1024 + 1,
            |kdf: &mut Kdf| kdf.memory_kib = u32::MAX,
            |kdf: &mut Kdf| kdf.passes = 9,
            |kdf: &mut Kdf| kdf.passes = u32::MAX,
            |kdf: &mut Kdf| kdf.lanes = 17,
        ] {
            let mut dear = vault.clone();
            let kdf = dear.master.kdf.as_mut().unwrap();
            dearer(kdf);
            assert!(!kdf.is_sane(), "{kdf:?}");
            assert!(matches!(Master::unwrap(&dear, &passphrase), Err(Fault::WrongPassphrase)));
        }
        let mut moved = vault;
        moved.tenant = TenantId([4; 8]);
        assert!(matches!(Master::unwrap(&moved, &passphrase), Err(Fault::WrongPassphrase)));
    }

    #[test]
    fn s49_a_log_key_opens_by_passphrase_or_by_master_key_and_no_other_way() {
        let passphrase = Passphrase::entered("a passphrase for this test alone");
        let secret = LogSecretKey::from_bytes([9; 32]);
        let wrapped = master().wrap_log_key(&secret, TENANT, 0, &passphrase).unwrap();
        assert_eq!(unwrap_log_key(&wrapped, &passphrase).unwrap().to_bytes(), [9; 32]);
        assert_eq!(master().unwrap_log_key(&wrapped).unwrap().to_bytes(), [9; 32]);
        let stranger = Master { bytes: Zeroizing::new([8; 32]), lock_generation: 0 };
        assert!(stranger.unwrap_log_key(&wrapped).is_err());
        let mut swapped = wrapped;
        swapped.public = LogSecretKey::from_bytes([1; 32]).public();
        assert!(master().unwrap_log_key(&swapped).is_err());
    }

    /// What is wrapped at one time has one salt, and what was opened before lends its own to nothing.
    #[test]
    fn s50_the_salt_of_what_is_wrapped_is_of_this_computers_making() {
        let salt = |wrapped: &Wrapped| wrapped.kdf.as_ref().map(|kdf| kdf.salt.clone());
        let passphrase = Passphrase::entered("a passphrase for this test alone");
        let cost = Cost { memory_kib: 19 * 1024, passes: 1, lanes: 1 };
        let wrap = || passphrase.wrap(&[9; 32], b"context", cost).unwrap();
        let [one, two] = [wrap(), wrap()];
        assert_eq!(salt(&one), salt(&two));
        let theirs = Passphrase::entered(passphrase.text()).wrap(&[9; 32], b"context", cost).unwrap();
        assert_eq!(*passphrase.unwrap(&theirs, b"context").unwrap(), [9; 32]);
        assert_ne!(salt(&wrap()), salt(&theirs));
    }

    #[test]
    fn a_weak_passphrase_of_ones_own_is_refused() {
        for weak in ["", "short", "passwordpassword", "tasuki tasuki tasuki", "aaaaaaaaaaaaaaaaaaaaa"] {
            let refused = Passphrase::own(weak, "Example Help");
            assert!(matches!(refused, Err(Fault::WeakPassphrase)), "{weak}");
        }
        assert!(Passphrase::own("seven lemons argue under the tin roof", "Example Help").is_ok());
    }

    #[test]
    fn shares_of_another_organisation_are_noticed() {
        let (root, lock) = (public(&master().root()), public(&master().lock()));
        let again = Master::recover(Zeroizing::new([7; 32]), root, &[lock]).unwrap();
        assert_eq!(again.lock_generation, 2);
        let wrong = Master::recover(Zeroizing::new([6; 32]), root, &[lock]);
        assert!(matches!(wrong, Err(Fault::WrongShares)));
    }

    /// A key that was changed for another never comes back as the new one.
    #[test]
    fn t17_the_lock_key_that_leads_is_the_one_in_use_and_the_next_is_one_that_never_was() {
        let of = |lock_generation| Master { bytes: Zeroizing::new([7; 32]), lock_generation };
        let listed = [2, 1, 0].map(|generation| public(&of(generation).lock()));
        let root = public(&master().root());
        let back = Master::recover(Zeroizing::new([7; 32]), root, &listed).unwrap();
        assert_eq!(back.lock_generation, 2);
        // Also with a vault that another administrator's changes passed by.
        for mut behind in [back, of(0), of(1)] {
            behind.change_lock(&listed);
            assert_eq!(behind.lock_generation, 3);
        }
        let strangers = [public(&Master { bytes: Zeroizing::new([8; 32]), lock_generation: 0 }.lock())];
        let none = Master::recover(Zeroizing::new([7; 32]), root, &strangers);
        assert!(matches!(none, Err(Fault::WrongShares)));
    }
}
