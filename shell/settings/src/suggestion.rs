//! The known word that an unknown one was probably meant to be.

/// More mistakes than this make it another word.
const MISTAKES_MAX: usize = 3;

/// The nearest of the known words, if one is near enough.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = MISTAKES_MAX.min(word.chars().count() / 2);
    let distances = known.iter().map(|known| (distance(word, known), *known));
    let (mistakes, found) = distances.min_by_key(|(mistakes, _)| *mistakes)?;
    (mistakes <= limit).then_some(found)
}

/// Levenshtein's: letters changed, missing or too many.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.chars().collect();
    let mut row: Vec<_> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_recognised() {
        let known = ["hang_after", "auto_failover", "name"];
        assert_eq!(nearest("hangafter", &known), Some("hang_after"));
        assert_eq!(nearest("auto_fialover", &known), Some("auto_failover"));
        assert_eq!(nearest("nmae", &known), Some("name"));
    }

    #[test]
    fn another_word_is_no_mistake() {
        assert_eq!(nearest("colour", &["hang_after", "name"]), None);
        assert_eq!(nearest("x", &["y"]), None);
    }
}
