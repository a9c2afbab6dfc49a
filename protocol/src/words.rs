//! Keys as words, to be compared by voice or written down: the 2048 words of BIP 39,
//! of which the first four letters are enough to tell one from another.

use bip39::{Language, Mnemonic};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ids::DeviceKey;

/// Words of a fingerprint: 66 bits, so that no other key can be ground to the same words.
pub const FINGERPRINT_WORDS: usize = 6;
/// Bits of one word.
pub const WORD_BITS: usize = 11;

/// What two people compare of a device's key.
pub fn fingerprint(key: &DeviceKey) -> String {
    let digest = Sha256::digest([b"tasuki-device-words-v1".as_slice(), &key.0].concat());
    words(&digest, FINGERPRINT_WORDS)
}

/// `count` words out of the first bits of `bytes`, which must have enough of them.
pub fn words(bytes: &[u8], count: usize) -> String {
    let bit = |n: usize| bytes.get(n / 8).is_some_and(|byte| byte >> (7 - n % 8) & 1 == 1);
    let index = |word: usize| {
        (0..WORD_BITS).fold(0, |index, n| index << 1 | usize::from(bit(word * WORD_BITS + n)))
    };
    let list = Language::English.word_list();
    let chosen: Vec<&str> = (0..count).filter_map(|word| list.get(index(word)).copied()).collect();
    chosen.join(" ")
}

/// 32 bytes as 24 words, the last of which checks the others (BIP 39). Nothing else in memory has them.
pub fn spell(bytes: &[u8; 32]) -> Zeroizing<String> {
    let mut checked = Zeroizing::new([0; 33]);
    let (secret, check) = checked.split_at_mut(bytes.len());
    secret.copy_from_slice(bytes);
    check.copy_from_slice(&Sha256::digest(bytes)[..1]);
    Zeroizing::new(words(&*checked, 24))
}

/// The 32 bytes behind 24 words, in any case, with any spaces.
///
/// # Errors
/// A word is not on the list, is missing, or the words do not belong together.
pub fn read(words: &str) -> Result<[u8; 32], NotWords> {
    let plain = Zeroizing::new(words.split_whitespace().collect::<Vec<_>>().join(" "));
    let plain = Zeroizing::new(plain.to_lowercase());
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &plain).map_err(|_| NotWords)?;
    let (bytes, length) = mnemonic.to_entropy_array();
    let bytes = Zeroizing::new(bytes);
    bytes.get(..length).and_then(|bytes| bytes.try_into().ok()).ok_or(NotWords)
}

/// All that a word may be, in the order of the alphabet.
pub fn all() -> &'static [&'static str] {
    Language::English.word_list()
}

/// Which of the words is not on the list, from 1 on.
pub fn stranger(words: &str) -> Option<(usize, String)> {
    let list = Language::English.word_list();
    let lowercase = |word: &str| Zeroizing::new(word.to_lowercase());
    let mut known = words.split_whitespace().map(lowercase).enumerate();
    let stranger = known.find(|(_, word)| list.binary_search(&word.as_str()).is_err());
    stranger.map(|(at, word)| (at + 1, word.to_string()))
}

/// Not 24 words that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are not 24 words that belong together")]
pub struct NotWords;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_words_and_a_wrong_word_is_noticed() {
        let bytes: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7).unwrap());
        let spelled = spell(&bytes);
        assert_eq!(spelled.split(' ').count(), 24);
        assert_eq!(read(&format!("  {}\n", spelled.to_uppercase())), Ok(bytes));
        let mut swapped: Vec<&str> = spelled.split(' ').collect();
        swapped.swap(0, 1);
        assert_eq!(read(&swapped.join(" ")), Err(NotWords));
        assert_eq!(read("abandon"), Err(NotWords));
        assert_eq!(stranger(&spelled.to_uppercase()), None);
        let (good, bad) = (swapped[1], "rurel");
        assert_eq!(stranger(&spelled.replacen(good, bad, 1)).unwrap().1, bad);
    }

    #[test]
    fn a_fingerprint_has_six_words_and_differs_for_keys_that_differ_in_one_bit() {
        let (one, other) = (DeviceKey([0; 32]), DeviceKey([1; 32]));
        assert_eq!(fingerprint(&one).split(' ').count(), FINGERPRINT_WORDS);
        assert_ne!(fingerprint(&one), fingerprint(&other));
        assert_eq!(fingerprint(&one), fingerprint(&one));
    }

    #[test]
    fn words_take_eleven_bits_each_from_the_front() {
        assert_eq!(words(&[0, 0, 0], 1), "abandon");
        assert_eq!(words(&[0xFF, 0xE0, 0], 2), "zoo abandon");
    }
}
