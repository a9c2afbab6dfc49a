//! What one root has said of the ledger when another takes its place (S57, T69).

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{Problem, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ledger::audit::{Acknowledgement, Tombstone};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::tree::Frontier;
use tasuki_protocol::ledger::wire::{ACKNOWLEDGE_PATH, Decree, PRUNE_PATH};

use crate::acts::database;
use crate::client::{World, device_key, unix};
use crate::ledger::read_until;
use crate::organisation::root_key;

/// The tombstone of the first two records, and the root over them.
async fn stone(world: &World) -> (Decree, Digest) {
    world.operator("hanako").await;
    let read = read_until(world, |event| matches!(event, Event::LoggedIn { .. })).await;
    let mut frontier = Frontier::default();
    read.page.rows[..2].iter().for_each(|row| frontier.push(row.leaf, |_, _| {}));
    let stone = Tombstone {
        tenant: world.done.tenant,
        before: 2,
        root: frontier.root(),
        admin: "admin".to_owned(),
        reason: "retention".to_owned(),
        at: unix(),
    };
    (Decree { envelope: Blob(dsse::sign(&stone, &root_key())) }, frontier.root())
}

fn restore(world: &World, root: Digest, at: u64) -> Decree {
    let word = Acknowledgement {
        tenant: world.done.tenant,
        lost: 9,
        size: 2,
        root,
        admin: "admin".to_owned(),
        reason: "the disk broke".to_owned(),
        at,
    };
    Decree { envelope: Blob(dsse::sign(&word, &root_key())) }
}

/// T59, T69: whoever has heard the root's word once, and is signed in as an administrator, repeats it in vain: it is
/// handed to every end, and room for it is bounded.
#[tokio::test]
async fn t59_t69_what_the_root_has_said_is_kept_once_however_often_it_is_put_in() {
    let world = World::start().await;
    let (pruned, root) = stone(&world).await;
    let restored = restore(&world, root, unix());
    let mut spaced = restored.clone();
    spaced.envelope.0.insert(1, b' ');
    for (path, decree) in
        [(PRUNE_PATH, &pruned), (ACKNOWLEDGE_PATH, &restored), (ACKNOWLEDGE_PATH, &spaced)]
    {
        for _ in 0..3 {
            assert_eq!(world.admin_post(path, decree).await.status, 204, "{path}");
        }
    }
    let kept = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM ledger_decrees");
    assert_eq!(kept.fetch_one(&mut database(&world).await).await.unwrap(), 2);
    let long = |reason: usize| {
        let word = dsse::open::<Acknowledgement>(&restored.envelope.0, &[device_key(&root_key())]);
        let word = Acknowledgement { reason: "x".repeat(reason), ..word.unwrap() };
        Decree { envelope: Blob(dsse::sign(&word, &root_key())) }
    };
    assert_eq!(world.admin_post(ACKNOWLEDGE_PATH, &long(501)).await.status, 422);
    assert_eq!(world.admin_post(ACKNOWLEDGE_PATH, &long(500)).await.status, 204);
}

/// S57, T69: another administrator may prune while this one makes a new root: that root would else make the ledger ill for
/// good, for what the former one signed counts no more.
#[tokio::test]
async fn s57_t69_no_root_takes_over_that_does_not_sign_for_all_that_was_said_until_then() {
    let world = World::start().await;
    let first = world.bundle();
    let (pruned, root) = stone(&world).await;
    let restored = restore(&world, root, unix());
    // Nobody hands on what is dated ahead, and nobody is kept from a new root by it.
    let ahead = restore(&world, root, unix() + 9_999);
    for (path, decree) in
        [(PRUNE_PATH, &pruned), (ACKNOWLEDGE_PATH, &restored), (ACKNOWLEDGE_PATH, &ahead)]
    {
        assert_eq!(world.admin_post(path, decree).await.status, 204, "{path}");
    }
    let word = RootsWord::of(&first);
    let stones = word.handed_on::<Tombstone>(&[pruned.envelope], |_| true);
    let restores = word.handed_on::<Acknowledgement>(&[restored.envelope], |_| true);
    let new_root = SigningKey::from_bytes(&[31; 32]);
    let next = |earlier_decrees: &[Digest]| Bundle {
        version: 2,
        root: device_key(&new_root),
        earlier_decrees: earlier_decrees.to_vec(),
        ..first.clone()
    };
    for lacks in [&[][..], &stones, &restores] {
        let refused = world.publish(&next(lacks), &[&new_root, &root_key()]).await;
        let why = serde_json::from_slice::<Problem>(&refused.body).unwrap().code;
        assert_eq!((refused.status, why), (409, ProblemCode::Conflict), "{lacks:?}");
    }
    assert_eq!(world.bundle(), first);
    let whole = next(&[stones, restores].concat());
    assert_eq!(world.publish(&whole, &[&new_root, &root_key()]).await.status, 204);
}

/// S57, T69: whichever of the two comes first, the other is not done.
#[tokio::test]
async fn s57_t69_of_a_pruning_and_a_new_root_at_one_moment_one_alone_is_done() {
    for _ in 0..4 {
        let world = World::start().await;
        let (pruned, _) = stone(&world).await;
        let new_root = SigningKey::from_bytes(&[31; 32]);
        let next = Bundle { version: 2, root: device_key(&new_root), ..world.bundle() };
        let roots = [&new_root, &root_key()];
        let (published, pruned) =
            tokio::join!(world.publish(&next, &roots), world.admin_post(PRUNE_PATH, &pruned));
        assert!(
            matches!((published.status, pruned.status), (204, 401) | (409, 204)),
            "{published:?} {pruned:?}"
        );
    }
}
