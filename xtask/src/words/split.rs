//! Words in text and in names: `MasterNode`, `master_node` and "master node" are the same two.

/// The words of a line in small letters.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = line.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        let next_is_small = characters.peek().is_some_and(char::is_ascii_lowercase);
        // `aB` starts a word at B, and so does `SQLNode` at N.
        let starts = character.is_ascii_uppercase()
            && (previous.is_ascii_lowercase() || (previous.is_ascii_uppercase() && next_is_small));
        if starts || !character.is_ascii_alphabetic() {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if character.is_ascii_alphabetic() {
            word.push(character.to_ascii_lowercase());
        }
        previous = character;
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[test]
fn names_of_every_style_come_apart_into_words() {
    let all = "MasterNode master_node MASTER_NODE SQLNode x86Node, node's";
    assert_eq!(
        words(all).join(" "),
        "master node master node master node sql node x node node s"
    );
    assert!(words("").is_empty() && words("_1é-").is_empty());
}
