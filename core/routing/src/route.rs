//! The rules, in the order in which they are asked.

use mainstay_sql::{Access, Flags, Hint, Kind, Statement};

use crate::reason::Reason;

/// What the operator allows for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Send plain reads to the readers without being asked.
    pub split_reads: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { split_reads: true }
    }
}

/// What the session knows when a statement arrives.
// Each is one independent fact; together they are not a state machine.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// A transaction is open, by the server's last status.
    pub in_transaction: bool,
    /// The session's autocommit.
    pub autocommit: bool,
    /// The session holds a connection because of state that cannot be set up elsewhere.
    pub tied: bool,
    /// At least one reader may be used.
    pub has_readers: bool,
    /// The user's policy.
    pub policy: Policy,
}

/// Where a statement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// To the writer.
    Writer,
    /// To any reader.
    Reader,
    /// To the connection that the session holds, else the one it used last, else the writer.
    Tied,
}

/// A route and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Where it goes.
    pub route: Route,
    /// Which rule said so.
    pub reason: Reason,
}

/// Decides where one statement goes.
///
/// A read-only transaction runs on the writer as well: on a reader, the statement after an implicit
/// commit in it, or after its end on a tied session, could be a write.
pub fn route(context: &Context, statement: &Statement) -> Decision {
    let decide = |route, reason| Decision { route, reason };
    if context.tied {
        return decide(Route::Tied, Reason::SessionTied);
    }
    if context.in_transaction {
        return decide(Route::Writer, Reason::InTransaction);
    }
    if statement.flags.contains(Flags::DIAGNOSTICS) {
        return decide(Route::Tied, Reason::FollowsPrevious);
    }
    if !context.autocommit {
        return decide(Route::Writer, Reason::AutocommitOff);
    }
    if let Some(reason) = needs_writer(*statement) {
        return decide(Route::Writer, reason);
    }
    let asked = match statement.hint {
        Some(Hint::Primary) => return decide(Route::Writer, Reason::HintPrimary),
        Some(Hint::Replica) => true,
        None => false,
    };
    if !asked && !context.policy.split_reads {
        return decide(Route::Writer, Reason::SplitOff);
    }
    if !context.has_readers {
        return decide(Route::Writer, Reason::NoReader);
    }
    let reason = if asked {
        Reason::HintReplica
    } else {
        Reason::PlainRead
    };
    decide(Route::Reader, reason)
}

/// The most telling reason why a statement is for the writer.
fn needs_writer(statement: Statement) -> Option<Reason> {
    const RULES: [(Flags, Reason); 10] = [
        (Flags::LOCKING_READ, Reason::LockingRead),
        (Flags::LAST_INSERT_ID, Reason::LastInsertId),
        (Flags::ROW_COUNT, Reason::RowCount),
        (Flags::CALC_FOUND_ROWS, Reason::RowCount),
        (Flags::NAMED_LOCK, Reason::NamedLock),
        (Flags::SEQUENCE, Reason::Sequence),
        (Flags::ASSIGNS_USER_VARIABLE, Reason::UserVariable),
        (Flags::READS_USER_VARIABLE, Reason::UserVariable),
        (Flags::UNKNOWN_FUNCTION, Reason::UnknownFunction),
        (Flags::INTO_FILE, Reason::NotARead),
    ];
    let rule = RULES
        .iter()
        .find(|(flag, _)| statement.flags.contains(*flag));
    let writes = statement.access == Access::Write;
    let query = matches!(statement.kind, Kind::Read | Kind::Show);
    // The flags of anything but a query only add to what its kind says already.
    match rule {
        Some((_, reason)) if query => Some(*reason),
        Some(_) | None => writes.then_some(Reason::NotARead),
    }
}
