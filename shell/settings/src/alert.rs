//! What `[[alert]]` says.

use std::path::PathBuf;
use std::time::Duration;

use crate::settings::Account;

/// `[[alert]]`: who is told of findings that stay, and of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// `command`, `url` or `mail_to`: how.
    pub means: AlertMeans,
    /// `after`: what goes away sooner is not told; default 10 s.
    pub after: Duration,
    /// `limit`: an attempt takes no longer; default 30 s.
    pub limit: Duration,
}

/// How people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertMeans {
    /// A program is run.
    Command {
        /// `command`: its whole path.
        program: PathBuf,
        /// `arguments`.
        arguments: Vec<String>,
    },
    /// JSON is posted.
    Webhook {
        /// `url`.
        url: String,
    },
    /// A mail is sent.
    Mail(MailSettings),
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// The host of `smtp`.
    pub server: String,
    /// The port of `smtp`.
    pub port: u16,
    /// `smtp_encryption`; default `starttls`.
    pub encryption: MailEncryption,
    /// `smtp_user`, and `smtp_password` or `smtp_password_file`.
    pub account: Option<Account>,
    /// `mail_from`.
    pub from: String,
    /// `mail_to`.
    pub to: Vec<String>,
}

/// `smtp_encryption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailEncryption {
    /// `off`.
    Off,
    /// `starttls`.
    StartTls,
    /// `tls`.
    Tls,
}
