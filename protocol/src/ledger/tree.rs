//! The Merkle tree of RFC 6962: leaves, roots, and proofs that a tree grew out of another.
//!
//! Who appends keeps one hash a level ([`Frontier`]); who proves asks for whole subtrees
//! ([`consistency`]); what is received from elsewhere is checked by the `ct-merkle` crate.

use ct_merkle::{ConsistencyProof, RootHash};
use sha2::{Digest as _, Sha256};

/// A SHA-256 value of the tree: leaf, node or root.
pub type Hash = crate::ids::Digest;

/// The most hashes of a consistency proof: two a level.
pub const MAX_PROOF: usize = 128;

/// The leaf of the bytes that `parts` make one after another (RFC 6962 §2.1).
pub fn leaf_hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new_with_prefix([0]);
    for part in parts {
        hasher.update(part);
    }
    crate::ids::Digest(hasher.finalize().into())
}

/// The node above two.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    let mut hasher = Sha256::new_with_prefix([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    crate::ids::Digest(hasher.finalize().into())
}

/// A whole subtree: `2^level` leaves, the `place`-th of its level from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    pub level: u8,
    pub place: u64,
}

/// All that must be kept of a tree to go on appending to it: one hash for each bit of its size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The whole subtrees from left to right, largest first.
    whole: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves. `whole` answers for its subtrees.
    ///
    /// # Errors
    /// Passed on from `whole`.
    pub fn load<E>(size: u64, mut whole: impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Self, E> {
        let parts = decompose(0, size);
        let whole = parts.into_iter().map(&mut whole).collect::<Result<_, E>>()?;
        Ok(Self { size, whole })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes one more leaf; tells every node above it that became whole.
    pub fn push(&mut self, leaf: Hash, mut became: impl FnMut(Subtree, Hash)) {
        let (mut hash, mut level, mut place) = (leaf, 0, self.size);
        while place & 1 == 1 {
            let Some(left) = self.whole.pop() else { break };
            (hash, level, place) = (node_hash(left, hash), level + 1, place >> 1);
            became(Subtree { level, place }, hash);
        }
        self.whole.push(hash);
        self.size += 1;
    }

    /// The root. Of no leaves it is the hash of nothing (RFC 6962 §2.1).
    pub fn root(&self) -> Hash {
        let nothing = || crate::ids::Digest(Sha256::digest(b"").into());
        let mut parts = self.whole.iter().rev().copied();
        let last = parts.next();
        last.map_or_else(nothing, |last| parts.fold(last, |right, left| node_hash(left, right)))
    }
}

/// The proof that the tree of `new` leaves grew out of its first `old` (RFC 6962 §2.1.2).
/// `whole` answers for subtrees of the new tree. Empty for `old` of 0, or equal to `new`.
///
/// # Errors
/// Passed on from `whole`.
pub fn consistency<E>(
    old: u64,
    new: u64,
    mut whole: impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if old == 0 || old >= new {
        return Ok(Vec::new());
    }
    let (mut from, mut to, mut known, mut upwards) = (0, new, true, Vec::new());
    // Down to the node where the old tree ends, noting what stands beside the way.
    while to != old {
        let middle = from + largest_power_below(to - from);
        if old <= middle {
            upwards.push((middle, to));
            to = middle;
        } else {
            upwards.push((from, middle));
            from = middle;
            known = false;
        }
    }
    if !known {
        upwards.push((from, to));
    }
    upwards.into_iter().rev().map(|(from, to)| range(from, to, &mut whole)).collect()
}

/// Whether `new` is what the tree of `old` became. Sizes and hashes may be anybody's.
pub fn is_consistent(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
    if old.0 == 0 {
        return proof.is_empty();
    }
    if old.0 == new.0 {
        return old.1 == new.1 && proof.is_empty();
    }
    if old.0 > new.0 || new.0 > u64::MAX / 4 || proof.len() > MAX_PROOF {
        return false;
    }
    let digest = |hash: Hash| sha2::digest::Output::<Sha256>::from(hash.0);
    let digests: Vec<_> = proof.iter().map(|hash| digest(*hash)).collect();
    let proof = ConsistencyProof::<Sha256>::from_digests(&digests);
    let (old, new) = (RootHash::new(digest(old.1), old.0), RootHash::new(digest(new.1), new.0));
    new.verify_consistency(&old, &proof).is_ok()
}

/// The hash over the leaves `from..to`, a node of some tree's shape.
fn range<E>(from: u64, to: u64, whole: &mut impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Hash, E> {
    let mut parts = decompose(from, to).into_iter().rev();
    let Some(last) = parts.next() else { unreachable!("a node has leaves") };
    let mut hash = whole(last)?;
    for part in parts {
        hash = node_hash(whole(part)?, hash);
    }
    Ok(hash)
}

/// The whole subtrees that `from..to` consists of, left to right; `from` is aligned to the first.
fn decompose(mut from: u64, to: u64) -> Vec<Subtree> {
    let mut parts = Vec::new();
    while from < to {
        let level = u8::try_from((to - from).ilog2()).unwrap_or(u8::MAX);
        parts.push(Subtree { level, place: from >> level });
        from += 1 << level;
    }
    parts
}

fn largest_power_below(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    use super::*;

    struct Both {
        ours: Frontier,
        nodes: BTreeMap<Subtree, Hash>,
        roots: Vec<Hash>,
        theirs: MemoryBackedTree<Sha256, Vec<u8>>,
    }

    fn grown(leaves: u64) -> Both {
        let mut both = Both {
            ours: Frontier::default(),
            nodes: BTreeMap::new(),
            roots: vec![Frontier::default().root()],
            theirs: MemoryBackedTree::new(),
        };
        for leaf in 0..leaves {
            let bytes = leaf.to_be_bytes();
            let hash = leaf_hash(&[&bytes[..3], &bytes[3..]]);
            both.nodes.insert(Subtree { level: 0, place: leaf }, hash);
            both.ours.push(hash, |at, hash| {
                both.nodes.insert(at, hash);
            });
            both.theirs.push(bytes.to_vec());
            both.roots.push(both.ours.root());
        }
        both
    }

    #[test]
    fn every_root_and_proof_is_the_librarys() {
        for new in 1..70 {
            let both = grown(new);
            assert_eq!(both.ours.root().0.as_slice(), both.theirs.root().as_bytes().as_slice());
            for old in 1..new {
                let whole = |at: Subtree| both.nodes.get(&at).copied().ok_or(at);
                let proof = consistency(old, new, whole).unwrap();
                let additions = usize::try_from(new - old).unwrap();
                let theirs = both.theirs.prove_consistency(additions);
                let ours: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
                assert_eq!(ours, theirs.as_bytes(), "{old} to {new}");
                let root = |size: u64| both.roots[usize::try_from(size).unwrap()];
                assert!(is_consistent((old, root(old)), (new, root(new)), &proof));
            }
        }
    }

    #[test]
    fn t64_no_other_root_or_size_or_proof_is_consistent() {
        let both = grown(41);
        let whole = |at: Subtree| both.nodes.get(&at).copied().ok_or(at);
        let proof = consistency(13, 41, whole).unwrap();
        let (old, new) = ((13, both.roots[13]), (41, both.roots[41]));
        assert!(is_consistent(old, new, &proof));
        assert!(!is_consistent((13, both.roots[12]), new, &proof), "a fork");
        assert!(!is_consistent((12, both.roots[13]), new, &proof));
        assert!(!is_consistent(new, old, &proof), "a rollback");
        assert!(!is_consistent(old, (41, both.roots[40]), &proof));
        assert!(!is_consistent(old, new, &proof[1..]));
        assert!(!is_consistent((41, both.roots[40]), new, &[]));
    }

    #[test]
    fn a_frontier_is_loaded_from_the_nodes_that_it_told() {
        let both = grown(37);
        let whole = |at: Subtree| both.nodes.get(&at).copied().ok_or(at);
        assert_eq!(Frontier::load(37, whole).unwrap(), both.ours);
    }
}
