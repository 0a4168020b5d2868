//! One thing has one name: words that are not ours, in code, comments and documents.
//!
//! Text in backticks and in code fences is a quotation and may use any word, so that documents
//! can name what servers and other tools call things. String literals are checked too, except
//! where `allowed.rs` says that they quote servers.

use crate::rust_text::RustText;
use crate::source::SourceFile;
use crate::violation::Violation;

mod allowed;
pub(crate) mod quoted;
mod split;

/// What is not said, and what is said in its place.
const BANNED: [(&str, &str); 9] = [
    ("master", "primary (role) or source (upstream of a link)"),
    ("slave", "replica"),
    ("leader", "primary, or the holder of the lease"),
    ("secondary", "replica"),
    ("standby", "replica"),
    ("node", "server"),
    ("backend", "server"),
    ("shard", "cluster"),
    ("promotable", "candidate"),
];
/// "For instance" is English; as a name it blurs server and process.
const BANNED_IN_CODE: [(&str, &str); 1] = [("instance", "server")];
/// Names of files and modules that say nothing.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "helper", "helpers", "misc"];

pub(crate) fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::from_iter(check_path(file));
    if file.is_markdown() {
        found.extend(check_lines(file, &quoted::blank(&file.text), &BANNED));
        return found;
    }
    let allowed = allowed::in_file(&file.path);
    let views = RustText::split(&file.text);
    found.extend(check_modules(file, &views.code));
    if !allowed.everywhere {
        found.extend(check_lines(file, &views.code, &BANNED));
        found.extend(check_lines(file, &views.code, &BANNED_IN_CODE));
        found.extend(check_lines(file, &quoted::blank(&views.comments), &BANNED));
    }
    if !allowed.everywhere && !allowed.in_strings {
        found.extend(check_lines(file, &views.strings, &BANNED));
    }
    found
}

fn check_lines(file: &SourceFile, text: &str, banned: &[(&str, &str)]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for word in split::words(line) {
            let singular = word.strip_suffix('s').unwrap_or(&word);
            let say = banned
                .iter()
                .find(|(never, _)| *never == singular || *never == word);
            if let Some((_, say)) = say {
                found.push(Violation {
                    path: file.path.clone(),
                    line: at + 1,
                    what: format!("the word \"{word}\""),
                    why: "one thing has one name (docs/GLOSSARY.md)",
                    remedy: format!("say {say}, or quote a server's own text in backticks"),
                });
            }
        }
    }
    found
}

fn check_path(file: &SourceFile) -> Option<Violation> {
    let mut names = file
        .path
        .split('/')
        .map(|part| part.split('.').next().unwrap_or_default());
    names
        .find(|name| EMPTY_NAMES.contains(name))
        .map(|name| empty_name(file, 1, name))
}

fn check_modules(file: &SourceFile, code: &str) -> Vec<Violation> {
    let module = |(at, line): (usize, &str)| {
        let (_, name) = line.split_once("mod ")?;
        let name = name.trim_end_matches([' ', '{', ';', '}']);
        EMPTY_NAMES
            .contains(&name)
            .then(|| empty_name(file, at + 1, name))
    };
    code.lines().enumerate().filter_map(module).collect()
}

fn empty_name(file: &SourceFile, line: usize, name: &str) -> Violation {
    Violation {
        path: file.path.clone(),
        line,
        what: format!("a file, folder or module named `{name}`"),
        why: "a name that fits everything collects everything",
        remedy: "name it after what it holds".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|v| format!("{}: {}", v.line, v.what))
            .collect()
    }

    #[test]
    fn banned_words_are_found_in_names_comments_and_strings() {
        let text = "// The slaves\nstruct MasterNode;\nlet a = \"backend\";\nlet db_instance = 1;";
        assert_eq!(
            whats("shell/a/src/lib.rs", text),
            [
                "2: the word \"master\"",
                "2: the word \"node\"",
                "4: the word \"instance\"",
                "1: the word \"slaves\"",
                "3: the word \"backend\"",
            ]
        );
    }

    #[test]
    fn quotations_and_words_that_only_look_alike_are_no_offence() {
        let text = "//! `SHOW SLAVE STATUS`, for instance.\n//! ```\n//! master\n//! ```\n\
                    let mastery = leading(nodes_are_not_here_but_anode);";
        assert_eq!(whats("a.rs", text), ["5: the word \"nodes\""]);
        assert_eq!(
            whats(
                "a.md",
                "See `master` in https://e.org/master/x\n```\nnode\n```\n"
            ),
            [""; 0]
        );
        assert_eq!(whats("a.md", "The master."), ["1: the word \"master\""]);
    }

    #[test]
    fn files_that_speak_to_servers_may_use_the_servers_words() {
        let text = "let sql = \"SHOW SLAVE STATUS\"; // the slave";
        assert_eq!(whats("shell/manager/src/dialect/mariadb.rs", text), [""; 0]);
        assert_eq!(whats("shell/manager/src/dialect_mysql80.rs", text), [""; 0]);
        assert_eq!(
            whats("shell/manager/src/tests.rs", text),
            ["1: the word \"slave\""]
        );
        assert_eq!(whats("shell/manager/src/observer.rs", text).len(), 2);
    }

    #[test]
    fn names_that_say_nothing_are_found_in_paths_and_modules() {
        assert_eq!(whats("shell/a/src/utils.rs", "").len(), 1);
        assert_eq!(whats("shell/common/src/a.rs", "").len(), 1);
        assert_eq!(
            whats("tests/a.rs", "mod common;\npub(crate) mod helpers {\n}").len(),
            2
        );
        assert_eq!(
            whats("shell/a/src/commonplace.rs", "mod uncommon;"),
            [""; 0]
        );
    }
}
