//! Findings: a subject, a problem with its evidence, in English. An analysis returns all of them.

use std::fmt;

use mainstay_topology::{Address, ServerName};

use crate::pause::{of_pause, of_unacknowledged};

mod misfit;

pub use misfit::Misfit;

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The cluster as a whole.
    Cluster,
    /// One server.
    Server(ServerName),
    /// The replication link of one replica.
    Link(ServerName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("the cluster"),
            Self::Server(name) | Self::Link(name) => name.fmt(f),
        }
    }
}

/// What is wrong, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing listens there.
    Gone,
    /// It does not answer.
    Silent,
    /// It is alive, and has no connection to spare.
    TooManyConnections,
    /// It is alive, and does not let us in.
    AccessDenied {
        /// The server's error code.
        code: u16,
    },
    /// It is alive, and answers with an error.
    AnswersWithError {
        /// The server's error code.
        code: u16,
        /// The server's text.
        message: String,
    },
    /// No reign has begun, and it cannot begin yet.
    NotBegun {
        /// Why, in English.
        reason: String,
    },
    /// Two servers have one identity.
    SameIdentity {
        /// The other server.
        other: ServerName,
        /// What they share, as in `server_id 1`.
        shared: String,
    },
    /// The primary is suspected or confirmed dead.
    PrimaryDead {
        /// The evidence, in English.
        evidence: String,
    },
    /// The primary does not answer, and is not confirmed dead.
    PrimaryDoubtful {
        /// What is seen, and what is missing for a confirmation.
        evidence: String,
    },
    /// The primary answers, but commits do not end.
    WritesBlocked {
        /// The evidence, in English.
        evidence: String,
    },
    /// The primary says that it does not accept writes, or not in the way it should.
    NotServing {
        /// What is missing.
        missing: String,
    },
    /// The primary has less than a server that was its replica, or than at the beginning of its
    /// reign.
    PrimaryLostData {
        /// What it lacks.
        transactions: String,
    },
    /// Not the primary, and may acknowledge writes.
    MayAcknowledge,
    /// Its receiver or its applier is stopped.
    Stopped,
    /// It cannot apply a transaction.
    ApplierFailed {
        /// The server's error code.
        code: u32,
    },
    /// Its source has purged binary logs that it needs.
    NeededLogsPurged {
        /// The server's error code.
        code: u32,
    },
    /// It was restarted, or emptied, and may have forgotten what it acknowledged.
    Restarted,
    /// It replicates from another server than it should.
    WrongSource {
        /// The present source.
        source: Address,
        /// The one that it should follow, if that is not the primary.
        own: Option<ServerName>,
    },
    /// It replicates from nobody.
    Detached,
    /// It is attached, but not recorded as such.
    NotRecorded,
    /// It is recorded as a replica, but not configured.
    NotConfigured,
    /// It has transactions that the primary does not have.
    Errant {
        /// The transactions.
        transactions: String,
        /// What happens next.
        remedy: String,
    },
    /// Its errant transactions are undone, and its GTIDs do not say so yet.
    Rewinding,
    /// It is further behind than readers may be.
    Lagging {
        /// How far, in milliseconds.
        lag_ms: u64,
    },
    /// It is set up, or takes part, otherwise than it should.
    Shape(Misfit),
    /// If the primary died now, there would be no failover.
    CannotFailOver {
        /// Why, and what helps.
        reason: String,
    },
    /// An operator wants no automatic operation to begin.
    Paused {
        /// By whom, and what for.
        pause: String,
    },
    /// Another failover for a silent primary is held back.
    Unacknowledged {
        /// The operation of the last one.
        operation: u64,
    },
}

impl Problem {
    /// Its kind, for programs: it does not change with the evidence.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::TooManyConnections => "too-many-connections",
            Self::AccessDenied { .. } => "access-denied",
            Self::AnswersWithError { .. } => "answers-with-error",
            Self::NotBegun { .. } => "not-begun",
            Self::SameIdentity { .. } => "same-identity",
            Self::PrimaryDead { .. } => "primary-dead",
            Self::PrimaryDoubtful { .. } => "primary-doubtful",
            Self::WritesBlocked { .. } => "writes-blocked",
            Self::NotServing { .. } => "not-serving",
            Self::PrimaryLostData { .. } => "primary-lost-data",
            Self::MayAcknowledge => "may-acknowledge",
            Self::Stopped => "stopped",
            Self::ApplierFailed { .. } => "applier-failed",
            Self::NeededLogsPurged { .. } => "needed-logs-purged",
            Self::Restarted => "restarted",
            Self::WrongSource { .. } => "wrong-source",
            Self::Detached => "detached",
            Self::NotRecorded => "not-recorded",
            Self::NotConfigured => "not-configured",
            Self::Errant { .. } => "errant",
            Self::Rewinding => "rewinding",
            Self::Lagging { .. } => "lagging",
            Self::Shape(misfit) => misfit.code(),
            Self::CannotFailOver { .. } => "cannot-fail-over",
            Self::Paused { .. } => "paused",
            Self::Unacknowledged { .. } => "unacknowledged",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    pub problem: Problem,
}

impl Finding {
    /// A finding about one server.
    pub fn of_server(server: &ServerName, problem: Problem) -> Self {
        Self {
            subject: Subject::Server(server.clone()),
            problem,
        }
    }

    /// A finding about one replica's link.
    pub fn of_link(server: &ServerName, problem: Problem) -> Self {
        Self {
            subject: Subject::Link(server.clone()),
            problem,
        }
    }

    /// A finding about the cluster.
    pub fn of_cluster(problem: Problem) -> Self {
        Self {
            subject: Subject::Cluster,
            problem,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("nothing listens there"),
            Self::Silent => f.write_str("does not answer"),
            Self::TooManyConnections => f.write_str("alive, too many connections"),
            Self::AccessDenied { code } => {
                write!(f, "alive, does not let the manager in (error {code})")
            }
            Self::AnswersWithError { code, message } => {
                write!(f, "alive, answers with error {code}: {message}")
            }
            Self::NotBegun { reason } => write!(f, "no primary yet: {reason}"),
            Self::SameIdentity { other, shared } => {
                write!(f, "has the same {shared} as {other}; give it its own")
            }
            Self::PrimaryDead { evidence } => write!(f, "dead: {evidence}"),
            Self::PrimaryDoubtful { evidence } => {
                write!(f, "not confirmed dead: {evidence}")
            }
            Self::WritesBlocked { evidence } => {
                write!(f, "writes are blocked: {evidence}")
            }
            Self::NotServing { missing } => {
                write!(f, "does not serve as primary: {missing}")
            }
            Self::PrimaryLostData { transactions } => {
                write!(f, "lacks transactions it had: {transactions}")
            }
            Self::MayAcknowledge => f.write_str("not the primary, and accepts writes"),
            Self::Stopped => f.write_str("replication is stopped"),
            Self::ApplierFailed { code } => {
                write!(f, "cannot apply a transaction (error {code})")
            }
            Self::NeededLogsPurged { code } => write!(
                f,
                "its source has purged binary logs it needs (error {code})"
            ),
            Self::Restarted => f.write_str(
                "was restarted and may have forgotten what it acknowledged; counts as \
                 absent in a failover until it holds all that the primary has executed",
            ),
            Self::WrongSource { source, own } => {
                let own = own.as_ref().map_or("the primary", ServerName::as_str);
                write!(f, "replicates from {source}, not from {own}")
            }
            Self::Detached => f.write_str("replicates from nobody"),
            Self::NotRecorded => f.write_str("replicates, but is not recorded as a replica"),
            Self::NotConfigured => f.write_str(
                "recorded as a replica and not configured: it counts as absent in a \
                 failover until it no longer replicates",
            ),
            Self::Errant {
                transactions,
                remedy,
            } => write!(
                f,
                "has transactions that the primary lacks: {transactions}; {remedy}"
            ),
            Self::Rewinding => f.write_str(
                "was being rewound when that was cut off; it is finished before it is attached",
            ),
            Self::Lagging { lag_ms } => write!(f, "{lag_ms} ms behind"),
            Self::Shape(misfit) => misfit.fmt(f),
            Self::CannotFailOver { reason } => {
                write!(f, "a failover would be refused now: {reason}")
            }
            Self::Paused { pause } => f.write_str(&of_pause(pause)),
            Self::Unacknowledged { operation } => f.write_str(&of_unacknowledged(*operation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const CODE: [&str; 2] = [
        include_str!("finding.rs"),
        include_str!("finding/misfit.rs"),
    ];
    const PAGE: &str = include_str!("../../../docs/findings.md");

    /// What `code()` answers: the only words that stand so after an arrow.
    fn codes() -> BTreeSet<&'static str> {
        let lines = CODE.iter().flat_map(|text| text.lines());
        let words = lines.filter_map(|line| line.trim().split_once("=> \"")?.1.split_once("\","));
        let is_code = |word: &&str| !word.contains([' ', '{']);
        words.map(|(word, _)| word).filter(is_code).collect()
    }

    #[test]
    fn the_page_of_findings_has_a_row_for_each_and_names_no_other() {
        let (own, others) = PAGE.split_once("## Coming").expect("two parts");
        let rows = own.lines().filter_map(|line| line.strip_prefix("| `"));
        let rows: BTreeSet<_> = rows.filter_map(|row| row.split('`').next()).collect();
        assert_eq!(rows, codes());
        let here = others.lines().filter_map(|line| line.split(" | ").nth(1));
        for words in here {
            let quoted = words.split('`').skip(1).step_by(2);
            for word in
                quoted.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            {
                assert!(rows.contains(word), "{word} is no finding");
            }
        }
    }
}
