//! The executor's connections to one server. One is always kept open ahead: a login takes 20 ms,
//! which a switchover does not have. It is lent to a step and comes back when the step has read
//! all its answers; a step that was cut off leaves nothing behind.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use mainstay_mysql::{ConnectOptions, Connection, Error};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Time between two attempts to open a connection ahead.
const RETRY: Duration = Duration::from_millis(500);

/// Requests that wait; steps of one server are few.
const QUEUE: usize = 16;

enum Message {
    Lend(oneshot::Sender<Result<Connection, Error>>),
    Return(Connection),
}

/// Where connections to one server are had.
#[derive(Clone)]
pub(crate) struct Hand {
    messages: mpsc::Sender<Message>,
}

impl Hand {
    pub(crate) fn open(options: ConnectOptions, tasks: &mut JoinSet<()>) -> Self {
        let (messages, received) = mpsc::channel(QUEUE);
        tasks.spawn(keep(options, received));
        Self { messages }
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
            }),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(stopped.to_owned()),
        }
    }
}

/// A lent connection.
pub(super) struct Lent {
    connection: Option<Connection>,
    home: mpsc::Sender<Message>,
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
        if let Some(connection) = self.connection.take().filter(|open| !open.is_broken()) {
            // A full queue means that nobody misses this connection.
            let _ = self.home.try_send(Message::Return(connection));
        }
    }
}

async fn keep(options: ConnectOptions, mut messages: mpsc::Receiver<Message>) {
    let mut kept = Connection::connect(&options).await.ok();
    loop {
        let missing = kept.is_none();
        let closed = async {
            match &mut kept {
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
            Some(Message::Lend(reply)) => {
                let lent = match kept.take() {
                    Some(open) => Ok(open),
                    None => Connection::connect(&options).await,
                };
                // A step that was cut off meanwhile gives its connection back unused.
                if let Err(Ok(unused)) = reply.send(lent) {
                    kept = Some(unused);
                }
            }
            Some(Message::Return(connection)) => kept = Some(connection),
            None => kept = Connection::connect(&options).await.ok(),
        }
    }
}
