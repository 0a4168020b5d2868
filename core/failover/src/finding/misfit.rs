//! What does not fit the shape of the cluster: how servers are set up, and whom they follow.

use std::fmt;

use mainstay_topology::{AutoIncrement, ServerName};

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It could never be promoted, because of how it is set up, and that is not configured.
    Unfit {
        /// Why, as in "has no binary log".
        reason: String,
    },
    /// It acknowledges, and is not to.
    Acknowledges,
    /// It stays further behind, or less, than is configured.
    Delay {
        /// How far, in seconds.
        seconds: u64,
    },
    /// Its configured source does not serve it.
    SourceAway {
        /// That server.
        source: ServerName,
    },
    /// The primary does not replicate from the other one of the pair.
    RingOpen {
        /// Why.
        reason: String,
    },
    /// The two of a pair may give the same numbers to rows.
    SameNumbers {
        /// The two.
        servers: [ServerName; 2],
        /// How each numbers rows.
        numbers: [AutoIncrement; 2],
    },
    /// There are fewer servers that may acknowledge, and could be promoted, than commits need.
    TooFew {
        /// Acknowledgements that a commit needs.
        wanted: u32,
        /// Who may.
        able: Vec<ServerName>,
    },
}

impl Misfit {
    /// Its kind, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unfit { .. } => "unfit",
            Self::Acknowledges => "acknowledges",
            Self::Delay { .. } => "wrong-delay",
            Self::SourceAway { .. } => "source-away",
            Self::RingOpen { .. } => "ring-open",
            Self::SameNumbers { .. } => "same-numbers",
            Self::TooFew { .. } => "too-few-acknowledge",
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit { reason } => write!(f, "{reason}: it is never promoted"),
            Self::Acknowledges => f.write_str("acknowledges, and is not to"),
            Self::Delay { seconds } => write!(
                f,
                "stays {seconds} s behind, which is not what is configured"
            ),
            Self::SourceAway { source } => {
                write!(f, "its configured source {source} does not serve it")
            }
            Self::RingOpen { reason } => {
                write!(f, "the ring of the two primaries is open: {reason}")
            }
            Self::SameNumbers { servers, numbers } => {
                let [one, other] = servers;
                let [first, second] = numbers;
                write!(
                    f,
                    "{one} and {other} may number rows alike: auto_increment_offset {} and {}, \
                     auto_increment_increment {} and {}",
                    first.offset, second.offset, first.increment, second.increment
                )
            }
            Self::TooFew { wanted, able } => {
                let names: Vec<&str> = able.iter().map(ServerName::as_str).collect();
                let able = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                };
                write!(
                    f,
                    "commits need {wanted} acknowledgement(s); of servers that could be promoted \
                     and may give one there are: {able}"
                )
            }
        }
    }
}
