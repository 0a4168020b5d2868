//! The load: writers with numbered rows and readers, each on its own connection to the proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mainstay_mysql::{ConnectOptions, Connection, Error, Value};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::account::{Account, Write, WriteEnd};

/// The table of the load.
pub(crate) const TABLE: &str = "app.mainstay_drill";

/// What clients report while a round runs.
enum Seen {
    Write(Write),
    Read { reader: u32, at_ms: f64 },
    Error(u16),
}

/// How much load.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Connections that write.
    pub writers: u32,
    /// Connections that read.
    pub readers: u32,
    /// Pause of each client between two statements.
    pub pause: Duration,
}

/// A running load.
#[derive(Debug)]
pub struct Load {
    stop: watch::Sender<bool>,
    clients: Vec<JoinHandle<()>>,
    collector: JoinHandle<Account>,
}

/// What each client needs; cloned for each.
#[derive(Clone)]
struct Client {
    options: ConnectOptions,
    next_id: Arc<AtomicU64>,
    began: Instant,
    pause: Duration,
    seen: mpsc::Sender<Seen>,
    stop: watch::Receiver<bool>,
}

impl Load {
    /// Starts the load; numbers are taken from `next_id`.
    pub fn start(options: &ConnectOptions, shape: Shape, next_id: &Arc<AtomicU64>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (seen, inbox) = mpsc::channel(1024);
        let client = Client {
            options: options.clone(),
            next_id: Arc::clone(next_id),
            began: Instant::now(),
            pause: shape.pause,
            seen,
            stop: stopped,
        };
        let writers = (0..shape.writers).map(|number| tokio::spawn(client.clone().write(number)));
        let mut clients: Vec<_> = writers.collect();
        clients.extend((0..shape.readers).map(|number| tokio::spawn(client.clone().read(number))));
        drop(client);
        Self {
            stop,
            clients,
            collector: tokio::spawn(collect(inbox)),
        }
    }

    /// Lets every client finish its statement, and gives what all of them saw.
    pub async fn stop(self) -> Account {
        let _ = self.stop.send(true);
        for client in self.clients {
            let _ = client.await;
        }
        self.collector.await.unwrap_or_default()
    }
}

async fn collect(mut inbox: mpsc::Receiver<Seen>) -> Account {
    let mut account = Account::default();
    while let Some(seen) = inbox.recv().await {
        match seen {
            Seen::Write(write) => account.writes.push(write),
            Seen::Read { reader, at_ms } => account.reads.entry(reader).or_default().push(at_ms),
            Seen::Error(code) => *account.errors.entry(code).or_insert(0) += 1,
        }
    }
    account
}

impl Client {
    fn now_ms(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1_000.0
    }

    fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Every second writer uses prepared statements, so that both protocols are under drill.
    async fn write(self, writer: u32) {
        while !self.stopped() {
            let Some(mut connection) = self.connect().await else {
                continue;
            };
            if let Err(error) = self.write_on(&mut connection, writer).await {
                self.report(&error).await;
            }
        }
    }

    async fn write_on(&self, connection: &mut Connection, writer: u32) -> Result<(), Error> {
        let insert = format!("INSERT INTO {TABLE} (id, server_id) VALUES (?, @@server_id)");
        let prepared = if writer % 2 == 1 {
            Some(connection.prepare(&insert).await?)
        } else {
            None
        };
        while !self.stopped() {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let begun_ms = self.now_ms();
            let answer = match &prepared {
                Some(statement) => connection
                    .execute_statement(statement, &[Value::UInt(id)])
                    .await
                    .map(|_| ()),
                None => connection
                    .execute(&insert.replace('?', &id.to_string()))
                    .await
                    .map(|_| ()),
            };
            let end = match &answer {
                Ok(()) => WriteEnd::Acknowledged,
                Err(error) => WriteEnd::Failed(code_of(error)),
            };
            let ended_ms = self.now_ms();
            let write = Write {
                id,
                writer,
                begun_ms,
                ended_ms,
                end,
            };
            let _ = self.seen.send(Seen::Write(write)).await;
            match answer {
                Ok(()) => {}
                Err(error) if error.server_code().is_some() => self.report(&error).await,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.pause).await;
        }
        Ok(())
    }

    async fn read(self, reader: u32) {
        while !self.stopped() {
            let Some(mut connection) = self.connect().await else {
                continue;
            };
            if let Err(error) = self.read_on(&mut connection, reader).await {
                self.report(&error).await;
            }
        }
    }

    async fn read_on(&self, connection: &mut Connection, reader: u32) -> Result<(), Error> {
        while !self.stopped() {
            let id = self.next_id.load(Ordering::Relaxed).saturating_sub(100);
            let select = format!("SELECT id, server_id FROM {TABLE} WHERE id = {id}");
            match connection.query(&select).await {
                Ok(_) => {
                    let _ = self
                        .seen
                        .send(Seen::Read {
                            reader,
                            at_ms: self.now_ms(),
                        })
                        .await;
                }
                Err(error) if error.server_code().is_some() => self.report(&error).await,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.pause).await;
        }
        Ok(())
    }

    async fn connect(&self) -> Option<Connection> {
        match Connection::connect(&self.options).await {
            Ok(connection) => Some(connection),
            Err(error) => {
                self.report(&error).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                None
            }
        }
    }

    async fn report(&self, error: &Error) {
        let _ = self.seen.send(Seen::Error(code_of(error))).await;
    }
}

/// The code a client library would show: the server's, else `CR_CONN_HOST_ERROR` (2003) when there
/// was no connection, else `CR_SERVER_LOST` (2013).
fn code_of(error: &Error) -> u16 {
    match error.server_code() {
        Some(code) => code,
        None if error.is_refused() => 2003,
        None => 2013,
    }
}
