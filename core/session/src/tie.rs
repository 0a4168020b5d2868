//! Why a session keeps its server connection between statements.

/// One reason for which a session cannot give its server connection back to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TieReason {
    /// A transaction is open.
    Transaction,
    /// Temporary tables exist on the connection.
    TemporaryTable,
    /// `LOCK TABLES` or `FLUSH TABLES WITH READ LOCK` is in force.
    TableLock,
    /// `GET_LOCK` was called.
    NamedLock,
    /// User variables were assigned.
    UserVariable,
    /// `PREPARE` made a statement in SQL.
    SqlPrepare,
    /// A cursor is open.
    Cursor,
    /// A `SET` that cannot be replayed on another connection.
    SessionVariable,
    /// The next statement may ask for `FOUND_ROWS()`, `ROW_COUNT()` or the warnings of this one.
    Diagnostics,
    /// Parameter data was sent in pieces for a prepared statement.
    LongData,
    /// `SET TRANSACTION` for the next transaction.
    NextTransaction,
    /// A procedure, a stored function or a text not understood left something behind that the
    /// server does not name.
    Procedure,
    /// `HANDLER … OPEN`.
    Handler,
    /// `XA START`.
    Xa,
    /// It reads the binlog.
    Replication,
    /// A query rule with `multiplex = 0`, or a user with `fast_forward`.
    Rule,
}

impl TieReason {
    /// What is lost when the connection is, as the end of a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::Transaction => "an open transaction",
            Self::TemporaryTable => "temporary tables",
            Self::TableLock => "table locks",
            Self::NamedLock => "locks taken with GET_LOCK",
            Self::UserVariable => "user variables",
            Self::SqlPrepare => "statements made with PREPARE",
            Self::Cursor => "an open cursor",
            Self::SessionVariable => "session variables that cannot be set again",
            Self::Diagnostics => "the result counters of the last statement",
            Self::LongData => "parameter data sent in pieces",
            Self::NextTransaction => "the characteristics of the next transaction",
            Self::Procedure => "what a stored program left on it",
            Self::Handler => "an open handler",
            Self::Xa => "an XA transaction",
            Self::Replication => "its place in the binlog",
            Self::Rule => "what a query rule keeps on it",
        }
    }
}

/// The reasons in force for one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ties(u16);

impl Ties {
    const fn bit(reason: TieReason) -> u16 {
        1 << reason as u16
    }

    /// True when the reason is new.
    pub(crate) fn insert(&mut self, reason: TieReason) -> bool {
        let new = !self.contains(reason);
        self.0 |= Self::bit(reason);
        new
    }

    pub(crate) fn remove(&mut self, reason: TieReason) {
        self.0 &= !Self::bit(reason);
    }

    pub(crate) const fn contains(self, reason: TieReason) -> bool {
        self.0 & Self::bit(reason) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True when nothing but the counters of the last statement ties the session: something that
    /// may be given up when somebody else needs the connection.
    pub(crate) fn is_soft(self) -> bool {
        self.0 == Self::bit(TieReason::Diagnostics)
    }

    /// True when nothing is lost with the connection but an open transaction.
    pub(crate) fn is_only_transaction(mut self) -> bool {
        self.remove(TieReason::Diagnostics);
        self.0 == Self::bit(TieReason::Transaction)
    }

    /// True when the connection must be reset before another session may have it.
    pub(crate) fn leaves_traces(self) -> bool {
        !self.is_empty() && !self.is_soft()
    }

    /// The reasons in force that were not `before`.
    pub(crate) fn added(self, before: Self) -> impl Iterator<Item = TieReason> {
        let added = Self(self.0 & !before.0);
        let all = if added.is_empty() {
            &[][..]
        } else {
            &TieReason::ALL[..]
        };
        all.iter()
            .copied()
            .filter(move |&reason| added.contains(reason))
    }

    /// The reason to tell first: the one that hurts most.
    pub(crate) fn first(self) -> Option<TieReason> {
        TieReason::ALL
            .into_iter()
            .find(|&reason| self.contains(reason))
    }
}

impl TieReason {
    const ALL: [Self; 16] = [
        Self::Transaction,
        Self::TemporaryTable,
        Self::TableLock,
        Self::NamedLock,
        Self::UserVariable,
        Self::SqlPrepare,
        Self::Cursor,
        Self::SessionVariable,
        Self::Diagnostics,
        Self::LongData,
        Self::NextTransaction,
        Self::Procedure,
        Self::Handler,
        Self::Xa,
        Self::Replication,
        Self::Rule,
    ];
}
