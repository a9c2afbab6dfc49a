//! Following a ledger: what a program keeps of it, and what it demands when it comes again.
//!
//! Whoever kept a checkpoint sees a fork, a shortened ledger and a restored backup (T64, T67). A
//! restore is excused by the tenant's root key alone (F21).

use super::audit::Acknowledgement;
use super::checkpoint::Checkpoint;
use super::decree::RootsWord;
use super::tree::{Hash, is_consistent};
use super::wire::CheckpointAnswer;
use crate::bundle::CLOCK_TOLERANCE_S;
use crate::ids::{DeviceKey, TenantId};

/// Whose ledger is followed.
#[derive(Debug, Clone)]
pub struct Followed {
    pub tenant: TenantId,
    /// Who may sign checkpoints.
    pub checkpoint_keys: Vec<DeviceKey>,
    /// Who may excuse a restore.
    pub word: RootsWord,
    /// The own clock, in unix seconds: no checkpoint is kept that lies ahead of it, for no word of the
    /// root key could excuse what came after.
    pub now: u64,
}

/// The point that a newer ledger must have grown out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    pub size: u64,
    pub root: Hash,
    /// When it was seen, in unix seconds: no word of before excuses that it is gone.
    pub at: u64,
}

/// What a server's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Nothing was ever recorded, and nothing was known.
    Nothing,
    /// To be kept in place of the older one.
    Goes { note: String, checkpoint: Checkpoint },
    /// A restore was acknowledged: ask again with this as what is known.
    AskFrom(Base),
}

/// The server's ledger is not what the one that is known became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerRefused {
    #[error("the server's ledger has {found} records, and {known} were seen before")]
    Older { known: u64, found: u64 },
    #[error("the server's ledger is another than the one whose first {known} records are known")]
    Forked { known: u64 },
    #[error("the server's checkpoint counts for nothing")]
    Unsigned,
}

impl Followed {
    /// What `answer` means to who knows `known`, and asked with its size.
    ///
    /// # Errors
    /// See [`LedgerRefused`]; nothing of the answer is to be kept then.
    pub fn news(&self, known: Option<Base>, answer: &CheckpointAnswer) -> Result<News, LedgerRefused> {
        let newest = match &answer.note {
            Some(note) => Some((note, self.open(note)?)),
            None => None,
        };
        let ahead = |at: u64| at > self.now.saturating_add(CLOCK_TOLERANCE_S);
        if newest.as_ref().is_some_and(|(_, checkpoint)| ahead(checkpoint.at)) {
            return Err(LedgerRefused::Unsigned);
        }
        let Some(known) = known else {
            return Ok(newest.map_or(News::Nothing, |(note, checkpoint)| News::Goes {
                note: note.clone(),
                checkpoint,
            }));
        };
        if let Some((note, checkpoint)) = newest
            && is_consistent(
                (known.size, known.root),
                (checkpoint.size, checkpoint.root),
                &answer.proof,
            )
        {
            return Ok(News::Goes { note: note.clone(), checkpoint });
        }
        let found = newest.map_or(0, |(_, checkpoint)| checkpoint.size);
        if let Some(base) = self.excuse(known, found, answer) {
            return Ok(News::AskFrom(base));
        }
        if found < known.size {
            Err(LedgerRefused::Older { known: known.size, found })
        } else {
            Err(LedgerRefused::Forked { known: known.size })
        }
    }

    /// What is demanded by a checkpoint that was kept here when the own clock said `seen`, in unix seconds.
    /// A server that dates its checkpoints back would else have one excuse for ever; by as much as clocks may
    /// differ, the own one is not believed either, nor where it said a time that has not come yet.
    pub fn base(&self, kept: Checkpoint, seen: Option<u64>) -> Base {
        let seen = seen.filter(|seen| *seen <= self.now.saturating_add(CLOCK_TOLERANCE_S));
        let seen = seen.map_or(0, |seen| seen.saturating_sub(CLOCK_TOLERANCE_S));
        Base { size: kept.size, root: kept.root, at: kept.at.max(seen) }
    }

    /// The checkpoint in a note.
    ///
    /// # Errors
    /// [`LedgerRefused::Unsigned`].
    pub fn open(&self, note: &str) -> Result<Checkpoint, LedgerRefused> {
        let opened = Checkpoint::open(note, self.tenant, &self.checkpoint_keys);
        opened.map_err(|_| LedgerRefused::Unsigned)
    }

    /// The root key's newest word that what was seen gives way to an older ledger.
    fn excuse(&self, known: Base, found: u64, answer: &CheckpointAnswer) -> Option<Base> {
        answer.acknowledgements.iter().rev().find_map(|envelope| {
            let word = self.word.open::<Acknowledgement>(&envelope.0).ok()??;
            let meant = word.tenant == self.tenant && word.lost >= known.size && word.at >= known.at;
            let base = Base { size: word.size, root: word.root, at: word.at };
            // Each excuse leads to another point, or nobody would come to an end.
            let leads_on = (base.size, base.root) != (known.size, known.root);
            (meant && leads_on && word.size <= found).then_some(base)
        })
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::super::tree::{Frontier, Subtree, consistency, leaf_hash};
    use super::*;
    use crate::blob::Blob;
    use crate::dsse;

    const TENANT: TenantId = TenantId([1; 8]);
    const NOW: u64 = 2_000_000_000;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_bytes(&[byte; 32])
    }

    fn public(byte: u8) -> DeviceKey {
        DeviceKey(key(byte).verifying_key().to_bytes())
    }

    fn followed() -> Followed {
        let word = RootsWord::of_root(public(9));
        Followed { tenant: TENANT, checkpoint_keys: vec![public(3)], word, now: NOW }
    }

    /// A ledger of which everything after `forked` is another's than in one with another `forked`.
    struct Server {
        leaves: Vec<Hash>,
        acknowledgements: Vec<Blob>,
    }

    impl Server {
        fn of(size: u64, forked: u64) -> Self {
            let leaf = |at: u64| {
                let own = if at < forked { 0 } else { forked };
                leaf_hash(&[&at.to_be_bytes(), &own.to_be_bytes()])
            };
            Self { leaves: (0..size).map(leaf).collect(), acknowledgements: Vec::new() }
        }

        fn base(&self, size: u64, at: u64) -> Base {
            let mut frontier = Frontier::default();
            self.leaves.iter().take(usize::try_from(size).unwrap()).for_each(|leaf| {
                frontier.push(*leaf, |_, _| {});
            });
            Base { size, root: frontier.root(), at }
        }

        fn answer(&self, known: u64, signer: u8) -> CheckpointAnswer {
            let size = self.leaves.len() as u64;
            let Base { root, .. } = self.base(size, 0);
            let mut nodes = std::collections::BTreeMap::new();
            let mut frontier = Frontier::default();
            for (place, leaf) in (0..).zip(&self.leaves) {
                nodes.insert(Subtree { level: 0, place }, *leaf);
                frontier.push(*leaf, |at, hash| {
                    nodes.insert(at, hash);
                });
            }
            let proof = consistency(known, size, |at| nodes.get(&at).copied().ok_or(at));
            let note = Checkpoint { tenant: TENANT, size, root, at: 50 }.sign(&key(signer));
            let acknowledgements = self.acknowledgements.clone();
            CheckpointAnswer { note: Some(note), proof: proof.unwrap_or_default(), acknowledgements }
        }

        fn acknowledge(&mut self, lost: u64, size: u64, at: u64, signer: u8) {
            let Base { root, .. } = self.base(size, at);
            let (admin, reason) = ("admin".to_owned(), "restored".to_owned());
            let word = Acknowledgement { tenant: TENANT, lost, size, root, admin, reason, at };
            self.acknowledgements.push(Blob(dsse::sign(&word, &key(signer))));
        }
    }

    fn refused(known: Base, answer: &CheckpointAnswer) -> LedgerRefused {
        followed().news(Some(known), answer).unwrap_err()
    }

    #[test]
    fn a_ledger_that_grew_is_followed() {
        let server = Server::of(40, 99);
        let News::Goes { checkpoint, .. } = followed().news(None, &server.answer(0, 3)).unwrap() else {
            panic!()
        };
        assert_eq!(checkpoint.size, 40);
        for known in [1, 13, 40] {
            let news = followed().news(Some(server.base(known, 1)), &server.answer(known, 3));
            assert!(matches!(news, Ok(News::Goes { .. })), "{known}");
        }
    }

    #[test]
    fn f21_a_checkpoint_from_the_future_is_not_kept_or_nothing_could_excuse_what_follows() {
        let server = Server::of(40, 99);
        assert!(followed().news(None, &server.answer(0, 3)).is_ok());
        let mut early = server.answer(0, 3);
        let Base { root, .. } = server.base(40, 0);
        let at = NOW + CLOCK_TOLERANCE_S + 1;
        early.note = Some(Checkpoint { tenant: TENANT, size: 40, root, at }.sign(&key(3)));
        assert_eq!(followed().news(None, &early), Err(LedgerRefused::Unsigned));
    }

    #[test]
    fn t64_t67_a_fork_an_older_ledger_and_a_strangers_word_are_refused() {
        let (server, fork) = (Server::of(40, 99), Server::of(44, 20));
        let known = server.base(30, 1);
        assert_eq!(refused(known, &fork.answer(30, 3)), LedgerRefused::Forked { known: 30 });
        let restored = Server::of(12, 99);
        let older = LedgerRefused::Older { known: 30, found: 12 };
        assert_eq!(refused(known, &restored.answer(30, 3)), older);
        assert_eq!(refused(known, &server.answer(30, 4)), LedgerRefused::Unsigned);
        let nothing = CheckpointAnswer { note: None, proof: Vec::new(), acknowledgements: Vec::new() };
        assert_eq!(refused(known, &nothing), LedgerRefused::Older { known: 30, found: 0 });
        assert_eq!(followed().news(None, &nothing), Ok(News::Nothing));
    }

    #[test]
    fn f21_a_restore_is_excused_by_the_root_key_for_what_was_seen_before_it_and_no_more() {
        let known = Server::of(40, 99).base(30, 10);
        let mut restored = Server::of(60, 12);
        restored.acknowledge(35, 12, 20, 4);
        assert_eq!(refused(known, &restored.answer(30, 3)), LedgerRefused::Forked { known: 30 });
        restored.acknowledge(35, 12, 20, 9);
        let news = followed().news(Some(known), &restored.answer(30, 3)).unwrap();
        let News::AskFrom(base) = news else { panic!("{news:?}") };
        assert_eq!(base.size, 12);
        let news = followed().news(Some(base), &restored.answer(12, 3));
        assert!(matches!(news, Ok(News::Goes { .. })));
        // Seen after the word was given, or more than it speaks of.
        let later = Base { at: 21, ..known };
        assert_eq!(refused(later, &restored.answer(30, 3)), LedgerRefused::Forked { known: 30 });
        let more = Server::of(40, 99).base(36, 10);
        assert_eq!(refused(more, &restored.answer(36, 3)), LedgerRefused::Forked { known: 36 });
        // Another ledger than the one that was taken on.
        let mut other = Server::of(60, 5);
        other.acknowledgements = restored.acknowledgements.clone();
        let Ok(News::AskFrom(base)) = followed().news(Some(known), &other.answer(30, 3)) else {
            panic!()
        };
        assert_eq!(refused(base, &other.answer(12, 3)), LedgerRefused::Forked { known: 12 });
    }

    /// T69: a restore of before the root was changed is one still; who has the old root excuses no other.
    #[test]
    fn t69_a_former_roots_word_excuses_what_the_new_one_signed_for_and_nothing_since() {
        let known = Server::of(40, 99).base(30, 10);
        let mut restored = Server::of(60, 12);
        restored.acknowledge(35, 12, 20, 9);
        let answer = restored.answer(30, 3);
        let since =
            |signed_for| Followed { word: RootsWord::succeeding(public(8), signed_for), ..followed() };
        let signed_for =
            followed().word.handed_on::<Acknowledgement>(&answer.acknowledgements, |_| true);
        let news = since(signed_for.clone()).news(Some(known), &answer);
        assert!(matches!(news, Ok(News::AskFrom(_))), "{news:?}");
        let forked = Err(LedgerRefused::Forked { known: 30 });
        assert_eq!(since(Vec::new()).news(Some(known), &answer), forked);
        // Dated back, too.
        let mut stolen = Server::of(60, 5);
        stolen.acknowledge(35, 5, 20, 9);
        assert_eq!(since(signed_for).news(Some(known), &stolen.answer(30, 3)), forked);
    }

    /// T67: one acknowledged restore is no leave for the next, whatever a server dates its checkpoints with.
    #[test]
    fn t67_what_was_seen_after_a_restore_is_excused_by_no_word_of_before_it_however_it_is_dated() {
        const DAY: u64 = 24 * 3600;
        let mut server = Server::of(60, 12);
        server.acknowledge(35, 12, NOW - 3 * DAY, 9);
        let Base { root, .. } = Server::of(40, 99).base(30, 0);
        // Dated from before the word, and kept after it.
        let dated = Checkpoint { tenant: TENANT, size: 30, root, at: NOW - 9 * DAY };
        let answer = server.answer(30, 3);
        for after in [1, 3600, DAY] {
            let seen = NOW - 3 * DAY + CLOCK_TOLERANCE_S + after;
            let known = followed().base(dated, Some(seen));
            assert_eq!(refused(known, &answer), LedgerRefused::Forked { known: 30 });
        }
        // From before it, by a clock that is right or nearly so, or that nobody can believe.
        for seen in
            [Some(NOW - 5 * DAY), Some(NOW - 3 * DAY + CLOCK_TOLERANCE_S), Some(NOW + 9 * DAY), None]
        {
            let news = followed().news(Some(followed().base(dated, seen)), &answer);
            assert!(matches!(news, Ok(News::AskFrom(_))), "{seen:?}");
        }
    }
}
