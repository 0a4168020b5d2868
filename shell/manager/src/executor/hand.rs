//! The executor's connections to one server. One is always kept open ahead: a login takes 20 ms,
//! which a switchover does not have. It is lent to a step and comes back when the step has read
//! all its answers. What a step has left that was cut off is swept up before another has its turn.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use mainstay_mysql::{ConnectOptions, Connection, Error};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::sweep::{self, Litter};

/// Time between two attempts to open a connection ahead.
const RETRY: Duration = Duration::from_millis(500);

/// Requests that wait; steps of one server are few.
const QUEUE: usize = 16;

enum Message {
    Lend(oneshot::Sender<Result<Connection, Error>>),
    Return(Connection),
    Left(Litter),
}

/// Where connections to one server are had.
#[derive(Clone)]
pub(crate) struct Hand {
    messages: mpsc::Sender<Message>,
    channel: Arc<str>,
}

impl Hand {
    pub(crate) fn open(options: ConnectOptions, user: &str, tasks: &mut JoinSet<()>) -> Self {
        let (messages, received) = mpsc::channel(QUEUE);
        let keeper = Keeper {
            options,
            user: user.to_owned(),
            kept: None,
            litter: Vec::new(),
        };
        tasks.spawn(keeper.run(received));
        Self {
            messages,
            channel: Arc::from(""),
        }
    }

    /// The same, for a server whose channel of this cluster has a name.
    pub(crate) fn on_channel(self, channel: &str) -> Self {
        Self {
            channel: Arc::from(channel),
            ..self
        }
    }

    /// A connection: the one that is kept open, or a new one.
    pub(super) async fn lend(&self) -> Result<Lent, String> {
        let (reply, answer) = oneshot::channel();
        let stopped = "the manager is stopping";
        let sent = self.messages.send(Message::Lend(reply)).await;
        sent.map_err(|_| stopped.to_owned())?;
        match answer.await {
            Ok(Ok(connection)) => Ok(Lent {
                connection: Some(connection),
                home: self.messages.clone(),
                channel: Arc::clone(&self.channel),
                repair: None,
            }),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(stopped.to_owned()),
        }
    }
}

/// A lent connection.
pub(crate) struct Lent {
    connection: Option<Connection>,
    home: mpsc::Sender<Message>,
    channel: Arc<str>,
    repair: Option<&'static str>,
}

impl Lent {
    /// The name of the server's channel of this cluster.
    pub(super) fn channel(&self) -> Arc<str> {
        Arc::clone(&self.channel)
    }

    /// The connection, for something after which it is of no use to others.
    pub(super) fn keep(mut self) -> Connection {
        self.connection.take().expect("it is taken only once")
    }

    /// What is sent to the server if the connection is given back before this is withdrawn.
    pub(super) fn repair_with(&mut self, statement: Option<&'static str>) {
        self.repair = statement;
    }
}

impl Deref for Lent {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is taken only by drop")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("it is taken only by drop")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let message = if connection.is_broken() || self.repair.is_some() {
            Message::Left(Litter {
                connection: connection.connection_id(),
                repair: self.repair,
            })
        } else {
            Message::Return(connection)
        };
        // A full queue means that nobody misses this connection.
        let _ = self.home.try_send(message);
    }
}

struct Keeper {
    options: ConnectOptions,
    user: String,
    kept: Option<Connection>,
    litter: Vec<Litter>,
}

impl Keeper {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        self.kept = self.connect().await.ok();
        loop {
            let missing = self.kept.is_none();
            let closed = async {
                match &mut self.kept {
                    Some(open) => {
                        open.closed().await;
                    }
                    None => std::future::pending().await,
                }
            };
            let message = tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => Some(message),
                    None => return,
                },
                () = closed => None,
                () = sleep(RETRY), if missing => None,
            };
            match message {
                Some(Message::Lend(reply)) => self.lend(reply).await,
                Some(Message::Return(connection)) => self.kept = Some(connection),
                Some(Message::Left(litter)) => {
                    self.litter.push(litter);
                    self.kept = self.connect().await.ok();
                }
                None => self.kept = self.connect().await.ok(),
            }
        }
    }

    async fn lend(&mut self, reply: oneshot::Sender<Result<Connection, Error>>) {
        let lent = match self.kept.take() {
            Some(open) => Ok(open),
            None => self.connect().await,
        };
        // A step that was cut off meanwhile gives its connection back unused.
        if let Err(Ok(unused)) = reply.send(lent) {
            self.kept = Some(unused);
        }
    }

    /// Litter stays until a connection has cleared it away.
    async fn connect(&mut self) -> Result<Connection, Error> {
        let mut connection = Connection::connect(&self.options).await?;
        if !self.litter.is_empty() {
            sweep::run(&mut connection, &self.user, &self.litter).await?;
            self.litter.clear();
        }
        Ok(connection)
    }
}
