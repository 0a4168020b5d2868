//! The write probe: a real write to the primary's heartbeat row, with its own connection. A server
//! that answers queries may still be unable to commit (full disk, missing acknowledgements).
//!
//! Invariants:
//! - only the published writer is written to, and not while writes are held;
//! - `busy` is set before the writer is read for the last time, so who withdraws the writer and
//!   then sees `busy` false knows that no write is under way and none will begin;
//! - a statement that waited in a stopped server does nothing when it wakes up: it would be an
//!   errant transaction. It carries the server's own time after which it is void;
//! - a server that is read-only is not written to, though the manager's account could;
//! - a waiting write is reported, never killed: a killed commit may be answered with a false OK.

use std::time::Duration;

use mainstay_mysql::{Connection, Error};
use mainstay_topology::{Address, ServerName, Target, WriteOutcome, WriteProbe};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::clock::Clock;
use crate::config::{Login, Timing};
use crate::event::Event;
use crate::look;

pub(crate) struct Prober {
    pub(crate) login: Login,
    pub(crate) timing: Timing,
    pub(crate) writer: watch::Receiver<Option<Target>>,
    pub(crate) busy: watch::Sender<bool>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) clock: Clock,
}

/// The manager is gone.
struct Gone;

impl Prober {
    /// Probes until the manager is gone.
    pub(crate) async fn run(mut self) {
        while self.follow().await.is_ok() {
            self.busy.send_replace(false);
        }
    }

    /// Follows one writer for as long as it is the writer.
    async fn follow(&mut self) -> Result<(), Gone> {
        let present = self.writer.wait_for(Option::is_some).await;
        let Some(target) = present.map_err(|_| Gone)?.clone() else {
            return Ok(());
        };
        let mut connection = None;
        loop {
            tokio::select! {
                changed = self.writer.changed() => changed.map_err(|_| Gone)?,
                () = sleep(self.timing.write_interval) => {}
            }
            self.busy.send_replace(true);
            let still = self.writer.borrow().clone();
            match still {
                Some(still) if still == target => {}
                Some(_) => return Ok(()),
                None => {
                    self.busy.send_replace(false);
                    continue;
                }
            }
            let outcome = self.write(&target, &mut connection).await?;
            self.busy.send_replace(false);
            if let Some(outcome) = outcome {
                self.report(&target.name, outcome).await?;
            }
        }
    }

    /// One write; `None` when another server became the writer meanwhile.
    async fn write(
        &mut self,
        target: &Target,
        connection: &mut Option<Connection>,
    ) -> Result<Option<WriteOutcome>, Gone> {
        let mut open = match self.open(&target.address, connection.take()).await {
            Ok(open) => open,
            Err(error) => return Ok(Some(failed(&error))),
        };
        let mut writer = self.writer.clone();
        let begun = Instant::now();
        let outcome = {
            let beat = beat(&mut open);
            tokio::pin!(beat);
            loop {
                tokio::select! {
                    outcome = &mut beat => break outcome,
                    moved = moved_to_another(&mut writer, target) => {
                        moved?;
                        return Ok(None);
                    }
                    () = sleep(self.timing.write_interval) => {
                        let since = begun.elapsed();
                        self.report(&target.name, WriteOutcome::Blocked { since }).await?;
                    }
                }
            }
        };
        if !open.is_broken() {
            *connection = Some(open);
        }
        Ok(match outcome {
            Ok(true) => Some(WriteOutcome::Committed {
                took: begun.elapsed(),
            }),
            Ok(false) => None,
            Err(error) => Some(failed(&error)),
        })
    }

    async fn open(&self, at: &Address, kept: Option<Connection>) -> Result<Connection, Error> {
        if let Some(mut kept) = kept {
            // A connection that the server has closed meanwhile is not a failed write.
            if timeout(Duration::ZERO, kept.closed()).await.is_err() {
                return Ok(kept);
            }
        }
        Connection::connect(&look::options(at, &self.login, &self.timing)).await
    }

    async fn report(&self, server: &ServerName, outcome: WriteOutcome) -> Result<(), Gone> {
        let probe = WriteProbe {
            server: server.clone(),
            at: self.clock.now(),
            outcome,
        };
        let sent = self.events.send(Event::WriteProbed(probe)).await;
        sent.map_err(|_| Gone)
    }
}

fn failed(error: &Error) -> WriteOutcome {
    match error.server_code() {
        Some(code) => WriteOutcome::Refused { code },
        None => WriteOutcome::NoConnection,
    }
}

async fn moved_to_another(
    writer: &mut watch::Receiver<Option<Target>>,
    target: &Target,
) -> Result<(), Gone> {
    let other = |now: &Option<Target>| now.as_ref().is_some_and(|now| now != target);
    writer.wait_for(other).await.map(|_| ()).map_err(|_| Gone)
}

/// `ER_BAD_DB_ERROR` and `ER_NO_SUCH_TABLE`.
const ABSENT: [u16; 2] = [1049, 1146];

/// Writes the heartbeat; false when the statement was void, or the server is read-only, which the
/// manager's account could pass over: a primary that has come back serves nobody yet.
async fn beat(connection: &mut Connection) -> Result<bool, Error> {
    match write_row(connection).await {
        Err(error)
            if error
                .server_code()
                .is_some_and(|code| ABSENT.contains(&code)) =>
        {
            connection
                .execute("CREATE SCHEMA IF NOT EXISTS mainstay")
                .await?;
            connection
                .execute(
                    "CREATE TABLE IF NOT EXISTS mainstay.heartbeat \
                     (id TINYINT NOT NULL PRIMARY KEY, beat DATETIME(6) NOT NULL)",
                )
                .await?;
            write_row(connection).await
        }
        written => written,
    }
}

async fn write_row(connection: &mut Connection) -> Result<bool, Error> {
    let state =
        "SELECT UTC_TIMESTAMP(6) + INTERVAL 1 SECOND AS until, @@GLOBAL.read_only AS closed";
    let answer = connection.query(state).await?;
    let is = |column| answer.first().and_then(|row| row.get(column));
    if !matches!(is("closed"), Some("0" | "OFF")) {
        return Ok(false);
    }
    let until = is("until").unwrap_or_default();
    let write = format!(
        "REPLACE INTO mainstay.heartbeat (id, beat) \
         SELECT 1, UTC_TIMESTAMP(6) FROM DUAL WHERE UTC_TIMESTAMP(6) < '{until}'"
    );
    Ok(connection.execute(&write).await?.affected_rows > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Answer, Fake};

    /// Beats once; whether it was written, and what was sent.
    async fn beat_at(read_only: &'static str) -> (bool, Vec<String>) {
        let mut fake = Fake::start(move |_, statement| {
            if statement.starts_with("SELECT UTC") {
                let row = ["2026-01-01 00:00:00", read_only].map(str::to_owned);
                return Answer::Row(&["until", "closed"], row.to_vec());
            }
            Answer::Ok
        })
        .await;
        let mut connection = Connection::connect(&fake.options).await.unwrap();
        let written = beat(&mut connection).await.unwrap();
        connection.ping().await.unwrap();
        let sent = fake.receives("").await;
        (written, sent.into_iter().map(|(_, text)| text).collect())
    }

    #[tokio::test]
    async fn a_server_that_is_read_only_is_not_written_to() {
        let (written, sent) = beat_at("1").await;
        assert!(!written);
        assert!(!sent.iter().any(|text| text.starts_with("REPLACE")));
        let (_, sent) = beat_at("0").await;
        assert!(sent.iter().any(|text| text.starts_with("REPLACE")));
    }
}
