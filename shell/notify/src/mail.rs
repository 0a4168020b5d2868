//! Sends the message by SMTP (RFC 5321).

use std::fmt;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};

use crate::{Message, NotifyError};

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all: a server on this machine.
    None,
    /// `STARTTLS` (RFC 3207), or no mail.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
}

/// A mail server, and who writes to whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The server's name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// User and password, where it wants them.
    pub account: Option<(String, String)>,
    /// Who writes.
    pub from: String,
    /// Who reads.
    pub to: Vec<String>,
}

impl Mail {
    pub(crate) fn send(&self, message: &Message, limit: Duration) -> Result<(), NotifyError> {
        self.try_send(message, limit)
            .map_err(|reason| NotifyError::Mail {
                server: self.server.clone(),
                reason,
            })
    }

    fn try_send(&self, message: &Message, limit: Duration) -> Result<(), String> {
        let address = |text: &str| -> Result<Mailbox, String> {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|error| format!("\"{text}\" is no address: {error}"))
        };
        let mut builder = lettre::Message::builder()
            .from(address(&self.from)?)
            .subject(message.title());
        for to in &self.to {
            builder = builder.to(address(to)?);
        }
        let mail = builder.body(body(message));
        let mail = mail.map_err(|error| error.to_string())?;
        let parameters = || {
            let made = TlsParameters::new(self.server.clone());
            made.map_err(|error| error.to_string())
        };
        let tls = match self.encryption {
            Encryption::None => Tls::None,
            Encryption::StartTls => Tls::Required(parameters()?),
            Encryption::Tls => Tls::Wrapper(parameters()?),
        };
        let mut transport = SmtpTransport::builder_dangerous(&self.server)
            .port(self.port)
            .tls(tls)
            .timeout(Some(limit));
        if let Some((user, password)) = &self.account {
            transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
        }
        let sent = transport.build().send(&mail);
        sent.map(|_| ()).map_err(|error| error.to_string())
    }
}

fn body(message: &Message) -> String {
    let mut text = format!("{}\n\n", message.title());
    for (name, value) in message.variables() {
        let name = name.trim_start_matches("MAINSTAY_").to_lowercase();
        text.push_str(&format!("{name}: {value}\n"));
    }
    text
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}
