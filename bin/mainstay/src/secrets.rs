//! Random passwords, and files with secrets in them that commands write.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::output::BadInput;

/// Letters and digits that are not mistaken for each other: 24 of them are more than 128 bits.
const LETTERS: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH: usize = 24;

/// A random password.
pub(crate) fn password() -> Result<String> {
    let mut text = String::with_capacity(LENGTH);
    while text.len() < LENGTH {
        let mut bytes = [0; 2 * LENGTH];
        getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
        // Larger ones would make the first letters likelier.
        let most = 256 / LETTERS.len() * LETTERS.len();
        let fair = bytes.iter().map(|byte| usize::from(*byte));
        let letters = fair.filter(|byte| *byte < most);
        for byte in letters.take(LENGTH - text.len()) {
            text.push(char::from(LETTERS[byte % LETTERS.len()]));
        }
    }
    Ok(text)
}

/// Writes a file that only its owner can read, and that was not there before.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    let file = options.create_new(true).write(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| {
        let path = path.display();
        if error.kind() == ErrorKind::AlreadyExists {
            BadInput(format!("{path} is there already; nothing was written"))
        } else {
            BadInput(format!("{path} cannot be written: {error}"))
        }
    })?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_never_the_same() {
        let (one, other) = (password().expect("bytes"), password().expect("bytes"));
        assert_eq!((one.len(), other.len()), (LENGTH, LENGTH));
        assert_ne!(one, other);
    }

    #[test]
    fn a_file_that_is_there_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mainstay.toml");
        write_new(&path, "one").expect("it is not there yet");
        let error = write_new(&path, "two").expect_err("it is there");
        assert!(error.to_string().contains("is there already"));
        assert_eq!(fs::read_to_string(&path).expect("text"), "one");
    }
}
