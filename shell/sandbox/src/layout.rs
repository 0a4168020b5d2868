//! What a sandbox's directory holds, and which directories are refused.
//!
//! ```text
//! DIR/sandbox.json    what runs here: flavor, version, ports, ids, credentials
//! DIR/sandbox.lock    held by the process that runs it
//! DIR/db1 … db3       my.cnf, mysqld.log, mysqld.pid, data/, tmp/; accounts.sql until it was run;
//!                     reseed.log; data.making, data.old while data/ is made or replaced
//! DIR/salvage/        transactions saved before a server's data is replaced
//! DIR/mainstay.*      the manager's own
//! ```

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::copy::{copy_tree, create_private, remove_tree};
use crate::credentials::Credentials;
use crate::flavor::{Flavor, Version};
use crate::locate::ServerProgram;
use crate::lock::Lock;
use crate::reseed::swap;
use crate::{Result, SandboxError, dialect, ports};

/// The servers of every sandbox.
pub(crate) const SERVER_NAMES: [&str; 3] = ["db1", "db2", "db3"];

/// What is kept of servers that were reseeded, and the certificates that the proxy has made.
const OTHER_FOLDERS: [&str; 2] = ["salvage", "tls"];

/// Grows when `sandbox.json` changes its meaning.
const FORMAT: u32 = 1;
const DESCRIPTION: &str = "sandbox.json";

/// `sandbox.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    format: u32,
    pub(crate) flavor: Flavor,
    server_version: String,
    pub(crate) servers: Vec<DescribedServer>,
    pub(crate) credentials: Credentials,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DescribedServer {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) server_id: u32,
}

/// A directory that is ours, locked.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    pub(crate) description: Description,
    /// Whether this start made it, rather than an earlier one.
    pub(crate) is_new: bool,
    _lock: Lock,
}

impl Layout {
    /// Takes the directory: picks up the sandbox in it, or describes a new one.
    ///
    /// `force` allows the servers' data of another sandbox to be deleted; nothing else is ever.
    pub(crate) fn open(
        dir: &Path,
        program: &ServerProgram,
        base_port: u16,
        force: bool,
    ) -> Result<Self> {
        let dir = create(dir)?;
        refuse_foreign_files(&dir)?;
        let lock = Lock::take(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))
            .map_err(SandboxError::io("protect", &dir))?;
        let kept = match read(&dir, program) {
            Err(
                SandboxError::OtherSandbox { .. }
                | SandboxError::NoDescription { .. }
                | SandboxError::BadDescription { .. },
            ) if force => {
                delete_data(&dir)?;
                None
            }
            other => other?,
        };
        let is_new = kept.is_none();
        let mut description = kept.map_or_else(|| describe(program, base_port), Ok)?;
        description.server_version.clone_from(&program.version.text);
        if base_port != 0 {
            for (server, port) in description
                .servers
                .iter_mut()
                .zip(ports::choose(base_port)?)
            {
                server.port = port;
            }
        }
        let layout = Self {
            dir,
            description,
            is_new,
            _lock: lock,
        };
        for name in SERVER_NAMES {
            swap::recover(&layout.server(name))?;
        }
        ports::require_free(layout.ports())?;
        layout.write_description()?;
        Ok(layout)
    }

    pub(crate) fn ports(&self) -> [u16; 3] {
        std::array::from_fn(|index| self.description.servers[index].port)
    }

    /// The folder of one server.
    pub(crate) fn server(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether a server has no data yet.
    pub(crate) fn needs_template(&self) -> bool {
        SERVER_NAMES
            .iter()
            .any(|name| !self.server(name).join("data").exists())
    }

    /// Gives every server its folders, its option file and, if it has none yet, its data.
    pub(crate) fn furnish(&self, program: &ServerProgram, template: Option<&Path>) -> Result<()> {
        let as_root = rustix::process::geteuid().is_root();
        for server in &self.description.servers {
            let directory = self.server(&server.name);
            let tmp = directory.join("tmp");
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&tmp)
                .map_err(SandboxError::io("create", &tmp))?;
            let (port, server_id) = (server.port, server.server_id);
            let files = dialect::ServerFiles {
                program,
                directory: &directory,
                port,
                server_id,
                as_root,
            };
            write_private(&directory.join("my.cnf"), &dialect::option_file(&files))?;
            let data = directory.join("data");
            if let Some(template) = template.filter(|_| !data.exists()) {
                self.fill(&directory, &data, template)?;
            }
        }
        Ok(())
    }

    /// The data appears by a rename, whole; its accounts are still to be made then.
    fn fill(&self, directory: &Path, data: &Path, template: &Path) -> Result<()> {
        let copy = swap::making(directory);
        remove_tree(&copy).map_err(SandboxError::io("remove", &copy))?;
        copy_tree(template, &copy).map_err(SandboxError::io("fill", &copy))?;
        let statements =
            dialect::first_statements(self.description.flavor, &self.description.credentials);
        write_private(&accounts_file(directory), &statements)?;
        fs::rename(&copy, data).map_err(SandboxError::io("rename", &copy))
    }

    fn write_description(&self) -> Result<()> {
        let mut text = serde_json::to_string_pretty(&self.description)
            .expect("a description holds only text and numbers");
        text.push('\n');
        write_private(&self.dir.join(DESCRIPTION), &text)
    }
}

/// Present until the server has run it; holds passwords.
pub(crate) fn accounts_file(server: &Path) -> PathBuf {
    server.join("accounts.sql")
}

fn create(dir: &Path) -> Result<PathBuf> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(SandboxError::io("create", parent))?;
    }
    match create_private(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(SandboxError::io("create", dir)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let dir = fs::canonicalize(dir).map_err(SandboxError::io("open", dir))?;
    let text = dir.to_str().unwrap_or("\u{fffd}");
    // A colon separates folders in `tmpdir`; the others end or escape a quoted value.
    let refused = |c: char| c.is_control() || matches!(c, '"' | '\\' | ':' | '\u{fffd}');
    match text.chars().find(|c| refused(*c)) {
        Some(character) => Err(SandboxError::BadPath { dir, character }),
        None => Ok(dir),
    }
}

fn refuse_foreign_files(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(SandboxError::io("read", dir))? {
        let entry = entry.map_err(SandboxError::io("read", dir))?.file_name();
        let entry = entry.to_string_lossy();
        let ours = SERVER_NAMES.contains(&&*entry)
            || OTHER_FOLDERS.contains(&&*entry)
            || entry.starts_with("sandbox.")
            || entry.starts_with("mainstay.")
            || entry.starts_with("mainstay-");
        if !ours {
            return Err(SandboxError::ForeignFiles {
                dir: dir.to_owned(),
                entry: entry.into_owned(),
            });
        }
    }
    Ok(())
}

/// The sandbox in this directory, if there is one and this server may run on its data.
fn read(dir: &Path, program: &ServerProgram) -> Result<Option<Description>> {
    let file = dir.join(DESCRIPTION);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let has_data = SERVER_NAMES.iter().any(|name| dir.join(name).exists());
            let dir = dir.to_owned();
            return if has_data {
                Err(SandboxError::NoDescription { dir })
            } else {
                Ok(None)
            };
        }
        Err(error) => return Err(SandboxError::io("read", &file)(error)),
    };
    let bad = |reason: String| SandboxError::BadDescription {
        file: file.clone(),
        reason,
    };
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    // Before its fields are read: another format may have other ones.
    if value["format"] != FORMAT {
        return Err(bad(format!(
            "its format is {}, not {FORMAT}",
            value["format"]
        )));
    }
    let kept: Description =
        serde_json::from_value(value).map_err(|error| bad(error.to_string()))?;
    if !kept
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .eq(SERVER_NAMES)
    {
        return Err(bad("its servers are not db1, db2 and db3".to_owned()));
    }
    let version: Version = kept.server_version.parse().map_err(bad)?;
    if kept.flavor == program.flavor && program.version.can_open_data_of(&version) {
        return Ok(Some(kept));
    }
    Err(SandboxError::OtherSandbox {
        dir: dir.to_owned(),
        kept: format!("{} {version}", kept.flavor),
        wanted: format!("{} {}", program.flavor, program.version),
    })
}

fn describe(program: &ServerProgram, base_port: u16) -> Result<Description> {
    let servers = SERVER_NAMES
        .into_iter()
        .zip(ports::choose(base_port)?)
        .zip(1..);
    Ok(Description {
        format: FORMAT,
        flavor: program.flavor,
        server_version: program.version.text.clone(),
        servers: servers
            .map(|((name, port), server_id)| DescribedServer {
                name: name.to_owned(),
                port,
                server_id,
            })
            .collect(),
        credentials: Credentials::random()?,
    })
}

fn delete_data(dir: &Path) -> Result<()> {
    for name in SERVER_NAMES {
        let path = dir.join(name);
        remove_tree(&path).map_err(SandboxError::io("delete", &path))?;
    }
    let file = dir.join(DESCRIPTION);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SandboxError::io("delete", &file)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file that only its owner can read; it is the old one or the new one, never a part.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let write = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(SandboxError::io("write", path))
}

#[cfg(test)]
mod tests;
