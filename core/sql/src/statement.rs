//! The verdict on one statement: its kind, where it must go, and what it does to the session.

use crate::flags::Flags;

/// What a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A query: `SELECT`, `TABLE`, `VALUES`, `WITH … SELECT`.
    Read,
    /// Changes rows: `INSERT`, `UPDATE`, `DELETE`, `REPLACE`, `DO`.
    Write,
    /// Changes definitions or rights: `CREATE`, `ALTER`, `DROP`, `GRANT`, …
    Ddl,
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK` of the whole transaction.
    Rollback,
    /// `SAVEPOINT`, `RELEASE SAVEPOINT`, `ROLLBACK TO`.
    Savepoint,
    /// `SET` in any form; [`crate::set::parse`] tells which.
    Set,
    /// `USE schema`.
    Use,
    /// Tells about things: `SHOW`, `DESCRIBE`, `EXPLAIN`, `HELP`, `CHECKSUM TABLE`.
    Show,
    /// `PREPARE name FROM …`.
    Prepare,
    /// `EXECUTE`, `EXECUTE IMMEDIATE`.
    Execute,
    /// `DEALLOCATE PREPARE`, `DROP PREPARE`.
    Deallocate,
    /// `LOCK TABLES`, `LOCK INSTANCE`, `FLUSH TABLES WITH READ LOCK`, `BACKUP STAGE`.
    LockTables,
    /// `UNLOCK TABLES`, `UNLOCK INSTANCE`.
    UnlockTables,
    /// `CALL procedure`.
    Call,
    /// `LOAD DATA`, `LOAD XML`.
    LoadData,
    /// `KILL`.
    Kill,
    /// `HANDLER`.
    Handler,
    /// Any `XA` statement.
    Xa,
    /// Looks after the server: `FLUSH`, `ANALYZE TABLE`, `PURGE`, `CHANGE …`, `SHUTDOWN`, …
    Admin,
    /// Not understood: may be anything.
    Unknown,
    /// Nothing but white space and comments.
    Empty,
    /// More than one statement.
    Multi,
}

/// Where a statement may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Proved free of writes: any server with the data may answer it.
    Read,
    /// For the writer.
    Write,
}

/// What the client asked for in a leading comment: `/* mainstay: primary */`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Send it to the primary.
    Primary,
    /// Send it to a replica, if it is a read.
    Replica,
}

/// What [`crate::classify`] found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Statement {
    /// What it is.
    pub kind: Kind,
    /// Where it may go.
    pub access: Access,
    /// What else is known about it.
    pub flags: Flags,
    /// What the client asked for.
    pub hint: Option<Hint>,
}

impl Statement {
    /// True when it leaves state on its connection that cannot be set up again elsewhere: the
    /// session must keep that connection. A `SET` is judged by [`crate::set::parse`] as well.
    pub fn ties(&self) -> bool {
        self.flags.contains(Flags::TIES)
    }

    /// True when its result depends on the statement before it, so that it must run on the
    /// connection that ran that one.
    pub fn follows_previous(&self) -> bool {
        self.flags
            .intersects(Flags::LAST_INSERT_ID | Flags::ROW_COUNT | Flags::DIAGNOSTICS)
    }

    /// True when nothing is known about it.
    pub fn is_unknown(&self) -> bool {
        self.kind == Kind::Unknown
    }
}
