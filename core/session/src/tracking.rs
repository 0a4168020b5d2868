//! What servers tell of session changes (`session_track_…`): asked for on the connections where it
//! is needed, learned from, and kept from clients that did not ask for it.
//!
//! A server connection always has the capability, if its server has it. All changes are asked for
//! only before statements whose effect cannot be read from their text, and given up before those
//! that could see it. What a client gets is what its own connection to the server would send.
//!
//! Sources: "Server Tracking of Client Session State" (MySQL), "Session state" of OK packets
//! (`MariaDB`).

use mainstay_sql::{Flags, Kind, Statement, set};
use mainstay_wire::tracker::{Summary, without_changes};
use mainstay_wire::{Capabilities, Malformed, PacketReader, Reader, SessionChange};

use crate::server::{Gathered, Server};
use crate::session::{Job, Session};
use crate::state::State;
use crate::tie::TieReason;

/// What a server tells of session changes without being asked for more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usual {
    variables: Vec<String>,
    changes: bool,
    gtids: bool,
}

impl Usual {
    /// Reads the whole reply to `dialect::ask_usual`.
    pub(crate) fn read(reply: &[u8]) -> Option<Self> {
        let mut reader = last_row(reply)?;
        let mut field = || reader.lenenc_bytes().ok().map(String::from_utf8_lossy);
        let names = field()?.to_ascii_lowercase();
        let names = names.split(',').map(|name| name.trim().to_owned());
        Some(Self {
            variables: names.collect(),
            changes: field()? == "1",
            gtids: field().is_some_and(|gtids| gtids != "OFF"),
        })
    }

    fn has(&self, change: &SessionChange) -> bool {
        match change {
            SessionChange::SystemVariable { name, .. } => {
                let mut names = self.variables.iter();
                names.any(|one| one == "*" || one.eq_ignore_ascii_case(name))
            }
            SessionChange::StateChanged(_) => self.changes,
            SessionChange::Gtids(_) => self.gtids,
            // Nobody asks for more of these.
            SessionChange::Schema(_)
            | SessionChange::TransactionCharacteristics(_)
            | SessionChange::TransactionState(_)
            | SessionChange::Unknown { .. } => true,
        }
    }
}

/// Variables that are told, but are not a session's to set, or name one server's own state.
const NOISE: [&str; 17] = [
    "error_count",
    "external_user",
    "gtid_seq_no",
    "identity",
    "in_transaction",
    "insert_id",
    "last_gtid",
    "last_insert_id",
    "proxy_user",
    "pseudo_slave_mode",
    "pseudo_thread_id",
    "rand_seed1",
    "rand_seed2",
    "skip_parallel_replication",
    "statement_id",
    "timestamp",
    "warning_count",
];

/// How a connection stands with what its server tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracking {
    /// The server cannot tell.
    Unable,
    /// What it tells by itself.
    Usual,
    /// Everything.
    All,
}

impl Server {
    /// True when its replies may hold what the client did not ask for.
    pub(crate) fn filters(&self) -> bool {
        match self.tracking {
            Tracking::Unable => false,
            Tracking::Usual => {
                self.tells_gtids || !self.key.capabilities.contains(Capabilities::SESSION_TRACK)
            }
            Tracking::All => true,
        }
    }

    /// Takes out of the bytes what is not for the client, and keeps back a packet of which that is
    /// not known yet.
    pub(crate) fn filter<'a>(
        &mut self,
        gathered: Gathered<'a>,
        fed: usize,
        usual: Option<&Usual>,
    ) -> Result<Gathered<'a>, Malformed> {
        let kept = self.tracker.undecided();
        let bytes = gathered.bytes();
        let end = bytes.len().saturating_sub(kept);
        self.inbox = bytes[end..].to_vec();
        if self.tracker.marks().is_empty() {
            return Ok(gathered.up_to(end));
        }
        let before = bytes.len() - fed;
        let (mut made, mut at) = (Vec::with_capacity(end), 0);
        for mark in self.tracker.marks() {
            let stop = before + mark.end;
            let start = stop.checked_sub(mark.len).ok_or(Malformed::Truncated)?;
            made.extend_from_slice(bytes.get(at..start).ok_or(Malformed::Truncated)?);
            let packet = bytes.get(start..stop).ok_or(Malformed::Truncated)?;
            let all = self.tracking != Tracking::All && !self.tells_gtids;
            let keep = |one: &SessionChange| all || usual.is_some_and(|usual| usual.has(one));
            made.extend(without_changes(packet, self.key.capabilities, keep)?);
            at = stop;
        }
        made.extend_from_slice(bytes.get(at..end).ok_or(Malformed::Truncated)?);
        Ok(Gathered::made(made))
    }
}

impl Session {
    /// How the connection must be changed before the running command: `true` asks for everything.
    pub(crate) fn tracking(&self, server: &Server) -> Option<bool> {
        let statement = match &self.running()?.job {
            Job::Query(statement) | Job::Execute { statement, .. } => *statement,
            Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => return None,
        };
        let own = || self.state.tracks_itself();
        match server.tracking {
            Tracking::Unable => None,
            Tracking::Usual if self.may_change(statement) && !own() => Some(true),
            Tracking::Usual if !server.tells_gtids => None,
            Tracking::Usual | Tracking::All => {
                (statement.flags.contains(Flags::TRACKING) || own()).then_some(false)
            }
        }
    }

    /// True when what the statement does to its session is not in its text.
    fn may_change(&self, statement: Statement) -> bool {
        let computed = || {
            let sql = self
                .running()
                .map_or(&b""[..], |one| one.sql(&self.statements));
            set::parse(sql).verdict == set::Verdict::Computed
        };
        if statement.flags.contains(Flags::TRACKING) {
            return false;
        }
        match statement.kind {
            Kind::Set => computed(),
            Kind::Call | Kind::Execute | Kind::Unknown | Kind::Multi => true,
            Kind::Read | Kind::Write | Kind::LoadData => {
                statement.flags.contains(Flags::UNKNOWN_FUNCTION) || self.state.has_user_variables()
            }
            Kind::Ddl
            | Kind::Begin
            | Kind::Commit
            | Kind::Rollback
            | Kind::Savepoint
            | Kind::Use
            | Kind::Show
            | Kind::Prepare
            | Kind::Deallocate
            | Kind::LockTables
            | Kind::UnlockTables
            | Kind::Kill
            | Kind::Handler
            | Kind::Xa
            | Kind::Admin
            | Kind::Empty => false,
        }
    }

    /// What the server told about a statement that is no `SET`.
    pub(crate) fn learn(&mut self, statement: Statement, summary: &Summary, server: &mut Server) {
        let calls = statement.kind == Kind::Call;
        let opaque = matches!(
            statement.kind,
            Kind::Call | Kind::Execute | Kind::Unknown | Kind::Multi
        ) || statement.flags.contains(Flags::UNKNOWN_FUNCTION);
        if server.tracking != Tracking::All {
            let unable = server.tracking == Tracking::Unable;
            if calls && !self.state.tracks_itself() || opaque && unable {
                self.ties.insert(TieReason::Procedure);
            }
            return;
        }
        let rows = matches!(statement.kind, Kind::Read | Kind::Write | Kind::LoadData);
        if !opaque && !rows {
            return;
        }
        for change in &summary.changes {
            match change {
                SessionChange::SystemVariable { name, value } => {
                    if !self.take_told((name, value), &mut server.applied) {
                        self.ties.insert(TieReason::SessionVariable);
                    }
                }
                SessionChange::StateChanged(true) => {
                    let reason = if opaque {
                        TieReason::Procedure
                    } else {
                        TieReason::UserVariable
                    };
                    self.ties.insert(reason);
                }
                SessionChange::Schema(_)
                | SessionChange::StateChanged(false)
                | SessionChange::Gtids(_)
                | SessionChange::TransactionCharacteristics(_)
                | SessionChange::TransactionState(_)
                | SessionChange::Unknown { .. } => {}
            }
        }
    }

    /// A variable has this value now. False when it could not be set again.
    pub(crate) fn take_told(&mut self, told: (&str, &str), applied: &mut State) -> bool {
        let (name, value) = told;
        if NOISE.contains(&name) || name.starts_with("session_track_") {
            return true;
        }
        let Some(text) = assignment(name, value) else {
            return false;
        };
        let charset = name == "character_set_client" && set::hides_quotes(value.as_bytes());
        let certain = self.state.assign(name.as_bytes(), &text) && !charset;
        applied.assign(name.as_bytes(), &text) && certain
    }
}

/// The assignment that gives a variable the value which its server told.
fn assignment(name: &str, value: &str) -> Option<Vec<u8>> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let number = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|one| one.is_ascii_digit() || one == '.');
    let text = if value.is_empty() && name == "character_set_results" {
        format!("{name}=NULL")
    } else if number {
        format!("{name}={value}")
    } else if value.contains(['\'', '\\']) {
        return None;
    } else {
        format!("{name}='{value}'")
    };
    Some(text.into_bytes())
}

/// What the server said that the variable is after the statement.
pub(crate) fn told<'a>(summary: &'a Summary, variable: &str) -> Option<&'a str> {
    summary
        .changes
        .iter()
        .rev()
        .find_map(|change| match change {
            SessionChange::SystemVariable { name, value } => name
                .eq_ignore_ascii_case(variable)
                .then_some(value.as_str()),
            SessionChange::Schema(_)
            | SessionChange::StateChanged(_)
            | SessionChange::Gtids(_)
            | SessionChange::TransactionCharacteristics(_)
            | SessionChange::TransactionState(_)
            | SessionChange::Unknown { .. } => None,
        })
}

/// The last row of a whole result set.
pub(crate) fn last_row(reply: &[u8]) -> Option<Reader<'_>> {
    let packets: Vec<_> = PacketReader::new(reply).collect();
    let row = packets.get(packets.len().checked_sub(2)?)?;
    Some(Reader::new(row.payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_told_is_written_as_its_variable_takes_it() {
        let text = |name, value| {
            assignment(name, value).map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(text("sql_mode", "ANSI,X"), some("sql_mode='ANSI,X'"));
        assert_eq!(
            text("long_query_time", "10.5"),
            some("long_query_time=10.5")
        );
        assert_eq!(text("time_zone", "+00:00"), some("time_zone='+00:00'"));
        assert_eq!(
            text("character_set_results", ""),
            some("character_set_results=NULL")
        );
        assert_eq!(text("a", "it's"), None);
    }
}
