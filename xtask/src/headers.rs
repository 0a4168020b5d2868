//! Every file says first what it is.

use crate::source::SourceFile;
use crate::violation::Violation;

pub(crate) fn check(file: &SourceFile) -> Vec<Violation> {
    if !file.is_rust() || file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Violation {
        path: file.path.clone(),
        line: 1,
        what: "no `//!` header".to_owned(),
        why: "a reader who opens the file first needs to know what it is",
        remedy: "say in a sentence what the file is and what it leaves to others".to_owned(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_header() {
        let check = |text: &str| {
            check(&SourceFile {
                path: "a.rs".to_owned(),
                text: text.to_owned(),
            })
            .len()
        };
        assert_eq!(check("//! A file.\n"), 0);
        assert_eq!(check("\n//! Too late.\n"), 1);
        assert_eq!(check("//!\n"), 1);
        assert_eq!(check(""), 1);
    }
}
