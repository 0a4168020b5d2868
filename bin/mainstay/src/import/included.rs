//! What a file includes, in place of the line that says so (`keepalived.conf(5)`): `include FILE`
//! and its variants, where `*` and `?` stand for parts of the last name and a relative path begins
//! at the file that has the line.
//!
//! A line that names nothing that can be read stays, and the import says so.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mainstay_import::{Fate, ImportError, Imported, Remark};

use crate::output::BadInput;

/// The plain word and its variants, which differ in what keepalived complains of.
const WORDS: [&str; 6] = [
    "include", "includer", "includem", "includew", "includeb", "includea",
];

/// Files that include each other never end.
const DEPTH_MAX: usize = 16;
const FILES_MAX: usize = 1_000;

/// A file with all that it includes.
pub(super) struct Sources {
    pub(super) text: String,
    files: Vec<PathBuf>,
    /// Of each line of the text: which file, and which line of it.
    lines: Vec<(usize, usize)>,
    /// What was found in place of which line of which file.
    included: Vec<(usize, usize, String)>,
}

/// Reads files, one after the other, and what they include.
pub(super) fn read(paths: &[PathBuf]) -> Result<Sources> {
    let mut sources = Sources {
        text: String::new(),
        files: Vec::new(),
        lines: Vec::new(),
        included: Vec::new(),
    };
    for path in paths {
        sources.add(path, 0)?;
    }
    Ok(sources)
}

impl Sources {
    fn add(&mut self, path: &Path, depth: usize) -> Result<()> {
        let text = super::read(path)?;
        let file = self.files.len();
        self.files.push(path.to_owned());
        if depth > DEPTH_MAX || file > FILES_MAX {
            let path = path.display();
            let sentence = format!("{path}: files include each other without an end");
            return Err(BadInput(sentence).into());
        }
        for (number, line) in (1..).zip(text.lines()) {
            let found = pattern(line).map(|pattern| matching(path, pattern));
            let found = found.filter(|found| !found.is_empty());
            let Some(found) = found else {
                self.text.push_str(line);
                self.text.push('\n');
                self.lines.push((file, number));
                continue;
            };
            let names = found.iter().map(|path| path.display().to_string());
            let names: Vec<_> = names.collect();
            self.included.push((file, number, names.join(", ")));
            for path in &found {
                self.add(path, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Remarks with the file and the line that they are about.
    pub(super) fn told(&self, mut imported: Imported) -> Imported {
        for remark in &mut imported.remarks {
            let Some((file, line)) = self.origin(remark.line) else {
                continue;
            };
            remark.line = line;
            if file > 0 {
                let name = self.files[file].display();
                remark.what = format!("{} ({name})", remark.what);
            }
        }
        for (file, line, names) in &self.included {
            let name = self.files[*file].display();
            imported.remarks.push(Remark {
                line: *line,
                fate: Fate::Taken,
                what: if *file > 0 {
                    format!("include ({name})")
                } else {
                    "include".to_owned()
                },
                sentence: format!("read: {names}"),
            });
        }
        imported
    }

    /// An error with the file and the line that it is about.
    pub(super) fn place(&self, error: ImportError) -> String {
        let (file, error) = match error {
            ImportError::Grammar { line, sentence } => {
                let (file, line) = self.origin(line).unwrap_or((0, line));
                (file, ImportError::Grammar { line, sentence })
            }
            ImportError::Unknown => (0, error),
        };
        format!("{}: {error}", self.files[file].display())
    }

    fn origin(&self, line: usize) -> Option<(usize, usize)> {
        self.lines.get(line.checked_sub(1)?).copied()
    }
}

/// What a line includes, if it does.
fn pattern(line: &str) -> Option<&str> {
    let (word, rest) = line.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim().trim_matches('"');
    (WORDS.contains(&word) && !rest.is_empty()).then_some(rest)
}

/// The files that a pattern names, in their order.
fn matching(from: &Path, pattern: &str) -> Vec<PathBuf> {
    let folder = from.parent().unwrap_or(Path::new(""));
    let path = folder.join(pattern);
    if path.is_file() {
        return vec![path];
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let name = name.to_string_lossy();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let fits = |path: &PathBuf| {
        let own = path.file_name().map(|own| own.to_string_lossy());
        // As a shell does, what is hidden is not named by a star.
        let hidden = |own: &str| own.starts_with('.') && !name.starts_with('.');
        own.is_some_and(|own| !hidden(&own) && wild(name.as_bytes(), own.as_bytes()))
    };
    let paths = entries.map(|entry| entry.path());
    let mut found: Vec<_> = paths.filter(|path| path.is_file() && fits(path)).collect();
    found.sort();
    found
}

/// Whether a name fits, where `*` stands for any letters and `?` for one.
fn wild(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // The last star, and how much of the name it stands for.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, fits) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("*a*b", "xaab", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("a", "", false),
        ] {
            let found = wild(pattern.as_bytes(), name.as_bytes());
            assert_eq!(found, fits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_included_stands_in_its_place_and_is_told_by_its_own_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("conf.d")).expect("a folder");
        let write = |name: &str, text: &str| fs::write(path(name), text).expect("a file");
        write(
            "keepalived.conf",
            "! main\ninclude conf.d/*.conf\ninclude nothing/*\nlast\n",
        );
        write("conf.d/b.conf", "b\nincluder ../more\n");
        write("conf.d/a.conf", "a\n");
        write("conf.d/.hidden.conf", "hidden\n");
        write("more", "vrrp_instance {\n");
        let sources = read(&[path("keepalived.conf")]).expect("all can be read");
        let expected = "! main\na\nb\nvrrp_instance {\ninclude nothing/*\nlast\n";
        assert_eq!(sources.text, expected);
        let wrong = ImportError::Grammar {
            line: 4,
            sentence: "open".to_owned(),
        };
        let said = sources.place(wrong);
        assert!(said.ends_with("more: line 1: open"), "{said}");
        let remarks = sources.told(Imported {
            toml: String::new(),
            remarks: vec![Remark {
                line: 6,
                fate: Fate::LeftOut,
                what: "last".to_owned(),
                sentence: String::new(),
            }],
        });
        let lines: Vec<_> = remarks.remarks.iter().map(|one| one.line).collect();
        assert_eq!(lines, [4, 2, 2]);
    }

    #[test]
    fn files_that_include_each_other_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, "include a\n").expect("a file");
        assert!(read(&[path]).is_err());
    }
}
