//! Clients of our own, for what sysbench cannot do: set up connections, sit idle, and send many
//! different statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use mainstay_mysql::{ConnectOptions, Connection};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::server::{PASSWORD, SCHEMA, USER};

/// Set-ups at once while idle sessions are opened.
const OPENING: usize = 32;

pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

fn options(port: u16) -> ConnectOptions {
    let options = ConnectOptions::new("127.0.0.1", port, USER, PASSWORD).with_database(SCHEMA);
    options.with_connect_timeout(Duration::from_mins(1))
}

/// Connects, logs in, asks once and leaves, from so many tasks at once, until the time is over.
/// Returns how often.
pub(crate) async fn set_up(port: u16, tasks: u32, time: Duration) -> Result<u64> {
    let deadline = Instant::now() + time;
    let mut clients = JoinSet::new();
    for _ in 0..tasks {
        clients.spawn(async move {
            let mut count = 0;
            while Instant::now() < deadline {
                let mut one = Connection::connect(&options(port)).await?;
                one.query("SELECT 1").await?;
                one.quit().await;
                count += 1;
            }
            Ok::<u64, mainstay_mysql::Error>(count)
        });
    }
    let mut all = 0;
    while let Some(done) = clients.join_next().await {
        all += done??;
    }
    Ok(all)
}

/// Opens sessions until there are so many; each has asked once, so that what a session keeps
/// from then on is counted.
pub(crate) async fn open(port: u16, sessions: &mut Vec<Connection>, wanted: usize) -> Result<()> {
    let mut opening = JoinSet::new();
    while sessions.len() < wanted {
        while opening.len() < OPENING && sessions.len() + opening.len() < wanted {
            opening.spawn(async move {
                let mut one = Connection::connect(&options(port)).await?;
                one.query("SELECT 1").await?;
                Ok::<_, mainstay_mysql::Error>(one)
            });
        }
        if let Some(done) = opening.join_next().await {
            sessions.push(done??);
        }
    }
    Ok(())
}

/// Sends statements from 16 sessions until the time is over; `distinct` different ones, in text
/// and not only in numbers. Returns how many.
pub(crate) async fn ask(port: u16, distinct: u64, time: Duration) -> Result<u64> {
    let deadline = Instant::now() + time;
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..16 {
        let next = Arc::clone(&next);
        clients.spawn(async move {
            let mut one = Connection::connect(&options(port)).await?;
            while Instant::now() < deadline {
                let number = next.fetch_add(1, Ordering::Relaxed) % distinct;
                one.query(&format!(
                    "SELECT k AS {} FROM sbtest1 WHERE id = 7",
                    name(number)
                ))
                .await?;
            }
            Ok::<_, mainstay_mysql::Error>(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok(next.load(Ordering::Relaxed))
}

/// A name of letters only: digits would be folded into one digest.
fn name(number: u64) -> String {
    let letters = format!("{number:07}");
    letters
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_differ_in_letters() {
        assert_eq!(super::name(0), "aaaaaaa");
        assert_eq!(super::name(1_234_567), "bcdefgh");
    }
}
