//! The files of one test, kept when it fails.

use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

/// A directory that is removed when the test has passed.
#[derive(Debug)]
pub struct Home {
    dir: Option<TempDir>,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// An empty directory.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("mainstay-e2e-").tempdir();
        Self {
            dir: Some(dir.expect("a temporary directory can be made")),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        self.dir.as_ref().expect("it is there until the end").path()
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Keeps the directory, whatever becomes of the test.
    pub fn keep(&mut self) -> PathBuf {
        self.dir.take().expect("it is there until the end").keep()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some(dir) = self.dir.take() else { return };
        if thread::panicking() {
            let kept = dir.keep();
            eprintln!("the files of the failed test are in {}", kept.display());
        }
    }
}
