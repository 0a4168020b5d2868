//! Copies the data of a running server with the program that its package has for that.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::copy::{create_private, remove_tree};
use crate::credentials::Login;
use crate::dialect::mariadb::{backup_arguments, backup_options};
use crate::guard::Guard;
use crate::layout::write_private;
use crate::template::end_of;
use crate::{Result, SandboxError};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How to copy a donor's data into the folder of the server that gets them.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) program: PathBuf,
    pub(super) guard: Guard,
    pub(super) donor: String,
    pub(super) port: u16,
    pub(super) login: Login,
    /// Of the server that gets the data.
    pub(super) directory: PathBuf,
    pub(super) given_up: Arc<AtomicBool>,
}

impl Copy {
    /// Fills an empty `target`. Blocks; the program dies with this thread.
    pub(super) fn make(&self, target: &Path) -> Result<()> {
        remove_tree(target).map_err(SandboxError::io("remove", target))?;
        create_private(target).map_err(SandboxError::io("create", target))?;
        let options = self.directory.join("backup.cnf");
        write_private(&options, &backup_options(self.port, &self.login))?;
        let made = self.run("--backup", &options, target);
        fs::remove_file(&options).map_err(SandboxError::io("delete", &options))?;
        made
    }

    /// The same for another attempt.
    pub(super) fn again(&self) -> Self {
        Self {
            given_up: Arc::default(),
            ..self.clone()
        }
    }

    /// Ends the program that copies.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Makes what was copied consistent.
    pub(super) fn prepare(&self, target: &Path) -> Result<()> {
        self.run("--prepare", Path::new("/dev/null"), target)
    }

    fn run(&self, action: &str, options: &Path, target: &Path) -> Result<()> {
        let log = self.directory.join("reseed.log");
        let output = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log)
            .map_err(SandboxError::io("open", &log))?;
        let errors = output.try_clone().map_err(SandboxError::io("open", &log))?;
        let arguments = backup_arguments(action, options, target);
        let mut child = self
            .guard
            .command(self.program.clone(), arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(SandboxError::io("run", &self.program))?;
        loop {
            let ended = child
                .try_wait()
                .map_err(SandboxError::io("run", &self.program))?;
            if let Some(status) = ended {
                return if status.success() {
                    Ok(())
                } else {
                    Err(self.failed(&format!("{status}; {}", end_of(&log))))
                };
            }
            if self.given_up.load(Ordering::Relaxed) {
                // It may have ended in this moment; reaped it is either way.
                let _already_ended = child.kill();
                let _status = child.wait();
                return Err(self.failed("it was ended"));
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn failed(&self, reason: &str) -> SandboxError {
        SandboxError::Donor {
            donor: self.donor.clone(),
            reason: format!("{}: {reason}", self.program.display()),
        }
    }
}
