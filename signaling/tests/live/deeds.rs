//! What else a server had acknowledged when it was killed: records that an end delivered, policies, revoked devices,
//! sign-ins and checkpoints (F1, S52, T17, T64, T65, T67).

use ed25519_dalek::SigningKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::Revocations;
use tasuki_protocol::devices::{DEVICES_PATH, DeviceList, REVOKE_PATH, RevokeDevices};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION, SessionId};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::follow::{Base, Followed, News};
use tasuki_protocol::ledger::wire::{
    ADMIN_CHECKPOINT_PATH, AskCheckpoint, CheckpointAnswer, END_ROWS_PATH, EndRowsTaken,
};
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::policy::exchange::{POLICY_PATH, PolicyState};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OperatorToServer, ServerToOperator};

use crate::acts::database;
use crate::client::{Operator, PASSWORD, World, device_key, try_request_over, unix};
use crate::durable::rows;
use crate::ledger::Read;
use crate::organisation::{lock_key, root_key};
use crate::pairing::{open, pair};
use crate::policy::envelope;

/// Of each kind in a round, so that an end of a session has records left for all rounds.
const MOST: usize = 8;
const NAME: &str = "hanako";

pub(crate) struct Deeds {
    session: SessionId,
    ticket: Blob,
    /// Everything before it was acknowledged as on disk.
    delivered: u64,
    /// The newest version.
    policy: u64,
    /// Versions of the list are as many as its devices.
    revoked: Vec<DeviceKey>,
    /// In one round's server, and in all.
    tokens: Vec<String>,
    sign_ins: usize,
    followed: Followed,
    checkpoint: Option<Base>,
}

/// The answer of a server that may be gone.
async fn asked<T: Serialize, A: DeserializeOwned>(world: &World, path: &str, body: &T) -> Option<A> {
    let body = serde_json::to_vec(body).unwrap();
    let bytes = told(world, path, body).await?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// As [`asked`], of an order: what is not acknowledged by a server that is there is a failure.
async fn told(world: &World, path: &str, body: Vec<u8>) -> Option<Vec<u8>> {
    let signed = world.signed(&world.admin, "POST", path, &body);
    let stream = world.try_tls().await.ok()?;
    let answer = try_request_over(stream, "POST", path, body, &signed.headers()).await.ok()?;
    let text = String::from_utf8_lossy(&answer.body);
    assert!((200..300).contains(&answer.status), "{path}: {} {text}", answer.status);
    Some(answer.body)
}

impl Deeds {
    /// Before the first kill: one session, whose operator's end has records to deliver.
    pub(crate) async fn begun(world: &World, operator: &mut Operator) -> Self {
        let mut room = open(world, operator, Mode::View).await;
        let _agent = pair(world, operator, &mut room).await;
        operator.socket.say(&OperatorToServer::NeedLedgerTicket { session: room.session }).await;
        let ServerToOperator::LedgerTicket { ticket, .. } = operator.socket.hear().await else {
            panic!()
        };
        let bundle = world.bundle();
        let followed = Followed {
            tenant: bundle.tenant,
            checkpoint_keys: bundle.checkpoint_keys,
            word: RootsWord::of_root(device_key(&root_key())),
            now: unix() + 24 * 3600,
        };
        Self {
            session: room.session,
            ticket,
            delivered: 0,
            policy: 0,
            revoked: Vec::new(),
            tokens: Vec::new(),
            sign_ins: 0,
            followed,
            checkpoint: None,
        }
    }

    /// What the server that was started after a kill makes of what the one before it had acknowledged.
    pub(crate) async fn are_known(&mut self, world: &World, device: &SigningKey) {
        for token in self.tokens.drain(..) {
            drop(world.operator_socket(&token, device).await);
        }
        let policy: PolicyState =
            serde_json::from_slice(&world.admin_get(POLICY_PATH).await.body).unwrap();
        assert!(policy.version >= self.policy, "version {} became {}", self.policy, policy.version);
        self.policy = policy.version;
        let there = self.list(world).await;
        assert!(
            self.revoked.iter().all(|device| there.contains(device)),
            "a device is not revoked any more"
        );
        self.revoked = there;
        self.follow(world).await.expect("the server is there");
        let delivered = self.deliver(world).await.expect("the server is there");
        assert!(delivered > self.delivered, "{} records became {delivered}", self.delivered);
        self.delivered = delivered;
    }

    async fn list(&self, world: &World) -> Vec<DeviceKey> {
        let list: DeviceList =
            serde_json::from_slice(&world.admin_get(DEVICES_PATH).await.body).unwrap();
        let Some(envelope) = list.revocations else { return Vec::new() };
        let lock = [device_key(&lock_key())];
        dsse::open::<Revocations>(&envelope.0, &lock).unwrap().devices
    }

    /// One record more; all before it are on disk when it is.
    async fn deliver(&self, world: &World) -> Option<u64> {
        let rows = rows(world, self.session, &self.ticket, self.delivered);
        let taken: EndRowsTaken = asked(world, END_ROWS_PATH, &rows).await?;
        Some(taken.next)
    }

    /// The newest checkpoint, which must have grown out of the last that was handed out.
    async fn follow(&mut self, world: &World) -> Option<()> {
        let ask = AskCheckpoint { known: self.checkpoint.map_or(0, |base| base.size) };
        let answer: CheckpointAnswer = asked(world, ADMIN_CHECKPOINT_PATH, &ask).await?;
        match self.followed.news(self.checkpoint, &answer) {
            Ok(News::Goes { checkpoint, .. }) => {
                self.checkpoint = Some(self.followed.base(checkpoint, None));
            }
            Ok(News::Nothing) => {}
            Ok(News::AskFrom(base)) => panic!("nobody restored anything: {base:?}"),
            Err(refused) => panic!("{refused}"),
        }
        Some(())
    }

    async fn publish(&mut self, world: &World) -> Option<()> {
        let version = self.policy + 1;
        let body = envelope(world, &world.admin, version, &format!(r#"{{"note":"number {version}"}}"#));
        told(world, POLICY_PATH, body).await?;
        self.policy = version;
        Some(())
    }

    async fn revoke(&mut self, world: &World) -> Option<()> {
        let mut devices = self.revoked.clone();
        let version = devices.len() as u64 + 1;
        devices.push(DeviceKey(Sha256::digest(version.to_be_bytes()).into()));
        let (v, tenant, issued_at) = (PROTOCOL_VERSION, world.done.tenant, unix());
        let list = Revocations { v, tenant, version, devices: devices.clone(), issued_at };
        let order = RevokeDevices { revocations: Blob(dsse::sign(&list, &lock_key())), bundle: None };
        told(world, REVOKE_PATH, serde_json::to_vec(&order).unwrap()).await?;
        self.revoked = devices;
        Some(())
    }

    async fn sign_in(&mut self, world: &World, device: &SigningKey) -> Option<()> {
        let answer = world.try_sign_in(NAME, PASSWORD, device).await?;
        self.tokens.push(answer.signed_in().token);
        self.sign_ins += 1;
        Some(())
    }

    /// One of each, before anything is killed.
    pub(crate) async fn begin(&mut self, world: &World, device: &SigningKey) {
        self.revoke(world).await.expect("the server is there");
        self.once(world, device).await.expect("the server is there");
    }

    /// `None` where the server is gone.
    async fn once(&mut self, world: &World, device: &SigningKey) -> Option<()> {
        self.delivered = self.deliver(world).await?;
        self.follow(world).await?;
        self.publish(world).await?;
        self.sign_in(world, device).await
    }

    /// All of it, one after another, until the server is gone.
    pub(crate) async fn go_on(&mut self, world: &World, device: &SigningKey) {
        for _ in 0..MOST {
            if self.once(world, device).await.is_none() {
                return;
            }
        }
    }

    /// Its records, in a ledger that was verified when it was read, and what the database has of them.
    pub(crate) async fn are_recorded(&self, world: &World, read: &Read) {
        let events = || read.entries.iter().flatten().map(|entry| &entry.event);
        let acts = |wanted: AdminAction| {
            let is =
                |event: &&Event| matches!(event, Event::AdminDid { action, .. } if *action == wanted);
            events().filter(is).count() as u64
        };
        assert_eq!(acts(AdminAction::PolicyPublished), self.policy, "policies, and records of them");
        assert_eq!(acts(AdminAction::DeviceRevoked), self.revoked.len() as u64, "revocations");
        let sign_ins = events().filter(|event| matches!(event, Event::LoggedIn { .. })).count();
        assert!(sign_ins > self.sign_ins, "{sign_ins} records of {} sign-ins", self.sign_ins);
        let mut own = database(world).await;
        let delivered = "SELECT next FROM ledger_ends WHERE next > 0";
        let delivered: i64 = sqlx::query_scalar(delivered).fetch_one(&mut own).await.unwrap();
        assert_eq!(delivered.unsigned_abs(), self.delivered, "the end's records, each once");
        eprintln!(
            "and {delivered} records of an end, {} policies, {} revoked devices, {} sign-ins, a checkpoint of {}",
            self.policy,
            self.revoked.len(),
            self.sign_ins,
            self.checkpoint.map_or(0, |base| base.size)
        );
    }
}
