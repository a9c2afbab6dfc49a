//! Whose word counts of what was taken out of a ledger, and of restores: the root key's, and of the roots before
//! it what that key has signed for.
//!
//! Who holds a root that was changed signs in vain: not the key's word counts that is gone, but those of its
//! documents that were there when it went, each by its digest. Where nobody signed for them none counts.

use sha2::{Digest as _, Sha256};

use crate::blob::Blob;
use crate::bundle::{Bundle, MAX_EARLIER_DECREES};
use crate::dsse::{self, Document, DocumentRefused};
use crate::ids::{DeviceKey, Digest};

/// Of one organisation, as its bundle has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootsWord {
    root: DeviceKey,
    earlier: Vec<Digest>,
}

impl RootsWord {
    pub fn of(bundle: &Bundle) -> Self {
        Self::succeeding(bundle.root, bundle.earlier_decrees.clone())
    }

    /// Of an organisation whose root was never changed.
    pub fn of_root(root: DeviceKey) -> Self {
        Self::succeeding(root, Vec::new())
    }

    /// Of one whose root signed for `earlier` words when it took another's place.
    pub fn succeeding(root: DeviceKey, earlier: Vec<Digest>) -> Self {
        Self { root, earlier }
    }

    /// The document in `envelope`; `None`: it is whole, and of somebody whose word does not count.
    ///
    /// # Errors
    /// Nobody has signed it, or it is none.
    pub fn open<D: Document>(&self, envelope: &[u8]) -> Result<Option<D>, DocumentRefused> {
        let (document, by) = dsse::open_self_signed::<D>(envelope)?;
        let counts = by == self.root || self.earlier.contains(&digest(envelope));
        Ok(counts.then_some(document))
    }

    /// What the root after this one signs for, of documents in the order in which they came: those that count, each
    /// once, and of too many the newest. `is_past` leaves out what is dated later than it can have been signed.
    pub fn handed_on<D: Document>(
        &self,
        envelopes: &[Blob],
        is_past: impl Fn(&D) -> bool,
    ) -> Vec<Digest> {
        let counts = |envelope: &&Blob| matches!(self.open::<D>(&envelope.0), Ok(Some(document)) if is_past(&document));
        let mut handed = Vec::new();
        for envelope in envelopes.iter().rev().filter(counts) {
            let digest = digest(&envelope.0);
            if handed.len() < MAX_EARLIER_DECREES / 2 && !handed.contains(&digest) {
                handed.push(digest);
            }
        }
        handed
    }
}

fn digest(envelope: &[u8]) -> Digest {
    Digest(Sha256::digest(envelope).into())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::super::audit::{Acknowledgement, Tombstone};
    use super::*;
    use crate::ids::TenantId;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_bytes(&[byte; 32])
    }

    fn stone(before: u64, by: u8) -> Blob {
        let (admin, reason) = (String::new(), "retention".to_owned());
        let (tenant, root) = (TenantId([1; 8]), Digest([2; 32]));
        Blob(dsse::sign(&Tombstone { tenant, before, root, admin, reason, at: 1 }, &key(by)))
    }

    fn restore(by: u8) -> Blob {
        let (admin, reason) = (String::new(), "restored".to_owned());
        let (tenant, root) = (TenantId([1; 8]), Digest([2; 32]));
        Blob(dsse::sign(
            &Acknowledgement { tenant, lost: 9, size: 3, root, admin, reason, at: 1 },
            &key(by),
        ))
    }

    fn word(root: u8, earlier: Vec<Digest>) -> RootsWord {
        RootsWord::succeeding(DeviceKey(key(root).verifying_key().to_bytes()), earlier)
    }

    fn counts(word: &RootsWord, stone: &Blob) -> bool {
        word.open::<Tombstone>(&stone.0).unwrap().is_some()
    }

    /// T69: through two changes of the root, and never a word that was given after its root had gone.
    #[test]
    fn t69_a_former_roots_word_counts_where_the_next_one_signed_for_it_and_no_other_of_it_does() {
        let first = word(1, Vec::new());
        let kept = [stone(3, 1), stone(5, 8)];
        let second = word(2, first.handed_on::<Tombstone>(&kept, |stone| stone.at < 2));
        assert!(counts(&second, &kept[0]) && !counts(&second, &kept[1]), "a stranger's never counted");
        assert!(!counts(&second, &stone(4, 1)) && !counts(&second, &stone(3, 8)), "signed afterwards");
        let kept = [stone(3, 1), stone(4, 1), stone(6, 2)];
        let third = word(3, second.handed_on::<Tombstone>(&kept, |stone| stone.at < 2));
        let now = [&kept[0], &kept[1], &kept[2], &stone(7, 2), &stone(8, 3)];
        assert_eq!(now.map(|stone| counts(&third, stone)), [true, false, true, false, true]);
        // Said again and again, an old word leaves room for the others.
        let again = [&vec![stone(3, 1), stone(9, 1)][..], &vec![stone(3, 1); 40]].concat();
        assert_eq!(first.handed_on::<Tombstone>(&again, |_| true).len(), 2);
        // Nobody signed for anything, as of a bundle of before there was a place for it.
        assert!(!counts(&word(3, Vec::new()), &kept[0]));
    }

    #[test]
    fn t69_what_nobody_signed_is_handed_on_by_nobody_and_is_no_word() {
        let mut forged = stone(3, 1);
        let at = forged.0.len() - 10;
        forged.0[at] ^= 1;
        let first = word(1, Vec::new());
        assert_eq!(first.handed_on::<Tombstone>(std::slice::from_ref(&forged), |_| true), []);
        assert_eq!(first.handed_on::<Tombstone>(&[restore(1)], |_| true), [], "each kind by itself");
        assert_eq!(first.handed_on::<Acknowledgement>(&[restore(1)], |_| true).len(), 1);
        // Dated ahead, to count whenever it is wanted.
        assert_eq!(first.handed_on::<Acknowledgement>(&[restore(1)], |word| word.at < 1), []);
        assert!(word(1, vec![digest(&forged.0)]).open::<Tombstone>(&forged.0).is_err());
    }

    #[test]
    fn t59_of_too_many_words_the_newest_go_on() {
        let kept: Vec<Blob> = (1..=100).map(|before| stone(before, 1)).collect();
        let second = word(2, word(1, Vec::new()).handed_on::<Tombstone>(&kept, |stone| stone.at < 2));
        assert_eq!(second.earlier.len(), MAX_EARLIER_DECREES / 2);
        assert!(counts(&second, &kept[99]) && !counts(&second, &kept[0]));
    }
}
