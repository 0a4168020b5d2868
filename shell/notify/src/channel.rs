//! One receiver of messages.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::{Command, Mail, Message, NotifyError, Webhook};

/// Pauses before the second and the third attempt, where another attempt harms nobody.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// A receiver, and how patient we are with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// How it is reached.
    pub means: Means,
    /// One attempt takes no longer.
    pub limit: Duration,
}

/// How a receiver is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// A program is run.
    Command(Command),
    /// The message is posted.
    Webhook(Webhook),
    /// It is mailed.
    Mail(Mail),
}

/// Delivers a message. A command is run once; a webhook and a mail server that do not take the
/// message are tried twice more.
pub async fn deliver(channel: &Channel, message: &Message) -> Result<(), NotifyError> {
    let limit = channel.limit;
    match &channel.means {
        Means::Command(command) => command.run(message, limit).await,
        Means::Webhook(webhook) => {
            let (webhook, message) = (webhook.clone(), message.clone());
            let place = webhook.place();
            again(place, limit, move || webhook.post(&message, limit)).await
        }
        Means::Mail(mail) => {
            let (mail, message) = (mail.clone(), message.clone());
            let place = mail.server.clone();
            again(place, limit, move || mail.send(&message, limit)).await
        }
    }
}

/// Attempts that block a thread, each within the limit.
async fn again(
    what: String,
    limit: Duration,
    attempt: impl Fn() -> Result<(), NotifyError> + Clone + Send + 'static,
) -> Result<(), NotifyError> {
    let mut pauses = PAUSES.iter();
    loop {
        let tried = timeout(limit, spawn_blocking(attempt.clone())).await;
        let failure = match tried {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(failure))) => failure,
            // An attempt that panicked is as good as one that hangs.
            Ok(Err(_)) | Err(_) => NotifyError::Late {
                what: what.clone(),
                limit,
            },
        };
        let Some(pause) = pauses.next() else {
            return Err(failure);
        };
        sleep(*pause).await;
    }
}
