//! What is told.

use serde_json::{Value, json};

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something is not as it should be.
    Began,
    /// It is over.
    Ended,
    /// An operation of the manager has ended.
    Operation,
}

impl Kind {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Ended => "ended",
            Self::Operation => "operation",
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The cluster's name.
    pub cluster: String,
    /// What has happened.
    pub kind: Kind,
    /// The kind of finding, or of operation: `primary-dead`, `failover`.
    pub code: String,
    /// The server, or `the cluster`.
    pub subject: String,
    /// In English.
    pub sentence: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

impl Message {
    /// One line for people.
    pub fn title(&self) -> String {
        let Self {
            cluster, sentence, ..
        } = self;
        match self.kind {
            Kind::Began | Kind::Operation => format!("[{cluster}] {sentence}"),
            Kind::Ended => format!("[{cluster}] over: {sentence}"),
        }
    }

    /// As a JSON object. `text` is what chat services show of a webhook.
    pub fn json(&self) -> Value {
        json!({
            "text": self.title(),
            "cluster": self.cluster,
            "event": self.kind.name(),
            "code": self.code,
            "subject": self.subject,
            "sentence": self.sentence,
            "at_ms": self.at_ms,
        })
    }

    /// As variables of a command's environment.
    pub fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("MAINSTAY_CLUSTER", self.cluster.clone()),
            ("MAINSTAY_EVENT", self.kind.name().to_owned()),
            ("MAINSTAY_CODE", self.code.clone()),
            ("MAINSTAY_SUBJECT", self.subject.clone()),
            ("MAINSTAY_SENTENCE", self.sentence.clone()),
            ("MAINSTAY_AT_MS", self.at_ms.to_string()),
        ]
    }
}
