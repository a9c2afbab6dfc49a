//! What the administrator's machine has signed, as this server keeps and gives it: the
//! bundle, the roots' handovers, the list of revoked devices, wrapped log keys.
//!
//! A document is taken only if it goes on from the one before and names this server's
//! own keys; the server can sign none of them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use sqlx::Row as _;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle, BundleRefused, Known, TrustNews};
use tasuki_protocol::certificate::{MAX_REVOKED, Revocations};
use tasuki_protocol::devices::RevokeDevices;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::keys::{PublishBundle, ServerKeyKind, ServerKeys, WrappedLogKey, WrappedLogKeys};
use tasuki_protocol::revoked::in_force;
use tasuki_protocol::signal;

use super::acts::Step;
use super::admins::AdminRefused;
use super::fault::Fault;
use super::folder::{Facts, Folder, Keys, Prepared};
use super::store::Store;
use super::trust_list::asks_for;

const BUNDLE: &str = "bundle";
const HANDOVER: &str = "handover";
const REVOCATIONS: &str = "revocations";
const LOG_KEY: &str = "log-key";
/// This database came from a backup, and nobody has published a bundle since.
pub(crate) const RESTORED: &str = "restored";
/// The most log keys that are kept: one a year for a long time.
const MAX_LOG_KEYS: usize = 64;

#[derive(Debug)]
pub(crate) struct Trust {
    pub(crate) folder: Arc<Folder>,
    facts: Facts,
    store: Store,
    now: Mutex<State>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default, Clone)]
struct State {
    bundle: Option<(Arc<Bundle>, Bytes)>,
    handovers: Vec<Blob>,
    revocations: Option<(u64, Blob)>,
    is_restored: bool,
}

impl Trust {
    pub(crate) async fn load(folder: Arc<Folder>, facts: Facts, store: Store) -> Result<Self, Fault> {
        let damaged = || Fault::DatabaseDamaged(folder.database());
        let newest = store.documents(BUNDLE).await.map_err(|_| damaged())?.pop();
        let bundle = match newest {
            Some((_, envelope)) => {
                let bundle = Bundle::open_first(&envelope).map_err(|_| damaged())?;
                Some((Arc::new(bundle), Bytes::from(envelope)))
            }
            None => None,
        };
        let handovers = store.documents(HANDOVER).await.map_err(|_| damaged())?;
        let handovers = handovers.into_iter().map(|(_, envelope)| Blob(envelope)).collect();
        let list = store.documents(REVOCATIONS).await.map_err(|_| damaged())?.pop();
        let revocations = list.map(|(version, envelope)| (version, Blob(envelope)));
        let is_restored = !store.documents(RESTORED).await.map_err(|_| damaged())?.is_empty();
        let now = Mutex::new(State { bundle, handovers, revocations, is_restored });
        Ok(Self { folder, facts, store, now, changing: tokio::sync::Mutex::new(()) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` until `tasuki-admin init` is done: nothing is served till then.
    pub(crate) fn bundle(&self) -> Option<Arc<Bundle>> {
        self.state().bundle.as_ref().map(|(bundle, _)| Arc::clone(bundle))
    }

    /// Whether the keys of the folder may be newer than the bundle that names them.
    pub(crate) fn is_restored(&self) -> bool {
        self.state().is_restored
    }

    /// The server's own keys, once those are in use that the bundle names: a stop between a bundle and
    /// its keys is made good here.
    pub(crate) fn keys(&self) -> Result<Keys, Fault> {
        let Some(bundle) = self.bundle() else { return self.folder.keys() };
        self.folder.finish_change()?;
        self.folder.adopt(&bundle, &self.folder.prepared()?)?;
        self.keep_file(&self.envelope().unwrap_or_default());
        let keys = self.folder.keys()?;
        if !bundle.manifest_keys.contains(&keys.manifest_key()) {
            if !self.is_restored() {
                return Err(Fault::KeyDamaged(self.folder.file("manifest.key")));
            }
            // The administrator must reach this server, who alone can sign a bundle that names them.
            tracing::warn!(
                "the restored bundle is older than the keys here: every program refuses this server \
                 until `tasuki-admin key republish`"
            );
        } else if bundle.manifest_keys.first() != Some(&keys.manifest_key())
            || bundle.checkpoint_keys.first() != Some(&keys.checkpoint_key())
        {
            tracing::warn!(
                "manifest.key and checkpoint.key here are older than those that the bundle names first, as \
                 after older copies were put back: no bundle is taken until `tasuki-admin key rotate manifest`"
            );
        }
        Ok(keys)
    }

    pub(crate) fn envelope(&self) -> Option<Bytes> {
        self.state().bundle.as_ref().map(|(_, envelope)| envelope.clone())
    }

    pub(crate) fn news(&self) -> Option<TrustNews> {
        let state = self.state().clone();
        let (_, envelope) = state.bundle?;
        Some(TrustNews {
            bundle: Blob(envelope.to_vec()),
            handovers: state.handovers,
            revocations: state.revocations.map(|(_, list)| list),
        })
    }

    pub(crate) fn revocations(&self) -> Option<Blob> {
        self.state().revocations.as_ref().map(|(_, list)| list.clone())
    }

    pub(crate) fn server_keys(&self) -> Result<ServerKeys, Fault> {
        let keys = self.folder.keys()?;
        Ok(ServerKeys {
            tenant: self.facts.tenant,
            organisation: self.facts.organisation.clone(),
            host: self.facts.host.clone(),
            port: self.facts.port,
            server_pin: super::tls::load(&self.folder)?.fingerprint,
            manifest_key: keys.manifest_key(),
            checkpoint_key: keys.checkpoint_key(),
            prepared: self.folder.prepared()?.public(),
            bundle: self.envelope().map(|envelope| Blob(envelope.to_vec())),
        })
    }

    pub(crate) fn prepare(&self, kind: ServerKeyKind) -> Result<(), Fault> {
        self.folder.prepare(kind, &self.facts)
    }

    /// No other bundle comes into force while it is held: no root takes another's place between a look at what that
    /// one has signed and the commit of it.
    pub(crate) async fn unchanged(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Takes a bundle, once `act` has stored it; gives the keys that it put into use, if it did.
    pub(crate) async fn publish(
        &self,
        order: &PublishBundle,
        act: impl AsyncFnOnce(Option<&Bundle>, &Bundle, Vec<Step>) -> Result<(), AdminRefused>,
    ) -> Result<Adopted, AdminRefused> {
        let _one = self.changing.lock().await;
        let newest = self.bundle();
        let before = newest.as_ref().map(|before| before.known());
        let led = led_on(before, &order.handovers).map_err(|_| ProblemCode::Document)?;
        let bundle = match &led {
            Some(led) => Bundle::open(&order.bundle.0, led),
            None => Bundle::open_first(&order.bundle.0),
        };
        let bundle = bundle.map_err(|_| ProblemCode::Document)?;
        let rises = led.is_none_or(|led| bundle.version > led.version);
        let unable = |fault: Fault| {
            tracing::error!(%fault, "the server's own keys");
            ProblemCode::Busy
        };
        let prepared = self.folder.prepared().map_err(unable)?;
        let ours = self.folder.keys().map_err(unable)?;
        let pin = super::tls::load(&self.folder).map_err(unable)?.fingerprint;
        let named = names_our_keys(&bundle, &ours, &prepared)
            && bundle.server_pins.contains(&pin)
            && bundle.tenant == self.facts.tenant;
        let log_keys = log_keys_belong(&bundle, &order.log_keys, before.is_none());
        let signed = self.signs_for(&bundle, &order.log_keys).await?;
        if !rises || !named || !log_keys || !signed {
            return Err(ProblemCode::Document.into());
        }
        let is_first = before.is_none();
        let hands_over = led.is_some_and(|led| led.root != bundle.root);
        act(newest.as_deref(), &bundle, documents_of(&bundle, order, hands_over)?).await?;
        let adopted = Adopted { is_first, ..self.put_into_use(&bundle, &order.bundle, &prepared) };
        let mut state = self.state();
        state.is_restored = false;
        state.handovers.extend(order.handovers.iter().cloned());
        if hands_over {
            state.handovers.push(order.bundle.clone());
        }
        state.bundle = Some((Arc::new(bundle), Bytes::from(order.bundle.0.clone())));
        Ok(adopted)
    }

    /// Whether the bundle signs for what is kept of the log keys with it, if it signs for any: an export of the
    /// ledger that has others in it does not hold.
    async fn signs_for(&self, bundle: &Bundle, given: &[WrappedLogKey]) -> Result<bool, AdminRefused> {
        let Some(signed) = bundle.wrapped_log_keys else { return Ok(true) };
        if !given.is_empty() {
            return Ok(signed == WrappedLogKeys::digest(given));
        }
        let kept = self.log_keys().await.map_err(|_| ProblemCode::Busy)?;
        Ok(signed == WrappedLogKeys::digest(&kept))
    }

    /// It is committed by now, and what the disk does not take any more is made good at the next start:
    /// to call it refused would have an administrator throw away the only key that goes on from it.
    fn put_into_use(&self, bundle: &Bundle, envelope: &Blob, prepared: &Prepared) -> Adopted {
        self.keep_file(&envelope.0);
        self.folder.adopt(bundle, prepared).unwrap_or_else(|fault| {
            tracing::error!(%fault, "a bundle is in force, and its keys are used from the next start on");
            Adopted::default()
        })
    }

    /// The bundle beside the database, for who looks for it there: it decides nothing.
    pub(crate) fn keep_file(&self, envelope: &[u8]) {
        let kept = std::fs::read(self.folder.file(BUNDLE_FILE));
        if kept.is_ok_and(|kept| kept == envelope) {
            return;
        }
        if let Err(fault) = self.folder.write(BUNDLE_FILE, envelope) {
            tracing::error!(%fault, "the bundle in force cannot be written into its file");
        }
    }

    /// The list of revoked devices, as far as the key that signed it is in force.
    fn in_force(&self, bundle: &Bundle) -> Option<Revocations> {
        let envelope = self.revocations()?;
        in_force(&envelope, bundle).map(|(list, _)| list)
    }

    pub(crate) fn revoked_devices(&self) -> Vec<DeviceKey> {
        let list = self.bundle().and_then(|bundle| self.in_force(&bundle));
        list.map(|list| list.devices).unwrap_or_default()
    }

    /// Takes a list of revoked devices, once `act` has stored it, and the bundle with it that asks for it.
    ///
    /// # Errors
    /// [`ProblemCode::Conflict`] for one that lacks what was revoked meanwhile, though there is room for it.
    pub(crate) async fn revoke(
        &self,
        RevokeDevices { revocations: envelope, bundle: asking }: &RevokeDevices,
        act: impl AsyncFnOnce(&Revocations, Option<&Bundle>, Vec<Step>) -> Result<(), AdminRefused>,
    ) -> Result<Revocations, AdminRefused> {
        let _one = self.changing.lock().await;
        let bundle = self.bundle().ok_or(ProblemCode::NotInitialised)?;
        let before = self.in_force(&bundle);
        // Above the last number there is none, until its key is dropped.
        let next = before.as_ref().map_or(0, |list| list.version).checked_add(1);
        let next = next.ok_or(ProblemCode::Document)?;
        let list = Revocations::open(&envelope.0, bundle.tenant, &bundle.lock_keys, next)
            .map_err(|_| ProblemCode::Document)?;
        let before = before.map(|list| list.devices).unwrap_or_default();
        let lacks = before.iter().any(|device| !list.devices.contains(device));
        if lacks && list.devices.len() < MAX_REVOKED {
            return Err(ProblemCode::Conflict.into());
        }
        let mut steps = vec![
            Step::new("DELETE FROM documents WHERE kind = ?").with(REVOCATIONS.to_owned()),
            document(REVOCATIONS, list.version, envelope.0.clone()),
        ];
        let asking = asking.as_ref().map(|asking| asks_for(asking, envelope, &bundle)).transpose()?;
        if let Some((asking, envelope)) = &asking {
            steps.push(document(BUNDLE, asking.version, envelope.to_vec()));
        }
        act(&list, asking.as_ref().map(|(asking, _)| &**asking), steps).await?;
        if let Some((_, envelope)) = &asking {
            self.keep_file(envelope);
        }
        let mut state = self.state();
        state.revocations = Some((list.version, envelope.clone()));
        state.bundle = asking.or(state.bundle.take());
        Ok(list)
    }

    pub(crate) async fn log_keys(&self) -> Result<Vec<WrappedLogKey>, sqlx::Error> {
        let kept = self.store.documents(LOG_KEY).await?;
        let read = |body: &Vec<u8>| serde_json::from_slice(body).ok();
        Ok(kept.iter().filter_map(|(_, body)| read(body)).collect())
    }
}

/// Keys that are in use from now on, of those that had been prepared.
#[derive(Debug, Default)]
pub(crate) struct Adopted {
    pub(crate) keys: Option<Keys>,
    pub(crate) tls: Option<super::tls::Tls>,
    /// No bundle was before it, so that no ledger was either.
    pub(crate) is_first: bool,
}

/// Where the roots' handovers lead that this server has lost.
fn led_on(known: Option<Known>, handovers: &[Blob]) -> Result<Option<Known>, BundleRefused> {
    let Some(mut known) = known else {
        return if handovers.is_empty() { Ok(None) } else { Err(BundleRefused::OtherRoot) };
    };
    for handover in handovers {
        let next = Bundle::open(&handover.0, &known)?.known();
        if next.version == known.version || next.root == known.root {
            return Err(BundleRefused::Unusable);
        }
        known = next;
    }
    Ok(Some(known))
}

/// A bundle may put the server's prepared keys first, and must name those in use.
fn names_our_keys(bundle: &Bundle, ours: &Keys, prepared: &Prepared) -> bool {
    let next = prepared.public();
    let leads = |listed: &[DeviceKey], own: DeviceKey, next: Option<DeviceKey>| {
        listed.contains(&own) && listed.first().is_some_and(|key| *key == own || Some(*key) == next)
    };
    leads(&bundle.manifest_keys, ours.manifest_key(), next.manifest_key)
        && leads(&bundle.checkpoint_keys, ours.checkpoint_key(), next.checkpoint_key)
}

/// The newest log key's private half must be kept with the bundle that first names it.
fn log_keys_belong(bundle: &Bundle, wrapped: &[WrappedLogKey], needed: bool) -> bool {
    let sane = |key: &WrappedLogKey| {
        key.tenant == bundle.tenant && key.by_passphrase.kdf.as_ref().is_some_and(|kdf| kdf.is_sane())
    };
    let newest = |key: &WrappedLogKey| bundle.log_keys.first() == Some(&key.public);
    let present = wrapped.iter().any(newest) || (wrapped.is_empty() && !needed);
    present && wrapped.len() <= MAX_LOG_KEYS && wrapped.iter().all(sane)
}

impl Store {
    /// Every version of a kind of document, oldest first.
    async fn documents(&self, kind: &str) -> Result<Vec<(u64, Vec<u8>)>, sqlx::Error> {
        let find = "SELECT version, body FROM documents WHERE kind = ? ORDER BY version";
        let rows = sqlx::query(find).bind(kind.to_owned()).fetch_all(&self.pool).await?;
        let mut documents = Vec::with_capacity(rows.len());
        for row in &rows {
            let version = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default();
            documents.push((version, row.try_get(1)?));
        }
        Ok(documents)
    }
}

fn document(kind: &'static str, version: u64, body: Vec<u8>) -> Step {
    Step::new("INSERT INTO documents (kind, version, body) VALUES (?, ?, ?)")
        .with(kind.to_owned())
        .with(i64::try_from(version).unwrap_or(i64::MAX))
        .with(body)
        .or(ProblemCode::Conflict)
}

fn documents_of(
    bundle: &Bundle,
    order: &PublishBundle,
    hands_over: bool,
) -> Result<Vec<Step>, ProblemCode> {
    let mut steps = vec![Step::new("DELETE FROM documents WHERE kind = ?").with(RESTORED.to_owned())];
    for handover in &order.handovers {
        let lost = Bundle::open_first(&handover.0).map_err(|_| ProblemCode::Document)?;
        steps.push(document(HANDOVER, lost.version, handover.0.clone()));
    }
    if !order.log_keys.is_empty() {
        steps.push(Step::new("DELETE FROM documents WHERE kind = ?").with(LOG_KEY.to_owned()));
    }
    steps.push(document(BUNDLE, bundle.version, order.bundle.0.clone()));
    if hands_over {
        steps.push(document(HANDOVER, bundle.version, order.bundle.0.clone()));
    }
    for (key, number) in order.log_keys.iter().zip(0..) {
        steps.push(document(LOG_KEY, number, signal::encode(key).into_bytes()));
    }
    Ok(steps)
}
