//! What a running sandbox tells other commands: one JSON object, readable by its owner only.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::output::BadInput;

/// The file in the sandbox's directory.
const RUN_FILE: &str = "mainstay.run.json";

/// A port that people or programs connect to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
}

/// One server of the sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunServer {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) pid: Option<u32>,
    pub(crate) role: String,
}

/// What `sandbox --detach --json` prints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunFile {
    pub(crate) dir: PathBuf,
    pub(crate) flavor: String,
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) proxy: Endpoint,
    pub(crate) admin: Endpoint,
    pub(crate) api: Endpoint,
    pub(crate) servers: Vec<RunServer>,
}

impl RunFile {
    /// Leaves the object in the sandbox's directory, and remembers that directory as the last.
    pub(crate) fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        write_private(&self.dir.join(RUN_FILE), &text)?;
        let pointer = pointer()?;
        write_private(&pointer, &self.dir.to_string_lossy())
    }

    /// Takes the object away when the sandbox has ended.
    pub(crate) fn remove(&self) {
        // Already gone is what is wanted.
        let _ = fs::remove_file(self.dir.join(RUN_FILE));
        if last_dir().is_some_and(|last| last == self.dir)
            && let Ok(pointer) = pointer()
        {
            let _ = fs::remove_file(pointer);
        }
    }

    /// Finds a running sandbox: in this directory, or the one that was started last.
    pub(crate) fn find(dir: Option<&Path>) -> Result<Self> {
        let Some(dir) = dir.map(Path::to_owned).or_else(last_dir) else {
            let text = "no sandbox is running; start one with `mainstay sandbox`, or name a \
                        running cluster with --dir or --config";
            return Err(BadInput(text.to_owned()).into());
        };
        let file = dir.join(RUN_FILE);
        let text = fs::read_to_string(&file).map_err(|error| {
            let dir = dir.display();
            BadInput(format!(
                "no sandbox is running in {dir} ({error}); start it with \
                 `mainstay sandbox --dir {dir}`"
            ))
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))
    }
}

fn last_dir() -> Option<PathBuf> {
    let text = fs::read_to_string(pointer().ok()?).ok()?;
    Some(PathBuf::from(text.trim_end()))
}

/// `$XDG_RUNTIME_DIR/mainstay/last-sandbox`, or the same below `/tmp/mainstay-<uid>`.
fn pointer() -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| Path::new(dir).is_dir());
    let folder = match runtime {
        Some(dir) => PathBuf::from(dir).join("mainstay"),
        None => {
            std::env::temp_dir().join(format!("mainstay-{}", rustix::process::geteuid().as_raw()))
        }
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder.join("last-sandbox"))
}

/// Writes a file that only its owner can read; it is the old one or the new one, never a part.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    // Two sandboxes may remember themselves as the last at the same time.
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&part, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
