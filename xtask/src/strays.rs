//! What must not be left behind: notes to oneself, tests switched off, tests that wait.

use crate::rust_text::RustText;
use crate::source::SourceFile;
use crate::violation::Violation;
use crate::words::quoted;

const NOTES: [&str; 3] = ["FIXME", "TODO", "XXX"];
/// Waiting for real servers is the one thing that only these do.
const WAITING_TESTS: [&str; 2] = ["testing/e2e/", "testing/bench/"];

pub(crate) fn check(file: &SourceFile) -> Vec<Violation> {
    if !file.is_rust() {
        let prose = quoted::blank(&file.text);
        return prose
            .lines()
            .enumerate()
            .filter_map(|(at, line)| note(file, at, line))
            .collect();
    }
    let views = RustText::split(&file.text);
    let comments = quoted::blank(&views.comments);
    let mut found = Vec::new();
    let mut in_tests = file.is_test();
    let mut after_cfg_test = false;
    for (at, (code, comment)) in views.code.lines().zip(comments.lines()).enumerate() {
        // A test module stands at the end of its file, so everything below is test code.
        in_tests |= after_cfg_test && code.trim_start().starts_with("mod ") && code.contains('{');
        after_cfg_test = code.trim_start().starts_with("#[cfg(test)]")
            || (after_cfg_test && (code.trim().is_empty() || code.trim_start().starts_with('#')));
        found.extend(note(file, at, comment));
        found.extend(note(file, at, code));
        if code.contains("#[ignore") {
            found.push(violation(
                file,
                at,
                "a test that is switched off".to_owned(),
                "nobody sees it fail",
                "mend it or delete it",
            ));
        }
        let waits = WAITING_TESTS.iter().any(|one| file.path.starts_with(one));
        if in_tests && !waits && calls(code, "sleep") {
            found.push(violation(
                file,
                at,
                "a sleep in a test".to_owned(),
                "it is either too short on a busy machine or too long on every other",
                "wait for the event itself, or pass time as an argument",
            ));
        }
    }
    found
}

fn note(file: &SourceFile, at: usize, line: &str) -> Option<Violation> {
    let mut tokens = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    let note = tokens.find(|token| NOTES.contains(token))?;
    Some(violation(
        file,
        at,
        format!("a stray {note}"),
        "what is written down in passing is forgotten",
        "do it now or open an issue",
    ))
}

fn calls(code: &str, function: &str) -> bool {
    code.match_indices(function).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        starts && code[at + function.len()..].starts_with('(')
    })
}

fn violation(
    file: &SourceFile,
    at: usize,
    what: String,
    why: &'static str,
    remedy: &str,
) -> Violation {
    Violation {
        path: file.path.clone(),
        line: at + 1,
        what,
        why,
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn notes_to_oneself_are_found_in_code_comments_and_prose_but_not_in_quotes() {
        assert_eq!(
            lines(
                "a.rs",
                "// TODO later\nfn f() {} // a TODOS `TODO`\nlet XXX = 1;"
            ),
            [1, 3]
        );
        assert_eq!(lines("a.rs", "let marker = \"FIXME\";"), [0; 0]);
        assert_eq!(lines("a.md", "fine\nFIXME: no\n`TODO` is a word\n"), [2]);
    }

    #[test]
    fn a_test_that_is_switched_off_is_found() {
        assert_eq!(
            lines("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"),
            [2]
        );
    }

    #[test]
    fn only_tests_may_not_sleep() {
        let text = "fn f() { thread::sleep(D); }\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n\
                    fn g() { sleep(D); }\nfn h() { do_sleep(D); }\n}";
        assert_eq!(lines("shell/a/src/lib.rs", text), [5]);
        assert_eq!(lines("shell/a/src/tests.rs", text), [1, 5]);
        assert_eq!(lines("testing/e2e/tests/a.rs", text), [0; 0]);
        assert_eq!(
            lines("a.rs", "#[cfg(test)]\nmod tests;\nfn f() { sleep(D); }"),
            [0; 0]
        );
    }
}
