//! How long files and lines may be. Functions are measured by clippy.

use crate::source::SourceFile;
use crate::violation::Violation;

const FILE_LINES_MAX: usize = 500;
const LINE_CHARS_MAX: usize = 100;

pub(crate) fn check(file: &SourceFile) -> Vec<Violation> {
    if !file.is_rust() {
        return Vec::new();
    }
    let violation = |line, what, why, remedy: &str| Violation {
        path: file.path.clone(),
        line,
        what,
        why,
        remedy: remedy.to_owned(),
    };
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let length = line.chars().count();
        if length > LINE_CHARS_MAX {
            let what = format!("a line of {length} characters, {LINE_CHARS_MAX} allowed");
            let why = "two files should fit side by side";
            found.push(violation(
                index + 1,
                what,
                why,
                "break it; rustfmt leaves strings and comments alone",
            ));
        }
    }
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        let what = format!("a file of {lines} lines, {FILE_LINES_MAX} allowed");
        let why = "a file is one idea that a reader can hold";
        found.push(violation(
            lines,
            what,
            why,
            "move a part to a module or a `tests.rs`",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: String) -> usize {
        check(&SourceFile {
            path: "a.rs".to_owned(),
            text,
        })
        .len()
    }

    #[test]
    fn the_limits_themselves_are_allowed_and_one_more_is_not() {
        assert_eq!(count("é".repeat(LINE_CHARS_MAX)), 0);
        assert_eq!(count("é".repeat(LINE_CHARS_MAX + 1)), 1);
        assert_eq!(count("a\n".repeat(FILE_LINES_MAX)), 0);
        assert_eq!(count("a\n".repeat(FILE_LINES_MAX + 1)), 1);
    }
}
