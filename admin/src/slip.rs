//! Which word was probably meant by one that is not known: other capitals, or a slip of the hand. It
//! refuses to know what the words are for.

/// The nearest of `words`, where no more than a third of `word` is wrong.
pub(crate) fn meant<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let small = word.to_lowercase();
    let (wrong, nearest) = words.map(|other| (distance(&small, &other.to_lowercase()), other)).min()?;
    (wrong * 3 <= word.chars().count().max(3)).then_some(nearest)
}

/// Levenshtein's: how many letters were changed, left out or put in.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, theirs) in other.iter().enumerate() {
            let changed = diagonal + usize::from(*theirs != letter);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_and_other_capitals_find_their_word_and_another_word_finds_none() {
        let words = || ["anna", "hanako", "control-without-files"].into_iter();
        for (word, wanted) in
            [("Anna", "anna"), ("hanoko", "hanako"), ("HANAKO", "hanako"), ("ana", "anna")]
        {
            assert_eq!(meant(word, words()), Some(wanted), "{word}");
        }
        for other in ["taro", "x", "花子"] {
            assert_eq!(meant(other, words()), None, "{other}");
        }
        assert_eq!(meant("anna", std::iter::empty()), None);
    }
}
