//! One kind of probe of one server: asks at its interval, and at once when the server closes the
//! idle connection, so that a killed process is noticed in milliseconds. It never judges.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mainstay_alone::{Check, Failure, Place, Probed, dialect};
use mainstay_mysql::{ConnectOptions, Connection, Error, ResultSet};
use mainstay_topology::dialect as servers;
use mainstay_topology::{Address, Reachability, ServerName};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::config::Every;
use crate::history::{Kind, Row};

/// A lost connection is followed at once by another probe, which tells a dead process from a killed
/// connection; a server that accepts and drops connections is not asked faster than that.
const QUICK_MAX: u32 = 3;

/// The port of a dying process may still accept for a moment.
const QUICK_PAUSE: Duration = Duration::from_millis(2);

/// What a prober tells.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) server: ServerName,
    pub(crate) kind: Kind,
    pub(crate) row: Row,
    pub(crate) probed: Probed,
}

pub(crate) struct Prober {
    pub(crate) server: ServerName,
    pub(crate) address: Address,
    pub(crate) options: ConnectOptions,
    pub(crate) kind: Kind,
    pub(crate) check: Check,
    pub(crate) every: Every,
    pub(crate) seen: mpsc::Sender<Seen>,
}

impl Prober {
    /// Probes until nobody listens any more.
    pub(crate) async fn run(self) {
        let mut connection = None;
        let mut quick = 0;
        loop {
            let (seen, lost) = self.probe(&mut connection).await;
            if self.seen.send(seen).await.is_err() {
                return;
            }
            quick = if lost { quick + 1 } else { 0 };
            if (1..=QUICK_MAX).contains(&quick) {
                sleep(QUICK_PAUSE).await;
            } else {
                self.rest(&mut connection).await;
            }
        }
    }

    async fn rest(&self, connection: &mut Option<Connection>) {
        let closed = async {
            match connection {
                Some(open) => {
                    open.closed().await;
                }
                None => std::future::pending().await,
            }
        };
        let closed = tokio::select! {
            () = sleep(self.every.interval) => false,
            () = closed => true,
        };
        if closed {
            *connection = None;
        }
    }

    /// One probe. Also tells whether the connection was lost in it.
    async fn probe(&self, connection: &mut Option<Connection>) -> (Seen, bool) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let began_us = u64::try_from(wall.unwrap_or_default().as_micros()).unwrap_or(u64::MAX);
        let began = Instant::now();
        let limit = self.every.limit;
        // What does not end in time leaves no connection behind.
        let open = connection.take();
        let answer = timeout(limit, self.ask(open)).await;
        let took = began.elapsed();
        let answer = answer.unwrap_or_else(|_| {
            Err(Error::Timeout {
                what: "a probe".to_owned(),
                after: limit,
            })
        });
        let mut lost = false;
        let (probed, value, error) = match answer {
            Ok((open, answer)) => {
                // A new connection is the whole of that probe.
                *connection = open.filter(|_| self.kind != Kind::Connect);
                let value = answer.value();
                (answer.into_probed(took), value, None)
            }
            Err(error) => {
                lost = error.is_closed();
                let failure = failure(&error);
                let sentence = failure.sentence.clone();
                (self.failed(failure), None, Some(sentence))
            }
        };
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let row = Row {
            address: self.address.clone(),
            began_us,
            took_us: if error.is_none() { took_us } else { 0 },
            value,
            error,
        };
        let seen = Seen {
            server: self.server.clone(),
            kind: self.kind,
            row,
            probed,
        };
        (seen, lost)
    }

    async fn ask(&self, open: Option<Connection>) -> Result<(Option<Connection>, Answer), Error> {
        let mut open = match open {
            Some(open) => open,
            None => Connection::connect(&self.options).await?,
        };
        let answer = match self.kind {
            Kind::Connect => {
                open.quit().await;
                return Ok((None, Answer::Connected));
            }
            Kind::Ping => {
                open.ping().await?;
                Answer::Ponged
            }
            Kind::ReadOnly => {
                let statement = dialect::read_only_statement(self.check);
                let rows = rows(&open.query(statement).await?);
                let unclear = || Error::Protocol(format!("no answer to {statement}"));
                Answer::ReadOnly(dialect::read_only(self.check, &rows).ok_or_else(unclear)?)
            }
            Kind::Lag => Answer::Place(place(&mut open).await?),
        };
        Ok((Some(open), answer))
    }

    fn failed(&self, failure: Failure) -> Probed {
        match self.kind {
            Kind::Connect => Probed::Connect(Err(failure)),
            Kind::Ping => Probed::Ping(Err(failure)),
            Kind::ReadOnly => Probed::ReadOnly(Err(failure)),
            Kind::Lag => Probed::Replication(Err(failure)),
        }
    }
}

enum Answer {
    Connected,
    Ponged,
    ReadOnly(bool),
    Place(Place),
}

impl Answer {
    fn value(&self) -> Option<u64> {
        match self {
            Self::Connected | Self::Ponged => None,
            Self::ReadOnly(on) => Some(u64::from(*on)),
            Self::Place(place) => Some(place.following.as_ref()?.lag?.as_secs()),
        }
    }

    fn into_probed(self, took: Duration) -> Probed {
        match self {
            Self::Connected => Probed::Connect(Ok(took)),
            Self::Ponged => Probed::Ping(Ok(took)),
            Self::ReadOnly(on) => Probed::ReadOnly(Ok(on)),
            Self::Place(place) => Probed::Replication(Ok(place)),
        }
    }
}

async fn place(open: &mut Connection) -> Result<Place, Error> {
    let greeting = open.server_version().to_owned();
    let unknown = || Error::Protocol(format!("the version `{greeting}` cannot be read"));
    let version = servers::version(&greeting).ok_or_else(unknown)?;
    let id = open.query(dialect::SERVER_ID).await?;
    let statement = dialect::replication_statement(&version);
    let links = rows(&open.query(statement).await?);
    Ok(Place {
        server_id: id.scalar().and_then(|id| id.parse().ok()).unwrap_or(0),
        following: dialect::following(&links),
    })
}

fn rows(answer: &ResultSet) -> Vec<servers::Row> {
    let row = |row: &mainstay_mysql::Row| {
        let fields = answer.columns.iter().enumerate();
        fields
            .map(|(index, name)| (name.clone(), row.get_index(index).map(str::to_owned)))
            .collect()
    };
    answer.rows.iter().map(row).collect()
}

/// What a failed probe says about the server. A lost connection may be a killed one: the next
/// probe tells.
fn failure(error: &Error) -> Failure {
    let reachability = match error {
        error if error.is_refused() => Reachability::Gone,
        Error::Server { .. } | Error::Protocol(_) => Reachability::Closed,
        _ => Reachability::Silent,
    };
    Failure {
        reachability,
        sentence: error.to_string(),
    }
}
