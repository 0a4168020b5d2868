//! Replaces a server's data by a copy of another's, where its family has no statement for that.
//!
//! - Nothing is done to the server before its donor has answered.
//! - From then on it is down: nothing that it did could be lost with its data.
//! - The old data are deleted only when the server has come back on the new ones.

mod copy;
mod donor;
pub(crate) mod history;
pub(crate) mod swap;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::dialect::mariadb::backup_program;
use crate::flavor::Flavor;
use crate::sandbox::{START_LIMIT, Sandbox, SandboxServer};
use crate::supervisor::SandboxEvent;
use crate::template::end_of;
use crate::{Result, SandboxError};
use copy::Copy;

/// A donor that is killed meanwhile comes back.
const ATTEMPTS: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_secs(3);

impl Sandbox {
    /// Replaces the data of a server by a copy of the donor's, and returns when it takes logins
    /// again: detached, with the history of its donor. MariaDB only.
    ///
    /// After a failure the old data are in place. If it came late, the server is held.
    pub async fn reseed(&self, name: &str, donor: &str) -> Result<()> {
        let _one_at_a_time = self
            .reseeding
            .try_lock()
            .map_err(|_| SandboxError::Reseeding {
                server: name.to_owned(),
            })?;
        let server = self.described(name)?;
        if self.flavor() != Flavor::MariaDb {
            let server = name.to_owned();
            return Err(SandboxError::ReseedsItself { server });
        }
        let donor = self.described(donor)?;
        let program = backup_program(&self.prepared.program);
        let copy = Copy {
            program: program.ok_or(SandboxError::NoBackupProgram)?,
            guard: self.prepared.guard.clone(),
            donor: donor.name.to_string(),
            port: donor.address.port,
            login: self.credentials().manager.clone(),
            directory: self.directory(&server),
            given_up: Arc::default(),
        };
        donor::require_commits(&donor, self.credentials()).await?;
        self.hold_restart(name).await?;
        self.kill(name, Signal::KILL).await?;
        let done = self.replace(&server, &donor, copy).await;
        done.map_err(|error| SandboxError::Reseed {
            server: name.to_owned(),
            reason: error.to_string(),
        })
    }

    async fn replace(
        &self,
        server: &SandboxServer,
        donor: &SandboxServer,
        copy: Copy,
    ) -> Result<()> {
        let mut attempt = 1;
        while let Err(error) = self.copy(donor, copy.again()).await {
            tracing::warn!(server = %server.name, %attempt, %error, "no copy of its donor's data");
            if attempt == ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
            sleep(ATTEMPT_PAUSE).await;
        }
        let directory = self.directory(server);
        let place = directory.clone();
        blocking(move || swap::put_in_place(&place)).await?;
        if let Err(error) = self.come_back(server).await {
            self.hold_restart(server.name.as_str()).await?;
            self.kill(server.name.as_str(), Signal::KILL).await?;
            blocking(move || swap::take_back(&directory)).await?;
            return Err(error);
        }
        if let Err(error) = blocking(move || swap::forget_old(&directory)).await {
            // The next start of the sandbox deletes them.
            tracing::warn!(server = %server.name, %error, "the old data are still there");
        }
        Ok(())
    }

    /// A finished copy with its history, beside the server's data.
    async fn copy(&self, donor: &SandboxServer, copy: Copy) -> Result<()> {
        donor::require_commits(donor, self.credentials()).await?;
        let target = swap::making(&copy.directory);
        let before = donor::held(donor, self.credentials()).await?;
        let (maker, place) = (copy.clone(), target.clone());
        let mut made = pin!(blocking(move || maker.make(&place)));
        tokio::select! {
            made = &mut made => made?,
            stall = donor::stall(donor, self.credentials()) => {
                copy.give_up();
                let _it_ends_now = made.await;
                return Err(stall);
            }
        }
        let after = donor::held(donor, self.credentials()).await?;
        blocking(move || {
            copy.prepare(&target)?;
            history::write(&target, &before, &after)
        })
        .await
    }

    /// Starts the server on its new data.
    async fn come_back(&self, server: &SandboxServer) -> Result<()> {
        let log = self.directory(server).join("mysqld.log");
        let mut events = self.events();
        self.release_restart(server.name.as_str()).await?;
        let first_word = async {
            loop {
                match events.recv().await {
                    Ok(SandboxEvent::Ready { server: name, .. }) if name == server.name => {
                        return Ok(());
                    }
                    Ok(SandboxEvent::Exited {
                        server: name, how, ..
                    }) if name == server.name => {
                        return Err(SandboxError::StartFailed {
                            server: name.to_string(),
                            how,
                            log_end: end_of(&log),
                            log: log.clone(),
                        });
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(SandboxError::Stopped),
                }
            }
        };
        let answered = timeout(START_LIMIT, first_word).await;
        answered.map_err(|_| SandboxError::StartTimeout {
            server: server.name.to_string(),
            seconds: START_LIMIT.as_secs(),
            log: log.clone(),
        })??;
        history::prove(server, &self.directory(server), self.credentials()).await
    }

    fn described(&self, name: &str) -> Result<SandboxServer> {
        let mut servers = self.prepared.servers().into_iter();
        servers
            .find(|server| server.name.as_str() == name)
            .ok_or_else(|| SandboxError::UnknownServer {
                name: name.to_owned(),
            })
    }

    fn directory(&self, server: &SandboxServer) -> PathBuf {
        self.prepared.layout.server(server.name.as_str())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.expect("nothing in this file panics")
}
