//! The files of the house as text: what is walked, and what kind of file each is.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A file with its path relative to the root, with `/` between the parts.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    pub(crate) fn is_markdown(&self) -> bool {
        self.has_extension("md")
    }

    /// The name without folder and extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        self.stem() == "tests"
            || self.path.split('/').any(|part| part == "tests")
            || self.path.starts_with("testing/")
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == extension)
    }
}

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// Every Rust and Markdown file under `root`, sorted; build output and hidden folders are left out.
pub(crate) fn read_all(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // A link is not followed: it could lead out of the house, or round in a circle.
            let kind = entry.file_type()?;
            if kind.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.extend(read(root, &entry.path())?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read(root: &Path, path: &Path) -> io::Result<Option<SourceFile>> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let mut file = SourceFile {
        path: relative.to_string_lossy().replace('\\', "/"),
        text: String::new(),
    };
    if !file.is_rust() && !file.is_markdown() {
        return Ok(None);
    }
    file.text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rust_and_markdown_outside_build_and_hidden_folders_is_read() {
        let root = tempfile::tempdir().expect("a folder");
        let kept = ["a/b.rs", "README.md"];
        for path in kept.iter().chain(&["target/c.rs", ".git/d.md", "e.toml"]) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "text").expect("a file");
        }
        let files = read_all(root.path()).expect("files");
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["README.md", "a/b.rs"]);
    }

    #[test]
    fn test_files_are_told_by_their_place() {
        let is_test = |path: &str| {
            SourceFile {
                path: path.to_owned(),
                text: String::new(),
            }
            .is_test()
        };
        assert!(is_test("core/gtid/src/mysql/tests.rs"));
        assert!(is_test("bin/mainstay/tests/cli.rs"));
        assert!(is_test("testing/sim/src/main.rs"));
        assert!(!is_test("core/gtid/src/lib.rs"));
    }
}
