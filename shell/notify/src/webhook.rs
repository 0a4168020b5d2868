//! Posts the message as JSON.

use std::fmt;
use std::time::Duration;

use crate::{Message, NotifyError};

/// An address that takes JSON. It often is a secret itself, so only its host is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address: `http://` or `https://`.
    pub url: String,
}

impl Webhook {
    /// Its host.
    pub(crate) fn place(&self) -> String {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next().unwrap_or_default();
        host.to_owned()
    }

    pub(crate) fn post(&self, message: &Message, limit: Duration) -> Result<(), NotifyError> {
        let config = ureq::Agent::config_builder().timeout_global(Some(limit));
        let agent: ureq::Agent = config.build().into();
        let sent = agent.post(&self.url).send_json(message.json());
        sent.map(|_| ()).map_err(|error| NotifyError::Webhook {
            place: self.place(),
            reason: match error {
                ureq::Error::StatusCode(code) => format!("it answered {code}"),
                ureq::Error::Timeout(_) => "no answer in time".to_owned(),
                ureq::Error::ConnectionFailed => "no connection".to_owned(),
                ureq::Error::HostNotFound => "there is no such host".to_owned(),
                ureq::Error::Io(error) => error.to_string(),
                other => other.to_string().replace(&self.url, "its address"),
            },
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.place())
            .finish_non_exhaustive()
    }
}
