//! Initialised, empty data directories: made once per server version, copied ever after.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};

use crate::copy::{create_private, remove_tree};
use crate::dialect;
use crate::guard::Guard;
use crate::locate::ServerProgram;
use crate::{Result, SandboxError};

/// Grows when templates are made in another way.
const FORMAT: u32 = 1;
const LOG_LINES: usize = 5;

/// The template of this server, made now if it is not there yet.
///
/// Complete or absent: it is made beside its place and renamed. Two processes that want it at once
/// take turns by a lock, and the second finds it there.
pub(crate) fn template(
    program: &ServerProgram,
    cache: Option<&Path>,
    guard: &Guard,
) -> Result<PathBuf> {
    let folder = cache
        .map_or_else(default_cache, Path::to_owned)
        .join("templates");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(SandboxError::io("create", &folder))?;
    let folder = &fs::canonicalize(&folder).map_err(SandboxError::io("open", &folder))?;
    let owner = fs::metadata(folder)
        .map_err(SandboxError::io("open", folder))?
        .uid();
    if owner != rustix::process::geteuid().as_raw() {
        // Whoever owns it could have put accounts of their own into the servers' data.
        let reason = io::Error::other("it belongs to another user; give another --cache");
        return Err(SandboxError::io("use", folder)(reason));
    }
    let key = key(program);
    let _turn = turn(&folder.join(format!("{key}.lock")))?;
    let finished = folder.join(&key);
    if finished.exists() {
        return Ok(finished);
    }
    let making = folder.join(format!("{key}.making"));
    remove_tree(&making).map_err(SandboxError::io("remove", &making))?;
    create_private(&making).map_err(SandboxError::io("create", &making))?;
    initialise(program, &making, guard)?;
    let data = making.join("data");
    // Each copy gets a server UUID of its own.
    let _absent_on_mariadb = fs::remove_file(data.join("auto.cnf"));
    fs::rename(&data, &finished).map_err(SandboxError::io("rename", &data))?;
    remove_tree(&making).map_err(SandboxError::io("remove", &making))?;
    Ok(finished)
}

fn initialise(program: &ServerProgram, making: &Path, guard: &Guard) -> Result<()> {
    tracing::info!(server = %program.flavor, version = %program.version, "making a data template");
    let tmp = making.join("tmp");
    create_private(&tmp).map_err(SandboxError::io("create", &tmp))?;
    let log_path = making.join("log");
    let log = File::create(&log_path).map_err(SandboxError::io("create", &log_path))?;
    let errors = log
        .try_clone()
        .map_err(SandboxError::io("open", &log_path))?;
    let as_root = rustix::process::geteuid().is_root();
    let (path, arguments) = dialect::initialisation(program, &making.join("data"), &tmp, as_root);
    let status = guard
        .command(path.clone(), arguments)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .status()
        .map_err(SandboxError::io("run", &path))?;
    if status.success() {
        return Ok(());
    }
    let log_end = end_of(&log_path);
    Err(SandboxError::Template {
        flavor: program.flavor,
        version: program.version.clone(),
        status,
        log_end,
    })
}

/// The last lines of a log, on one line.
pub(crate) fn end_of(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return "(it is empty)".to_owned();
    }
    lines[lines.len().saturating_sub(LOG_LINES)..].join(" | ")
}

fn key(program: &ServerProgram) -> String {
    let text = format!("{}-{}", program.flavor, program.version);
    let plain = text.to_lowercase();
    let plain = plain.replace(
        |c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-',
        "_",
    );
    format!("{plain}-{FORMAT}")
}

fn default_cache() -> PathBuf {
    let named = |variable: &str| env::var_os(variable).map(PathBuf::from);
    named("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| Some(named("HOME")?.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("mainstay")
}

fn turn(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(SandboxError::io("open", path))?;
    flock(&file, FlockOperation::LockExclusive)
        .map_err(|error| SandboxError::io("lock", path)(error.into()))?;
    Ok(file)
}
